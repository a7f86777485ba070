"""Bounds requests in flight and, when asked or told to slow down, requests a second."""

from __future__ import annotations

import math
from collections import deque

import anyio
from attrs import define, field

from ...pace import Pace

_RECENT = 60.0  # seconds after a single call during which bulk work leaves room for the next one
_PASSED = 16  # single calls that may pass bulk work which has nothing in flight
_FEW_TURNS = 4  # requests a second, from which bulk work leaves a turn of the pace free


@define(eq=False)
class _Ticket:
    """One who waits: how it is called, and when it left, once it has a place."""

    call: anyio.Event = field(init=False)
    left: float | None = None


class Limiter:
    """Gives places in flight and turns of the pace, on anyio's clock.

    Single calls go before bulk work, and within each of the two it is first come, first served. While single calls
    come, bulk work leaves one place free for the next of them, and one turn of the pace where there are a few; never
    do more than a second's worth leave in a second. Bulk work that has nothing in flight lets some pass, not all.
    """

    def __init__(self, concurrency: int, per_second: float | None) -> None:
        self._per_second = per_second
        self._pace = Pace()
        self._accepted: deque[float] = deque(maxlen=2048)
        self._lines: tuple[deque[_Ticket], ...] = deque(), deque()  # of single calls, of bulk work
        self._free = concurrency
        self._spare = int(concurrency > 1)
        self._in_bulk = 0
        self._passed = 0  # single calls that left while bulk work waited
        self._single_at = float("-inf")  # when one came last beside bulk work
        self._next = self._next_single = 0.0
        self._turns = 1  # in a second; or one in more than that
        self._second = 0.0
        self._left: deque[float] = deque()  # when those left that this second has seen

    async def acquire(self, *, bulk: bool = False) -> float:
        """Wait for a place in flight and a turn of the pace; return the time. `bulk`: nobody waits for this request."""
        line, now = self._lines[bulk], anyio.current_time()
        if self._in_bulk and not bulk:
            self._single_at = now
        quick = not (line or bulk) and self._free and now >= self._next and self._passed < _PASSED
        if not quick and (line or self._wait(bulk, now) > 0):
            return await self._in_line(bulk, line)
        self._leave(bulk, now)
        if self._free and (self._lines[False] or self._lines[True]):
            self._call()
        return now

    def release(self, *, bulk: bool = False, accepted: bool = False) -> None:
        self._free += 1
        self._in_bulk -= bulk
        if accepted:
            self._accepted.append(anyio.current_time())
            if self._pace.ceiling is not None:
                self._pace.accepted()
        if self._lines[False] or self._lines[True]:
            self._call()

    @property
    def interval(self) -> float:
        """Seconds between two requests at present; 0 means no pace."""
        rates = [rate for rate in (self._per_second, self._pace.rate(anyio.current_time())) if rate]
        return 1 / min(rates) if rates else 0.0

    def slow_down(self, wait: float | None = None) -> None:
        now = anyio.current_time()
        pause = self._pace.refused(now, wait, self._accepted_within, self._per_second)
        if wait is None:  # else the circuit breaker holds every call for as long as was said
            self._next = max(self._next, now + pause)
            self._next_single = max(self._next_single, now + pause)

    def _accepted_within(self, seconds: float) -> int:
        since = anyio.current_time() - seconds
        return sum(1 for when in self._accepted if when > since)

    async def _in_line(self, bulk: bool, line: deque[_Ticket]) -> float:
        """Wait until those of its kind before it have left, and there is a place and a turn; return when that was."""
        ticket = _Ticket()
        line.append(ticket)
        try:
            while ticket.left is None:
                ticket.call = anyio.Event()
                wait = self._wait(bulk, anyio.current_time()) if line[0] is ticket else math.inf
                if wait <= 0:
                    self._call()
                elif wait == math.inf:
                    await ticket.call.wait()
                else:
                    with anyio.move_on_after(wait):
                        await ticket.call.wait()
        except BaseException:
            if ticket.left is None:
                line.remove(ticket)
                self._call()
            else:
                self.release(bulk=bulk)
            raise
        return ticket.left

    def _leave(self, bulk: bool, now: float) -> None:
        """Take a place, and a turn where there is a pace."""
        self._free -= 1
        if bulk:
            self._in_bulk += 1
            self._passed = 0
        elif self._lines[True]:
            self._passed += 1
        if self._per_second is not None or self._pace.ceiling is not None:
            self._take_turn(bulk, now)

    def _take_turn(self, bulk: bool, now: float) -> None:
        interval = self.interval
        self._next = max(self._next, now) + interval
        if not bulk:
            self._next_single = now + interval
        self._turns = max(int(1 / interval), 1) if interval else 1
        self._second = self._turns * interval
        self._left.append(now)
        while self._left and self._left[0] <= now - self._second:
            self._left.popleft()

    def _call(self) -> None:
        """Give the first in line their places; the first of those who have to wait for a turn looks for how long."""
        now = anyio.current_time()
        while self._free:
            may = [bulk for bulk, line in enumerate(self._lines) if line and self._wait(bool(bulk), now) <= 0]
            if not may:
                break
            ticket = self._lines[may[0]].popleft()
            self._leave(bool(may[0]), now)
            ticket.left = now
            ticket.call.set()
        if self._free:
            for line in self._lines:
                if line:
                    line[0].call.set()

    def _wait(self, bulk: bool, now: float) -> float:
        """Return the seconds until a request may leave, as things stand; without end where others come first."""
        singles, others = self._lines
        owed = bool(others) and not self._in_bulk and self._passed >= _PASSED
        after = singles and not owed if bulk else owed
        spare = bulk and not owed and now - self._single_at < _RECENT
        if after or self._free <= (self._spare if spare else 0):
            return math.inf
        if now >= self._next and not spare:
            return 0.0
        if bulk:
            keep_free = spare and self._turns >= _FEW_TURNS
            return max(self._next, self._room(self._turns - 1) if keep_free else 0.0) - now
        # Sooner than its turn, where this second has room for one more; the next turn is so much later.
        return min(self._next, max(self._next_single, self._room(self._turns))) - now

    def _room(self, most: int) -> float:
        """Return when fewer than so many have left within a second."""
        return self._left[-most] + self._second if len(self._left) >= most else 0.0
