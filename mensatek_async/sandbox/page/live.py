"""Server-sent events: the page learns what has changed, and fetches what it shows of that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import takewhile
from typing import Any

import anyio
from starlette.responses import Response, StreamingResponse

from ..account.events import Topic
from ..account.records import Batch
from ..api.provider import Provider
from .forms import json_form, picked

_TICK_SECONDS = 0.5
_GATHER_SECONDS = 0.1
_LONGEST_WAY = 7  # statuses a text goes through by itself


class Pulse:
    """Notices what time alone may have changed since it was asked last."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._last = provider.account.clock.now
        self._known = 0
        self._moving: list[Batch] = []

    def moved(self) -> set[Topic]:
        """What may have changed: nobody's way is worked out here, the page looks for itself."""
        with self._provider.lock:
            account, last = self._provider.account, self._last
            self._last = now = account.clock.now
            self._moving += takewhile(lambda batch: batch.number > self._known, reversed(account.batches))
            self._known = account.last_batch
            is_on_its_way = any(batch.leaves_at <= now for batch in self._moving)
            self._moving = [batch for batch in self._moving if batch.moment(batch.pace * _LONGEST_WAY) > now]
            topics: set[Topic] = set()
            # What comes later is rare, such as the end of a text whose phone is off.
            if is_on_its_way or (account.batches and now.timestamp() // 60 > last.timestamp() // 60):
                topics |= {"messages", "phones"}
            until = self._provider.gatekeeper.blocked_until
            if until is not None and last < until <= now:
                topics.add("guard")
            return topics


def follow_changes(provider: Provider, token: str) -> Response:
    """Send what has changed until the page goes away; changes that come close together are one event."""
    return StreamingResponse(_follow(provider, token), media_type="text/event-stream")


async def _follow(provider: Provider, token: str) -> AsyncIterator[str]:
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
    pulse = Pulse(provider)
    try:
        yield "retry: 1000\n\n" + _event("hello", {"csrf": token})
        while True:
            with anyio.move_on_after(_TICK_SECONDS):
                await changed.wait()
                await anyio.sleep(_GATHER_SECONDS)
            changed.clear()
            topics = sorted(pending | pulse.moved())
            pending.clear()
            if topics:
                yield _event("change", {"topics": topics})
            yield _event("clock", picked(provider.account.clock, "now", "scale", "standing"))
    finally:
        with provider.lock:
            provider.listeners.remove(listener)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json_form(data)}\n\n"
