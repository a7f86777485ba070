"""What the campaigns of one store share: the store, the client, and who reads recipients into it."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from secrets import token_hex
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from .._core.context import Context
from .._core.operations import bounded
from ..settings import Account
from ..store.database import Database
from .feed import Feed
from .ingest import Ingest
from .journal import lifecycle as journal
from .journal.claims import Claimer
from .journal.records import CampaignRow
from .journal.states import CANCELLED
from .options import Content
from .runner import Runner

_SOON = 1.0  # seconds that starting a campaign waits for its recipients to be read
_READING_LEASE = 30.0  # seconds after which a reader that shows no life is taken for dead


class Client(Protocol):
    """What of a client a campaign needs."""

    _context: Context
    _account: Account


class Reading:
    """Recipients that are being read into the journal."""

    def __init__(self, name: str, ingest: Ingest) -> None:
        self.name: str = name
        self.ingest: Ingest = ingest
        self.ended: anyio.Event = anyio.Event()
        self.error: Exception | None = None


class CampaignSession:
    """One store as one client uses it."""

    def __init__(self, client: Client, db: Database, lease: float, poll: float) -> None:
        self.context: Context = client._context
        self.account: str = client._account.user
        self.db: Database = db
        self._lease = lease
        self._poll = poll
        self._name = f"{socket.gethostname()}:{token_hex(4)}"
        self._group: TaskGroup | None = None
        self._readings: list[Reading] = []
        self._runners: set[Runner] = set()

    @property
    def who(self) -> Claimer:
        """Who claims."""
        return Claimer(f"{self._name}:{os.getpid()}", self._lease)

    def slots(self, concurrency: int | None) -> int:
        """How many requests may be in flight.

        Raises:
            InvalidRequest: it is no whole number from 1.
        """
        return bounded("concurrency", concurrency, self.context.limits.concurrency)

    def check_account(self, row: CampaignRow) -> None:
        """Refuse a campaign of another account.

        Raises:
            CampaignConflict: it is one.
        """
        journal.check_account(row, self.account)

    def runner(self, campaigns: Sequence[int] | None, slots: int, until: float | None = None) -> Runner:
        """Somebody who sends."""
        return Runner(
            self.context,
            self.db,
            self.who,
            self.account,
            campaigns=campaigns,
            concurrency=slots,
            poll=self._poll,
            until=until,
            peers=self._runners,
            reading=self._is_reading,
        )

    # --- reading --------------------------------------------------------------------------------------------

    def open(self, group: TaskGroup) -> None:
        """From now on recipients are read in the background."""
        self._group = group

    async def close(self, *, wait: bool) -> None:
        """End the reading of recipients: at its own end, or now.

        Raises:
            CampaignConflict: what ended it and was not raised yet, and so are the others of `Campaigns.start`.
        """
        group, self._group = self._group, None
        try:
            if wait:
                for reading in list(self._readings):
                    await reading.ended.wait()
                self.raise_for_reading()
        finally:
            if group is not None:
                group.cancel_scope.cancel()

    async def read(self, row: CampaignRow, content: Content, feed: Feed) -> None:
        """Read recipients into the journal: to the end when that is soon, else on in the background.

        Raises:
            SourceChanged: as in `Campaigns.start`, and so are the others.
        """
        await self.has_read(row.name)
        ingest = Ingest(
            self.db,
            row.id,
            content,
            feed,
            owner=self.who.owner,
            lease=min(self._lease, _READING_LEASE),
            local=row.settings.local,
            told=self._wake,
        )
        reading = Reading(row.name, ingest)
        self._readings = [one for one in self._readings if one.error or not one.ended.is_set()] + [reading]
        if self._group is None or feed.inline:
            await self._read(reading)
        else:
            self._group.start_soon(self._read, reading)
            with anyio.move_on_after(_SOON):
                await reading.ended.wait()
        self.raise_for_reading(row.name)

    async def has_read(self, name: str) -> None:
        """Wait until nobody here reads recipients of a campaign any more."""
        while running := [one for one in self._readings if one.name == name and not one.ended.is_set()]:
            await running[0].ended.wait()

    async def check_reading(self, row: CampaignRow) -> None:
        """Raise what ended the reading of a campaign's recipients here; one that is at its end is waited for.

        Raises:
            CampaignConflict: as in `Campaigns.start`, and so are the others.
        """
        if row.ingest_done or row.state == CANCELLED:
            await self.has_read(row.name)
        self.raise_for_reading(row.name)

    def raise_for_reading(self, name: str | None = None) -> None:
        """Raise what ended the reading of recipients, of one campaign or of any; each error once."""
        for reading in self._readings:
            if reading.error is not None and name in (None, reading.name):
                error, reading.error = reading.error, None
                raise error

    def _is_reading(self) -> bool:
        return any(not reading.ended.is_set() for reading in self._readings)

    async def _read(self, reading: Reading) -> None:
        try:
            await reading.ingest.run()
        except Exception as error:
            reading.error = error
        finally:
            reading.ended.set()
            self._wake()

    def _wake(self) -> None:
        for runner in self._runners:
            runner.wake()
