"""What a recipient's fields may hold, and how they are found."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from ..errors import InvalidField
from .layout import smuggled
from .syntax import find, has_opening


def check_field_value(name: str, value: object) -> str:
    """One field's value as text.

    Raises:
        InvalidField: it is missing, no text, number or date, or holds a message element or a placeholder.
    """
    text = as_text(name, value)
    if has_opening(text) and any(find(text)):
        raise smuggled(name)
    return text


def as_text(name: str, value: object) -> str:
    """`value` as it is written into a text.

    Raises:
        InvalidField: it is missing, or neither a text, a number nor a date.
    """
    if isinstance(value, str):
        # Not str(value): an enum of texts would write its own name.
        return str.__str__(value)
    if is_missing(value):
        raise missing(name)
    if isinstance(value, (bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset)):
        raise InvalidField(f"The field {name!r} is a {type(value).__name__}, not a text, number or date.")
    return str(value)


def is_missing(value: object) -> bool:
    """Whether `value` is what programs put into an empty cell: None, NaN and their kin."""
    if value is None:
        return True
    try:
        # The empty cells of number-crunching libraries are NaN, which alone differs from itself.
        return bool(value != value)
    except (TypeError, ValueError):
        return not isinstance(value, (list, tuple, Mapping))


def missing(name: str) -> InvalidField:
    """The error for a field that a recipient lacks."""
    return InvalidField(
        f"The recipient has no field {name!r}.", advice="Each recipient needs every field of the text."
    )


def _same_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


@lru_cache(maxsize=512)
def matching_keys(keys: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """The key of each name, where no key is the very same; the rows of one file share their keys."""
    found: list[str] = []
    for name in names:
        wanted = _same_name(name)
        same = [key for key in keys if isinstance(key, str) and _same_name(key) == wanted]
        if name in keys:
            same = [name]
        if not same:
            raise missing(name)
        if len(same) > 1:
            raise InvalidField(f"The field {name!r} could be {' or '.join(map(repr, same))}.")
        found += same
    return tuple(found)
