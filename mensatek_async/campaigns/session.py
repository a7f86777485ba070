"""What the campaigns of one store share: the store, the client, and who reads recipients into it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

import anyio
from anyio.abc import TaskGroup

from .._core.context import Client
from .._core.messages.message import Message
from .._core.operations import positive_seconds
from ..durable.session import Session
from ..errors import ConfigurationError, SourceMissing
from ..store.threads import in_thread
from ..tracebacks import private
from .feed import Feed
from .ingest import Ingest
from .journal.claims import Claimer
from .journal.lifecycle import check_account, find
from .journal.records import CampaignRow, by_id
from .journal.schema import CAMPAIGNS
from .journal.states import CANCELLED
from .options import Content
from .runner import Runner

T = TypeVar("T")

_SOON = 1.0  # seconds that starting a campaign waits for its recipients to be read
_READING_LEASE = 30.0  # seconds after which a reader that shows no life is taken for dead


class CampaignSession(Session):
    """One store with campaigns as one client uses it."""

    def __init__(self, client: Client, store: str | os.PathLike[str], lease: float, poll: float) -> None:
        super().__init__(client, store, CAMPAIGNS, lease, "`SyncCampaigns`, or `client.campaigns(store)`")
        self._poll = positive_seconds("poll", poll)
        self._group: TaskGroup | None = None
        self._readings: list[Ingest] = []

    @property
    def who(self) -> Claimer:
        return Claimer(self.owner, self.lease, self.context.assume_grouping)

    async def send(self, name: str, slots: int, until: float | None = None) -> None:
        """Send what there is of a campaign, if it runs."""
        row = await self.look(lambda tx: find(tx, name))
        check_account(row, self.account)
        runner = self.runner([row.id], slots, until)
        await runner.run()
        row = await self.look(lambda tx: by_id(tx, row.id))
        if row.ingest_done or row.state == CANCELLED:
            await self._has_read(row.id)
        self._raise_for_reading(row.id)
        if runner.missing:
            raise SourceMissing(
                f"The campaign {row.name!r} has read {row.ingested} rows, and nobody is left who reads the rest.",
                advice="Start it again with the same recipients: it goes on where it stopped.",
            )

    def runner(self, campaigns: Sequence[int] | None, slots: int, until: float | None = None) -> Runner:
        return Runner(
            context=self.context,
            db=self.db,
            who=self.who,
            account=self.account,
            only=campaigns,
            in_flight=slots,
            poll=self._poll,
            until=until,
            peers=self.workers,
            reading=self._is_reading,
        )

    # --- reading --------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Begin a block, in which recipients are read in the background."""
        if self._group is not None:
            raise ConfigurationError(
                "These campaigns are open already.", advice="Use one `async with` at a time."
            )
        self._group = await anyio.create_task_group().__aenter__()

    async def leave(self, *, wait: bool) -> None:
        """End the block: once its recipients are read, or now; what ended the reading is raised."""
        try:
            if wait:
                for reading in list(self._readings):
                    await reading.ended.wait()
                self._raise_for_reading()
        finally:
            group, self._group = self._group, None
            try:
                if group is not None:
                    group.cancel_scope.cancel()
                    await group.__aexit__(None, None, None)
            finally:
                await self.close()

    async def close(self) -> None:
        if self._group is not None:
            self._group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await in_thread(self.db.close)

    async def read(self, row: CampaignRow, content: Content, message: Message, feed: Feed) -> None:
        """Read recipients into the journal: to the end when that is soon, else on in the background."""
        await self._has_read(row.id)
        reading = Ingest(
            db=self.db,
            campaign=row.id,
            content=content,
            message=message,
            feed=feed,
            owner=self.who.owner,
            lease=min(self.lease, _READING_LEASE),
            local=row.settings.local,
            on_rows=self.wake,
        )
        self._readings = [one for one in self._readings if one.error or not one.ended.is_set()] + [reading]
        if self._group is None or self._group.cancel_scope.cancel_called or feed.inline:
            await reading.run()
        else:
            self._group.start_soon(reading.run)
            with anyio.move_on_after(_SOON):
                await reading.ended.wait()
        self._raise_for_reading(row.id)

    async def _has_read(self, campaign: int) -> None:
        """Wait until nobody here reads recipients of a campaign any more."""
        while running := [
            one for one in self._readings if one.campaign == campaign and not one.ended.is_set()
        ]:
            await running[0].ended.wait()

    def _raise_for_reading(self, campaign: int | None = None) -> None:
        """Raise what ended the reading of recipients, of one campaign or of any; each error once."""
        for reading in self._readings:
            if reading.error is not None and campaign in (None, reading.campaign):
                error, reading.error = reading.error, None
                raise error

    def _is_reading(self) -> bool:
        return any(not reading.ended.is_set() for reading in self._readings)


class SessionBlock:
    """A session as `async with`; the synchronous campaigns have a block of their own, which is not generated."""

    _session: CampaignSession

    async def __aenter__(self) -> Self:
        await self._session.open()
        return self

    @private
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.leave(wait=error is None)
