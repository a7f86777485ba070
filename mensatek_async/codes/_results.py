"""Result codes: what each operation's `Res` means, and the error it becomes."""

from __future__ import annotations

from functools import cache

from attrs import frozen

from ..errors import APIError
from ._table import load

_EVERY = "*"  # rows that hold for every operation that has none of its own


@frozen(kw_only=True)
class ResultCode:
    """One result code of one operation."""

    operation: str  # the operation, by its wire name; "*" for any
    code: int  # the provider's number (`Res`)
    meaning: str  # what it says, in English
    error: type[APIError] | None  # the error it becomes, or None when it is no error
    # where it is known from: "manual", "5.8" (the older manual), "field" (public programs) or "inferred"
    source: str


@cache
def result_codes() -> tuple[ResultCode, ...]:
    """Return the whole table."""
    return load("results.json", ResultCode)


@cache
def _index() -> dict[tuple[str, int], ResultCode]:
    return {(row.operation.casefold(), row.code): row for row in result_codes()}


def lookup(operation: str, code: int) -> ResultCode | None:
    """Return the row of a code of an operation, named as on the wire in any case; None when nobody has listed it."""
    return _index().get((operation.casefold(), code)) or _index().get((_EVERY, code))


def error_class(operation: str, code: int) -> type[APIError]:
    """Return the class of the error that a refused call raises; `APIError` itself for a code nobody has listed."""
    row = lookup(operation, code)
    return row.error if row is not None and row.error is not None else APIError
