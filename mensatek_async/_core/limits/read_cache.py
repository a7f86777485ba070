"""Remembers what reads answered, lets identical reads in flight share one call, and spaces them out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from copy import copy
from typing import Generic, TypeVar

import anyio
from attrs import Factory, define

from ...errors import AuthenticationError, ConfigurationError, MensatekError
from .account import NEVER, Login, UnderWay, lock, now
from .guard_tables import What
from .shared_guard import SharedGuard

T = TypeVar("T")
Key = tuple[str, Hashable]
ASK_ANEW = -1.0  # as `max_age`: nothing that was answered before will do
_PATIENCE = 300.0  # seconds that a read waits for the same one; whose event loop may have died with it


@define
class _Entry(Generic[T]):
    """The answers to one read, by reply form, and when it last went out."""

    went_out: float
    answers: dict[str, tuple[T | MensatekError, float]] = Factory(dict)
    stale: bool = False


@define(eq=False)
class _Flight(UnderWay, Generic[T]):
    answer: T | MensatekError | None = None
    stale: bool = False


class ReadCache(Generic[T]):
    """Bounded; the oldest read is forgotten first.

    Its methods take `key`, what is asked; `form`, the reply form, which has answers of its own; `max_age`, the seconds
    that a remembered answer may be old; `fetch`, which makes the call; `left`, whether it may have left. The same read
    goes out once in `interval` seconds; clients of one `login` share what is remembered, and `shared` with other
    processes: when a read went out, and the credits.
    """

    def __init__(
        self, interval: float, size: int, login: Login | None = None, shared: SharedGuard | None = None
    ) -> None:
        login = login or Login()
        self._interval = interval
        self._size = size
        self._shared = shared
        self._entries: OrderedDict[Key, _Entry[T]] = login.entries
        self._flights: dict[tuple[Key, str], _Flight[T]] = login.flights

    async def read(
        self,
        key: Key,
        form: str,
        max_age: float,
        fetch: Callable[[], Awaitable[T]],
        left: Callable[[], bool],
    ) -> T:
        """Answer from memory when young enough, else by the call in flight, else by a call of its own.

        The same read never goes out twice within the interval: what was answered then is answered again, errors
        included; when that became stale meanwhile, the call waits for the rest of the interval.
        """
        while True:
            with lock():
                known = self._known(key, form, max_age)
                flight = self._flights.get((key, form))
                leads = known is None and (flight is None or not flight.is_here)
                if leads:
                    flight = self._flights[key, form] = _Flight()
            if known is not None:
                return _unwrap(known)
            assert flight is not None
            if leads:
                return await self._fly(flight, key, form, fetch, left)
            usable = not flight.stale  # at this moment: what makes it stale later came after this question
            if not await flight.wait(_PATIENCE):
                self._land(flight, key, form)
            elif usable and flight.answer is not None:
                return _unwrap(flight.answer)

    def knows(self, key: Key, form: str, max_age: float) -> bool:
        """Return whether a read can be answered from memory, and not by an error."""
        known = self._known(key, form, max_age)
        return known is not None and not isinstance(known, MensatekError)

    async def pace(self, key: Key, fetch: Callable[[], Awaitable[T]], left: Callable[[], bool]) -> T:
        """Make a read whose answer is too large to remember, once its turn has come."""
        entry, before = await self._turn(key)
        try:
            return await fetch()
        finally:
            if not left():
                await self._never_left(key, entry, before)

    def forget(self, operations: tuple[str, ...], subject: Hashable | None) -> None:
        """Mark what was remembered of some operations as stale; of one subject only when it is given."""
        with lock():
            for (name, about), entry in self._entries.items():
                if name in operations and subject in (None, about):
                    entry.stale = True
            for ((name, about), _), flight in self._flights.items():
                if name in operations and subject in (None, about):
                    flight.stale = True

    def _known(self, key: Key, form: str, max_age: float) -> T | MensatekError | None:
        entry = self._entries.get(key)
        if entry is None or entry.stale or form not in entry.answers or max_age == ASK_ANEW:
            return None
        answer, at = entry.answers[form]
        age = now() - at
        # A refusal is remembered just long enough to keep the same wrong call from going out again at once.
        allowed = self._interval if isinstance(answer, MensatekError) else max(max_age, self._interval)
        return answer if age < allowed else None

    async def _fly(
        self,
        flight: _Flight[T],
        key: Key,
        form: str,
        fetch: Callable[[], Awaitable[T]],
        left: Callable[[], bool],
    ) -> T:
        try:
            entry, before = await self._turn(key)
            try:
                flight.answer = answer = await fetch()
            except MensatekError as error:
                kept = copy(error)  # the original holds on to every frame it passed, and so to the call
                # The one is about this client, not about the question; the other the circuit breaker remembers, longer.
                if not isinstance(error, ConfigurationError):
                    flight.answer = kept
                if left() and not isinstance(error, AuthenticationError):
                    entry.answers[form] = (kept, now())
                raise
            finally:
                if not left():
                    await self._never_left(key, entry, before)
            entry.answers[form] = (answer, now())
            if self._shared is not None:
                await self._shared.keep_credits()
            return answer
        finally:
            self._land(flight, key, form)

    def _land(self, flight: _Flight[T], key: Key, form: str) -> None:
        with lock():
            if self._flights.get((key, form)) is flight:
                del self._flights[key, form]
        flight.end()

    async def _never_left(self, key: Key, entry: _Entry[T], before: float) -> None:
        entry.went_out = before
        if self._shared is not None:
            await self._shared.unbook(What.READ, key)

    async def _turn(self, key: Key) -> tuple[_Entry[T], float]:
        """Wait until the read may go out again; return the entry that its answer belongs to, and when it did last."""
        while True:
            with lock():
                entry = self._entries.get(key)
                wait = 0.0 if entry is None else entry.went_out + self._interval - now()
                if wait <= 0:
                    found = self._entered(key, entry)
                    break
            await anyio.sleep(wait)
        if self._shared is not None:
            try:
                await self._shared.book_read(key)
            except BaseException:
                found[0].went_out = found[1]
                raise
            found[0].went_out = now()
        return found

    def _entered(self, key: Key, entry: _Entry[T] | None) -> tuple[_Entry[T], float]:
        if entry is None or entry.stale:
            entry = self._entries[key] = _Entry(went_out=NEVER)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)
        before, entry.went_out = entry.went_out, now()
        return entry, before


def _unwrap(answer: T | MensatekError) -> T:
    if isinstance(answer, MensatekError):
        raise copy(answer)
    return answer
