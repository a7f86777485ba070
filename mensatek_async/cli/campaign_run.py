"""Running campaigns from the command line: one client, one display, and a signal that lets everything land."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import TypeVar

import anyio
from anyio.abc import TaskStatus
from attrs import define

from ..campaigns.campaign import Campaign
from ..campaigns.campaigns import Campaigns
from ..client import AsyncMensatek
from ..errors import CampaignConflict, CampaignNotFound, ConfigurationError, ConnectionFailed, MensatekError
from ..models.campaign import Progress
from ..settings import Limits
from ..sources.text_files import shown
from .account import Connection
from .campaign_view import View, as_json, exit_of, say_state, scheduled_for, to_go_on
from .output import Exit, Output, Stop, code_of, plural, text_of

_STOPPING = "Stopping: no further request leaves; waiting a few seconds for the answers on their way."
_UNREACHED = "could not be reached"
LOOK = 0.5  # seconds between two looks

T = TypeVar("T")


@define
class Session:
    """Work on the campaigns of a store that a signal may end.

    Attributes:
        connection: the account.
        store: the store.
        output: where notes go.
        concurrency: requests at once.
        per_second: requests a second at most.
        interrupted: whether a signal ended it.
        error: what else did.
    """

    connection: Connection
    store: str
    output: Output
    concurrency: int = 8
    per_second: float | None = None
    interrupted: bool = False
    error: MensatekError | None = None

    def limits(self) -> Limits:
        """Limits of the client.

        Raises:
            Stop: there are none like that.
        """
        try:
            return Limits(concurrency=self.concurrency, per_second=self.per_second)
        except ConfigurationError:
            raise Stop("--concurrency takes 1 to 64 requests, --per-second a number above 0.") from None

    def code(self, progress: Progress | None) -> Exit:
        """The exit code when it has ended."""
        if self.interrupted:
            return Exit.INTERRUPTED
        if self.error is not None:
            return code_of(self.error)
        return Exit.DONE if progress is None else exit_of(progress)

    def do(self, work: Callable[[Campaigns], Awaitable[None]], *, background: bool = True) -> None:
        """Do something with the campaigns, with recipients read in the background. What ends it early is noted."""
        limits = self.limits()
        try:
            anyio.run(self._do, work, limits, background)
        except KeyboardInterrupt:  # where signals cannot be received, such as on Windows
            self.interrupted = True

    async def _do(
        self, work: Callable[[Campaigns], Awaitable[None]], limits: Limits, background: bool
    ) -> None:
        failure: Exception | None = None
        async with self.connection.client(limits) as client, anyio.create_task_group() as group:
            try:
                with anyio.CancelScope() as scope:
                    await group.start(self._cancel_on_signal, scope)
                    campaigns = Campaigns(client, check_store(self.store))
                    async with AsyncExitStack() as stack:
                        if background:
                            await stack.enter_async_context(campaigns)
                        else:
                            stack.push_async_callback(campaigns.aclose)
                        await work(campaigns)
            except MensatekError as error:
                self.error = error
            except Exception as error:  # raised below, where no group wraps it
                failure = error
            group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _cancel_on_signal(self, scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
        try:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                async for _ in signals:
                    if not self.interrupted:
                        self.output.note(_STOPPING)
                    self.interrupted = True
                    scope.cancel()
        except NotImplementedError:  # Windows: Ctrl-C cancels the whole run instead
            task_status.started()


async def run_to_the_end(campaign: Campaign, view: View, *, patience: float | None = None) -> None:
    """Send what a campaign holds; the patience, in seconds, is for a provider that cannot be reached.

    Raises:
        ConnectionFailed: the patience is over; what is left goes on with the next run.
    """
    pending, since = -1, anyio.current_time()
    async with campaign.run(interval=LOOK) as updates:
        async for progress in updates:
            view.show(progress)
            if progress.pending != pending or _UNREACHED not in progress.note:
                pending, since = progress.pending, anyio.current_time()
            elif patience is not None and anyio.current_time() - since > patience:
                raise ConnectionFailed(f"for {patience:,.0f} s the provider could not be reached.")


async def look_on(campaigns: Campaigns, name: str, view: View) -> None:
    """Show a campaign until it is cancelled, as far as it is there."""
    while True:
        await anyio.sleep(LOOK)
        with suppress(CampaignNotFound):
            view.show(await (await campaigns.get(name)).progress())


def check_store(store: str) -> str:
    """Return the store, unless a glance shows that it is none.

    Raises:
        Stop: it is a directory.
    """
    if os.path.isdir(store):
        raise Stop(f"The store {shown(store)} is a directory; name a file in it.")
    return store


def offline(store: str, work: Callable[[Campaigns], Awaitable[T]]) -> T:
    """Do something that needs the store alone; there is no account, and nothing leaves.

    Raises:
        MensatekError: as the work does.
    """

    async def run() -> T:
        async with AsyncMensatek("nobody", "nothing", base_url="http://127.0.0.1") as client:
            campaigns = Campaigns(client, check_store(store))
            try:
                return await work(campaigns)
            finally:
                await campaigns.aclose()

    return anyio.run(run)


def ask(store: str, name: str, work: Callable[[Campaign], Awaitable[T]]) -> T:
    """Do something with one campaign that needs the store alone.

    Raises:
        MensatekError: as the work does, or there is no such campaign.
    """

    async def find(campaigns: Campaigns) -> T:
        return await work(await campaigns.get(name))

    return offline(store, find)


def look(name: str, store: str) -> Progress | None:
    """Return how a campaign stands, or None when there is none."""
    with suppress(CampaignNotFound):
        return ask(store, name, lambda campaign: campaign.progress())
    return None


def conclude(session: Session, name: str) -> Exit:
    """Print how a run ended, and return its exit code."""
    output, progress = session.output, None
    try:
        progress = look(name, session.store)
    except MensatekError as failure:
        session.error = session.error or failure
    problem = None if session.error is None else text_of(session.error)
    if problem is not None:
        output.error(problem)
    code = session.code(progress)
    if isinstance(session.error, CampaignConflict):
        progress = None  # how the other one stands is not what was asked
    if progress is not None:
        what = scheduled_for(progress.scheduled_at) or "sent"
        output.say(f"{progress.sent:,} of {plural(progress.total, 'row')} {what}.")
        say_state(output, progress, session.store)
    if session.interrupted:
        output.note("Interrupted.")
        if progress is None or not progress.done:
            output.say(to_go_on(name, session.store, reading=progress is None or progress.reading))
    counts = {} if progress is None else as_json(progress)
    output.answer({**counts, "interrupted": session.interrupted, "error": problem, "exit_code": int(code)})
    return code
