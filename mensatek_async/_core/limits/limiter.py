"""Bounds requests in flight and, when asked or told to slow down, requests a second."""

from __future__ import annotations

from collections import deque

import anyio

_FASTEST = 0.01  # seconds between two requests below which an imposed pace is dropped again
_SLOWEST = 10.0
_RECOVERY = 0.9  # what is left of an imposed pace after each request that went well


class Limiter:
    """First come, first served, on anyio's clock. Made at first use, since its parts belong to one event loop."""

    def __init__(self, concurrency: int, per_second: float | None) -> None:
        self._slots = anyio.Semaphore(concurrency, fast_acquire=True)
        self._base = 1 / per_second if per_second else 0.0
        self._interval = self._base
        self._next = 0.0
        self._recent: deque[float] = deque(maxlen=16)
        self._slowed_at = float("-inf")

    @property
    def interval(self) -> float:
        """Seconds between two requests at present; 0 means no pace."""
        return self._interval

    async def acquire(self) -> float:
        """Wait for a place in flight, then for this request's turn; gives the time. Pair it with `release`."""
        await self._slots.acquire()
        now = anyio.current_time()
        turn = max(now, self._next)
        self._recent.append(turn)
        if self._interval:
            self._next = turn + self._interval
            if turn > now:
                try:
                    await anyio.sleep_until(turn)
                except BaseException:
                    self._slots.release()
                    raise
                return anyio.current_time()
        return now

    def release(self) -> None:
        """Give the place in flight back."""
        self._slots.release()

    def slow_down(self) -> None:
        """Halve the rate; several such words within a second are one."""
        now = anyio.current_time()
        if now - self._slowed_at < 1.0:
            return
        self._slowed_at = now
        span = now - self._recent[0] if self._recent else 1.0
        seen = span / max(len(self._recent), 1)
        self._interval = min(max(2 * max(seen, self._interval), 0.05), _SLOWEST)

    def went_well(self) -> None:
        """Recover a little from an imposed pace."""
        if self._interval > self._base:
            eased = self._interval * _RECOVERY
            self._interval = self._base if eased < max(self._base, _FASTEST) else eased
