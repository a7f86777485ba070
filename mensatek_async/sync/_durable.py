"""What the synchronous campaigns are built on: the asynchronous ones behind them, and their block."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, TypeVar

import anyio

from ..campaigns.campaign import Campaign
from ..campaigns.campaigns import Campaigns
from ..client import AsyncMensatek
from ..errors import ConfigurationError
from ..loop_thread import portal
from ._call import Call
from ._managed import Managed
from ._twins import ClientTwin, Runner, Twin

S = TypeVar("S", bound="CampaignTwin")


class _Interrupted(Exception):
    """Ends the block of campaigns in the loop, when something ended it here that is no error."""


class _Block(Managed[Campaigns, None]):
    """The block of campaigns: leaving it waits until the recipients are read, unless it is interrupted."""

    def _stand_in(self, interrupted: bool) -> Exception | None:
        return _Interrupted() if interrupted else None

    async def _hold(self) -> None:
        with anyio.CancelScope() as self._scope:
            await super()._hold()

    async def _end(self, reason: Exception | None) -> None:
        try:
            if hasattr(self, "_leave"):
                self._reason = self._reason or reason
                self._leave.set()
                await self._left.wait()
        finally:
            if hasattr(self, "_scope"):
                self._scope.cancel()
            await super()._end(reason)


class _Made:
    """The asynchronous campaigns, made anew for the client of a forked process.

    Those of the parent stay: letting go of them would close what is the parent's.
    """

    def __init__(self, make: Callable[[AsyncMensatek], Campaigns]) -> None:
        self._make = make
        self._by_client: dict[AsyncMensatek, Campaigns] = {}

    def of(self, client: AsyncMensatek) -> Campaigns:
        """Those of a client."""
        campaigns = self._by_client.get(client)
        return campaigns if campaigns is not None else self._by_client.setdefault(client, self._make(client))


class CampaignsTwin(Twin[Campaigns]):
    """Synchronous campaigns over asynchronous ones."""

    def __init__(self, client: ClientTwin, make: Callable[[AsyncMensatek], Campaigns]) -> None:
        if not isinstance(client, ClientTwin):
            raise ConfigurationError(
                f"client is a Mensatek, not {type(client).__name__}.",
                advice="Campaigns of an AsyncMensatek are `Campaigns`, with `async with`.",
            )
        made = _Made(make)
        made.of(client._runner.client)  # so that what is wrong with the arguments is said here and now
        super().__init__(client._runner, made.of)
        self._block: AbstractContextManager[None] | None = None

    def __enter__(self) -> Self:
        block = _Block(self._runner.line, self._original, lambda _campaigns, _line: None)
        block.__enter__()
        self._block = block
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        block, self._block = self._block, None
        if block is not None:
            block.__exit__(kind, error, trace)

    def _close(self) -> None:
        error = Call(portal(), self._original.aclose(), grace=self._runner.grace).wait()
        if error is not None:
            raise error

    def _one(self, campaign: Campaign, twin: Callable[[Runner, Callable[[AsyncMensatek], Campaign]], S]) -> S:
        name = campaign.name
        return twin(self._runner, lambda client: Campaign(self._find(client)._session, name))

    def __repr__(self) -> str:
        return repr(self._original).replace("Campaigns", type(self).__name__, 1)


class CampaignTwin(Twin[Campaign]):
    """One synchronous campaign."""

    def __repr__(self) -> str:
        return repr(self._original).replace("Campaign", type(self).__name__, 1)
