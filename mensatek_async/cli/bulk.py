"""`mensatek bulk`: a campaign whose name is made of what is sent, so that the same command goes on with it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from attrs import frozen
from cyclopts import Parameter

from .._core.private_file import Kind
from ..campaigns.export import EXPORT
from ..campaigns.report.page import REPORT
from ..errors import ConfigurationError, MensatekError
from ..language import ENGLISH
from ..models.bulk import RowProblem
from ..models.campaign import Progress
from ..settings import state_folder
from ..sources.text_files import shown
from .account import Connection, own_file
from .campaign.run import Session, look, offline, run_to_the_end
from .campaign.view import (
    advice,
    line,
    place,
    rows_as_json,
    say_rows,
    scheduled_for,
    to_go_on,
    viewing,
    why_not,
)
from .language import _, later, reason, reason_of, spoken
from .opt_outs import load_into
from .options import Flag, Name, NamedStore, Number, RowsOptions
from .output import Exit, Output, Stop, credits_text, plural, text_of
from .recipients import parse_rows
from .sending import Send

_JOURNAL = "bulk.db"
_KEEP = 30.0  # days
_LONGEST = 36_500.0  # days
_PATIENCE = 120.0  # seconds without an answer while the provider cannot be reached
_PROBLEMS: dict[str, Any] = {
    "invalid": "invalid",
    "not sent": "failed",
    "unknown": "unknown",
}  # a campaign's word
_WHAT = later(
    "refused: the provider found them repeated or not correct, and does not say which",
    "invalid: broken or repeated in the file, never sent",
    "opted out: they have asked for no more texts, and got none",
    "not sent: they certainly did not leave",
    "unknown: they may have been sent, the answer was lost",
)


@Parameter(name="*")
@frozen(kw_only=True)
class BulkOptions:
    """Options that `mensatek bulk` alone has.

    Attributes:
        report: CSV or .jsonl file to write what became of each row; an earlier one is overwritten.
        html: HTML file to write as a page to look at and to print, as `mensatek campaign report` does.
        with_phones: Write phones out in that page; without it each shows its first three and last two digits.
        force: Overwrite a file that is no report.
        rows: Only these rows, such as 2-500,700,1022- (the first is 1).
        name: Its name in the journal; default: made of the file, the text, the options and the account.
        again: Send once more what this command has sent already.
        store: Journal: SQLite file or postgresql:// address; default: bulk.db in the user's state directory.
        keep: Days after whose end phones and texts leave the journal; default: 30, and never from a --store.
        per_second: Requests a second at most.
    """

    report: str | None = None
    html: str | None = None
    with_phones: Flag = False
    force: Flag = False
    rows: str | None = None
    name: str | None = None
    again: Flag = False
    store: NamedStore = None
    keep: Number | None = None
    per_second: Number | None = None


def bulk(recipients: Name, /, *, rows: RowsOptions, options: BulkOptions = BulkOptions()) -> Exit:
    """Send a text to every row of a file: CSV, Excel (.xlsx) or JSON Lines.

    Every request is written down first: after a kill the same command goes on where it stopped.

    Args:
        recipients: The file, or - for standard input. One of its first rows names the columns.
    """
    chosen = parse_rows(options.rows)
    _check_reports(options, recipients)
    with ExitStack() as stack:
        send = Send(stack, recipients, rows, rows=chosen)
        if rows.dry_run:
            if options.html is not None:
                raise Stop("--html tells of a send, and --dry-run sends nothing. Leave one of them out.")
            with offline(send.rehearsal_store(options.store or _place())) as campaigns:
                return send.rehearse(campaigns, options.report, force=options.force)
        connection = send.connect()
        store = send.temporary_store() if connection.sandbox and not options.store else _store(options)
        name, progress = _find(options, store, options.name or _name_of(send, connection))
        if rows.opt_outs is not None:
            load_into(store, rows.opt_outs, send.output)
        send.agree(connection, store, progress, _("It was begun before and goes on"))
        session = Session(connection, store, send.output, rows.concurrency, options.per_second)
        return _run(session, name, send, options)


def _run(session: Session, name: str, send: Send, options: BulkOptions) -> Exit:
    output = session.output
    if not session.connection.sandbox:
        output.note("The journal of this send: {} in {}", name, shown(place(session.store), 300))
    begun = time.monotonic()
    # Standard input may not come again: it is read to its end before anything leaves.
    with viewing(output, watch=True) as view, session.campaigns(background=send.free) as campaigns:
        campaign = send.begin(campaigns, name)
        campaign.resume()
        run_to_the_end(campaign, view, patience=_PATIENCE)
    return _conclude(session, name, send, options, time.monotonic() - begun)


def _name_of(send: Send, connection: Connection) -> str:
    """A name made of everything that decides what is sent to whom, and by whom."""
    sending, when = send.options.sending, send.what.when
    decisive = (
        *(send.source.fingerprint(), send.options.text, sending.encoding, sending.reference),
        *(connection.sender_or(sending.sender), when and when.isoformat()),
        *(connection.account.user, connection.account.base_url),
    )
    return f"bulk-{blake2b(json.dumps(decisive).encode(), digest_size=6).hexdigest()}"


def _find(options: BulkOptions, store: str, first: str) -> tuple[str, Progress | None]:
    """The newest send of this name, with a number from the second on; None where the next one is to begin."""
    name, later, newest, number = first, first, look(first, store), 1
    while newest is not None:
        later = f"{first}-{number + 1}"
        if (next_one := look(later, store)) is None:
            break
        name, newest, number = later, next_one, number + 1
    if newest is None or not newest.done:
        return name, newest
    if options.again:
        return later, None
    ended = _("was cancelled") if newest.state == "cancelled" else _("has ended")
    raise Stop(
        "This send {} ({}). Nothing was sent now.\nTo send it all once more, to everybody: "
        "the same command with --again.",
        *(ended, line(newest)),
    )


def _store(options: BulkOptions) -> str:
    """The journal, without the phones and texts of what ended long ago."""
    store, keep = options.store or _default_store(), options.keep
    if keep is None and options.store is None:
        keep = _KEEP
    if keep is not None:
        age = timedelta(days=min(keep, _LONGEST)) + timedelta.resolution
        with offline(store) as campaigns:
            campaigns.purge(age)
    return store


def _place() -> str | None:
    """Where the journal is, for those who only look; None where nobody can tell."""
    with suppress(ConfigurationError):
        return str(state_folder() / _JOURNAL)
    return None


def _default_store() -> str:
    try:
        return own_file(_JOURNAL)
    except OSError as error:
        raise Stop(
            "The folder {} for the journal cannot be made: {}.\nName another place with --store FILE.",
            *(shown(str(state_folder())), reason_of(error)),
        ) from None


def _check_reports(options: BulkOptions, recipients: str) -> None:
    """Check that the reports have places of their own, before anything is sent."""
    if options.html is not None and options.report is not None and Path(options.html) == Path(options.report):
        raise Stop("--report and --html need a file each.")
    for report, kind in ((options.report, EXPORT), (options.html, REPORT)):
        if report is not None:
            _check_report(report, kind, recipients, force=options.force)


def _check_report(report: str, kind: Kind, recipients: str, *, force: bool) -> None:
    path = Path(report)
    try:
        if path.is_dir():
            raise Stop("The report {} is a directory; a file is needed.", shown(report))
        if recipients != "-" and path.exists() and os.path.samefile(path, recipients):
            raise Stop("The report would overwrite the file of recipients. Give it another name.")
        if not os.access(path.parent, os.W_OK):
            raise Stop("The report {} cannot be written: its folder is not there, or closed.", shown(report))
        kind.check(path, force=force)
    except (OSError, ValueError) as error:
        raise Stop("The report {} cannot be written: {}.", shown(report), reason_of(error)) from None


def _conclude(session: Session, name: str, send: Send, options: BulkOptions, seconds: float) -> Exit:
    """Print what became of every row, and write the report."""
    output, stopped, progress, reports = session.output, session.error, None, dict[str, str]()
    problems: dict[str, list[RowProblem]] = {}
    try:
        with session.ended() as campaigns:
            campaign = campaigns.get(name)
            progress = campaign.progress()
            for kind, state in _PROBLEMS.items():
                problems[kind] = campaign.problems(state)
            if options.report is not None and progress.total:
                campaign.export(options.report, lang=spoken().code, force=options.force)
                reports["report"] = options.report
            if options.html is not None and progress.total:
                phones, price = options.with_phones, send.options.euros or None
                force, lang = options.force, spoken().code
                campaign.report(options.html, lang=lang, price=price, with_phones=phones, force=force)
                reports["html"] = options.html
    except MensatekError as error:
        session.error = stopped or error
    if session.interrupted:
        output.note("Interrupted.")
    why = (progress and why_not(progress)) if session.error is None else text_of(session.error, ENGLISH)
    if why:
        said = reason(why) if session.error is None else text_of(session.error)
        only_report = stopped is None and session.error is not None
        output.error(said if only_report else _("the send stopped: {}.", said.rstrip(".")))
    if progress is None:
        return session.code(None)
    code = session.code(progress)
    _say(output, progress, problems, seconds)
    if not session.connection.sandbox:
        _say_next(output, progress, session.store, free=send.free)
    for report in reports.values():
        output.say("Report: {}", shown(report, 300))
    output.answer(
        {
            **_counts(progress),
            "seconds": round(seconds, 3),
            "interrupted": session.interrupted,
            "stopped": why or None,
            "report": reports.get("report"),
            "html": reports.get("html"),
            "problems": rows_as_json(problems),
            "exit_code": int(code),
        }
    )
    return code


def _say(
    output: Output, progress: Progress, problems: Mapping[str, list[RowProblem]], seconds: float
) -> None:
    taken, rows = scheduled_for(progress.scheduled_at), plural(progress.total, "row")
    if taken:
        output.say("{:,} of {} {} in {:,.1f} s.", progress.sent, rows, taken, seconds)
    else:
        output.say("{:,} of {} sent in {:,.1f} s.", progress.sent, rows, seconds)
    counts = (progress.rejected, progress.invalid, progress.opted_out, _not_sent(progress), progress.unknown)
    for count, what in zip(counts, _WHAT, strict=True):
        if count:
            output.say("  {:,} {}.", count, _(what))
    if progress.message_id:
        used, left = credits_text(progress.credits_used), credits_text(progress.credits_left)
        output.say("Credits: {} used, {} left.", used, left)
    else:
        output.say("Credits: none used.")
    for kind, title, total in (
        ("invalid", _("Broken rows"), progress.invalid),
        ("not sent", _("Not sent"), progress.failed - progress.undelivered),
        ("unknown", _("Perhaps sent"), progress.unknown),
    ):
        say_rows(output, title, problems.get(kind, ()), total)


def _say_next(output: Output, progress: Progress, store: str, *, free: bool) -> None:
    """Print what to do about what was not sent."""
    if progress.done:
        if todo := advice(progress, store):
            output.say(todo)
    elif not free and not progress.reading and progress.state == "running":
        output.say(to_go_on(progress.name, store, reading=False))
    else:
        output.say("To go on with the rows that were not sent: the same command again.")


def _not_sent(progress: Progress) -> int:
    return progress.failed - progress.undelivered + progress.pending + progress.cancelled


def _counts(progress: Progress) -> dict[str, Any]:
    return {
        "dry_run": False,
        "name": progress.name,
        "state": progress.state,
        "reason": progress.reason,
        "rows": progress.total,
        "accepted": progress.sent,
        "refused": progress.rejected,
        "invalid": progress.invalid,
        "opted_out": progress.opted_out,
        "not_sent": _not_sent(progress),
        "unknown": progress.unknown,
        "message_id": progress.message_id or None,
        "scheduled_at": progress.scheduled_at,
        "credits_used": progress.credits_used,
        "credits_left": progress.credits_left,
        "problem_rows": progress.invalid + progress.failed - progress.undelivered + progress.unknown,
    }
