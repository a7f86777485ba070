"""Quiet hours: when a campaign may send, where its recipients are."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async.campaigns.journal.hours import SPAIN, Hours, country_of, zones_of

DAY = Hours(time(9), time(21))
NIGHT = Hours(time(22), time(6))


def at(text: str, zone: str = SPAIN) -> float:
    """A moment by a clock of that zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("hours", "moment", "wait"),
    [
        (DAY, "2027-01-08 09:00", 0),
        (DAY, "2027-01-08 20:59:59", 0),
        (DAY, "2027-01-08 21:00", 12 * 3600),
        (DAY, "2027-01-08 03:00", 6 * 3600),
        (NIGHT, "2027-01-08 23:00", 0),
        (NIGHT, "2027-01-08 05:59", 0),
        (NIGHT, "2027-01-08 06:00", 16 * 3600),
        # The clocks go forward on 28 March 2027 at 2:00 and back on 31 October at 3:00.
        (DAY, "2027-03-27 21:00", 11 * 3600),
        (DAY, "2027-10-30 21:00", 13 * 3600),
        (Hours(time(2, 30), time(2, 45)), "2027-03-28 01:00", 24.5 * 3600),  # skipped that day
    ],
)
def test_hours_in_spain(hours: Hours, moment: str, wait: float) -> None:
    """The first moment is in, the last is out; past midnight, and over changes of the clock."""
    assert hours.waits((SPAIN,), at(moment)) == pytest.approx(wait, abs=1)


def test_all_zones_of_a_country() -> None:
    """Nobody in New York is texted at 4 in the morning in Los Angeles. A short window in a wide country opens
    nowhere at once: it is looked at again later."""
    zones = zones_of("1")
    assert len(zones) > 3

    assert DAY.waits(zones, at("2027-01-08 09:30", "America/New_York")) == pytest.approx(2.5 * 3600)
    assert DAY.waits(zones, at("2027-01-08 12:30", "America/New_York")) == 0
    assert Hours(time(9), time(9, 30)).waits(zones_of("7"), at("2027-01-08 12:00")) > 0


moments = st.integers(int(at("2025-01-01")), int(at("2030-01-01")))
clocks = st.times().map(lambda one: one.replace(second=0, microsecond=0))


@given(moments, clocks, clocks, st.sampled_from(["34", "351", "1", "54", "91", "", "999"]))
def test_after_waiting_it_is_time(moment: int, start: time, end: time, country: str) -> None:
    """Whatever hours, zone and season: wait as told and it is within the hours, or it is told to look again."""
    if start == end:
        return
    hours, zones = Hours(start, end), zones_of(country)

    wait = hours.waits(zones, moment)

    assert 0 <= wait <= 70 * 86400
    if len(zones) == 1 and wait:
        local = datetime.fromtimestamp(moment + wait, ZoneInfo(zones[0]))
        hour_skipped = local.utcoffset() != (local - timedelta(hours=3)).utcoffset()
        assert hours.waits(zones, moment + wait) == 0 or hour_skipped


def test_where_a_phone_is() -> None:
    """By its calling code; Spain's time for those that nobody knows. Each zone is one that the system knows."""
    for phone, country, zone in (
        ("34600000000", "34", SPAIN),
        ("351910000000", "351", "Europe/Lisbon"),
        ("15550000000", "1", "America/New_York"),
        ("525500000000", "52", "America/Mexico_City"),
        ("999000000000", "", SPAIN),
    ):
        assert country_of(phone) == country
        assert zones_of(country)[0] == zone
    for zone in {zone for code in range(1, 1000) for zone in zones_of(str(code))}:
        assert datetime.now(UTC).astimezone(ZoneInfo(zone)).utcoffset() is not None
