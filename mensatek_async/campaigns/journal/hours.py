"""The hours in which a campaign sends, in Spanish time or in the recipient's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from attrs import frozen

from ...codes._table import load
from ...errors import InvalidRequest

SPAIN = "Europe/Madrid"


@frozen
class CallingCode:
    """A country's calling code, and every time zone of the country that people live in."""

    code: str
    zones: tuple[str, ...]


@frozen
class Hours:
    """From one time of day up to another, which may lie past midnight."""

    start: time
    end: time

    def waits(self, zones: Iterable[str], now: float) -> float:
        """Return the seconds from a moment until it is within the hours in every zone; 0 when it is."""
        at = now
        for _ in range(64):  # the openings of zones chase each other; at some hour they meet, or never
            wait = max((self._wait(zone, at) for zone in zones), default=0.0)
            if not wait:
                return at - now
            at += wait
        return self._wait(SPAIN, now) or 3600.0

    def _wait(self, zone: str, now: float) -> float:
        local = datetime.fromtimestamp(now, _zone(zone))
        clock = local.time()
        after, before = clock >= self.start, clock < self.end
        if (after and before) if self.start < self.end else (after or before):
            return 0.0
        opening = datetime.combine(local.date(), self.start, local.tzinfo)
        if opening <= local:
            opening = datetime.combine(local.date() + timedelta(days=1), self.start, local.tzinfo)
        return max((opening.astimezone(UTC) - local.astimezone(UTC)).total_seconds(), 1.0)


def check_hours(send_between: object) -> Hours | None:
    """Read two different times of day without a zone; anything else but None is an InvalidRequest."""
    if send_between is None:
        return None
    times: Sequence[object] = tuple(send_between) if isinstance(send_between, Iterable) else ()
    start, end = times if len(times) == 2 else (None, None)
    if not isinstance(start, time) or not isinstance(end, time) or start == end or start.tzinfo or end.tzinfo:
        raise InvalidRequest(
            "send_between is two different times of day, such as (time(9), time(21)).",
            advice='Their zone is local_time: "spanish" or "recipient".',
        )
    return Hours(start, end)


_zone = cache(ZoneInfo)


@cache
def _zones() -> dict[str, tuple[str, ...]]:
    return {one.code: one.zones for one in load("time_zones.json", CallingCode)}


def country_of(phone: str) -> str:
    """Return the calling code of a phone in international digits; "" where its time zones are not known."""
    return next((phone[:size] for size in (3, 2, 1) if phone[:size] in _zones()), "")


def zones_of(country: str) -> tuple[str, ...]:
    """Return the time zones of a calling code; Spain's for "" and for codes that are not known.

    A text leaves when all of them are within the hours: a number does not tell where in its country somebody is.
    """
    return _zones().get(country, (SPAIN,))
