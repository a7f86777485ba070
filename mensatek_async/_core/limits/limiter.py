"""Bounds requests in flight and, when asked or told to slow down, requests a second."""

from __future__ import annotations

import anyio

from .pace import Pace

# Requests in flight with which bulk work begins; each that is accepted brings one more, as in TCP's slow start, so that
# a provider that allows little is not flooded.
FIRST_WORKERS = 2


class Limiter:
    """First come, first served, on anyio's clock. Made at first use, since its parts belong to one event loop."""

    def __init__(self, concurrency: int, per_second: float | None) -> None:
        self._slots = anyio.Semaphore(concurrency, fast_acquire=True)
        self._per_second = per_second
        self._turns = anyio.Lock(fast_acquire=True)
        self._pace = Pace()
        self._next = 0.0

    @property
    def interval(self) -> float:
        """Seconds between two requests at present; 0 means no pace."""
        rates = [rate for rate in (self._per_second, self._pace.rate(anyio.current_time())) if rate]
        return 1 / min(rates) if rates else 0.0

    async def acquire(self) -> float:
        """Wait for a place in flight, then for this request's turn; gives the time. Pair it with `release`."""
        await self._slots.acquire()
        now = anyio.current_time()
        if now >= self._next and not self.interval:
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

    def release(self) -> None:
        """Give the place in flight back."""
        self._slots.release()

    def slow_down(self, wait: float | None = None) -> None:
        """Note that the provider refused a request because too many came, and how many seconds it said to wait."""
        now = anyio.current_time()
        pause = self._pace.refused(now, wait, self._per_second)
        if wait is None:  # else the circuit breaker holds every call for as long as was said
            self._next = max(self._next, now + pause)

    def went_well(self) -> None:
        """Note that the provider took a request."""
        self._pace.accepted(anyio.current_time())
