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


def kind(value: object) -> str:
    """Name what a decoded value is, without showing it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "yes or no"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, Mapping):
        return "an object"
    return "a list"
