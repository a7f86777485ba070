"""Bounds requests in flight and, when asked or told to slow down, requests a second."""

from __future__ import annotations

import math
from collections import deque

import anyio

# Requests in flight with which bulk work begins; each that is accepted brings one more, as in TCP's slow start, so that
# a provider that allows little is not flooded.
FIRST_WORKERS = 2

_BACK_OFF = 0.15  # the part of the ceiling that a refusal costs
_SLOWEST = 0.5  # requests a second that leave, however often they are refused
_LONGEST = 60.0  # seconds until a ceiling that was refused again and again is tried once more
_REQUESTS = 30  # requests, at the least, before the ceiling is tried again
_TOGETHER = 1.0  # seconds within which refusals are one: those requests were on their way together
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


class Limiter:
    """First come, first served, on anyio's clock. Made at first use, since its parts belong to one event loop."""

    def __init__(self, concurrency: int, per_second: float | None) -> None:
        self._slots = anyio.Semaphore(concurrency, fast_acquire=True)
        self._per_second = per_second
        self._turns = anyio.Lock(fast_acquire=True)
        self._pace = Pace()
        self._next = 0.0

    async def acquire(self) -> float:
        """Wait for a place in flight, then for this request's turn; gives the time. Pair it with `release`."""
        await self._slots.acquire()
        now = anyio.current_time()
        if now >= self._next and self._per_second is None and self._pace.ceiling is None:
            return now
        try:
            async with self._turns:
                # A refusal may move the turn meanwhile.
                while (now := anyio.current_time()) < self._next:  # noqa: ASYNC110
                    await anyio.sleep_until(self._next)
                self._next = now + self.interval
                return now
        except BaseException:
            self._slots.release()
            raise

    @property
    def interval(self) -> float:
        """Seconds between two requests at present; 0 means no pace."""
        rates = [rate for rate in (self._per_second, self._pace.rate(anyio.current_time())) if rate]
        return 1 / min(rates) if rates else 0.0

    def release(self, *, accepted: bool = False) -> None:
        """Give the place in flight back, and note whether the provider took the request."""
        self._slots.release()
        if accepted:
            self._pace.accepted(anyio.current_time())

    def slow_down(self, wait: float | None = None) -> None:
        """Note that the provider refused a request because too many came, and how many seconds it said to wait."""
        now = anyio.current_time()
        pause = self._pace.refused(now, wait, self._per_second)
        if wait is None:  # else the circuit breaker holds every call for as long as was said
            self._next = max(self._next, now + pause)
