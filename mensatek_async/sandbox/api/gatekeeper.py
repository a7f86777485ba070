"""The provider's defence: repeated wrong calls, and quick calls that send nothing, end in a block."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

WRONG_WINDOW = timedelta(seconds=60)


class Gatekeeper:
    """Counts wrong calls within a minute, and quick repeats of one read; too many end in a block."""

    def __init__(self, after: int, seconds: float, read_interval: float) -> None:
        self.after = after
        self.length: timedelta = timedelta(seconds=seconds)
        self.read_interval: timedelta = timedelta(seconds=read_interval)
        self._wrong: deque[datetime] = deque()
        self._reads: dict[str, tuple[int, datetime]] = {}
        self.blocked_until: datetime | None = None

    def is_blocked(self, now: datetime) -> bool:
        """Whether the door is closed at that moment."""
        return self.blocked_until is not None and now < self.blocked_until

    def block(self, now: datetime, seconds: float | None = None) -> None:
        """Close the door."""
        self.blocked_until = now + (self.length if seconds is None else timedelta(seconds=seconds))
        self._wrong.clear()
        self._reads.clear()

    def unblock(self) -> None:
        """Open the door, and count from nothing."""
        self.blocked_until = None
        self._wrong.clear()
        self._reads.clear()

    def wrong_calls(self, now: datetime) -> int:
        """How many wrong calls count at that moment."""
        return sum(now - moment <= WRONG_WINDOW for moment in self._wrong)

    def quick_reads(self, now: datetime) -> int:
        """How many calls in a row have asked the same too soon, at that moment."""
        streaks = [streak for streak, last in self._reads.values() if now - last < self.read_interval]
        return max(streaks, default=1) - 1

    def note_wrong(self, now: datetime) -> None:
        """Count a call with wrong data."""
        self._wrong.append(now)
        while now - self._wrong[0] > WRONG_WINDOW:
            self._wrong.popleft()
        if len(self._wrong) >= self.after:
            self.block(now)

    def note_read(self, key: str, now: datetime) -> bool:
        """Count a read, known by what it asks for; whether it came too soon after the last."""
        streak, last = self._reads.get(key, (0, now))
        streak = streak + 1 if now - last < self.read_interval else 1
        self._reads[key] = (streak, now)
        if streak >= self.after:
            self.block(now)
        return streak > 1

    def note_work(self) -> None:
        """A call that does something: what was read may have changed, so reading again is not empty."""
        self._reads.clear()
