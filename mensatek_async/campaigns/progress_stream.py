"""A campaign while it runs: an iterator of its progress."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable

import anyio
from attrs import evolve

from ..durable.work_stream import WorkStream
from ..models.campaign import Progress

_MEMORY = 10.0  # seconds over which the rate is measured


class Pace:
    """Measures how fast a campaign goes, by what was seen of it lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, progress: Progress) -> Progress:
        """Return the same progress with the rate and the time left."""
        now, sent = time.monotonic(), progress.sent + progress.rejected
        self._seen.append((now, sent))
        while len(self._seen) > 2 and now - self._seen[0][0] > _MEMORY:
            self._seen.popleft()
        began, before = self._seen[0]
        rate = max(sent - before, 0) / (now - began) if now > began else 0.0
        known = rate > 0 and not progress.reading and progress.state == "running"
        return evolve(progress, rate=rate, time_left=progress.pending / rate if known else None)


class ProgressStream(WorkStream):
    """A stream of how a campaign stands while it runs: iterate over it for each `Progress`.

    The last one is how it ended; `latest` keeps it.
    """

    def __init__(self, look: Callable[[], Awaitable[Progress]], interval: float) -> None:
        super().__init__()
        self._look = look
        self._interval = interval
        self._pace = Pace()
        self._gave_last = False
        self._latest: Progress | None = None

    @property
    def latest(self) -> Progress | None:
        """The newest one; once the block has ended, how it ended."""
        return self._latest

    def __aiter__(self) -> ProgressStream:
        return self

    async def __anext__(self) -> Progress:
        while not self._gave_last:
            if self._latest is not None:
                with anyio.move_on_after(self._interval):
                    await self._end.wait()
            self._gave_last = self._end.is_set()
            if self._error is not None:
                break
            before, self._latest = self._latest, self._pace.add(await self._look())
            if self._latest != before or self._gave_last:
                return self._latest
        self._raise()
        raise StopAsyncIteration

    async def _left(self) -> None:
        self._latest = self._pace.add(await self._look())
