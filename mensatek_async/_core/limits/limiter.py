"""Bounds requests in flight and, when asked or told to slow down, requests a second."""

from __future__ import annotations

import math
from collections import deque

import anyio
from attrs import Factory, define

# Requests in flight with which bulk work begins; each that is accepted brings one more, as in TCP's slow start, so that
# a provider that allows little is not flooded.
FIRST_WORKERS = 2

_BACK_OFF = 0.15  # the part of the ceiling that a refusal costs
_SLOWEST = 0.5  # requests a second that leave, however often they are refused
_LONGEST = 60.0  # seconds until a ceiling that was refused again and again is tried once more
_REQUESTS = 30  # requests, at the least, before the ceiling is tried again
_TOGETHER = 1.0  # seconds within which refusals are one: those requests were on their way together
_RECENT = 60.0  # seconds after a single call during which bulk work leaves room for the next one
_PASSED = 16  # single calls that may pass bulk work which has nothing in flight
_FEW_TURNS = 4  # requests a second, from which bulk work leaves a turn of the pace free
_DOUBLING = 8  # accepted requests after which the rate doubles while next to nothing is known


class Pace:
    """What is known of the rate that the provider allows, by TCP's CUBIC (RFC 9438).

    After a refusal the rate falls below the rate that was accepted, climbs back fast, stays near it for long, and then
    tries more. A rate that was refused twice is tried half as often. Pure: the time comes in from outside.
    """

    def __init__(self) -> None:
        self._accepted: deque[float] = deque(maxlen=2048)
        self.ceiling: float | None = None
        self._confirmed = False
        self._since = 0.0
        self._span = 1.0
        self._doublings: float | None = None
        self._refused_at = float("-inf")

    def rate(self, now: float) -> float | None:
        """Return the requests a second that may leave; None when there is no reason for a limit."""
        if self.ceiling is None:
            return None
        if self._doublings is not None:
            rate = self.ceiling * (1 - _BACK_OFF) * math.pow(2.0, min(self._doublings, 30.0))
        else:
            beyond = (now - self._since) / self._span - 1
            steep = 1.0 if beyond > 0 and not self._confirmed else _BACK_OFF
            rate = self.ceiling * (1 + steep * beyond**3)
        if rate > max(4 * self.ceiling, 500.0):
            self.ceiling = self._doublings = None
            return None
        return rate

    def accepted(self, now: float) -> None:
        """Note that a request was accepted."""
        self._accepted.append(now)
        if self._doublings is not None:
            self._doublings += 1 / _DOUBLING

    def refused(self, now: float, wait: float | None, limit: float | None = None) -> float:
        """Note that a request was refused because too many came.

        Args:
            now: the time.
            wait: seconds to wait as the provider said, if it did.
            limit: requests a second that left at most for another reason.

        Returns:
            Seconds that nothing should leave; 0 when this refusal tells nothing new.
        """
        if now - self._refused_at < max(_TOGETHER, wait or 0.0) or wait == 0:
            return 0.0  # a provider that says "again at once" has no rate in mind
        self._refused_at = now
        rate = self.rate(now) or limit
        if rate is None:
            seen = self._seen(now, 1.0)
            pause = wait or 1.0
        else:
            seen = min(rate, max(self._seen(now, max(1.0, 8 / rate)), 0.7 * rate))
            pause = wait or min(1.0, 1 / max(seen, 1.0))
        # "Again in 0.1 s" is not said where one a second is allowed.
        seen = max(seen, _SLOWEST, 1 / wait if wait else 0.0)
        shortest = max(2.0, _REQUESTS / seen, 10 * (wait or 0.0))
        before, self.ceiling = self.ceiling, seen
        self._confirmed = before is not None and abs(seen / before - 1) < 0.25
        self._span = max(shortest, min(2 * self._span, _LONGEST)) if self._confirmed else shortest
        # A single accepted request says little about the rate: it is looked for before it is kept to.
        self._doublings = 0.0 if rate is None and seen <= 1 else None
        self._since = now + pause
        return pause

    def _seen(self, now: float, seconds: float) -> float:
        return sum(1 for when in self._accepted if when > now - seconds) / seconds


@define(eq=False)
class _Ticket:
    """One who waits, and how it is called."""

    call: anyio.Event = Factory(anyio.Event)


class Limiter:
    """Gives places in flight and turns of the pace, on anyio's clock.

    Single calls go before bulk work, and within each of the two it is first come, first served. While single calls
    come, bulk work leaves one place free for the next of them, and one turn of the pace where there are a few; never
    do more than a second's worth leave in a second. Bulk work that has nothing in flight lets some pass, not all.
    """

    def __init__(self, concurrency: int, per_second: float | None) -> None:
        self._per_second = per_second
        self._pace = Pace()
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
        """Wait for a place in flight and a turn of the pace; return the time. Pair it with `release`.

        Args:
            bulk: whether nobody waits for this very request.
        """
        line, now = self._lines[bulk], anyio.current_time()
        if self._in_bulk and not bulk:
            self._single_at = now
        if line or self._wait(bulk, now) > 0:
            now = await self._in_line(bulk, line)
        self._free -= 1
        if bulk:
            self._in_bulk += 1
            self._passed = 0
        elif self._lines[True]:
            self._passed += 1
        if self._per_second is not None or self._pace.ceiling is not None:
            self._take_turn(bulk, now)
        return now

    def release(self, *, bulk: bool = False, accepted: bool = False) -> None:
        """Give a place in flight back, and note whether the provider took the request."""
        self._free += 1
        self._in_bulk -= bulk
        if accepted:
            self._pace.accepted(anyio.current_time())
        if self._lines[False] or self._lines[True]:
            self._call()

    @property
    def interval(self) -> float:
        """Seconds between two requests at present; 0 means no pace."""
        rates = [rate for rate in (self._per_second, self._pace.rate(anyio.current_time())) if rate]
        return 1 / min(rates) if rates else 0.0

    def slow_down(self, wait: float | None = None) -> None:
        """Note that the provider refused a request because too many came, and how many seconds it said to wait."""
        now = anyio.current_time()
        pause = self._pace.refused(now, wait, self._per_second)
        if wait is None:  # else the circuit breaker holds every call for as long as was said
            self._next = max(self._next, now + pause)
            self._next_single = max(self._next_single, now + pause)

    async def _in_line(self, bulk: bool, line: deque[_Ticket]) -> float:
        """Wait until nobody of the same kind is before this one, and there is a place and a turn for it."""
        ticket = _Ticket()
        line.append(ticket)
        try:
            while True:
                now = anyio.current_time()
                wait = self._wait(bulk, now) if line[0] is ticket else math.inf
                if wait <= 0:
                    return now
                with anyio.move_on_after(wait):
                    await ticket.call.wait()
                if ticket.call.is_set():
                    ticket.call = anyio.Event()
        finally:
            line.remove(ticket)
            self._call()

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
        """Let the first of each line look whether it may leave."""
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
