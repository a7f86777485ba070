"""What the synchronous campaigns are built on: the asynchronous ones behind them, and their block."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self, TypeVar

import anyio

from ..archive.archive import CertificateArchive
from ..campaigns.campaign import Campaign
from ..campaigns.campaigns import Campaigns
from ..client import AsyncMensatek
from ..errors import ConfigurationError
from ..loop_thread import portal
from ..outbox.outbox import Outbox
from ._call import Call
from ._managed import Managed
from ._twins import ClientTwin, Runner, Twin

P = TypeVar("P", bound="CertificateArchive | Campaigns | Outbox")
D = TypeVar("D", bound="Campaigns | Outbox")
S = TypeVar("S", bound=Twin[Campaign])


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


class PartTwin(Twin[P]):
    """What is made for a client, synchronous over asynchronous.

    The original is made anew for the client of a forked process. That of the parent stays: letting go of it would close
    what is the parent's.
    """

    def __init__(self, client: ClientTwin, make: Callable[[AsyncMensatek], P]) -> None:
        if not isinstance(client, ClientTwin):
            raise ConfigurationError(
                f"client is a Mensatek, not {type(client).__name__}.",
                advice=f"With an AsyncMensatek it is `{type(self).__name__.removeprefix('Sync')}`, with `async with`.",
            )
        made: dict[AsyncMensatek, P] = {}

        def find(client: AsyncMensatek) -> P:
            original = made.get(client)
            return original if original is not None else made.setdefault(client, make(client))

        find(client._runner.client)  # so that what is wrong with the arguments is said here and now
        super().__init__(client._runner, find)


class StoreTwin(PartTwin[D]):
    """What is made for a client and a store: campaigns, an outbox."""

    def _close(self) -> None:
        Call(portal(), self._original.aclose(), grace=self._runner.grace).result()


class CampaignsTwin(StoreTwin[Campaigns]):
    """Synchronous campaigns over asynchronous ones."""

    _block: AbstractContextManager[None] | None = None

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

    def _one(self, campaign: Campaign, twin: Callable[[Runner, Callable[[AsyncMensatek], Campaign]], S]) -> S:
        name = campaign.name
        return twin(self._runner, lambda client: Campaign(self._find(client)._session, name))
