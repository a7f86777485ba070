"""Options that several commands have, each with its words in the help."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from cyclopts import Parameter

Json = Annotated[bool, Parameter(negative="", show_default=False, help="Print one JSON object.")]
Yes = Annotated[bool, Parameter(negative="", show_default=False, help="Send without asking.")]
Sender = Annotated[
    str | None, Parameter(help="Who sends: 11 letters, digits, & or _; default: MENSATEK_SENDER.")
]
At = Annotated[
    str | None,
    Parameter(help="When to send, such as 2027-01-08T10:00; without an offset (+01:00) it is Spanish time."),
]
Encoding = Annotated[
    Literal["auto", "gsm", "unicode"],
    Parameter(
        name="--encoding-text", help="How texts travel; auto takes Unicode only where GSM cannot carry it."
    ),
]
Price = Annotated[Decimal, Parameter(help="Credits a text costs you, for the estimate before sending.")]
