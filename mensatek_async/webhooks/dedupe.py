"""Handing the same event over once: what makes two callbacks one event, and where handled ones are remembered."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable
from enum import Enum
from typing import Protocol

from ..errors import ConfigurationError
from ..models.events import DeliveryReport, DocumentEvent, Event, OtherEvent


class Standing(Enum):
    """Whether an event is new, being handled, or handled."""

    NEW = "new"
    """Nobody has it: it is the caller's now, who must `finish` it."""
    BUSY = "busy"
    """Somebody is handling it at this moment."""
    DONE = "done"
    """It has been handled."""


class DedupeStore(Protocol):
    """Remembers events. Either method may be a coroutine function.

    A store that several processes share must make `begin` atomic, and must let go of an event whose process
    died before it called `finish`.
    """

    def begin(self, key: str) -> Standing | Awaitable[Standing]:
        """Return where an event stands; one that is new is taken by this call."""
        ...

    def finish(self, key: str, handled: bool) -> Awaitable[None] | None:
        """Remember an event as handled, or forget it so that it may come again."""
        ...


class MemoryDedupe:
    """Remembers the newest events in this process; safe to use from several threads.

    Args:
        events: how many events handled are remembered, about 200 bytes each; the oldest are forgotten first.
        seconds: how long an event handled is remembered.

    Raises:
        ConfigurationError: a number that makes no sense.
    """

    def __init__(self, events: int = 100_000, seconds: float = 7 * 86_400.0) -> None:
        if events < 1 or not seconds > 0:
            raise ConfigurationError("A dedupe memory needs room for one event and a time above 0.")
        self._most = events
        self._seconds = seconds
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._done: OrderedDict[str, float] = OrderedDict()

    def begin(self, key: str) -> Standing:
        """Return where an event stands; one that is new is taken by this call."""
        with self._lock:
            if key in self._busy:
                return Standing.BUSY
            since = self._done.get(key)
            if since is not None and time.monotonic() - since < self._seconds:
                return Standing.DONE
            self._busy.add(key)
            return Standing.NEW

    def finish(self, key: str, handled: bool) -> None:
        """Remember an event as handled, or forget it so that it may come again."""
        with self._lock:
            self._busy.discard(key)
            if handled:
                self._done[key] = time.monotonic()
                self._done.move_to_end(key)
                if len(self._done) > self._most:
                    self._done.popitem(last=False)


class KeepNothing:
    """Hands over every callback, repeated or not."""

    def begin(self, key: str) -> Standing:
        """Everything is new."""
        return Standing.NEW

    def finish(self, key: str, handled: bool) -> None:
        """Nothing is remembered."""


def event_key(event: Event) -> str:
    """Return what two callbacks of one event have in common, as 32 hexadecimal digits that show nothing of it.

    The manual calls `idReport` the id of the *message*, not of the report, so it never stands alone: with it
    alone, "delivered" would count as a repetition of "awaiting delivery" and be lost.
    """
    parts: tuple[object, ...]
    if isinstance(event, DeliveryReport):
        parts = (event.report_id, event.message_id, event.phone, event.status.code, event.reported_at)
        if event.verification_code or event.variables:  # one that brings more than the copy before is no copy
            parts += (event.verification_code, sorted(event.variables.items(), key=str))
    elif isinstance(event, DocumentEvent):
        parts = (event.message_id, event.phone, event.file, event.kind, event.occurred_at, event.value)
        parts += (event.ip, event.port)
    elif isinstance(event, OtherEvent):
        parts = tuple(sorted(f"{name}={value}" for name, value in event.raw.items()))
    else:
        parts = (event.original_id, event.message_id, event.number, event.sender, event.text)
        parts += (event.received_at,)
    written = repr((type(event).__name__, event.service, *map(str, parts)))
    return hashlib.blake2b(written.encode("utf-8", "replace"), digest_size=16).hexdigest()
