"""`mensatek bulk`: a campaign whose name is made of what is sent, so that the same command goes on with it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from attrs import frozen
from cyclopts import Parameter

from ..errors import MensatekError
from ..settings import state_folder
from ..sources.text_files import reason_of, shown
from .account import Connection, connect, needs_answer, parse_when
from .options import AccountOptions, BulkOptions, DryRun, FileOptions, SendingOptions, TestTo
from .output import Exit, Output, Stop, credits_text, plural, text_of

if TYPE_CHECKING:
    from ..campaigns.campaigns import Campaigns
    from ..models.bulk import RowProblem
    from ..models.campaign import Progress
    from ..sources.batches import RecipientSource
    from .campaign_run import Session
    from .preview import Text

_NO_ACCOUNT, _NO_FILE, _NOTHING_SAID = AccountOptions(), FileOptions(), SendingOptions()
_KEEP = 30.0  # days
_PATIENCE = 120.0  # seconds without an answer while the provider cannot be reached
_LONGEST = 36_500.0  # days
_OUTCOMES: tuple[Literal["invalid", "failed", "unknown"], ...] = ("invalid", "failed", "unknown")
_KINDS = {"invalid": "invalid", "failed": "not sent", "unknown": "unknown"}


_NO_OPTIONS = BulkOptions()


@frozen(kw_only=True)
class Bulk:
    """A send to every row of a file, or of standard input ("-")."""

    recipients: str
    what: Text
    options: BulkOptions
    account: AccountOptions


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
    options: BulkOptions = _NO_OPTIONS,
    account: AccountOptions = _NO_ACCOUNT,
) -> Exit:
    """Send a text to every row of a file: CSV, Excel (.xlsx) or JSON Lines.

    Every request is written down first: after a kill the same command goes on where it stopped.

    Parameters
    ----------
    recipients:
        The file, or - for standard input. One of its first rows names the columns.
    """
    from .campaign_run import Session
    from .campaign_view import line
    from .preview import Text, agree, check_rows, check_test, make_text, preview
    from .recipients import SomeRows, open_recipients, open_rows, parse_rows

    output, free = Output(json=sending.json), recipients != "-"
    check_test(test_to, dry_run)
    chosen = parse_rows(options.rows)
    what = Text(text=make_text(text), when=parse_when(sending.at), sending=sending)
    job = Bulk(recipients=recipients, what=what, options=options, account=account)
    _check_report(job)
    with ExitStack() as stack:
        source = open_recipients(recipients, file, stack)
        reading = open_rows(source, what.text, stack, rows=chosen)
        if dry_run:
            return preview(output, reading, what, report=options.report)
        connection = stack.enter_context(connect(account, output, may_ask=free))
        rows = source if chosen is None else SomeRows(source, chosen)
        store = _store(job, stack)
        name, found = _find(options, store, options.name or _name_of(job, text, rows, connection))
        if found is None:
            asks = needs_answer(account, yes=sending.yes, free=free)
            checked = check_rows(output, reading, what, sender=connection.sender_or(sending.sender))
            agree(output, reading, checked, what, connection, asks=asks, test_to=test_to)
        else:
            output.note(f"It was begun before and goes on: {line(found)}.")
        session = Session(connection, store, output, options.concurrency, options.per_second)
        return _send(session, name, rows, job)


def _send(session: Session, name: str, rows: RecipientSource, job: Bulk) -> Exit:
    from .campaign_run import run_to_the_end
    from .campaign_view import place, viewing

    what, report = job.what, job.options.report
    if not job.account.sandbox:
        session.output.note(f"The journal of this send: {name} in {shown(place(session.store), 300)}")
    begun = time.monotonic()
    # Whether it may be replaced is seen before anything leaves.
    replaced = report if report and os.path.exists(report) else None

    async def work(campaigns: Campaigns) -> None:
        campaign = await campaigns.start(
            name,
            what.text,
            rows,
            sender=what.sending.sender,
            scheduled_at=what.when,
            reference=what.sending.reference,
            encoding=what.sending.encoding,
        )
        if replaced is not None:
            await campaign.export(replaced)
        await campaign.resume()
        await run_to_the_end(campaign, view, patience=_PATIENCE)

    with viewing(session.output, live=True) as view:
        # Standard input may not come again: it is read to its end before anything leaves.
        session.do(work, background=job.recipients != "-")
    return _summary(session, name, job, time.monotonic() - begun)


def _name_of(job: Bulk, text: str, rows: RecipientSource, connection: Connection) -> str:
    """A name made of everything that decides what is sent to whom, and by whom."""
    what, sending = job.what, job.what.sending
    told = (
        *(rows.fingerprint(), text, sending.encoding, sending.reference),
        *(connection.sender_or(sending.sender), what.when and what.when.isoformat()),
        *(connection.user, connection.base_url),
    )
    return f"bulk-{blake2b(json.dumps(told).encode(), digest_size=6).hexdigest()}"


def _find(options: BulkOptions, store: str, first: str) -> tuple[str, Progress | None]:
    """The newest send of this name, with a number from the second on; None where the next one is to begin.

    Raises:
        Stop: it has ended, and nobody asked for another.
    """
    from .campaign_run import look
    from .campaign_view import line

    name, later, found, number = first, first, look(first, store), 1
    while found is not None:
        later = f"{first}-{number + 1}"
        if (next_one := look(later, store)) is None:
            break
        name, found, number = later, next_one, number + 1
    if found is None or not found.done:
        return name, found
    if options.again:
        return later, None
    ended = "was cancelled" if found.state == "cancelled" else "has ended"
    raise Stop(
        f"This send {ended} ({line(found)}). Nothing was sent now.\n"
        "To send it all once more, to everybody: the same command with --again."
    )


def _store(job: Bulk, stack: ExitStack) -> str:
    """The journal, without the phones and texts of what ended long ago."""
    from .campaign_run import offline

    options = job.options
    if job.account.sandbox and options.store is None:
        return str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "bulk.db")
    store = options.store or _default_store()
    keep = _KEEP if options.keep is None and options.store is None else options.keep
    if keep is not None:
        age = timedelta(days=min(keep, _LONGEST)) + timedelta.resolution

        async def purge(campaigns: Campaigns) -> None:
            await campaigns.purge(age)

        offline(store, purge)
    return store


def _default_store() -> str:
    folder = state_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(
            f"The folder {shown(str(folder))} for the journal cannot be made: {reason_of(error)}.\n"
            "Name another place with --store FILE."
        ) from None
    return str(folder / "bulk.db")


def _check_report(job: Bulk) -> None:
    """Check that the report has a place of its own, before anything is sent.

    Raises:
        Stop: it has none.
    """
    report = job.options.report
    if report is None:
        return
    path = Path(report)
    try:
        if path.is_dir():
            raise Stop(f"The report {shown(report)} is a directory; a file is needed.")
        if job.recipients != "-" and path.exists() and os.path.samefile(path, job.recipients):
            raise Stop("The report would overwrite the file of recipients. Give it another name.")
        if not os.access(path.parent, os.W_OK):
            raise Stop(f"The report {shown(report)} cannot be written: its folder is not there, or closed.")
    except (OSError, ValueError) as error:
        raise Stop(f"The report {shown(report)} cannot be written: {reason_of(error)}.") from None


def _summary(session: Session, name: str, job: Bulk, seconds: float) -> Exit:
    """Print what became of every row, and write the report."""
    from .campaign_run import offline
    from .campaign_view import why_not

    output, report = session.output, job.options.report
    seen: list[Progress] = []
    problems: dict[str, list[RowProblem]] = {}

    async def look_into(campaigns: Campaigns) -> None:
        campaign = await campaigns.get(name)
        seen.append(await campaign.progress())
        for outcome in _OUTCOMES:
            problems[outcome] = await campaign.problems(outcome)
        if report is not None and seen[0].total:
            await campaign.export(report)

    try:
        offline(session.store, look_into)
    except MensatekError as error:
        session.error = session.error or error
    if session.interrupted:
        output.note("Interrupted.")
    if session.error is not None:
        output.error(f"the send stopped: {text_of(session.error)}")
    elif seen and (why := why_not(seen[0])):
        output.error(f"the send stopped: {why}.")
    if not seen:
        return session.code(None)
    code = session.code(seen[0])
    _say(output, seen[0], problems, seconds)
    if not job.account.sandbox:
        _say_next(output, seen[0], session.store, job)
    if report is not None:
        output.say(f"Report: {shown(report, 300)}")
    output.answer(_json(session, seen[0], problems, report, seconds, code))
    return code


def _say(
    output: Output, progress: Progress, problems: Mapping[str, list[RowProblem]], seconds: float
) -> None:
    from .campaign_view import say_rows, scheduled_for

    taken = scheduled_for(progress.scheduled_at) or "sent"
    output.say(f"{progress.sent:,} of {plural(progress.total, 'row')} {taken} in {seconds:,.1f} s.")
    for count, name, meaning in (
        (
            progress.rejected,
            "refused",
            "the provider found them repeated or not correct, and does not say which",
        ),
        (progress.invalid, "invalid", "broken or repeated in the file, never sent"),
        (_not_sent(progress), "not sent", "they certainly did not leave"),
        (progress.unknown, "unknown", "they may have been sent, the answer was lost"),
    ):
        if count:
            output.say(f"  {count:,} {name}: {meaning}.")
    used, left = credits_text(progress.credits_used), credits_text(progress.credits_left)
    output.say(f"Credits: {used} used, {left} left." if progress.message_id else "Credits: none used.")
    say_rows(output, "Broken rows", problems["invalid"], progress.invalid)
    say_rows(output, "Not sent", problems["failed"], progress.failed - progress.undelivered)
    say_rows(output, "Perhaps sent", problems["unknown"], progress.unknown)


def _say_next(output: Output, progress: Progress, store: str, job: Bulk) -> None:
    """What to do about what was not sent."""
    from .campaign_view import advice, to_go_on

    if progress.done:
        if told := advice(progress, store):
            output.say(told)
    elif job.recipients == "-" and not progress.reading and progress.state == "running":
        output.say(to_go_on(progress.name, store, reading=False))
    else:
        output.say("To go on with the rows that were not sent: the same command again.")


def _not_sent(progress: Progress) -> int:
    return progress.failed - progress.undelivered + progress.pending + progress.cancelled


def _json(
    session: Session,
    progress: Progress,
    problems: Mapping[str, list[RowProblem]],
    report: str | None,
    seconds: float,
    code: Exit,
) -> dict[str, Any]:
    from .campaign_view import rows_as_json, why_not

    kinds = {_KINDS[outcome]: found for outcome, found in problems.items()}
    when = progress.scheduled_at
    return {
        "dry_run": False,
        "name": progress.name,
        "state": progress.state,
        "reason": progress.reason,
        "rows": progress.total,
        "accepted": progress.sent,
        "refused": progress.rejected,
        "invalid": progress.invalid,
        "not_sent": _not_sent(progress),
        "unknown": progress.unknown,
        "message_id": progress.message_id or None,
        "scheduled_at": when and when.isoformat(),
        "credits_used": progress.credits_used,
        "credits_left": progress.credits_left,
        "seconds": round(seconds, 3),
        "interrupted": session.interrupted,
        "stopped": (why_not(progress) or None) if session.error is None else text_of(session.error),
        "report": report,
        "problems": rows_as_json(kinds),
        "problem_rows": progress.invalid + progress.failed - progress.undelivered + progress.unknown,
        "exit_code": int(code),
    }
