"""`mensatek campaign start`: from a file of recipients to a campaign that is written down, and on to its end."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from datetime import time
from pathlib import Path

import anyio
from attrs import field, frozen

from ..campaigns.campaigns import Campaigns
from ..errors import MensatekError
from ..models.recipient import Recipient
from ..sources.file_source import FileSource
from ..sources.text_files import shown
from ..text.template import Template
from .account import connect, needs_answer, parse_when
from .campaign_run import Session, look, look_on, run_to_the_end, tell
from .campaign_view import line, viewing
from .documents import legal_of
from .options import (
    DEFAULT_STORE,
    AccountOptions,
    CertifiedOptions,
    FileOptions,
    LegalOptions,
    PaceOptions,
    SendingOptions,
)
from .output import Exit, Output, Stop
from .preview import Text, agree, check_rows, check_test, make_text, preview
from .recipients import open_recipients, open_rows

Hours = tuple[time, time]
_HOURS = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*")


@frozen(kw_only=True)
class StartOptions:
    """What the user asked for; `mensatek campaign start --help` tells what each means."""

    name: str
    recipients: str
    text: str = field(repr=False)
    sending: SendingOptions
    file: FileOptions
    pace: PaceOptions
    certified: CertifiedOptions
    legal: LegalOptions
    store: str | None
    run: bool
    watch: bool
    concurrency: int
    dry_run: bool
    test_to: str | None
    account: AccountOptions


def start_campaign(options: StartOptions) -> Exit:
    """Start a campaign, or go on with the one of this name, and print how it stands.

    Raises:
        Stop: what was asked cannot be done; nothing was sent.
    """
    output, free = Output(json=options.sending.json), options.recipients != "-"
    check_test(options.test_to, options.dry_run)
    what, hours = _text_of(options), parse_hours(options.pace.send_between)
    with ExitStack() as stack:
        if options.dry_run:
            source = open_recipients(options.recipients, options.file, stack)
            return preview(output, open_rows(source, what.text, stack), what)
        store = _store(options, stack)
        found = look(options.name, store)
        asks = found is None and needs_answer(options.account, yes=options.sending.yes, free=free)
        source = open_recipients(options.recipients, options.file, stack)
        reading = open_rows(source, what.text, stack)
        connection = stack.enter_context(connect(options.account, output, may_ask=free))
        if found is not None:
            output.note(f"It is there already and goes on: {line(found)}.")
        else:
            checked = check_rows(output, reading, what, sender=connection.sender_or(what.sending.sender))
            agree(output, reading, checked, what, connection, asks=asks, test_to=options.test_to)
        session = Session(connection, store, output, options.concurrency)
        return _begin(options, what, hours, session, source)


def _text_of(options: StartOptions) -> Text:
    extra = options.certified
    legal = None
    if extra.certified:
        legal = legal_of(
            options.legal,
            contract_type=extra.contract_type,
            identify=extra.identify,
            acceptance_days=extra.acceptance_days,
        )
    elif any((extra.identify, extra.acceptance_days, extra.contract_type)):
        raise Stop("--identify, --acceptance-days and --contract-type go with --certified.")
    sending = options.sending
    return Text(text=make_text(options.text), when=parse_when(sending.at), sending=sending, legal=legal)


def parse_hours(text: str | None) -> Hours | None:
    """Two times of day, such as 09:00-21:00.

    Raises:
        Stop: they are none.
    """
    if text is None:
        return None
    found = _HOURS.fullmatch(text)
    try:
        if found is not None:
            start, end = (time.fromisoformat(one.zfill(5)) for one in found.groups())
            return start, end
    except ValueError:
        pass
    raise Stop(f"--send-between takes two times of day, such as 09:00-21:00, not {shown(text)}.")


def _anchor(phone: str | None, text: str | Template) -> Recipient | None:
    """Your own phone gets the names of the fields in their place: nobody's data, and the same each time."""
    if phone is None:
        return None
    return Recipient(phone, {} if isinstance(text, str) else {name: name for name in text.fields})


def _store(options: StartOptions, stack: ExitStack) -> str:
    if options.store is not None or not options.account.sandbox:
        return options.store or DEFAULT_STORE
    return str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / DEFAULT_STORE)


def _begin(
    options: StartOptions, what: Text, hours: Hours | None, session: Session, source: FileSource
) -> Exit:
    pace = options.pace

    async def work(campaigns: Campaigns) -> None:
        campaign = await campaigns.start(
            options.name,
            what.text,
            source,
            product="sms" if what.legal is None else "certified",
            sender=options.sending.sender,
            scheduled_at=what.when,
            reference=options.sending.reference,
            encoding=options.sending.encoding,
            **(what.legal or {}),
            rate=pace.rate,
            send_between=hours,
            local_time="recipient" if pace.local_time else "spanish",
            max_credits=pace.max_credits,
            chunk_size=pace.chunk_size,
            anchor=_anchor(pace.anchor, what.text),
        )
        if options.run:
            await run_to_the_end(campaign, view)

    async def read_only(campaigns: Campaigns) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(look_on, campaigns, options.name, view)
            try:
                await work(campaigns)
            except MensatekError as error:
                session.error = error
            group.cancel_scope.cancel()

    with viewing(session.output, live=options.watch) as view:
        session.do(work if options.run else read_only, background=options.run)
    return tell(session, options.name)
