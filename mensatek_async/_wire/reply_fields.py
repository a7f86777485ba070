"""Single fields of a decoded reply, and a reply as a user of the escape hatch gets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from . import names, scalars
from .problems import DecodeError, WrongValue

_LONGEST_WORDS = 300


def result_code(reply: Mapping[str, Any]) -> int:
    """Read `Res`; a `DecodeError` when it is missing or no whole number."""
    try:
        return scalars.integer(reply.get(names.RESULT.casefold(), ""))
    except WrongValue as error:
        raise DecodeError(f"{error} @ {names.RESULT}") from None


def number(reply: Mapping[str, Any], *wire: str) -> Decimal | None:
    """Read the number under the first of some names that has a readable one, else None."""
    for name in wire:
        try:
            return scalars.decimal(reply.get(name.casefold(), ""))
        except WrongValue:
            continue
    return None


def whole_number(reply: Mapping[str, Any], *wire: str) -> int | None:
    """Read a number as `number` does; None also when it is not whole."""
    value = number(reply, *wire)
    return int(value) if value is not None and value == value.to_integral_value() else None


def words(reply: Mapping[str, Any], name: str) -> str:
    """Read a text on one line, such as the provider's own words on an error; "" when there is none."""
    value = reply.get(name.casefold())
    if not isinstance(value, str):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * _LONGEST_WORDS]).split())
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 3] + "..."


_SPELLING = {
    name.casefold(): name
    for name in [
        names.RESULT,
        names.ERROR,
        *names.ROWS,
        *names.CREDITS_NEEDED,
        *(name for table in names.REPLIES.values() for keys in table.values() for name in keys),
    ]
}


class ReplyFields(dict[str, Any]):
    """A reply by wire names in the manuals' spelling; looked up in any case, as the provider writes them."""

    def __init__(self, pairs: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__((_spelled(name), value) for name, value in dict(pairs).items())

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(_spelled(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(_spelled(name))

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value under a name in any case, else `default`."""
        return super().get(_spelled(name), default)


def _spelled(name: str) -> str:
    """A wire name as the manuals spell it; one they do not list stays in small letters."""
    return _SPELLING.get(name.casefold(), name.casefold())


def spell(value: Any) -> Any:
    """Return every mapping in a decoded reply its manual spelling."""
    if isinstance(value, dict):
        return ReplyFields((name, spell(inner)) for name, inner in value.items())
    return [spell(inner) for inner in value] if isinstance(value, list) else value
