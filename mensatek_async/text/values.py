"""What a recipient's fields may hold, and how their names match."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from ..errors import InvalidField
from .segments import is_writable, nfc

LONGEST = 39_015
"""Characters that a field may hold: more than a whole message of 255 segments carries."""

_braces = re.compile(r"\{([^{}]*)\}")
_format = re.compile(r"[!:.\[]")  # where a name ends, for those who write as Python formats


def as_text(name: str, value: object) -> str:
    """`value` as it is written into a text: normalised to NFC.

    Raises:
        InvalidField: it is missing, or neither a text, a number nor a date; it cannot be written, or is too long.
    """
    # Not str(value) of a text: an enum of texts would write its own name.
    text = str.__str__(value) if isinstance(value, str) else _spelt(name, value)
    if len(text) > LONGEST:
        raise InvalidField(f"The field {name!r} holds {len(text)} characters; {LONGEST} are taken at most.")
    if not is_writable(text):
        raise InvalidField(
            f"The field {name!r} holds half a character, or a NUL: it was cut or read wrongly."
        )
    return nfc(text)


def _spelt(name: str, value: object) -> str:
    if is_missing(value):
        raise missing(name)
    if isinstance(value, (bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset)):
        raise InvalidField(f"The field {name!r} is a {type(value).__name__}, not a text, number or date.")
    try:
        if value in (math.inf, -math.inf):
            raise OverflowError
        return str(value)
    except Exception as error:  # an object of the caller's, or a number of thousands of digits or without end
        raise InvalidField(
            f"The field {name!r} cannot be written as a text: {type(error).__name__}."
        ) from error


def is_missing(value: object) -> bool:
    """Whether `value` is what programs put into an empty cell: None, NaN and their kin."""
    if value is None:
        return True
    try:
        # The empty cells of number-crunching libraries are NaN, which alone differs from itself.
        return bool(value != value)
    except Exception:  # arrays, and what compares like nothing else
        return not isinstance(value, (list, tuple, Mapping))


def missing(name: str) -> InvalidField:
    """The error for a field that a recipient lacks."""
    return InvalidField(
        f"The recipient has no field {name!r}.", advice="Each recipient needs every field of the text."
    )


def same_name(name: str) -> str:
    """What is the same for two ways to write a field's name."""
    return nfc(name).strip().casefold()


def names_in_braces(text: str) -> dict[str, str]:
    """What is in braces in a text that is no template any more: as it is written, by `same_name`."""
    names = _braces.findall(text) if "{" in text else ()
    return {same_name(_format.split(name)[0]): name for name in names if name.strip()}


@lru_cache(maxsize=512)
def matching_keys(keys: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """The key of each name, where no key is the very same; the rows of one file share their keys."""
    matching: list[str] = []
    for name in names:
        wanted = same_name(name)
        same = [key for key in keys if isinstance(key, str) and same_name(key) == wanted]
        if name in keys:
            same = [name]
        if not same:
            raise missing(name)
        if len(same) > 1:
            raise InvalidField(f"The field {name!r} could be {' or '.join(map(repr, same))}.")
        matching += same
    return tuple(matching)
