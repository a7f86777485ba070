"""A campaign while it runs: an iterator of its progress."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio
from attrs import evolve

from ..models.campaign import Progress
from ..tracebacks import hide_frames

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


class ProgressStream:
    """A stream of how a campaign stands while it runs: iterate over it for each `Progress`.

    The last one is how it ended; `latest` keeps it.
    """

    def __init__(self, look: Callable[[], Awaitable[Progress]], interval: float) -> None:
        self._look = look
        self._interval = interval
        self._pace = Pace()
        self._end = anyio.Event()
        self._gave_last = False
        self._error: Exception | None = None
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
        error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopAsyncIteration

    @asynccontextmanager
    async def _running(self, work: Callable[[], Awaitable[None]]) -> AsyncIterator[ProgressStream]:
        """Run the work while the block lasts; leaving it stops the work, and no exception group leaves it."""
        cancelled = anyio.get_cancelled_exc_class()
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._drive, work)
                try:
                    yield self
                except (cancelled, GeneratorExit):
                    raise
                except BaseException as error:
                    failure = error
                group.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(5, shield=True):
                self._latest = self._pace.add(await self._look())
        if failure is None and self._error is not None:
            failure, self._error = self._error, None
        if failure is not None:
            raise failure

    async def _drive(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            hide_frames(error)
            self._error = error
        finally:
            self._end.set()
