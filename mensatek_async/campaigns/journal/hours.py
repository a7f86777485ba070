"""The hours in which a campaign sends, in Spanish time or in the recipient's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from attrs import frozen

from ...errors import InvalidRequest

SPAIN = "Europe/Madrid"

# Country calling codes, longest first match, and every zone of the country that people live in: a text leaves when all
# of them are within the hours, since a number does not tell where in its country somebody is.
_ZONES: dict[str, tuple[str, ...]] = {
    "1": ("America/New_York", "America/Los_Angeles", "America/Chicago", "America/Denver", "America/St_Johns"),
    "20": ("Africa/Cairo",), "212": ("Africa/Casablanca",), "213": ("Africa/Algiers",), "216": ("Africa/Tunis",),
    "221": ("Africa/Dakar",), "234": ("Africa/Lagos",), "240": ("Africa/Malabo",), "27": ("Africa/Johannesburg",),
    "30": ("Europe/Athens",), "31": ("Europe/Amsterdam",), "32": ("Europe/Brussels",), "33": ("Europe/Paris",),
    "34": ("Europe/Madrid",), "350": ("Europe/Gibraltar",), "351": ("Europe/Lisbon", "Atlantic/Azores"),
    "352": ("Europe/Luxembourg",), "353": ("Europe/Dublin",), "354": ("Atlantic/Reykjavik",),
    "355": ("Europe/Tirane",), "356": ("Europe/Malta",), "357": ("Asia/Nicosia",), "358": ("Europe/Helsinki",),
    "359": ("Europe/Sofia",), "36": ("Europe/Budapest",), "370": ("Europe/Vilnius",), "371": ("Europe/Riga",),
    "372": ("Europe/Tallinn",), "373": ("Europe/Chisinau",), "376": ("Europe/Andorra",), "377": ("Europe/Monaco",),
    "380": ("Europe/Kyiv",), "381": ("Europe/Belgrade",), "385": ("Europe/Zagreb",), "386": ("Europe/Ljubljana",),
    "387": ("Europe/Sarajevo",), "389": ("Europe/Skopje",), "39": ("Europe/Rome",), "40": ("Europe/Bucharest",),
    "41": ("Europe/Zurich",), "420": ("Europe/Prague",), "421": ("Europe/Bratislava",), "423": ("Europe/Vaduz",),
    "43": ("Europe/Vienna",), "44": ("Europe/London",), "45": ("Europe/Copenhagen",), "46": ("Europe/Stockholm",),
    "47": ("Europe/Oslo",), "48": ("Europe/Warsaw",), "49": ("Europe/Berlin",), "502": ("America/Guatemala",),
    "503": ("America/El_Salvador",), "504": ("America/Tegucigalpa",), "505": ("America/Managua",),
    "506": ("America/Costa_Rica",), "507": ("America/Panama",), "51": ("America/Lima",),
    "52": ("America/Mexico_City", "America/Tijuana", "America/Cancun"), "53": ("America/Havana",),
    "54": ("America/Argentina/Buenos_Aires",), "55": ("America/Sao_Paulo", "America/Manaus", "America/Rio_Branco"),
    "56": ("America/Santiago",), "57": ("America/Bogota",), "58": ("America/Caracas",), "591": ("America/La_Paz",),
    "593": ("America/Guayaquil",), "595": ("America/Asuncion",), "598": ("America/Montevideo",),
    "60": ("Asia/Kuala_Lumpur",), "61": ("Australia/Sydney", "Australia/Perth"),
    "62": ("Asia/Jakarta", "Asia/Jayapura"), "63": ("Asia/Manila",), "64": ("Pacific/Auckland",),
    "65": ("Asia/Singapore",), "66": ("Asia/Bangkok",),
    "7": ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Vladivostok"), "81": ("Asia/Tokyo",), "82": ("Asia/Seoul",),
    "84": ("Asia/Ho_Chi_Minh",), "852": ("Asia/Hong_Kong",), "86": ("Asia/Shanghai",), "886": ("Asia/Taipei",),
    "90": ("Europe/Istanbul",), "91": ("Asia/Kolkata",), "92": ("Asia/Karachi",), "966": ("Asia/Riyadh",),
    "971": ("Asia/Dubai",), "972": ("Asia/Jerusalem",),
}  # fmt: skip


@frozen
class Hours:
    """From one time of day to another, which may lie past midnight.

    Attributes:
        start: the first moment to send.
        end: the moment from which nothing is sent.
    """

    start: time
    end: time

    def waits(self, zones: Iterable[str], now: float) -> float:
        """Return the seconds until it is within the hours in every zone; 0 when it is.

        Args:
            zones: names of time zones.
            now: seconds since 1970.
        """
        at = now
        for _ in range(
            64
        ):  # the openings of different zones chase each other; at some hour they meet, or never
            wait = max((self._wait(zone, at) for zone in zones), default=0.0)
            if not wait:
                return at - now
            at += wait
        return self._wait(SPAIN, now) or 3600.0

    def _wait(self, zone: str, now: float) -> float:
        local = datetime.fromtimestamp(now, _zone(zone))
        clock = local.time()
        if self.start < self.end:
            inside = self.start <= clock < self.end
        else:
            inside = clock >= self.start or clock < self.end
        if inside:
            return 0.0
        opening = datetime.combine(local.date(), self.start, local.tzinfo)
        if opening <= local:
            opening = datetime.combine(local.date() + timedelta(days=1), self.start, local.tzinfo)
        return max((opening.astimezone(UTC) - local.astimezone(UTC)).total_seconds(), 1.0)


def check_hours(send_between: object) -> Hours | None:
    """Read the two times of day.

    Raises:
        InvalidRequest: they are not two different times without a zone.
    """
    if send_between is None:
        return None
    found: Sequence[object] = tuple(send_between) if isinstance(send_between, Iterable) else ()
    start, end = found if len(found) == 2 else (None, None)
    if not isinstance(start, time) or not isinstance(end, time) or start == end or start.tzinfo or end.tzinfo:
        raise InvalidRequest(
            "send_between is two different times of day, such as (time(9), time(21)).",
            advice='Their zone is local_time: "spanish" or "recipient".',
        )
    return Hours(start, end)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def country_of(phone: str) -> str:
    """Return the calling code of a phone in international digits; "" where its time zones are not known."""
    return next((phone[:size] for size in (3, 2, 1) if phone[:size] in _ZONES), "")


def zones_of(country: str) -> tuple[str, ...]:
    """Return the time zones of a calling code; Spain's for "" and for codes this table does not know."""
    return _ZONES.get(country, (SPAIN,))
