"""The guard over processes: what is known of an account, read from and written to a store that they share."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from secrets import token_hex
from typing import Any, TypeVar

import anyio
from attrs import define, field

from ...errors import AuthenticationError, BadParameters, MensatekError, NotYours
from ...settings import Account, Guard
from ...store.owner import this_process
from ...store.transaction import Tx
from ..failures import Blocked, Failure, ToldToWait
from . import guard_tables as tables
from .account import NEVER, AccountState, Login, UnderWay, now
from .guard_store import GuardStore
from .guard_tables import Keys, What

T = TypeVar("T")

_LEASE = 30.0  # seconds after which another machine no longer waits for a first call
_POLL = 0.1  # seconds between two looks whether it has ended
_MOST_SEEN = 1000  # wrong calls kept in mind, also those that the store has forgotten
_ACCEPTED = 3600.0  # seconds that another process's word that a token is accepted counts


@define(eq=False)
class SharedGuard:
    """What the clients of a token share with those of other processes."""

    store: GuardStore
    _settings: Guard
    _account: Account
    _state: AccountState
    _login: Login
    _known: bool = False
    _keys: Keys | None = field(default=None, repr=False)
    _seen: set[str] = field(factory=set)  # wrong calls
    _credits_at: float = NEVER

    @property
    def is_due(self) -> bool:
        """Return whether the store is to be asked before the next call."""
        return not self._known or now() >= self.store.next_look

    async def look(self, user: object) -> None:
        """Learn what other processes were told: all of it before the first call, then what is new."""
        if self._known:
            await self.store.look(user)
            return
        rows = await self._run(tables.look, write=False, user=user)
        if rows is not None:
            self._known = True
            self.store.guards.add(self)
            self.merge(rows)

    async def first_call(self, patience: float) -> None:
        """Wait while another process finds out whether the token is accepted, for so many seconds at most."""

        def work(tx: Tx, keys: Keys) -> tuple[list[tables.Row], bool]:
            rows = tables.look(tx, keys)
            settled = any(row.about == keys.login and _settles(row) for row in rows)
            return rows, settled or tables.take_turn(tx, keys, this_process(), min(patience, _LEASE))

        until = now() + patience
        while (told := await self._run(work)) is not None:
            self.merge(told[0])
            if told[1] or now() > until:
                return
            await anyio.sleep(_POLL)

    async def end_first_call(self, *, accepted: bool) -> None:
        def work(tx: Tx, keys: Keys) -> None:
            tables.remove(tx, keys.place(What.TURN), this_process())
            if accepted:
                tables.put(tx, keys.place(What.LOGIN), value="accepted")

        await self._run(work)

    async def tell(self, operation: str, error: Failure | MensatekError) -> None:
        """Let other processes know what the provider said, as it stands in this one's memory already."""
        about, number, time = "", 0, now()
        if isinstance(error, AuthenticationError):
            what, left, number = What.LOGIN, self._login.refused_until - time, self._login.refusals
        elif isinstance(error, Blocked):
            what, left = What.BLOCK, self._state.blocked_until - time
        elif isinstance(error, ToldToWait) and error.wait is not None:
            what, left = What.HOLD, self._state.held_until - time
        elif isinstance(error, BadParameters | NotYours):
            what, left, about = What.WRONG, self._settings.wrong_window, f"{operation}:{token_hex(8)}"
            self._seen.add(about)
        else:
            return
        found: dict[str, Any] = {"left": max(left, 0.0), "number": number, "longest": True}
        await self._run(lambda tx, keys: tables.put(tx, keys.place(what, about), **found))

    async def book_read(self, asked: object) -> None:
        """Wait until a read may go out, and note that it does."""
        interval = self._settings.read_interval
        while wait := await self._book(What.READ, asked, interval):  # noqa: ASYNC110
            await anyio.sleep(wait)

    async def book_rare(self, operation: str) -> None:
        """Note that a call meant for rare use goes out, or that it did in another process not long ago."""
        interval = self._settings.period_interval
        if wait := await self._book(What.RARE, operation, interval):
            self._state.rare[operation] = now() + wait - interval

    async def unbook(self, what: What, asked: object) -> None:
        await self._run(lambda tx, keys: tables.remove(tx, keys.place(what, asked)))

    async def keep_credits(self) -> None:
        credits, at = self._login.credits, self._login.credits_at
        if credits is not None and at > self._credits_at:
            self._credits_at = at
            await self._run(lambda tx, keys: tables.put(tx, keys.place(What.CREDITS), value=str(credits)))

    async def _book(self, what: What, asked: object, interval: float) -> float:
        if not interval:
            return 0.0
        return await self._run(lambda tx, keys: tables.book(tx, keys.place(what, asked), interval)) or 0.0

    async def _run(
        self, work: Callable[[Tx, Keys], T], *, write: bool = True, user: object = None
    ) -> T | None:
        known = self._keys

        def whole(tx: Tx) -> tuple[Keys, T]:
            keys = known or tables.keys_of(tx, self._account)
            return keys, work(tx, keys)

        found = await self.store.run(whole, write=write or known is None, user=user)
        if found is None:
            return None
        self._keys, answer = found
        return answer

    def merge(self, rows: list[tables.Row]) -> None:
        """Take in what stands in the store of this account."""
        time, state = now(), self._state
        if len(self._seen) > _MOST_SEEN:
            self._seen &= {row.about for row in rows}
        for row in rows:
            if self._keys is None or row.account != self._keys.account:
                continue
            if row.what is What.BLOCK:
                state.blocked_until = max(state.blocked_until, time + row.left)
            elif row.what is What.HOLD:
                state.held_until = max(state.held_until, time + row.left)
            elif row.what is What.WRONG and row.about not in self._seen:
                self._seen.add(row.about)
                state.add_wrong(row.about.partition(":")[0], time - row.age)
            elif row.about == self._keys.login:
                self._merge_login(row, time)

    def _merge_login(self, row: tables.Row, time: float) -> None:
        login = self._login
        if row.what is What.CREDITS and time - row.age > login.credits_at:
            login.credits, login.credits_at = Decimal(row.value), time - row.age
            login.credits_asked_at = self._credits_at = login.credits_at
        elif row.what is What.LOGIN and not row.value:
            login.refusals = max(login.refusals, row.number)
            login.refused_until = max(login.refused_until, time + row.left)
            login.accepted = login.accepted and row.left <= 0
        elif row.what is What.LOGIN and row.age < _ACCEPTED and time >= login.refused_until:
            login.accepted, login.refusals = True, 0


def _settles(row: tables.Row) -> bool:
    """Return whether a row says all that a first call would find out."""
    return row.what is What.LOGIN and (row.age < _ACCEPTED if row.value else row.left > 0)


def shared_guard(
    store: GuardStore | None, settings: Guard, account: Account, state: AccountState, login: Login
) -> SharedGuard | None:
    """Return what the clients of a token share in a store, if there is one."""
    if store is None:
        return None
    found: SharedGuard | None = login.shared.get(store)
    return found or login.shared.setdefault(store, SharedGuard(store, settings, account, state, login))


async def begin_first_call(login: Login, shared: SharedGuard | None, patience: float) -> UnderWay | None:
    """Wait while another call finds out whether a token is accepted, here or in another process.

    Returns what to hand to `end_first_call` when the call has ended; None when it need not stand alone.
    """
    turn = await login.turn(patience)
    if turn is not None and shared is not None:
        try:
            await shared.first_call(patience)
        except BaseException:
            await end_first_call(login, shared, turn, accepted=False)
            raise
    return turn


async def end_first_call(login: Login, shared: SharedGuard | None, turn: UnderWay, *, accepted: bool) -> None:
    try:
        if shared is not None:
            await shared.end_first_call(accepted=accepted)
    finally:
        login.leave(turn)
