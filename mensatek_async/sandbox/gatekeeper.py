"""The provider's defence: repeated wrong calls, and quick calls that send nothing, end in a block."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

_WRONG_WINDOW = timedelta(seconds=60)


class Gatekeeper:
    """Counts wrong and empty calls, and closes the door for a while.

    Args:
        after: so many wrong calls within a minute, or so many quick repeats of one read, end in a block.
        seconds: how long it lasts.
        read_interval: a repeat of the same read counts as quick when it comes within so many seconds.
    """

    def __init__(self, after: int, seconds: float, read_interval: float) -> None:
        self._after = after
        self._length = timedelta(seconds=seconds)
        self._read_interval = timedelta(seconds=read_interval)
        self._wrong: deque[datetime] = deque()
        self._reads: dict[str, tuple[int, datetime]] = {}
        self.blocked_until: datetime | None = None

    def is_blocked(self, now: datetime) -> bool:
        """Whether the door is closed at that moment."""
        return self.blocked_until is not None and now < self.blocked_until

    def block(self, now: datetime, seconds: float | None = None) -> None:
        """Close the door."""
        self.blocked_until = now + (self._length if seconds is None else timedelta(seconds=seconds))
        self._wrong.clear()
        self._reads.clear()

    def note_wrong(self, now: datetime) -> None:
        """Count a call with wrong data."""
        self._wrong.append(now)
        while now - self._wrong[0] > _WRONG_WINDOW:
            self._wrong.popleft()
        if len(self._wrong) >= self._after:
            self.block(now)

    def note_read(self, key: str, now: datetime) -> None:
        """Count a read, told apart from others by what it asks for."""
        streak, last = self._reads.get(key, (0, now))
        streak = streak + 1 if now - last < self._read_interval else 1
        self._reads[key] = (streak, now)
        if streak >= self._after:
            self.block(now)

    def note_work(self) -> None:
        """A call that does something: what was read may have changed, so reading again is not empty."""
        self._reads.clear()
