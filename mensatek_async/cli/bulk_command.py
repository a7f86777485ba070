"""`mensatek bulk`: from a file of recipients to a summary that names every row that was not sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import anyio
from attrs import field, frozen

from ..errors import ConfigurationError
from ..settings import Limits
from ..sources.reading import Reading
from .account import Connection, connect, needs_answer, parse_when
from .check import Checked, check, make_message, make_text, open_recipients, open_rows
from .options import AccountOptions, FileOptions, SendingOptions
from .output import Output, plural
from .preview import check_test, dry_summary, preview, send_test
from .progress import checking, sending
from .report import Ledger, Report
from .selection import parse_rows
from .sending import Job, Run
from .stop import Exit, Stop
from .summary import summary


@frozen(kw_only=True)
class BulkOptions:
    """What the user asked for; `mensatek bulk --help` tells what each means."""

    recipients: str
    text: str = field(repr=False)
    sending: SendingOptions
    file: FileOptions
    test_to: str | None
    dry_run: bool
    report: str | None
    concurrency: int
    per_second: float | None
    rows: str | None
    account: AccountOptions


def run_bulk(options: BulkOptions) -> Exit:
    """Do it all, and tell.

    Raises:
        Stop: what was asked cannot be done; nothing was sent.
    """
    output = Output(json=options.sending.json)
    check_test(options.test_to, options.dry_run)
    limits = _limits(options)
    when = parse_when(options.sending.at)
    text = make_text(options.text)
    selection = parse_rows(options.rows)
    asks = needs_answer(
        options.account, yes=options.sending.yes or options.dry_run, free=options.recipients != "-"
    )
    with ExitStack() as stack:
        source = open_recipients(options.recipients, options.file, stack)
        reading = open_rows(source, text, stack, rows=selection)
        connection = None
        if not options.dry_run:
            connection = stack.enter_context(
                connect(options.account, output, may_ask=options.recipients != "-")
            )
        asked = options.sending.sender
        sender = connection.sender_or(asked) if connection else asked
        message = make_message(
            text,
            sender=sender,
            when=when,
            encoding=options.sending.encoding,
            reference=options.sending.reference,
        )
        report = _report(options, output, stack)
        with checking(output) as display:
            told = _dry_line(report) if options.dry_run and report is not None else None
            checked = check(reading, message, tick=display.checked, told=told)
        if not checked.rows:
            raise Stop(f"The file has no rows {selection}.")
        if connection is None:
            preview(output, reading, checked, price=options.sending.price, credits=None)
            return dry_summary(output, checked, options.sending.price)
        credits = connection.credits() if asks and checked.ready else None
        preview(output, reading, checked, price=options.sending.price, credits=credits)
        if options.test_to is not None:
            send_test(output, connection, checked, message, options.test_to)
        if asks and checked.ready:
            output.confirm(f"Send {plural(checked.texts, 'text')} to {plural(checked.ready, 'recipient')}?")
        job = Job(
            reading=reading,
            text=text,
            sender=sender,
            when=when,
            encoding=options.sending.encoding,
            reference=options.sending.reference,
            limits=limits,
            selection=selection,
        )
        return _send(Run(job, Ledger(), report), connection, checked, output, options.report)


def _limits(options: BulkOptions) -> Limits:
    try:
        return Limits(concurrency=options.concurrency, per_second=options.per_second)
    except ConfigurationError:
        raise Stop("--concurrency takes 1 to 64 requests, --per-second a number above 0.") from None


def _report(options: BulkOptions, output: Output, stack: ExitStack) -> Report | None:
    if options.report is None:
        return None
    report = Report(options.report, options.recipients)
    stack.callback(report.close)
    if report.moved:
        output.note(f"The earlier report is kept as {report.moved}.")
    return report


def _dry_line(report: Report) -> Callable[[int, str, str], None]:
    def told(row: int, phone: str, reason: str) -> None:
        report.line(row, phone, "invalid" if reason else "ready", reason)

    return told


def _send(send: Run, connection: Connection, checked: Checked, output: Output, report: str | None) -> Exit:
    with sending(output, checked.rows) as display:
        try:
            anyio.run(send.send, connection, display, output)
        except KeyboardInterrupt:  # where signals cannot be received, such as on Windows
            send.interrupted = True
    if send.report is not None:
        try:
            send.report.finish(_untold(send.job.reading, send.ledger), "the send ended before this row")
        except (Stop, OSError) as error:
            send.error = send.error or error
    return summary(output, send, checked, report)


def _untold(reading: Reading, ledger: Ledger) -> Iterator[tuple[int, str]]:
    """The rows nothing became of, with their phones as given."""
    for item in reading:
        row = item.row or 0
        if not ledger.knows(row):
            yield row, item.phone
