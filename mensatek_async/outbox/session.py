"""The outbox of one store, as one client uses it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

import anyio

from .._core.context import Client
from .._core.operations import bounded, positive_seconds
from ..durable.session import Session
from ..durable.work import Claimer
from ..errors import InvalidRequest, OutboxNotFound, StoreError
from ..models.events import DeliveryReport
from ..models.outbox import OutboxItem
from ..models.recipient import Recipient
from ..observe.events import ReportRecorded
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from ..store.transaction import Tx
from ..text.template import Template
from . import upkeep
from .claims import Claims
from .entries import Entry, make_entry, put
from .outcomes import record
from .rows import ItemRow, by_key
from .schema import OUTBOX, STATES
from .worker import OutboxWorker

T = TypeVar("T")
_log = logging.getLogger("mensatek_async.outbox")

_LOOK, _LOOK_WHERE_TOLD = 0.05, 1.0  # seconds between two looks at what others have put
_LOOK_AT_END = 0.25  # seconds between two looks of a slice at what others are sending
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before a worker goes on whose store failed
_ALL = 2**62
_FIRST, _LONGEST = 0.02, 0.25  # seconds between two looks at an item that is waited for


class OutboxSession(Session):
    """One store with an outbox as one client uses it; `changed` is set when an item of it has changed here."""

    def __init__(
        self,
        client: Client,
        store: str | os.PathLike[str],
        lease: float,
        poll: float | None,
        rate: float | None,
    ) -> None:
        super().__init__(client, store, OUTBOX, lease, "`SyncOutbox`, or `client.outbox(store)`")
        if rate is not None and (
            isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1e9
        ):
            raise InvalidRequest("rate is items a second: a number above 0, or None.")
        self.db.claims = False  # who puts items holds no lease
        wakes = self.db.waking("")
        self._look = (
            (_LOOK_WHERE_TOLD if wakes else _LOOK) if poll is None else positive_seconds("poll", poll)
        )
        self._rate = rate
        # By a part of the token's digest, which tells another token and gives none away.
        token = blake2b(client._account.token.reveal().encode(), digest_size=4).hexdigest()
        self._login = f"{self.account} {client._account.base_url} {token}"
        self._known = False
        self.changed: anyio.Event = anyio.Event()

    async def work(self, slots: int, on_end: Callable[[OutboxItem], None]) -> None:
        """Send until it is cancelled; a store that fails for a while is waited for, but not at the start."""
        await self.change(lambda tx: None)
        pause = _FIRST_PAUSE
        while True:
            begun = anyio.current_time()
            try:
                return await self.worker(slots, on_end, forever=True).run()
            except StoreError as error:
                if anyio.current_time() - begun > _LONGEST_PAUSE:
                    pause = _FIRST_PAUSE
                _log.error("Outbox: its worker goes on in %.0f s. %s", pause, error)
                await anyio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def worker(
        self,
        slots: int,
        on_end: Callable[[OutboxItem], None],
        *,
        forever: bool,
        until: float | None = None,
    ) -> OutboxWorker:
        """Return what sends the account's items."""
        who = Claimer(self.owner, self.lease)

        def ended(item: OutboxItem) -> None:
            on_end(item)
            self.tell()

        return OutboxWorker(
            context=self.context,
            db=self.db,
            who=who,
            in_flight=slots,
            poll=self.lease if forever else _LOOK_AT_END,  # whoever waits for ever is woken
            until=until,
            peers=self.workers,
            claims=Claims(who=who, account=self.account, rate=self._rate, forever=forever),
            login=self._login,
            look=self._look,
            on_end=ended,
        )

    def entry(self, key: str, to: str | Recipient, text: str | Template, **options: Any) -> Entry:
        """Check a new item, with the options of `Outbox.put`."""
        return make_entry(self.context, self.account, key, to, text, options)

    async def put(self, entry: Entry) -> OutboxItem:
        """Add an item, or find the one of its key."""
        failpoint("outbox.put.before")
        item = await self.change(lambda tx: put(tx, self.db, entry).item(tx.wall))
        failpoint("outbox.put")
        if item.state == "queued":
            self.wake()
        return item

    async def get(self, key: str) -> OutboxItem | None:
        """Return the item of a key."""
        return await self.look_up(None, lambda tx, account: _item(by_key(tx, account, key), tx))

    async def wait(self, key: str, seconds: float) -> OutboxItem:
        """Wait until an item has ended, or so many seconds."""
        changed, pause = self.changed, _FIRST
        item = await self.get(key)
        with anyio.move_on_after(seconds):
            while item is None or not item.done:
                with anyio.move_on_after(pause):
                    await changed.wait()
                changed, pause = self.changed, min(1.5 * pause, _LONGEST)
                item = await self.get(key) or item
        return _known(item, key)

    async def drain(self, slots: int, until: float | None) -> dict[str, int]:
        """Send what there is until a moment; return what has ended, and what is left, by state."""
        ended: list[OutboxItem] = []
        if await self.is_there():
            await self.worker(slots, ended.append, forever=False, until=until).run()
        counted = await self.counts(waiting=True)
        for item in ended:
            counted[item.state] += 1
        return counted

    async def purge(self, age: float) -> int:
        """Take phones and texts out of items that ended so many seconds ago; return of how many."""
        purged, after, found = 0, 0, -1
        while found and await self.is_there():
            found, after = await self.change(
                partial(upkeep.purge, account=self.account, age=age, after=after)
            )
            purged += found
        if purged:
            await in_thread(self.db.compact)
        return purged

    async def look_up(self, nothing: T, work: Callable[[Tx, str], T]) -> T:
        """Run work that only reads, where there is a store."""
        if not await self.is_there():
            return nothing
        return await self.look(lambda tx: work(tx, self.account))

    async def is_there(self) -> bool:
        """Return whether there is a store to read."""
        self._known = self._known or await in_thread(self.db.exists)
        return self._known

    async def record(self, report: DeliveryReport) -> bool:
        """Take a delivery report in; return whether it is about an item of this store."""
        if not await self.is_there():
            return False

        def work(tx: Tx) -> ReportRecorded | None:
            row, number = record(tx, report), report.message_id
            if row is None:
                return None
            (trace,) = tx.one("SELECT traceparent FROM mensatek_outbox WHERE id = ?", row.id)
            return ReportRecorded(message_id=number, reference=row.reference, traceparent=trace)

        recorded = await self.change(work)
        failpoint("outbox.changed")
        self.tell()
        if recorded is not None and self.context.caller.notifier is not None:
            self.context.caller.notifier.tell("report_recorded", recorded)
        return recorded is not None

    async def item(self, key: str, work: Callable[[Tx, str, str], ItemRow | None]) -> OutboxItem:
        """Change an item and return it as it is then."""
        item = None
        if await self.is_there():
            item = await self.change(lambda tx: _item(work(tx, self.account, key), tx))
            failpoint("outbox.changed")
        self.tell()
        return _known(item, key)

    async def listed(self, state: str | None, limit: int) -> list[OutboxItem]:
        """Return the newest items, in one state or in any."""
        if state is not None and state not in STATES:
            raise InvalidRequest(f"A state is one of {', '.join(STATES)}, not {state!r}.")
        most = bounded("limit", limit, _ALL)
        return await self.look_up([], lambda tx, account: upkeep.listed(tx, account, state, most))

    async def counts(self, *, waiting: bool = False) -> dict[str, int]:
        """Return how many items are in each state."""
        none: dict[str, int] = dict.fromkeys(STATES, 0)
        return await self.look_up(none, lambda tx, account: upkeep.counts(tx, account, waiting=waiting))

    def tell(self) -> None:
        """Let whoever waits for an item look again."""
        self.changed.set()
        self.changed = anyio.Event()


def _item(row: ItemRow | None, tx: Tx) -> OutboxItem | None:
    return None if row is None else row.item(tx.wall)


def _known(item: OutboxItem | None, key: str) -> OutboxItem:
    if item is None:
        raise OutboxNotFound(f"The outbox has no item {key!r}.")
    return item
