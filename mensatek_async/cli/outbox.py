"""`mensatek outbox`: a worker, a slice of its work, and single texts looked at, cancelled or tried again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any, get_args

from attrs import asdict
from cyclopts import App

from ..models.outbox import OutboxItem, OutboxState
from ..phones import mask
from ..settings import load_account
from ..sources.text_files import shown
from ..sync.generated._client import Mensatek
from ..sync.generated._outbox import SyncOutbox
from .account import connect
from .campaign.run import Session
from .campaign.view import check_store
from .language import _, label, later, reason
from .options import Flag, Limit, Metrics, Name, Number, OutboxOptions, OutboxWorkOptions
from .output import Exit, Output, Stop, plural

outbox = App(name="outbox", help_format="plaintext")

_STATES = later("queued", "sending", "sent", "unknown", "failed", "expired", "cancelled")
_NOT_SENT = ("unknown", "failed", "expired")
_REFUSED = "user or token was refused"


@outbox.command(name="run")
def run_command(*, metrics: Metrics = None, options: OutboxWorkOptions = OutboxWorkOptions()) -> Exit:
    """Send what comes, until Ctrl-C or SIGTERM: the worker."""
    output = Output(json=options.json)
    lost = 0
    with _working(options, output, metrics) as (_session, box, _notes):
        output.note("Sending what comes; Ctrl-C ends it.")
        with box.run() as items:
            try:
                for item in items:
                    _show(output, item)
            except KeyboardInterrupt:
                pass  # leaving the block lets land what is on its way
        for item in items:
            _show(output, item)
            lost += item.state == "unknown"
    if lost:
        output.note("Of {} on the way no answer came: unknown, until a report tells.", plural(lost, "text"))
    return Exit.SOME_NOT_SENT if lost else Exit.DONE


@outbox.command
def drain(*, budget: Number = 60.0, options: OutboxWorkOptions = OutboxWorkOptions()) -> Exit:
    """Send what is there, and end: for cron.

    Args:
        budget: Seconds after which to stop.
    """
    output = Output(json=options.json)
    counts: Mapping[str, int] = dict.fromkeys(get_args(OutboxState), 0)
    with _working(options, output) as (session, box, notes):
        try:
            counts = box.drain(budget)
        except KeyboardInterrupt:
            counts = box.counts()
    said = _counted(counts)
    output.say(_("Interrupted; in the store: {}", said) if session.interrupted else said)
    code = session.code(None)
    if code is Exit.DONE and any(counts[state] for state in (*_NOT_SENT, "queued", "sending")):
        code = Exit.REFUSED if notes.refused else Exit.SOME_NOT_SENT
    output.answer({**counts, "exit_code": int(code)})
    return code


@outbox.command
def status(
    key: Name | None = None,
    /,
    *,
    overdue: Number | None = None,
    options: OutboxOptions = OutboxOptions(),
) -> Exit:
    """Show how many texts are in each state, or how one stands. Only looks; needs no token.

    Args:
        overdue: Exit with 1 if a text could have been sent for so many seconds.
    """
    output = Output(json=options.json)
    with _offline(options) as box:
        if key is None:
            counts = box.counts()
            late = 0 if overdue is None else box.overdue(overdue)
            output.say(_counted(counts))
            if late:
                output.say(
                    "{} could have been sent for {:g} s: no worker, or its account is held.", late, overdue
                )
            output.answer({**counts, **({} if overdue is None else {"overdue": late})})
            return Exit.SOME_NOT_SENT if late else Exit.DONE
        item = _item(box, key)
    _show(output, item)
    return Exit.SOME_NOT_SENT if item.state in _NOT_SENT else Exit.DONE


@outbox.command(name="list")
def list_command(
    *, state: OutboxState | None = None, limit: Limit = 100, options: OutboxOptions = OutboxOptions()
) -> None:
    """List the newest texts. Only looks; needs no token.

    Args:
        state: Only those in this state.
    """
    output = Output(json=options.json)
    with _offline(options) as box:
        listed = box.list(state=state, limit=limit)
    for item in listed:
        output.say(_line(item))
    if not listed:
        output.say("There is none.")
    output.answer({"items": [_as_json(item) for item in listed]})


@outbox.command
def cancel(key: Name, /, *more: Name, options: OutboxOptions = OutboxOptions()) -> Exit:
    """Cancel texts that have not left yet."""
    output = Output(json=options.json)
    with _offline(options) as box:
        before = [_item(box, one) for one in (key, *more)]
        items = [box.cancel(item.key) for item in before]
    return _changed(output, items, "cancelled")


@outbox.command
def retry(key: Name, /, *more: Name, unknown: Flag = False, options: OutboxOptions = OutboxOptions()) -> Exit:
    """Put texts into the queue again that failed or were cancelled.

    Args:
        unknown: Unknown ones too: they may come twice.
    """
    output = Output(json=options.json)
    with _offline(options) as box:
        before = [_item(box, one) for one in (key, *more)]
        for item in before:
            if item.state == "unknown" and not unknown:
                raise Stop("{} may have been sent: with --unknown it may come twice.", shown(item.key, 200))
        items = [box.retry(item.key) for item in before]
    return _changed(output, items, "queued")


@outbox.command
def purge(*, older_than: Number, options: OutboxOptions = OutboxOptions()) -> None:
    """Take phones and texts out of what ended before; keys and states stay.

    Args:
        older_than: Days since their end.
    """
    output = Output(json=options.json)
    with _offline(options) as box:
        count = box.purge(timedelta(days=older_than))
    output.say("Purged {}.", plural(count, "text"))
    output.answer({"purged": count})


class _Notes(logging.Handler):
    """Shows what the library logs while it sends, such as that the account is refused and everything waits."""

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output
        self.refused = False

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line of it."""
        message = record.getMessage()
        self.refused = self.refused or _REFUSED in message
        self._output.note(shown(reason(message), 500))


@contextmanager
def _working(
    options: OutboxWorkOptions, output: Output, metrics: int | None = None
) -> Iterator[tuple[Session, SyncOutbox, _Notes]]:
    """Give the outbox of an account, to send; a signal or an error ends the block, and is noted in the session."""
    log, notes = logging.getLogger("mensatek_async"), _Notes(output)
    with connect(options.account) as connection:
        session = Session(connection, options.store, output, options.concurrency, metrics=metrics)
        log.addHandler(notes)
        try:
            with session.client() as client, closing(client.outbox(check_store(options.store))) as box:
                yield session, box, notes
        finally:
            log.removeHandler(notes)
    if session.error is not None:
        raise session.error


@contextmanager
def _offline(options: OutboxOptions) -> Iterator[SyncOutbox]:
    """Give the outbox of a store to look at and to change there; nothing leaves."""
    account = load_account(options.user, "nothing", None, None)
    with (
        Mensatek(account.user, "nothing", base_url="http://127.0.0.1") as client,
        closing(client.outbox(check_store(options.store))) as box,
    ):
        yield box


def _item(box: SyncOutbox, key: str) -> OutboxItem:
    item = box.get(key)
    if item is None:
        raise Stop("The outbox has no item {}.", shown(key, 200))
    return item


def _changed(output: Output, items: list[OutboxItem], wanted: OutboxState) -> Exit:
    """Print how texts stand after a change; return whether all of them are as wanted."""
    for item in items:
        output.say(_line(item))
    output.answer({"items": [_as_json(item) for item in items]})
    return Exit.DONE if all(item.state == wanted for item in items) else Exit.SOME_NOT_SENT


def _show(output: Output, item: OutboxItem) -> None:
    if not output.json:
        output.say(_line(item))
    output.answer(_as_json(item))


def _line(item: OutboxItem) -> str:
    status = "" if item.status is None else label(item.status)
    message = _("message {}", item.message_id) if item.message_id else ""
    parts = (
        _(item.state),
        shown(item.key, 200),
        _phone(item),
        message,
        status,
        shown(reason(item.error), 300),
    )
    return "  ".join(part for part in parts if part)


def _phone(item: OutboxItem) -> str:
    return mask(item.phone) if item.phone else ""


def _as_json(item: OutboxItem) -> dict[str, Any]:
    status = None if item.status is None else item.status.code
    changed = {"phone": _phone(item), "status": status, "message_id": item.message_id or None}
    return {**asdict(item, recurse=False), **changed}


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(_("{1:,} {0}", _(state), count) for state, count in counts.items()) + "."
