"""A send to every row of a file, which `bulk` and `campaign start` share; and `mensatek campaign start`."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import time
from pathlib import Path
from typing import Any

from ..models.campaign import Progress
from ..models.recipient import Recipient
from ..sources.text_files import shown
from ..sync.generated._campaign import SyncCampaign
from ..sync.generated._campaigns import SyncCampaigns
from ..text.template import Template
from .account import Connection, connect, needs_answer
from .campaign_run import Session, conclude, look, look_on, run_to_the_end
from .campaign_view import line, viewing
from .documents import legal_of
from .options import (
    DEFAULT_STORE,
    NO_LEGAL,
    LegalOptions,
    Name,
    RowsOptions,
    StartOptions,
)
from .output import Exit, Output, Stop
from .preview import Text, agree, check_rows, check_test, preview
from .recipients import ChosenRows, SomeRows, open_recipients, open_rows

_HOURS = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*")
_NO_OPTIONS = StartOptions()


class Send:
    """A send to every row of a file, or of standard input ("-"): read, checked, agreed to and begun."""

    def __init__(
        self,
        stack: ExitStack,
        recipients: str,
        options: RowsOptions,
        *,
        legal: Mapping[str, Any] | None = None,
        chosen: ChosenRows | None = None,
    ) -> None:
        check_test(options.test_to, options.dry_run)
        self.options = options
        self.output = Output(json=options.sending.json)
        self.what = Text.of(options.text, options.sending, legal, fields=True)
        source = open_recipients(recipients, options.file, stack)
        self.reading = open_rows(source, self.what.text, stack, rows=chosen)
        self.source = source if chosen is None else SomeRows(source, chosen)
        self.free = recipients != "-"  # for an answer on standard input
        self._stack = stack

    def connect(self) -> Connection:
        """Return the account to send with."""
        return self._stack.enter_context(connect(self.options.account, self.output, may_ask=self.free))

    def agree(self, connection: Connection, progress: Progress | None, note: str) -> None:
        """Check every row, show what it would cost, and ask; a send that was begun goes on with a note.

        Raises:
            Stop: something is wrong, or the answer was no.
        """
        if progress is not None:
            self.output.note(f"{note}: {line(progress)}.")
            return
        sending, test_to = self.options.sending, self.options.test_to
        asks = needs_answer(self.options.account, yes=sending.yes, free=self.free)
        sender = connection.sender_or(sending.sender)
        checked = check_rows(self.output, self.reading, self.what, sender=sender)
        agree(self.output, self.reading, checked, self.what, connection, asks=asks, test_to=test_to)

    def begin(self, campaigns: SyncCampaigns, name: str, **more: Any) -> SyncCampaign:
        """Write the campaign down."""
        return campaigns.start(name, self.what.text, self.source, **self.what.options(), **more)


def start(
    name: Name,
    recipients: Name,
    /,
    *,
    rows: RowsOptions,
    options: StartOptions = _NO_OPTIONS,
    legal: LegalOptions = NO_LEGAL,
) -> Exit:
    """Start a campaign, or go on with the one of this name: the same command again loses and doubles nobody.

    Parameters
    ----------
    name:
        Its name in the store.
    recipients:
        The file: CSV, Excel (.xlsx) or JSON Lines; or - for standard input. One of its first rows names the columns.
    """
    hours, extra = parse_hours(options.send_between), _certified(options, legal)
    with ExitStack() as stack:
        send = Send(stack, recipients, rows, legal=extra)
        if rows.dry_run:
            return preview(send.output, send.reading, send.what)
        store = options.store or (temporary_store(stack) if rows.account.sandbox else DEFAULT_STORE)
        progress, connection = look(name, store), send.connect()
        send.agree(connection, progress, "It is there already")
        session = Session(connection, store, send.output, rows.concurrency)
        with (
            viewing(send.output, watch=options.watch) as view,
            session.campaigns() as campaigns,
        ):
            campaign = send.begin(
                campaigns,
                name,
                product="sms" if extra is None else "certified",
                rate=options.rate,
                send_between=hours,
                local_time="recipient" if options.local_time else "spanish",
                max_credits=options.max_credits,
                chunk_size=options.chunk_size,
                anchor=_anchor(options.anchor, send.what.text),
            )
            if options.run:
                run_to_the_end(campaign, view)
            else:
                look_on(campaign, view)
        return conclude(session, name)


def _certified(options: StartOptions, legal: LegalOptions) -> dict[str, Any] | None:
    extra = (options.contract_type, options.identify, options.acceptance_days)
    if options.certified:
        return legal_of(legal, *extra)
    if any(extra):
        raise Stop("--identify, --acceptance-days and --contract-type go with --certified.")
    return None


def parse_hours(text: str | None) -> tuple[time, time] | None:
    """Read two times of day, such as 09:00-21:00.

    Raises:
        Stop: they are none.
    """
    if text is None:
        return None
    try:
        if match := _HOURS.fullmatch(text):
            start, end = (time.fromisoformat(one.zfill(5)) for one in match.groups())
            return start, end
    except ValueError:
        pass
    raise Stop(f"--send-between takes two times of day, such as 09:00-21:00, not {shown(text)}.")


def _anchor(phone: str | None, text: str | Template) -> Recipient | None:
    """Your own phone gets the names of the fields in their place: nobody's data, and the same each time."""
    if phone is None:
        return None
    return Recipient(phone, {} if isinstance(text, str) else {name: name for name in text.fields})


def temporary_store(stack: ExitStack) -> str:
    """A store that is gone when the stack is closed."""
    return str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "sandbox.db")
