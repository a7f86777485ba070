"""The sandbox's clock, and the forms of moments on the wire."""

from __future__ import annotations

import math
import re
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SPAIN = ZoneInfo("Europe/Madrid")

_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}")
_FASTEST = 1_000_000.0
_LAST = datetime(9000, 1, 1, tzinfo=UTC)  # room for what follows a moment, before dates end


class Clock:
    """The time of day, moved by `step`, faster or slower by `scale`; started at a moment, it stands but for steps.

    All moments in the sandbox are UTC: sums of local times are an hour off when summer time begins or ends.

    Args:
        starts_at: an aware moment to stand at; None for the real time.
        scale: seconds of this clock in a real second.

    Raises:
        ValueError: a moment without time zone, a scale that is not above 0 and at most a million.
    """

    def __init__(self, starts_at: datetime | None = None, scale: float = 1.0) -> None:
        if starts_at is not None and starts_at.tzinfo is None:
            raise ValueError("starts_at must be aware (have a time zone)")
        self.standing: bool = starts_at is not None
        self._anchor = starts_at.astimezone(UTC) if starts_at else datetime.fromtimestamp(time.time(), UTC)
        self._since = time.time()
        self._scale = _checked(scale)

    @property
    def now(self) -> datetime:
        """This moment, aware, UTC."""
        if self.standing:
            return self._anchor
        # A real clock that was set back does not take this one along.
        passed = max(time.time() - self._since, 0.0) * self._scale
        return min(self._anchor + timedelta(seconds=passed), _LAST)

    @property
    def scale(self) -> float:
        """Seconds of this clock in a real second; settable. A standing clock does not mind it."""
        return self._scale

    @scale.setter
    def scale(self, scale: float) -> None:
        scale = _checked(scale)
        self._put(self.now)
        self._scale = scale

    def step(self, seconds: float) -> None:
        """Move forward (never back) by that many seconds.

        Raises:
            ValueError: a number below 0 or beyond all dates.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError("The sandbox's clock only moves forward")
        now = self.now
        if seconds > (_LAST - now).total_seconds():
            raise ValueError("The sandbox's clock does not go beyond the year 9000")
        self._put(now + timedelta(seconds=seconds))

    def restore(self, moment: datetime) -> None:
        """Go on from a moment of an earlier run, unless it is later already."""
        if moment > self.now:
            self._put(moment)

    def _put(self, moment: datetime) -> None:
        self._anchor, self._since = moment, time.time()


def _checked(scale: float) -> float:
    if not 0 < scale <= _FASTEST:
        raise ValueError("The time scale is above 0 and at most a million")
    return float(scale)


def read_minute(text: str) -> datetime | None:
    """A `YYYY-MM-DD HH:MM` of the wire, Spanish time, as a moment in UTC; None when it is none."""
    if not _MINUTE.fullmatch(text):
        return None
    try:
        moment = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SPAIN).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment < _LAST else None


def write_minute(moment: datetime) -> str:
    """A moment as sends take it: `YYYY-MM-DD HH:MM`, Spanish time."""
    return moment.astimezone(SPAIN).strftime("%Y-%m-%d %H:%M")


def write_second(moment: datetime) -> str:
    """A moment as reports write it: `YYYY-MM-DD HH:MM:SS`, Spanish time."""
    return moment.astimezone(SPAIN).strftime("%Y-%m-%d %H:%M:%S")
