"""`mensatek campaign start`: from a file of recipients to a campaign that is written down, and on to its end."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from datetime import datetime, time
from pathlib import Path
from typing import Any

import anyio
from attrs import field, frozen

from ..campaigns.campaigns import Campaigns
from ..errors import MensatekError
from ..models.recipient import Recipient
from ..sources.file_source import FileSource
from ..sources.reading import Reading
from ..sources.text_files import shown
from ..text.template import Template
from .account import Connection, connect, needs_answer, parse_when
from .campaign_run import Session, look, look_on, run_to_the_end, tell
from .campaign_view import line, viewing
from .certified import legal_of
from .check import check, check_legal, make_message, make_text, open_recipients, open_rows
from .options import (
    DEFAULT_STORE,
    AccountOptions,
    CertifiedOptions,
    FileOptions,
    LegalOptions,
    PaceOptions,
    SendingOptions,
)
from .output import Output, plural
from .preview import check_test, dry_summary, preview, send_test
from .progress import checking
from .stop import Exit, Stop, stop_for

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


@frozen(kw_only=True)
class _Plan:
    """What is to be sent."""

    text: str | Template
    when: datetime | None
    legal: dict[str, Any] | None
    hours: tuple[time, time] | None


def start_campaign(options: StartOptions) -> Exit:
    """Do it all, and tell.

    Raises:
        Stop: what was asked cannot be done; nothing was sent.
    """
    output = Output(json=options.sending.json)
    check_test(options.test_to, options.dry_run)
    plan = _plan(options)
    with ExitStack() as stack:
        store = _store(options, stack)
        found = None if options.dry_run else look(options.name, store)
        asks = found is None and needs_answer(
            options.account, yes=options.sending.yes or options.dry_run, free=options.recipients != "-"
        )
        source = open_recipients(options.recipients, options.file, stack)
        reading = open_rows(source, plan.text, stack)
        connection = None
        if not options.dry_run:
            connection = stack.enter_context(
                connect(options.account, output, may_ask=options.recipients != "-")
            )
        if found is not None:
            output.note(f"It is there already and goes on: {line(found)}.")
        elif (code := _check(options, plan, reading, connection, output, asks=asks)) is not None:
            return code
        assert connection is not None
        return _begin(options, plan, Session(connection, store, output, options.concurrency), source)


def _plan(options: StartOptions) -> _Plan:
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
    return _Plan(
        text=make_text(options.text),
        when=parse_when(options.sending.at),
        legal=legal,
        hours=parse_hours(options.pace.send_between),
    )


def parse_hours(text: str | None) -> tuple[time, time] | None:
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


def _check(
    options: StartOptions,
    plan: _Plan,
    reading: Reading,
    connection: Connection | None,
    output: Output,
    *,
    asks: bool,
) -> Exit | None:
    """Look at all rows before anything is written down; an exit code when that was all."""
    asked = options.sending.sender
    sender = connection.sender_or(asked) if connection else asked
    message = make_message(
        plan.text,
        sender=sender,
        when=plan.when,
        encoding=options.sending.encoding,
        reference=options.sending.reference,
        operation="EnviarSMS" if plan.legal is None else "EnviarSMSCERTIFICADO",
    )
    if plan.legal is not None:
        try:
            check_legal(message, plan.legal)
        except MensatekError as error:
            raise stop_for(error) from None
    with checking(output) as display:
        checked = check(reading, message, tick=display.checked)
    if connection is None:
        preview(output, reading, checked, price=options.sending.price, credits=None)
        return dry_summary(output, checked, options.sending.price)
    credits = connection.credits() if asks and checked.ready else None
    preview(output, reading, checked, price=options.sending.price, credits=credits)
    if options.test_to is not None:
        send_test(output, connection, checked, message, options.test_to)
    if asks and checked.ready:
        output.confirm(f"Send {plural(checked.texts, 'text')} to {plural(checked.ready, 'recipient')}?")
    return None


def _begin(options: StartOptions, plan: _Plan, session: Session, source: FileSource) -> Exit:
    pace = options.pace
    given = plan.legal or {}

    async def work(campaigns: Campaigns) -> None:
        campaign = await campaigns.start(
            options.name,
            plan.text,
            source,
            product="sms" if plan.legal is None else "certified",
            sender=options.sending.sender,
            scheduled_at=plan.when,
            reference=options.sending.reference,
            encoding=options.sending.encoding,
            **given,
            rate=pace.rate,
            send_between=plan.hours,
            local_time="recipient" if pace.local_time else "spanish",
            max_credits=pace.max_credits,
            chunk_size=pace.chunk_size,
            anchor=_anchor(pace.anchor, plan.text),
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
