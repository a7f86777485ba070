"""Single values of the wire: numbers in either notation, yes and no, phones, dates in Spanish time.

Each reader takes what a decoded reply can hold and returns one Python type, or raises `WrongValue`, which never
shows the value. `cattrs` alone would take "false" for True, 12.7 for 12 and None for "None".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import ConfigurationError, InvalidDate
from ..warning import DateWarning, warn
from .problems import DecodeError, Missing, WrongValue, kind

_LONGEST_NUMBER = 40
_LARGEST = Decimal(10) ** 18

_PLAIN = re.compile(r"[+-]?[0-9]+")
_SPANISH = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]*")  # 14.970,00
_ENGLISH = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]*")  # 14,970.00
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+|[+-]?[0-9]+,")  # 14970,00
_DOT = re.compile(r"[+-]?[0-9]*\.[0-9]+|[+-]?[0-9]+\.")  # 14970.00
_DOT_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")  # 14.970 and 1.234.567
_COMMA_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3}){2,}")  # 1,234,567

_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[ T]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?)?"
    r"\s?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_STAMP = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})")
_NO_DATE = re.compile(r"[0T:\s./-]*|-0001-11-30\b.*")  # the second is PHP's word for a date of zeros
_SEPARATORS = re.compile(r"[\s().-]+")

_YES = frozenset({"1", "si", "sí", "s", "yes", "y", "true", "verdadero", "on"})
_NO = frozenset({"0", "no", "n", "false", "falso", "off"})


def mapping(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a mapping with casefolded keys; `Cred` and `CRED` are one key, so they must agree."""
    folded: dict[str, Any] = {}
    for name, value in pairs:
        key = name.strip().casefold()
        if key in folded and folded[key] != value:
            raise DecodeError("one key has two values")
        folded[key] = value
    return folded


def refuse_constant(_: str) -> Any:
    """Refuse NaN and Infinity, which Python's JSON reader would take."""
    raise DecodeError("a number is not finite")


def decimal(value: Any) -> Decimal:
    """Read a number: "12345.67", or in Spanish notation "14.970,00" and "14.970", which is 14970."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise WrongValue(f"expected a number, got {kind(value)}")
    if isinstance(value, str):
        value = _plain_digits(value.strip())
    number = Decimal(repr(value) if isinstance(value, float) else value)
    if not number.is_finite() or (number and not -18 <= number.adjusted() <= 18):
        raise WrongValue("expected a number of a usual size")
    return number


def _plain_digits(text: str) -> str:
    if not text:
        raise Missing("missing")
    if len(text) <= _LONGEST_NUMBER:
        if _PLAIN.fullmatch(text):
            return text
        if _SPANISH.fullmatch(text):
            return text.replace(".", "").replace(",", ".")
        if _ENGLISH.fullmatch(text) or _COMMA_GROUPS.fullmatch(text):
            return text.replace(",", "")
        if _DOT_GROUPS.fullmatch(text):
            return text.replace(".", "")
        if _COMMA.fullmatch(text) or _DOT.fullmatch(text):
            return text.replace(",", ".")
    raise WrongValue("expected a number, got a text")


def number(value: Any) -> int | float:
    """Read a number that need not be whole, such as seconds: 3, "3", "3,5", "3.5"; a whole one is an int."""
    exact = decimal(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def integer(value: Any) -> int:
    """Read a whole number: 10, "10", "10.0", "1.234"."""
    if type(value) is int and -(10**18) < value < 10**18:
        return value
    try:
        number = decimal(value)
    except Missing:
        raise
    except WrongValue:
        raise WrongValue(f"expected a whole number, got {kind(value)}") from None
    if abs(number) >= _LARGEST or number != number.to_integral_value():
        raise WrongValue(f"expected a whole number, got {kind(value)}")
    return int(number)


def some(value: Any) -> int:
    """Read an id where 0 stands for none."""
    number = integer(value)
    if not number:
        raise Missing("missing")
    return number


def text(value: Any) -> str:
    """Read a text; a number is one too, digit by digit, since phones and ids come either way."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        number = decimal(value)
        return format(number.quantize(Decimal(1)) if number == number.to_integral_value() else number, "f")
    raise WrongValue(f"expected a text, got {kind(value)}")


def phone(value: Any) -> str:
    """Read a phone as international digits; what is no number at all stays as it came."""
    written = text(value)
    if not written:
        raise Missing("missing")
    digits = _SEPARATORS.sub("", written).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return written
    return digits.removeprefix("00") or written


def party(value: Any) -> str:
    """Read a phone or a sender, which may be blank; one that is no phone stays as it came."""
    return "" if isinstance(value, str) and not value.strip() else phone(value)


def as_came(value: Any) -> str:
    """Read a text with the blanks at its ends."""
    return value if isinstance(value, str) else text(value)


def boolean(value: Any) -> bool:
    """Read yes or no: si, sí, no, 1, 0, true, false."""
    if isinstance(value, bool):
        return value
    word = text(value).casefold() if isinstance(value, str | int | Decimal) else ""
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise WrongValue(f"expected yes or no, got {kind(value)}")


@cache
def madrid() -> ZoneInfo:
    """Return the time zone of every date on the wire."""
    try:
        return ZoneInfo("Europe/Madrid")
    except ZoneInfoNotFoundError:
        raise ConfigurationError(
            "This system has no time zones, and the provider's dates are in Spanish time.",
            advice="Install the package tzdata: pip install tzdata.",
        ) from None


def madrid_datetime(value: Any) -> datetime | None:
    """Read a date in Spanish time, with or without seconds, or ISO 8601; None for a blank one or one of zeros."""
    written = text(value)
    if _NO_DATE.fullmatch(written):
        return None
    match = _DATE.fullmatch(written) or _STAMP.fullmatch(written)
    if match is None:
        raise WrongValue(f"expected a date, got {kind(value)}")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    offset = match[7] if match.re is _DATE else None
    try:
        wall = datetime(year, month, day, hour, minute, second)
        if offset:
            return datetime.fromisoformat(wall.isoformat() + offset).astimezone(madrid())
        # There and back: an hour that spring skips becomes the one the clocks showed.
        return wall.replace(tzinfo=madrid()).astimezone(UTC).astimezone(madrid())
    except (ValueError, OverflowError):
        raise WrongValue("expected a date, got one that no calendar has") from None


def unix_datetime(value: Any) -> datetime:
    """Read a Unix time in seconds; 0 is none."""
    seconds = some(value)
    try:
        return datetime.fromtimestamp(seconds, madrid())
    except (ValueError, OverflowError, OSError):
        raise WrongValue("expected a date, got one that no calendar has") from None


def in_spanish_time(when: datetime) -> datetime:
    """Return a moment that somebody gave, in Spanish time.

    Raises:
        InvalidDate: it has no time zone, or the clocks skip it.
    """
    if when.utcoffset() is None:
        raise InvalidDate(
            "The date has no time zone, so its moment is not known.",
            advice='Give it one, such as tzinfo=ZoneInfo("Europe/Madrid").',
        )
    try:
        moment = when.astimezone(UTC)
        local, again = moment.astimezone(madrid()), moment.astimezone(when.tzinfo)
    except (OverflowError, ValueError):
        raise InvalidDate("The date is out of range.") from None
    if again.replace(tzinfo=None) != when.replace(tzinfo=None):
        raise InvalidDate(
            "That date does not exist in its time zone: the clocks skip it.",
            advice="Give another hour; a zone of pytz is attached by its own localize.",
        )
    return local


def to_wire_datetime(when: datetime) -> str:
    """Write a moment as the provider wants it: "2027-01-08 10:00", Spanish time, without the seconds."""
    local = in_spanish_time(when)
    if local.fold:
        warn(
            f"{local:%Y-%m-%d %H:%M} comes twice that night, and the provider reads it as the first: an hour earlier.",
            DateWarning,
        )
    return local.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")
