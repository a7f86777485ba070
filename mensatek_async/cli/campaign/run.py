"""Campaigns begun and run: one client, one display, a signal that lets all land; and `mensatek campaign start`."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from datetime import time as time_of_day
from types import FrameType
from typing import Any

from attrs import define, frozen
from cyclopts import Parameter

from ...errors import CampaignConflict, CampaignNotFound, ConfigurationError, ConnectionFailed, MensatekError
from ...language import ENGLISH
from ...models.campaign import Progress
from ...models.recipient import Recipient
from ...settings import Limits
from ...sources.text_files import shown
from ...sync.generated._campaign import SyncCampaign
from ...sync.generated._campaigns import SyncCampaigns
from ...sync.generated._client import Mensatek
from ...text.template import Template
from ..account import Connection, parse_when
from ..documents import legal_of
from ..language import _, later
from ..opt_outs import load_into
from ..options import DEFAULT_STORE, Credits, Flag, LegalOptions, Name, NamedStore, Number, RowsOptions, Watch
from ..output import Exit, Output, Stop, code_of, on_ending, plural, text_of
from ..sending import Send
from .metrics import serving_metrics
from .view import View, as_json, check_store, exit_of, say_state, scheduled_for, to_go_on, viewing

_STOPPING = later("Stopping: no further request leaves; waiting a few seconds for the answers on their way.")
_UNREACHED = "could not be reached"
LOOK = 0.5  # seconds between two looks
_HOURS = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*")


@Parameter(name="*")
@frozen(kw_only=True)
class StartOptions:
    """Options that `mensatek campaign start` alone has; starting it again may change some of them.

    Attributes:
        start_at: When to begin to send, written as --at, or now; it waits until then.
        rate: Recipients a second, over all who use the store.
        send_between: Hours of the day to send in, such as 09:00-21:00.
        local_time: Those hours are each recipient's; default: Spain's.
        max_credits: Pause before it costs more than this.
        chunk_size: Recipients in a request; default: as many as fit.
        anchor: A phone of yours for the very first text, the only one whose fate can stay unknown.
        certified: Send certified texts; they need an issuer.
        identify: Certified: identify the recipient first, such as CERTIFICADO-12345678E.
        acceptance_days: Certified: to be accepted within so many days, 1 to 15.
        contract_type: Certified: a contract; the provider's number of its kind.
        store: SQLite file or postgresql:// address; default: campaigns.db, with --sandbox a temporary one.
        run: Send at once; without it, `run` and `work` do, here or elsewhere.
    """

    start_at: str | None = None
    rate: Number | None = None
    send_between: str | None = None
    local_time: Flag = False
    max_credits: Credits | None = None
    chunk_size: int | None = None
    anchor: str | None = None
    certified: Flag = False
    identify: str | None = None
    acceptance_days: int | None = None
    contract_type: int | None = None
    store: NamedStore = None
    run: bool = True
    watch: Watch = False


@define
class Session:
    """Work on the campaigns of a store that a signal may end.

    Attributes:
        connection: the account.
        store: the store.
        output: where notes go.
        concurrency: requests at once.
        per_second: requests a second at most.
        metrics: the port of this machine that metrics are served at; None for none.
        interrupted: whether a signal ended it.
        error: what else did.
    """

    connection: Connection
    store: str
    output: Output
    concurrency: int = 8
    per_second: float | None = None
    metrics: int | None = None
    interrupted: bool = False
    error: MensatekError | None = None

    def code(self, progress: Progress | None) -> Exit:
        """The exit code when it has ended."""
        if self.interrupted:
            return Exit.INTERRUPTED
        if self.error is not None:
            return code_of(self.error)
        return Exit.DONE if progress is None else exit_of(progress)

    @contextmanager
    def client(self) -> Iterator[Mensatek]:
        """Give a client. What ends the block early is noted: a signal lets what is on its way land first."""
        try:
            limits = Limits(concurrency=self.concurrency, per_second=self.per_second)
        except ConfigurationError:
            raise Stop("--concurrency takes 1 to 64 requests, --per-second a number above 0.") from None
        handlers = on_ending(self._stop)
        try:
            with (
                serving_metrics(self.metrics, self.output) as observer,
                self.connection.client(limits, observer) as client,
            ):
                yield client
        except KeyboardInterrupt:
            self.interrupted = True
        except MensatekError as error:
            self.error = error
        finally:
            for one, handler in handlers.items():
                signal.signal(one, handler)

    @contextmanager
    def campaigns(self, *, background: bool = True) -> Iterator[SyncCampaigns]:
        """Give the campaigns, with recipients read in the background. What ends the block early is noted."""
        with (
            self.client() as client,
            closing(client.campaigns(check_store(self.store))) as campaigns,
            campaigns if background else nullcontext(),
        ):
            yield campaigns

    @contextmanager
    def ended(self) -> Iterator[SyncCampaigns]:
        """Give the campaigns to tell how the work has ended."""
        try:
            with offline(self.store) as campaigns:
                yield campaigns
        except KeyboardInterrupt:
            again = later("interrupted; the same command again says what was sent, and goes on.")
            raise Stop(*again, code=Exit.INTERRUPTED) from None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Take a signal for Ctrl-C, once: the end is near."""
        if not self.interrupted:
            self.interrupted = True
            self.output.note(*_STOPPING)
            raise KeyboardInterrupt


def run_to_the_end(campaign: SyncCampaign, view: View, *, patience: float | None = None) -> None:
    """Send what a campaign holds; the patience, in seconds, is for a provider that cannot be reached."""
    pending, since = -1, time.monotonic()
    with campaign.run(interval=LOOK) as updates:
        for progress in updates:
            view.show(progress)
            if progress.pending != pending or _UNREACHED not in progress.note:
                pending, since = progress.pending, time.monotonic()
            elif patience is not None and time.monotonic() - since > patience:
                raise ConnectionFailed(f"for {patience:,.0f} s the provider could not be reached.")


def look_on(campaign: SyncCampaign, view: View) -> None:
    """Show a campaign while its rows come; leaving the campaigns waits for the rest, and raises what went wrong."""
    rows = -1
    while (progress := campaign.progress()).reading and progress.total > rows:
        view.show(progress)
        rows = progress.total
        time.sleep(LOOK)


@contextmanager
def offline(store: str) -> Iterator[SyncCampaigns]:
    """Give the campaigns of a store to look at and to change there; there is no account, and nothing leaves."""
    with (
        Mensatek("nobody", "nothing", base_url="http://127.0.0.1") as client,
        closing(client.campaigns(check_store(store))) as campaigns,
    ):
        yield campaigns


def look(name: str, store: str) -> Progress | None:
    """Return how a campaign stands, or None when there is none."""
    with suppress(CampaignNotFound), offline(store) as campaigns:
        return campaigns.get(name).progress()
    return None


def conclude(session: Session, name: str) -> Exit:
    """Print how a run ended, and return its exit code."""
    output, progress = session.output, None
    try:
        with suppress(CampaignNotFound), session.ended() as campaigns:
            progress = campaigns.get(name).progress()
    except MensatekError as failure:
        session.error = session.error or failure
    problem = None if session.error is None else text_of(session.error, ENGLISH)
    if session.error is not None:
        output.error(text_of(session.error))
    code = session.code(progress)
    if isinstance(session.error, CampaignConflict):
        progress = None  # how the other one stands is not what was asked
    if progress is not None:
        what, rows = scheduled_for(progress.scheduled_at), plural(progress.total, "row")
        output.say("{:,} of {} {}." if what else "{:,} of {} sent.", progress.sent, rows, what)
        say_state(output, progress, session.store)
    if session.interrupted:
        output.note("Interrupted.")
        if progress is None or not progress.done:
            output.say(to_go_on(name, session.store, reading=progress is None or progress.reading))
    counts = {} if progress is None else as_json(progress)
    output.answer({**counts, "interrupted": session.interrupted, "error": problem, "exit_code": int(code)})
    return code


def start(
    name: Name,
    recipients: Name,
    /,
    *,
    rows: RowsOptions,
    options: StartOptions = StartOptions(),
    legal: LegalOptions = LegalOptions(),
) -> Exit:
    """Start a campaign, or go on with the one of this name: the same command again loses and doubles nobody.

    Args:
        name: Its name in the store.
        recipients: The file: CSV, Excel (.xlsx) or JSON Lines; or - for standard input. One of its first rows names the
            columns.
    """
    hours, extra = _hours(options.send_between), _certified(options, legal)
    begins = parse_when(options.start_at, "--start-at")
    with ExitStack() as stack:
        send = Send(stack, recipients, rows, legal=extra)
        send.campaign = {
            "product": "sms" if extra is None else "certified",
            "rate": options.rate,
            "start_at": begins,
            "send_between": hours,
            "local_time": "recipient" if options.local_time else "spanish",
            "max_credits": options.max_credits,
            "chunk_size": options.chunk_size,
            "anchor": _anchor(options.anchor, send.what.text),
        }
        if rows.dry_run:
            with offline(send.rehearsal_store(options.store or DEFAULT_STORE)) as campaigns:
                return send.rehearse(campaigns)
        sandbox = rows.sending.account.sandbox
        store = options.store or (send.temporary_store() if sandbox else DEFAULT_STORE)
        progress, connection = look(name, store), send.connect()
        if rows.opt_outs is not None:
            load_into(store, rows.opt_outs, send.output)
        send.agree(connection, store, progress, _("It is there already"))
        session = Session(connection, store, send.output, rows.concurrency)
        with viewing(send.output, watch=options.watch) as view, session.campaigns() as campaigns:
            campaign = send.begin(campaigns, name)
            if options.run:
                say_when(campaign.progress(), store, send.output)
                run_to_the_end(campaign, view)
            else:
                look_on(campaign, view)
        return conclude(session, name)


def say_when(progress: Progress, store: str, output: Output) -> None:
    """Say so if the command is about to wait for the date on which a campaign begins."""
    when = progress.start_at
    if when is not None and when > datetime.now(UTC) and not progress.done:
        output.note(
            "It begins at {:%Y-%m-%d %H:%M} Spanish time. This command waits for that; Ctrl-C ends it.", when
        )
        output.note(to_go_on(progress.name, store, reading=False))


def _certified(options: StartOptions, legal: LegalOptions) -> dict[str, Any] | None:
    extra = (options.contract_type, options.identify, options.acceptance_days)
    if options.certified:
        return legal_of(legal, *extra)
    if any(extra):
        raise Stop("--identify, --acceptance-days and --contract-type go with --certified.")
    return None


def _hours(text: str | None) -> tuple[time_of_day, time_of_day] | None:
    """Read two times of day, such as 09:00-21:00."""
    if text is None:
        return None
    try:
        if match := _HOURS.fullmatch(text):
            start, end = (time_of_day.fromisoformat(one.zfill(5)) for one in match.groups())
            return start, end
    except ValueError:
        pass
    raise Stop("--send-between takes two times of day, such as 09:00-21:00, not {}.", shown(text))


def _anchor(phone: str | None, text: str | Template) -> Recipient | None:
    """Your own phone gets the names of the fields in their place: nobody's data, and the same each time."""
    if phone is None:
        return None
    return Recipient(phone, {} if isinstance(text, str) else {name: name for name in text.fields})
