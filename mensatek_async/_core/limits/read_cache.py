"""Remembers what reads answered, lets identical reads in flight share one call, and spaces them out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from copy import copy
from typing import Generic, TypeVar

import anyio
from attrs import Factory, define

from ...errors import AuthenticationError, MensatekError

T = TypeVar("T")
Key = tuple[str, Hashable]


@define
class _Entry(Generic[T]):
    """The answers to one read, by reply form, and when it last went out."""

    went_out: float
    answers: dict[str, tuple[T | MensatekError, float]] = Factory(dict)
    stale: bool = False


@define
class _Flight(Generic[T]):
    done: anyio.Event
    answer: T | MensatekError | None = None
    stale: bool = False


class Memory(Generic[T]):
    """Bounded; the oldest read is forgotten first."""

    def __init__(self, interval: float, size: int) -> None:
        self._interval = interval
        self._size = size
        self._entries: OrderedDict[Key, _Entry[T]] = OrderedDict()
        self._flights: dict[tuple[Key, str], _Flight[T]] = {}

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

        Args:
            key: what is asked.
            form: the reply form, which has answers of its own.
            max_age: seconds that a remembered answer may be old.
            fetch: makes the call.
            left: whether the call it made may have reached the provider.
        """
        while True:
            known = self._known(key, form, max_age)
            if known is not None:
                return _unwrap(known)
            flight = self._flights.get((key, form))
            if flight is None:
                return await self._fly(key, form, fetch, left)
            usable = not flight.stale  # at this moment: what makes it stale later came after this question
            await flight.done.wait()
            if usable and flight.answer is not None:
                return _unwrap(flight.answer)

    def knows(self, key: Key, form: str, max_age: float) -> bool:
        """Whether a read can be answered from memory, and not by an error."""
        known = self._known(key, form, max_age)
        return known is not None and not isinstance(known, MensatekError)

    async def pace(self, key: Key, fetch: Callable[[], Awaitable[T]], left: Callable[[], bool]) -> T:
        """Make a read whose answer is too large to remember, once its turn has come.

        Args:
            key: what is asked.
            fetch: makes the call.
            left: whether the call it made may have reached the provider.
        """
        entry = await self._turn(key)
        before, entry.went_out = entry.went_out, anyio.current_time()
        try:
            return await fetch()
        finally:
            if not left():
                entry.went_out = before

    def forget(self, operation: str, subject: Hashable | None) -> None:
        """Mark what was remembered of an operation as stale; of one subject only when it is given."""
        for (name, about), entry in self._entries.items():
            if name == operation and (subject is None or about == subject):
                entry.stale = True
        for ((name, about), _), flight in self._flights.items():
            if name == operation and (subject is None or about == subject):
                flight.stale = True

    def _known(self, key: Key, form: str, max_age: float) -> T | MensatekError | None:
        entry = self._entries.get(key)
        if entry is None or entry.stale or form not in entry.answers:
            return None
        answer, at = entry.answers[form]
        age = anyio.current_time() - at
        # A refusal is remembered just long enough to keep the same wrong call from going out again at once.
        allowed = self._interval if isinstance(answer, MensatekError) else max(max_age, self._interval)
        return answer if age < allowed else None

    async def _fly(
        self, key: Key, form: str, fetch: Callable[[], Awaitable[T]], left: Callable[[], bool]
    ) -> T:
        flight = self._flights[key, form] = _Flight(anyio.Event())
        try:
            flight.answer = await self._fetch(key, form, fetch, left)
        except MensatekError as error:
            flight.answer = copy(error)
            raise
        finally:
            del self._flights[key, form]
            flight.done.set()
        return flight.answer

    async def _fetch(
        self, key: Key, form: str, fetch: Callable[[], Awaitable[T]], left: Callable[[], bool]
    ) -> T:
        entry = await self._turn(key)
        before, entry.went_out = entry.went_out, anyio.current_time()
        try:
            answer = await fetch()
        except MensatekError as error:
            if left() and not isinstance(error, AuthenticationError):  # which the gate remembers, and longer
                # A copy: the original holds on to every frame it passed, and so to the call.
                entry.answers[form] = (copy(error), anyio.current_time())
            raise
        finally:
            if not left():
                entry.went_out = before
        entry.answers[form] = (answer, anyio.current_time())
        return answer

    async def _turn(self, key: Key) -> _Entry[T]:
        """Wait until the read may go out again; gives the entry its answer belongs to."""
        while True:
            entry = self._entries.get(key)
            if entry is None:
                break
            wait = entry.went_out + self._interval - anyio.current_time()
            if wait <= 0:
                break
            await anyio.sleep(wait)
        if entry is None or entry.stale:
            entry = self._entries[key] = _Entry(went_out=float("-inf"))
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)
        return entry


def _unwrap(answer: T | MensatekError) -> T:
    if isinstance(answer, MensatekError):
        raise copy(answer)
    return answer
