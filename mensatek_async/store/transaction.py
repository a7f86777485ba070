"""A transaction of a store, whichever database keeps it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any


class Tx(ABC):
    """An open transaction. Statements have `?` for values.

    Attributes:
        now: the store's clock, in seconds: the same for everybody who uses the store, and never set back by hand.
        wall: the civil time, seconds since 1970.
        repeated: whether the same work was tried before and may have been committed.
        locking: what a SELECT ends with to lock its rows.
        skipping: the same, passing over rows that somebody else has locked.
        among: what follows a column to say that it is one of many texts, which are one value: see `listed`.
    """

    now: float
    wall: float
    repeated: bool = False
    locking: str = ""
    skipping: str = ""
    among: str

    @abstractmethod
    def all(self, sql: str, *values: Any) -> list[Any]:
        """Return every row; columns by position."""

    @abstractmethod
    def run(self, sql: str, *values: Any) -> int:
        """Run a statement and return how many rows it changed."""

    @abstractmethod
    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of values."""

    @abstractmethod
    def listed(self, texts: Sequence[str]) -> str:
        """Return texts without a comma as the value of `among`: faster than a value for each."""

    def one(self, sql: str, *values: Any) -> Any:
        """Return the first row, or None."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def stopped_writer(self) -> int:
        """Return the id of a stopped process that keeps all others from writing; 0 for none."""
        return 0

    def leaves(self) -> None:
        """Note that a request may leave once this is committed; some stores count such commits."""
        return
