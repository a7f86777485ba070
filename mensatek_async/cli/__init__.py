"""The `mensatek` command. Only what it needs is imported, and only when it needs it."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command with the arguments it was started with.

    Returns:
        The exit code: 0 all sent, 1 some not, 2 wrong use, 3 refused account, 130 interrupted.
    """
    try:
        from .app import run
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("cyclopts", "rich"):
            raise
        from ..language import choose, language

        spoken = language(choose())
        why = spoken.text(
            "the command needs more packages. Install them with: pip install 'mensatek-async[cli]'"
        )
        print(f"mensatek: {why}", file=sys.stderr)
        return 2
    return run(sys.argv[1:])
