"""What is raised when a reply cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal


class DecodeError(Exception):
    """Raised when nobody can read a reply: its problems, each with its path on the wire, never with a value."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class WrongValue(ValueError):
    """Raised by a scalar's reader, never with the value; `instead` is what it is taken for where it does not decide."""

    def __init__(self, text: str, instead: object = None) -> None:
        super().__init__(text)
        self.instead = instead


class Missing(WrongValue):
    """Raised when a value that must be there is blank."""


_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "nothing"),
    (bool, "yes or no"),
    ((int, float, Decimal), "a number"),
    (str, "a text"),
    (Mapping, "an object"),
)


def kind(value: object) -> str:
    """Name what a decoded value is, without showing it."""
    return next((name for kinds, name in _KINDS if isinstance(value, kinds)), "a list")
