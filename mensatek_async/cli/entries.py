"""The commands that send and ask, with their options. What they do is imported when they run."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from cyclopts import Parameter

from .account import AccountOptions
from .options import At, Encoding, Json, Price, Sender, Yes

_NO_ACCOUNT = AccountOptions()


def credits(*, json: Json = False, account: AccountOptions = _NO_ACCOUNT) -> int:
    """Show the credits left."""
    from .commands import show_credits

    return show_credits(account, json=json)


def send(
    *to: str,
    text: Annotated[str, Parameter(help="The text.")],
    sender: Sender = None,
    at: At = None,
    encoding: Encoding = "auto",
    price: Price = Decimal(1),
    yes: Yes = False,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send one text to one phone or several.

    Parameters
    ----------
    to:
        Phones, such as 600000000 or +34600000000.
    """
    from .commands import SendOptions, send_text

    return send_text(
        SendOptions(
            to=to,
            text=text,
            sender=sender,
            at=at,
            encoding=encoding,
            price=price,
            yes=yes,
            json=json,
            account=account,
        )
    )


def bulk(
    recipients: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    text: Annotated[
        str, Parameter(help="The text; {Column} is replaced by each row's cell, {phone} by its phone.")
    ],
    sender: Sender = None,
    at: At = None,
    dry_run: Annotated[
        bool, Parameter(negative="", show_default=False, help="Read and check everything, send nothing.")
    ] = False,
    json: Json = False,
    report: Annotated[str | None, Parameter(help="CSV file to write what became of each row.")] = None,
    yes: Yes = False,
    phone: Annotated[
        str | None, Parameter(help="The phone's column, by name or number; default: found by its name.")
    ] = None,
    delimiter: Annotated[
        str | None, Parameter(help="What separates the cells of a CSV; default: found out.")
    ] = None,
    sheet: Annotated[
        str | None, Parameter(help="The spreadsheet's sheet, by name or number; default: the first.")
    ] = None,
    rows: Annotated[
        str | None, Parameter(help="Only these rows, such as 2-500,700,1022- (the first is 1).")
    ] = None,
    encoding: Encoding = "auto",
    price: Price = Decimal(1),
    concurrency: Annotated[int, Parameter(help="Requests at once, 1 to 64.")] = 8,
    per_second: Annotated[float | None, Parameter(help="Requests a second at most.")] = None,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send a text to every row of a file: CSV, Excel (.xlsx) or JSON Lines.

    Parameters
    ----------
    recipients:
        The file, or - for standard input. Its first row names the columns.
    """
    from .bulk_command import BulkOptions, run_bulk

    return run_bulk(
        BulkOptions(
            recipients=recipients,
            text=text,
            sender=sender,
            at=at,
            dry_run=dry_run,
            json=json,
            report=report,
            yes=yes,
            phone=phone,
            delimiter=delimiter,
            sheet=sheet,
            rows=rows,
            encoding=encoding,
            price=price,
            concurrency=concurrency,
            per_second=per_second,
            account=account,
        )
    )
