"""Server-sent events: the page is told what changed, and fetches what it shows of that."""

from __future__ import annotations

import heapq
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ..account import Account
from ..changes import Topic
from ..provider import Provider
from ..records import Batch
from .forms import clock_form
from .gate import Gate, error_answer

_TICK_SECONDS = 0.5
_GATHER_SECONDS = 0.1
_MOST_LISTENERS = 32
_LONGEST_WAY = 7  # statuses a text goes through by itself


class Pulse:
    """Notices what time alone has changed since it was asked last.

    Args:
        account: whose texts.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._last = account.clock.now
        self._known = 0
        self._moving: list[Batch] = []
        self._later: list[datetime] = []

    def has_moved(self) -> bool:
        """Whether a text may have come to another status."""
        account, now, last = self._account, self._account.clock.now, self._last
        self._last = now
        for batch in reversed(account.batches):
            if batch.number <= self._known:
                break
            self._moving.append(batch)
        self._known = account.last_batch
        way = account.fates.pace * _LONGEST_WAY
        moved = any(last < batch.leaves_at + timedelta(seconds=way) and batch.leaves_at <= now
                    for batch in self._moving)
        for batch in self._moving:
            if batch.moment(way) <= now:
                heapq.heappush(self._later, batch.moment(batch.kind.validity))
                heapq.heappush(self._later, batch.moment(batch.kind.contract_seconds))
        self._moving = [batch for batch in self._moving if batch.moment(way) > now]
        while self._later and self._later[0] <= now:
            moved |= heapq.heappop(self._later) > last
        return moved


class Live:
    """The stream of events.

    Args:
        provider: what is followed.
        gate: whose token the page needs.
    """

    def __init__(self, provider: Provider, gate: Gate) -> None:
        self._provider = provider
        self._gate = gate
        self._listeners = 0

    async def events(self, _request: Request) -> Response:
        """GET /_sandbox/events."""
        if self._listeners >= _MOST_LISTENERS:
            return error_answer(503, "busy", "Too many pages are open")
        return StreamingResponse(self._follow(), media_type="text/event-stream")

    async def _follow(self) -> AsyncIterator[str]:
        """Tell of changes until the page goes away; those that come close together are one event."""
        changes = self._provider.changes
        woken, wait = anyio.create_memory_object_stream[None](1)
        token = anyio.lowlevel.current_token()
        pending: set[Topic] = set()

        def wake(_revision: int, topics: frozenset[Topic]) -> None:
            with suppress(RuntimeError):  # the server has ended meanwhile
                anyio.from_thread.run_sync(_add, token=token)

        raise NotImplementedError
        yield ""
