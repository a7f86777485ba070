"""`python -m mensatek_async.sync._generate`."""

from . import main

raise SystemExit(main())
