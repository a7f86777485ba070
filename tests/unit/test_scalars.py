"""Single values of the wire: numbers, yes and no, phones, dates in Spanish time."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mensatek_async import DateWarning
from mensatek_async._wire import scalars
from mensatek_async._wire.problems import WrongValue
from mensatek_async.errors import ConfigurationError, InvalidDate

MADRID = ZoneInfo("Europe/Madrid")


DECIMALS: list[tuple[Any, str]] = [
    ("14.970,00", "14970.00"), ("12345,67", "12345.67"), ("12345.67", "12345.67"), ("1.234.567,89", "1234567.89"),
    ("1,234,567.89", "1234567.89"), ("1,234.56", "1234.56"), ("1,234,567", "1234567"), ("1.234.567", "1234567"),
    ("14.970", "14970"), ("999.999", "999999"), ("0.125", "0.125"), ("0,125", "0.125"), ("014.970", "14.970"),
    ("1,234", "1.234"), ("1.2345", "1.2345"), ("1234.567", "1234.567"), ("-14.970,50", "-14970.50"), ("-5", "-5"),
    ("+5", "5"), (" 7 ", "7"), (",5", "0.5"), (".5", "0.5"), ("5,", "5"), ("5.", "5"), ("0", "0"), ("12.970,", "12970"),
    (Decimal("1E+3"), "1000"), (Decimal("14.970"), "14.970"), (12, "12"), (0.1, "0.1"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "value"), DECIMALS, ids=repr)
def test_decimal(written: Any, value: str) -> None:
    """Spanish and English notation, and numbers as they are."""
    assert Decimal(value) == scalars.decimal(written)


@pytest.mark.parametrize(
    "written",
    ["", "NaN", "Infinity", "-inf", "1e5", "1_000", "abc", "1.2.3", "1,2,3", "12.34,56.78", "1.23,4", "١٢", "1 000",
     "-", "+", ",", ".", "--5", "5 €", "1" * 41, "9" * 20, "0." + "0" * 30 + "1", None, True, [], {}, float("nan"),
     float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), 10**5000, b"5"],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) or value < 10**9 else "10**5000",
)  # fmt: skip
def test_no_decimal(written: object) -> None:
    """What is no number, or none an amount could be, is refused at once."""
    with pytest.raises(WrongValue):
        scalars.decimal(written)


@given(st.decimals("-99999999", "99999999", places=2))
def test_decimal_notations_agree(number: Decimal) -> None:
    """One amount in four notations is one number."""
    english = f"{number:,.2f}"
    spanish = english.translate(str.maketrans(",.", ".,"))

    for written in (english, spanish, english.replace(",", ""), spanish.replace(".", "")):
        assert number == scalars.decimal(written)


READ: dict[Any, list[tuple[Any, Any]]] = {
    scalars.integer: [
        (10, 10), ("10", 10), ("10.0", 10), ("10,00", 10), (Decimal("10.0"), 10), (10.0, 10), ("1.234", 1234),
        ("-3", -3), ("007", 7), (0, 0), ("10573758", 10573758), (Decimal("1E+3"), 1000),
    ],
    scalars.text: [
        (" a ", "a"), ("", ""), (34601234567, "34601234567"), (Decimal("3.4601234567E+10"), "34601234567"),
        (34601234567.0, "34601234567"), (Decimal("1.50"), "1.50"), (0, "0"), ("0034", "0034"),
    ],
    scalars.phone: [
        (34601234567, "34601234567"), ("+34 601-23.45 (67)", "34601234567"), ("0034601234567", "34601234567"),
        ("600000000", "600000000"), ("destino@dominio.com", "destino@dominio.com"), ("00", "00"),
        ("34600***", "34600***"), ("٣٤", "٣٤"),
    ],
    scalars.boolean: [
        *((yes, True) for yes in ("si", "SÍ", "Sí", "s", "yes", "true", "True", "1", 1, True, "on", "verdadero")),
        *((no, False) for no in ("no", "NO", "n", "false", "0", 0, False, "off", "falso", Decimal(0))),
    ],
}  # fmt: skip
REFUSED: dict[Any, list[Any]] = {
    scalars.integer: [
        "", "10.5", "10,5", 10.5, Decimal("10.5"), True, None, "diez", [1], {}, "1e3", "1_0", 10**18,
        "9" * 19, -(10**18),
    ],
    scalars.text: [None, True, [], {}, ["a"], Decimal("NaN")],
    scalars.phone: ["", " ", None, []],
    scalars.boolean: ["", "quizás", 2, None, [], {}, 1.5],
}  # fmt: skip


def rows(table: dict[Any, list[Any]]) -> list[Any]:
    """Each row of a table by its reader's name and what is read."""
    return [
        pytest.param(read, row, id=f"{read.__name__}-{row!r}") for read, rows in table.items() for row in rows
    ]


@pytest.mark.parametrize(("read", "row"), rows(READ))
def test_a_value_is_read(read: Any, row: tuple[Any, Any]) -> None:
    """Whole numbers however written, numbers as texts digit by digit, phones as digits, every yes and no."""
    written, expected = row
    value = read(written)

    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(("read", "written"), rows(REFUSED))
def test_a_value_is_refused(read: Any, written: object) -> None:
    """A fraction is not cut off, yes is not 1, nothing is not "None", and what is neither yes nor no not guessed."""
    with pytest.raises(WrongValue):
        read(written)


# --- dates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2021-09-04 19:37:21", datetime(2021, 9, 4, 19, 37, 21)),
        ("2021-09-04 19:37", datetime(2021, 9, 4, 19, 37)),
        ("2021-09-04", datetime(2021, 9, 4)),
        ("2021-09-04T19:37:21", datetime(2021, 9, 4, 19, 37, 21)),
        ("2021-09-04T19:37:21.123456", datetime(2021, 9, 4, 19, 37, 21)),
        ("2021-09-04T17:37:21Z", datetime(2021, 9, 4, 19, 37, 21)),
        ("2021-09-04T17:37:21+00:00", datetime(2021, 9, 4, 19, 37, 21)),
        ("2021-09-04 12:37:21 -0500", datetime(2021, 9, 4, 19, 37, 21)),
        ("20210904193721", datetime(2021, 9, 4, 19, 37, 21)),
        (20210904193721, datetime(2021, 9, 4, 19, 37, 21)),
        (" 2021-01-04 19:37:21 ", datetime(2021, 1, 4, 19, 37, 21)),
        ("2021-03-28 02:30:00", datetime(2021, 3, 28, 3, 30)),
        ("2021-10-31 02:30:00", datetime(2021, 10, 31, 2, 30)),
    ],
    ids=repr,
)
def test_date(written: Any, value: datetime) -> None:
    """Every form of a date is a moment in Spanish time; an hour that spring skips is the next one."""
    read = scalars.madrid_datetime(written)

    assert read == value.replace(tzinfo=MADRID)
    assert read is not None
    assert read.replace(tzinfo=None) == value
    assert str(read.tzinfo) == "Europe/Madrid"


NO_DATES = ["ayer", "2021-13-01 10:00:00", "2021-02-30", "2021-09-04 25:00:00", "04/09/2021", "2021", "1630777041",
            None, True, [], "2021-09-04 19:37:21 CET", "0001-01-01 00:00:00Z+", "2021-09-04T19:37:21+99:99",
            "9999-12-31 23:59:59-14:00", "٢٠٢١-٠٩-٠٤"]  # fmt: skip
BLANK = ["", " ", "0000-00-00 00:00:00", "0000-00-00", "-0001-11-30 00:00:00", "00000000000000", 0, "-", "//"]


@pytest.mark.parametrize("written", [*NO_DATES, *BLANK], ids=repr)
def test_no_date(written: object) -> None:
    """A report without a date yet has none; what is no date is refused, without being shown."""
    if written in BLANK and written is not False:
        assert scalars.madrid_datetime(written) is None
        return
    with pytest.raises(WrongValue) as caught:
        scalars.madrid_datetime(written)

    assert str(written) not in str(caught.value) or written is None or written == []


def test_date_to_the_wire() -> None:
    """Any moment is written in Spanish time, to the minute, summer or winter; a naive date is no moment, and one beyond
    the calendar is none either."""
    for when, wire in (
        (datetime(2027, 1, 8, 10, 0, tzinfo=MADRID), "2027-01-08 10:00"),
        (datetime(2027, 1, 8, 9, 0, tzinfo=UTC), "2027-01-08 10:00"),
        (datetime(2027, 7, 8, 8, 0, 59, tzinfo=UTC), "2027-07-08 10:00"),
        (datetime(2027, 1, 8, 23, 30, tzinfo=timezone(timedelta(hours=-1))), "2027-01-09 01:30"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "2027-03-28 03:00"),
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), "2027-10-31 02:30"),
        (datetime(987, 1, 8, 10, 0, tzinfo=MADRID), "0987-01-08 10:00"),
    ):
        assert wire == scalars.to_wire_datetime(when)
    for never in (datetime(2027, 1, 8), datetime.max.replace(tzinfo=timezone(timedelta(hours=-12)))):
        with pytest.raises(InvalidDate):
            scalars.to_wire_datetime(never)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))
def test_dates_there_and_back(when: datetime) -> None:
    """A moment to the minute comes back as itself, but for the hour that autumn has twice."""
    minute = when.replace(second=0, microsecond=0)
    assume(minute.astimezone(MADRID).fold == 0)

    back = scalars.madrid_datetime(scalars.to_wire_datetime(when))
    # By the moment: dates of two zones never compare equal in the hour that autumn repeats.
    assert back is not None
    assert minute.timestamp() == back.timestamp()


def test_an_hour_that_comes_twice() -> None:
    """Its second turn cannot be said to the provider, and the user is warned; its first is as any other."""
    first = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert scalars.to_wire_datetime(first) == "2027-10-31 02:30"
    with pytest.warns(DateWarning, match="2027-10-31 02:30 comes twice that night"):
        assert scalars.to_wire_datetime(first + timedelta(hours=1)) == "2027-10-31 02:30"


def test_no_time_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without time zones is told which package has them."""

    def missing(name: str) -> ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    scalars.madrid.cache_clear()
    monkeypatch.setattr(scalars, "ZoneInfo", missing)
    with pytest.raises(ConfigurationError, match="tzdata"):
        scalars.to_wire_datetime(datetime(2027, 1, 8, tzinfo=UTC))

    monkeypatch.undo()
    assert scalars.madrid() == MADRID


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(), st.lists(st.integers())
)


@pytest.mark.parametrize(
    "read", [*READ, scalars.decimal, scalars.madrid_datetime], ids=lambda read: read.__name__
)
@given(value=ANY)
def test_anything_is_read_or_refused(read: Any, value: Any) -> None:
    """No value raises anything but WrongValue, and none is shown."""
    try:
        read(value)
    except WrongValue as error:
        shown = str(error)
    else:
        return
    assert len(str(value)) < 6 or str(value) not in shown
