"""`mensatek bulk`, with its options. What it does is imported when it runs."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .options import AccountOptions, DryRun, FileOptions, SendingOptions, TestTo, amount

_NO_ACCOUNT, _NO_FILE, _NOTHING_SAID = AccountOptions(), FileOptions(), SendingOptions()


def bulk(
    recipients: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    text: Annotated[
        str, Parameter(help="The text; {Column} is replaced by each row's cell, {phone} by its phone.")
    ],
    sending: SendingOptions = _NOTHING_SAID,
    file: FileOptions = _NO_FILE,
    test_to: TestTo = None,
    dry_run: DryRun = False,
    report: Annotated[str | None, Parameter(help="CSV file to write what became of each row.")] = None,
    rows: Annotated[
        str | None, Parameter(help="Only these rows, such as 2-500,700,1022- (the first is 1).")
    ] = None,
    concurrency: Annotated[int, Parameter(help="Requests at once, 1 to 64.")] = 8,
    per_second: Annotated[
        float | None, Parameter(converter=amount, help="Requests a second at most.")
    ] = None,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send a text to every row of a file: CSV, Excel (.xlsx) or JSON Lines.

    Parameters
    ----------
    recipients:
        The file, or - for standard input. One of its first rows names the columns.
    """
    from .bulk_command import BulkOptions, run_bulk

    return run_bulk(
        BulkOptions(
            recipients=recipients,
            text=text,
            sending=sending,
            file=file,
            test_to=test_to,
            dry_run=dry_run,
            report=report,
            rows=rows,
            concurrency=concurrency,
            per_second=per_second,
            account=account,
        )
    )
