"""Sends items: the worker over the outbox."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

import anyio
from attrs import define, field

from .._wire.encode import Params
from ..durable.content import OPERATIONS
from ..durable.work import Claimer, Finish, Over, Request, Wait
from ..durable.worker import Worker
from ..errors import StoreError
from ..models.outbox import OutboxItem
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from ..store.transaction import Tx
from .claims import Claims, ItemWork, claim_lease, has_news, may_leave, renew
from .holds import Hold, hold_of
from .outcomes import affects, finish
from .rows import ItemRow
from .schema import CHANNEL

_log = logging.getLogger("mensatek_async.outbox")
_AGAIN = 1.0  # seconds before a connection that was lost is made anew


@define(eq=False, kw_only=True)
class OutboxWorker(Worker[ItemWork, Claimer]):
    """Sends the items of an account until nothing is left, the time is up, or for ever.

    Attributes:
        claims: how it claims.
        login: under which name it is noted what the account's items wait for.
        look: seconds between two looks at what other processes have put.
        on_end: gets each item that ends.
    """

    claims: Claims
    login: str
    look: float
    on_end: Callable[[OutboxItem], None]
    _hold: Hold = field(factory=lambda: Hold(""), init=False)
    _ended: list[ItemRow] = field(factory=list, init=False)
    _eased: bool = field(default=False, init=False)
    _wall: float = field(default=0.0, init=False)
    _now: float = field(default=0.0, init=False)
    _noted: float = field(default=0.0, init=False)

    @property
    def claim_lease(self) -> float:
        """Return the seconds that the claim lasts of an item that has not left yet."""
        return claim_lease(self.who)

    async def run(self) -> None:
        """Run as any worker; from now on this process may hold leases."""
        await in_thread(self.db.take_part)
        await super().run()

    def begin(self, tx: Tx) -> None:
        """Look what the account's items wait for."""
        self._ended, self._eased, self._wall, self._now = [], False, tx.wall, tx.now
        self._hold = hold_of(tx, self.login)

    def claim(self, tx: Tx, tokens: Sequence[str]) -> list[ItemWork | Wait | Over]:
        """Take the next items."""
        return self.claims.take(tx, tokens, self._hold, self._ended)

    def may_leave(self, tx: Tx, work: ItemWork) -> bool:
        """Return whether an item may leave, which is written down here, so that nobody repeats it."""
        return may_leave(tx, self.who, work)

    def finish(self, tx: Tx, done: Finish[ItemWork]) -> None:
        """Write an outcome down."""
        if (row := finish(tx, done)) is not None:
            self._ended.append(row)
        before, self._hold = self._hold, affects(tx, done, self._hold)
        self._eased = self._eased or (before.is_suspect and not self._hold.is_suspect)

    def renew(self, tx: Tx, works: Sequence[ItemWork]) -> None:
        """Begin the leases anew of items that have not left yet."""
        renew(tx, self.who, works)

    async def request(self, work: ItemWork) -> Request:
        """Return the request of an item."""
        operation = self.context.operations[OPERATIONS[work.row.product]]
        row, params = work.row, Params(json.loads(work.body))
        return Request(operation, params, 1, row.reference, "outbox", work.traceparent)

    def committed(self) -> None:
        """Hand out what ended, and let all go on where one request has found out that they can."""
        if self._eased:
            self.wake()
        self._note_pause(self._hold)
        ended, self._ended = self._ended, []
        if ended:
            failpoint("outbox.ended")
        for row in ended:
            _log.debug("Outbox: message %s: %s", row.idmensaje or "none", row.state)
            self.on_end(row.item(self._wall))

    def _note_pause(self, hold: Hold) -> None:
        """Log, once for each pause, that the account is refused or has no credits, whoever found out."""
        if hold.length and not hold.trial and hold.until > max(self._noted, self._now):
            self._noted = hold.until
            _log.warning("Outbox: nothing is sent for %.0f s: %s", hold.until - self._now, hold.reason)

    def rest(self, over: Over) -> None:
        """Let a slot that found nothing end, and those that wait look again: they end as well."""
        self.wake()

    def claimed(self, work: ItemWork) -> None:
        """Show tests that an item is claimed."""
        failpoint("outbox.claimed")

    # --- what others put ------------------------------------------------------------------------------------

    async def look_out(self) -> None:
        """Wake the slots when something is put, or gets late, that this process does not know of."""
        if not self.claims.forever:
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._listen)
            while True:
                await anyio.sleep(self.look)
                with suppress(StoreError):  # the next claim says so
                    if await in_thread(self.db.read, self._has_news):
                        self.wake()

    def _has_news(self, tx: Tx) -> bool:
        return has_news(tx, self.claims.account, hold_of(tx, self.login))

    async def _listen(self) -> None:
        while True:
            with suppress(StoreError):
                listener = await in_thread(self.db.listen, CHANNEL)
                if listener is None:
                    return
                try:
                    while True:
                        self.wake()  # at first for what came before it listened
                        await listener.heard()
                finally:
                    listener.close()
            await anyio.sleep(_AGAIN)
