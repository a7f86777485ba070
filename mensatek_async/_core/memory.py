"""Remembers what reads answered, lets identical reads in flight share one call, and spaces them out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from copy import copy
from typing import Generic, TypeVar

import anyio
from attrs import Factory, define

from ..errors import ConfigurationError, ConnectionFailed, InvalidRequest, MensatekError, Refused

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
    landed: bool = False


class Memory(Generic[T]):
    """Bounded; the oldest read is forgotten first."""

    def __init__(self, interval: float, size: int) -> None:
        self._interval = interval
        self._size = size
        self._entries: OrderedDict[Key, _Entry[T]] = OrderedDict()
        self._flights: dict[tuple[Key, str], _Flight[T]] = {}

    async def read(self, key: Key, form: str, max_age: float, fetch: Callable[[], Awaitable[T]]) -> T:
        """Answer from memory when young enough, else by the call in flight, else by a call of its own.

        The same read never goes out twice within the interval: what was answered then is answered again, errors
        included; when that became stale meanwhile, the call waits for the rest of the interval.
        """
        while True:
            known = self._known(key, form, max_age)
            if known is not None:
                return _unwrap(known)
            flight = self._flights.get((key, form))
            if flight is None:
                return await self._fetch(key, form, fetch)
            await flight.done.wait()
            if flight.landed and flight.answer is not None:
                return _unwrap(flight.answer)

    def forget(self, operation: str, subject: Hashable | None) -> None:
        """Mark what was remembered of an operation as stale; of one subject only when it is given."""
        for (name, about), entry in self._entries.items():
            if name == operation and (subject is None or about == subject):
                entry.stale = True

    def _known(self, key: Key, form: str, max_age: float) -> T | MensatekError | None:
        entry = self._entries.get(key)
        if entry is None or entry.stale or form not in entry.answers:
            return None
        answer, at = entry.answers[form]
        age = anyio.current_time() - at
        # A refusal is remembered just long enough to keep the same wrong call from going out again at once.
        allowed = self._interval if isinstance(answer, MensatekError) else max(max_age, self._interval)
        return answer if age < allowed else None

    async def _fetch(self, key: Key, form: str, fetch: Callable[[], Awaitable[T]]) -> T:
        flight = self._flights[key, form] = _Flight(anyio.Event())
        try:
            entry = self._entries.get(key)
            if entry is not None:
                wait = entry.went_out + self._interval - anyio.current_time()
                if wait > 0:
                    await anyio.sleep(wait)
            now = anyio.current_time()
            if entry is None or entry.stale:
                entry = self._entries[key] = _Entry(went_out=now)
            entry.went_out = now
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
            try:
                answer = await fetch()
            except MensatekError as error:
                if went_out(error):
                    entry.answers[form] = (error, anyio.current_time())
                else:
                    entry.went_out = float("-inf")
                flight.answer, flight.landed = error, True
                raise
            entry.answers[form] = (answer, anyio.current_time())
            flight.answer, flight.landed = answer, True
            return answer
        finally:
            del self._flights[key, form]
            flight.done.set()


def went_out(error: MensatekError) -> bool:
    """Whether the provider saw the call that ended so."""
    return not isinstance(error, ConnectionFailed | Refused | InvalidRequest | ConfigurationError)


def _unwrap(answer: T | MensatekError) -> T:
    if isinstance(answer, MensatekError):
        raise copy(answer)
    return answer
