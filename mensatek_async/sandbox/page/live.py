"""Server-sent events: the page learns what has changed, and fetches what it shows of that."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import anyio
from starlette.responses import Response, StreamingResponse

from ..account.account import Account
from ..account.events import Topic
from ..account.records import Batch
from ..api.provider import Provider
from .access import error_answer
from .forms import json_form, picked

_TICK_SECONDS = 0.5
_GATHER_SECONDS = 0.1
_CLOCK_SECONDS = 1.0
_MOST_LISTENERS = 32
_LONGEST_WAY = 7  # statuses a text goes through by itself


class Pulse:
    """Notices what time alone has changed since it was asked last."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._last = provider.account.clock.now
        self._known = 0
        self._moving: list[Batch] = []
        self._later: list[datetime] = []

    def moved(self) -> set[Topic]:
        """What may have changed."""
        with self._provider.lock:
            account, last = self._provider.account, self._last
            self._last = now = account.clock.now
            topics: set[Topic] = {"messages", "phones"} if self._has_moved(account, last, now) else set()
            until = self._provider.gatekeeper.blocked_until
            if until is not None and last < until <= now:
                topics.add("guard")
            return topics

    def _has_moved(self, account: Account, last: datetime, now: datetime) -> bool:
        for batch in reversed(account.batches):
            if batch.number <= self._known:
                break
            self._moving.append(batch)
        self._known = account.last_batch
        # Nobody's way is worked out here: while a text may be on it, the page looks for itself.
        moved = any(
            last < batch.moment(batch.pace * _LONGEST_WAY) and batch.leaves_at <= now
            for batch in self._moving
        )
        for batch in self._moving:
            if batch.moment(batch.pace * _LONGEST_WAY) <= now:
                heapq.heappush(self._later, batch.moment(batch.kind.validity))
                heapq.heappush(self._later, batch.moment(batch.kind.contract_seconds))
        self._moving = [batch for batch in self._moving if batch.moment(batch.pace * _LONGEST_WAY) > now]
        while self._later and self._later[0] <= now:
            moved |= heapq.heappop(self._later) > last
        return moved


def follow_changes(provider: Provider, token: str) -> Response:
    """Answer GET /_sandbox/events."""
    if len(provider.listeners) >= _MOST_LISTENERS:
        return error_answer(503, "busy", "Too many pages are open")
    return StreamingResponse(_follow(provider, token), media_type="text/event-stream")


async def _follow(provider: Provider, token: str) -> AsyncIterator[str]:
    """Send what has changed until the page goes away; those that come close together are one event."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    pending: set[Topic] = set()

    def wake(topics: set[Topic]) -> None:
        pending.update(topics)
        changed.set()

    def listener(topics: set[Topic]) -> None:
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(wake, topics)

    with provider.lock:
        provider.listeners.add(listener)
    try:
        yield "retry: 1000\n\n" + _event("hello", {"revision": provider.revision, "csrf": token})
        async for event in _events(provider, changed, pending):
            yield event
    finally:
        with provider.lock:
            provider.listeners.remove(listener)


async def _events(provider: Provider, changed: asyncio.Event, pending: set[Topic]) -> AsyncIterator[str]:
    pulse, clock_due = Pulse(provider), 0.0
    while True:
        with anyio.move_on_after(_TICK_SECONDS):
            await changed.wait()
            await anyio.sleep(_GATHER_SECONDS)
        changed.clear()
        pending.update(pulse.moved())
        if pending:
            revision, topics = provider.revision, sorted(pending)
            pending.clear()
            yield _event("change", {"revision": revision, "topics": topics})
        if anyio.current_time() >= clock_due:
            clock_due = anyio.current_time() + _CLOCK_SECONDS
            yield _event("clock", picked(provider.account.clock, "now", "scale", "standing"))


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json_form(data)}\n\n"
