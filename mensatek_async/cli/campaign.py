"""`mensatek campaign`: started, run, resumed."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from datetime import time
from pathlib import Path
from typing import Annotated, Literal

import anyio
from attrs import field, frozen
from cyclopts import App, Parameter

from ..campaigns.campaigns import Campaigns
from ..errors import MensatekError
from ..models.campaign import Progress
from ..models.recipient import Recipient
from ..sources.file_source import FileSource
from ..sources.text_files import shown
from ..text.template import Template
from .account import connect, needs_answer, parse_when
from .campaign_run import Session, ask, look, look_on, run_to_the_end, tell
from .campaign_view import as_json, line, viewing
from .documents import legal_of
from .options import (
    DEFAULT_STORE,
    AccountOptions,
    CertifiedOptions,
    DryRun,
    FileOptions,
    Json,
    LegalOptions,
    PaceOptions,
    SendingOptions,
    TestTo,
)
from .output import Exit, Output, Stop
from .preview import Text, agree, check_rows, check_test, make_text, preview
from .recipients import open_recipients, open_rows

campaign = App(name="campaign", help_format="plaintext")

Name = Annotated[str, Parameter(allow_leading_hyphen=True)]
Store = Annotated[str, Parameter(help="SQLite file, or postgresql:// address, that keeps the campaigns.")]
Watch = Annotated[bool, Parameter(negative="", show_default=False, help="Watch it live, until it ends.")]
Concurrency = Annotated[int, Parameter(help="Requests at once, 1 to 64.")]

_NO_ACCOUNT, _NO_LEGAL = AccountOptions(), LegalOptions()
_NO_FILE, _NO_PACE, _PLAIN = FileOptions(), PaceOptions(), CertifiedOptions()
_NOTHING_SAID = SendingOptions()

Hours = tuple[time, time]
_HOURS = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*")


@campaign.command
def start(
    name: Name,
    recipients: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    text: Annotated[
        str, Parameter(help="The text; {Column} is replaced by each row's cell, {phone} by its phone.")
    ],
    sending: SendingOptions = _NOTHING_SAID,
    file: FileOptions = _NO_FILE,
    pace: PaceOptions = _NO_PACE,
    certified: CertifiedOptions = _PLAIN,
    legal: LegalOptions = _NO_LEGAL,
    store: Annotated[
        str | None,
        Parameter(
            help="SQLite file, or postgresql:// address, that keeps the campaigns; default: campaigns.db, "
            "with --sandbox a temporary one."
        ),
    ] = None,
    run: Annotated[
        bool, Parameter(help="Send at once; without it, `run` and `work` do, here or elsewhere.")
    ] = True,
    watch: Watch = False,
    concurrency: Concurrency = 8,
    dry_run: DryRun = False,
    test_to: TestTo = None,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Start a campaign, or go on with the one of this name: the same command again loses and doubles nobody.

    Parameters
    ----------
    name:
        Its name in the store.
    recipients:
        The file: CSV, Excel (.xlsx) or JSON Lines; or - for standard input. One of its first rows names the columns.
    """
    return start_campaign(
        StartOptions(
            name=name,
            recipients=recipients,
            text=text,
            sending=sending,
            file=file,
            pace=pace,
            certified=certified,
            legal=legal,
            store=store,
            run=run,
            watch=watch,
            concurrency=concurrency,
            dry_run=dry_run,
            test_to=test_to,
            account=account,
        )
    )


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


@campaign.command(name="run")
def run_command(
    name: Name,
    /,
    *,
    store: Store = DEFAULT_STORE,
    watch: Watch = False,
    concurrency: Concurrency = 8,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Send what is left of a campaign whose rows have been read."""
    return _run(name, store, account, watch=watch, concurrency=concurrency, json=json)


@campaign.command
def resume(
    name: Name,
    /,
    *,
    store: Store = DEFAULT_STORE,
    run: Annotated[bool, Parameter(help="Send at once; without it, `run` and `work` do.")] = True,
    watch: Watch = False,
    concurrency: Concurrency = 8,
    json: Json = False,
    account: AccountOptions = _NO_ACCOUNT,
) -> int:
    """Let a paused campaign go on."""
    if not run:
        return change_campaign("resume", name, store, json=json)
    return _run(name, store, account, watch=watch, concurrency=concurrency, json=json, resume=True)


def _run(
    name: str,
    store: str,
    account: AccountOptions,
    *,
    watch: bool,
    concurrency: int,
    json: bool,
    resume: bool = False,
) -> Exit:
    output = Output(json=json)
    ask(store, lambda campaigns: campaigns.get(name))
    with connect(account, output) as connection, viewing(output, live=watch) as view:
        session = Session(connection, store, output, concurrency)

        async def work(campaigns: Campaigns) -> None:
            campaign = await campaigns.get(name)
            if resume:
                await campaign.resume()
            await run_to_the_end(campaign, view)

        session.do(work)
    return tell(session, name)


def change_campaign(
    order: Literal["pause", "resume", "cancel"], name: str, store: str, *, json: bool
) -> Exit:
    """Pause, resume or cancel a campaign, wherever it runs."""
    output = Output(json=json)

    async def change(campaigns: Campaigns) -> Progress:
        campaign = await campaigns.get(name)
        changed: Progress = await getattr(campaign, order)()
        return changed

    progress = ask(store, change)
    output.say(line(progress) + ".")
    output.answer(as_json(progress))
    return Exit.DONE
