"""What every reply is asked, read without structuring it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from . import names, scalars
from .problems import DecodeError, WrongValue

_LONGEST_ERROR = 300


def result_code(reply: Mapping[str, Any]) -> int:
    """Read `Res`.

    Raises:
        DecodeError: it is missing or no whole number.
    """
    try:
        return scalars.integer(reply.get(names.RESULT.casefold(), ""))
    except WrongValue as error:
        raise DecodeError(f"{error} @ {names.RESULT}") from None


def credits_in(reply: Mapping[str, Any]) -> Decimal | None:
    """Read the credits left, or None when the reply does not tell or nobody can read them."""
    return _number(reply, names.CREDITS_LEFT)


def credits_needed(reply: Mapping[str, Any]) -> Decimal | None:
    """Read the credits a refused message needs, or None when not told."""
    return _number(reply, names.CREDITS_NEEDED)


def repeated(reply: Mapping[str, Any]) -> int | None:
    """Read how many recipients were refused as repeated, or None when not told."""
    number = _number(reply, (names.REPEATED,))
    return int(number) if number is not None and number == number.to_integral_value() else None


def error_text(reply: Mapping[str, Any]) -> str:
    """Read the provider's own words on an error, on one line; "" when there are none."""
    return _words(reply, names.ERROR)


def file_name(reply: Mapping[str, Any]) -> str:
    """Read the name an uploaded file was given; "" when not told."""
    return _words(reply, names.FILE_NAME)


def _words(reply: Mapping[str, Any], name: str) -> str:
    value = reply.get(name.casefold())
    if not isinstance(value, str):
        return ""
    words = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * _LONGEST_ERROR]).split())
    return words if len(words) <= _LONGEST_ERROR else words[: _LONGEST_ERROR - 3] + "..."


def _number(reply: Mapping[str, Any], wire: tuple[str, ...]) -> Decimal | None:
    for name in wire:
        value = reply.get(name.casefold())
        if value is None or value == "":
            continue
        try:
            return scalars.decimal(value)
        except WrongValue:
            continue
    return None
