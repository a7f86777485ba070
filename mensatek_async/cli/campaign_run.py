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
from ..errors import CampaignNotFound, ConfigurationError, ConnectionFailed, MensatekError
from ..models.campaign import Progress
from ..settings import Limits
from ..sources.text_files import shown
from .account import Connection
from .campaign_view import View, advice, as_json, exit_of, line, scheduled_for, to_go_on
from .output import Exit, Output, Stop, code_of, plural, stop_for, text_of

_STOPPING = "Stopping: no further request leaves; waiting a few seconds for the answers on their way."
_UNREACHED = "could not be reached"
_LOOK = 0.5  # seconds between two looks


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
        """Of the client.

        Raises:
            Stop: there are none like that.
        """
        try:
            return Limits(concurrency=self.concurrency, per_second=self.per_second)
        except ConfigurationError:
            raise Stop("--concurrency takes 1 to 64 requests, --per-second a number above 0.") from None

    def code(self, progress: Progress | None) -> Exit:
        """What the shell is told when it has ended."""
        if self.interrupted:
            return Exit.INTERRUPTED
        if self.error is not None:
            return code_of(self.error)
        return Exit.DONE if progress is None else exit_of(progress)

    def do(self, work: Callable[[Campaigns], Awaitable[None]], *, background: bool = True) -> None:
        """Do something with the campaigns. What ends it early is noted.

        Args:
            work: what to do.
            background: whether recipients may still be read while it goes on.
        """
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
                    await group.start(cancel_on_signal, scope, self.output, self._interrupt)
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

    def _interrupt(self) -> None:
        self.interrupted = True


async def cancel_on_signal(
    scope: anyio.CancelScope,
    output: Output,
    interrupted: Callable[[], None],
    *,
    task_status: TaskStatus[None],
) -> None:
    """Cancel a scope at each signal, until cancelled itself.

    Args:
        scope: what a signal ends.
        output: where the first one is told.
        interrupted: called at each.
        task_status: started when signals are received, or cannot be.
    """
    told = False
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for _ in signals:
                if not told:
                    output.note(_STOPPING)
                told = True
                interrupted()
                scope.cancel()
    except NotImplementedError:  # Windows: Ctrl-C cancels the whole run instead
        task_status.started()


async def run_to_the_end(campaign: Campaign, view: View, *, patience: float | None = None) -> None:
    """Send what a campaign holds, and show it.

    Args:
        campaign: the campaign.
        view: shows it.
        patience: seconds after which to give up while the provider cannot be reached; None never does.

    Raises:
        ConnectionFailed: the patience is over; what is left goes on with the next run.
    """
    pending, since = -1, anyio.current_time()
    async with campaign.run(interval=_LOOK) as progress:
        async for found in progress:
            view.show(found)
            if found.pending != pending or _UNREACHED not in found.note:
                pending, since = found.pending, anyio.current_time()
            elif patience is not None and anyio.current_time() - since > patience:
                raise ConnectionFailed(f"for {patience:,.0f} s the provider could not be reached.")


async def look_on(campaigns: Campaigns, name: str, view: View) -> None:
    """Show a campaign until it is cancelled, as far as it is there."""
    while True:
        await anyio.sleep(_LOOK)
        with suppress(CampaignNotFound):
            view.show(await (await campaigns.get(name)).progress())


def check_store(store: str) -> str:
    """The store, unless a glance shows that it is none.

    Raises:
        Stop: it is a directory.
    """
    if os.path.isdir(store):
        raise Stop(f"The store {shown(store)} is a directory; name a file in it.")
    return store


def offline(store: str, work: Callable[[Campaigns], Awaitable[None]]) -> None:
    """Do something that needs the store alone; there is no account, and nothing leaves.

    Raises:
        MensatekError: as the work does.
    """

    async def run() -> None:
        async with AsyncMensatek("nobody", "nothing", base_url="http://127.0.0.1") as client:
            campaigns = Campaigns(client, check_store(store))
            try:
                await work(campaigns)
            finally:
                await campaigns.aclose()

    anyio.run(run)


def look(name: str, store: str) -> Progress | None:
    """How a campaign stands; None when there is none."""
    found: list[Progress] = []

    async def ask(campaigns: Campaigns) -> None:
        with suppress(CampaignNotFound):
            found.append(await (await campaigns.get(name)).progress())

    offline(store, ask)
    return found[0] if found else None


def tell(session: Session, name: str) -> Exit:
    """How a run ended."""
    output, error = session.output, session.error
    progress = None
    try:
        progress = look(name, session.store)
    except MensatekError as failure:
        error = error or failure
    if error is not None:
        output.error(text_of(error))
    session.error = error
    code = session.code(progress)
    if progress is not None:
        what = scheduled_for(progress.scheduled_at) or "sent"
        output.say(f"{progress.sent:,} of {plural(progress.total, 'row')} {what}.")
        output.say(line(progress) + ".")
        if progress.note:
            output.say(progress.note)
        if told := advice(progress, session.store):
            output.say(told)
    if session.interrupted:
        output.note("Interrupted.")
        if progress is None or not progress.done:
            output.say(to_go_on(name, session.store, reading=progress is None or progress.reading))
    counts = {} if progress is None else as_json(progress)
    output.answer(
        {
            **counts,
            "interrupted": session.interrupted,
            "error": None if error is None else text_of(error),
            "exit_code": int(code),
        }
    )
    return code


def ask(store: str, work: Callable[[Campaigns], Awaitable[T]]) -> T:
    """Ask the store something that needs no account.

    Raises:
        Stop: it cannot be answered.
    """
    found: list[T] = []

    async def work_on(campaigns: Campaigns) -> None:
        found.append(await work(campaigns))

    do(store, work_on)
    return found[0]


def do(store: str, work: Callable[[Campaigns], Awaitable[None]]) -> None:
    """Do something that needs the store alone.

    Raises:
        Stop: it failed.
    """
    try:
        offline(store, work)
    except MensatekError as error:
        raise stop_for(error) from None
