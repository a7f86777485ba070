"""Rows that are fetched many at a time, and what gives them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from types import GeneratorType
from typing import Any, ClassVar

import anyio.to_thread

from ..models.recipient import Recipient
from .rows import BrokenRow

_STEADY = (list, tuple, GeneratorType)  # those go on where the last loop ended


class Batches(ABC):
    """Rows that are fetched many at a time, such as those of another thread.

    Attributes:
        inline: whether they can be read only while whoever gave them waits.
    """

    inline: ClassVar[bool] = False

    @abstractmethod
    async def read(self, most: int) -> Sequence[Any]:
        """From 1 to `most` further rows; none at the end."""

    def total(self) -> int | None:
        """How many there are in all, when that is known."""
        return None

    def left(self) -> list[Any]:
        """Rows that were read and not given, because of a cancellation."""
        return []

    async def aclose(self) -> None:
        """Let go of what is read from, also before its end."""
        return


class RecipientSource(ABC):
    """Recipients that are somewhere else, such as in a file: what the sources of this package have in common.

    Attributes:
        callers_thread: whether it must be read in the thread that asked for a synchronous send.
    """

    callers_thread: ClassVar[bool] = False

    def __iter__(self) -> Iterator[Recipient | BrokenRow]:
        """Every row in order, as `rows` gives them."""
        return self.rows()

    @abstractmethod
    def rows(self, needed: Sequence[str] | None = None) -> Iterator[Recipient | BrokenRow]:
        """Read every row in order: a recipient with its fields, or why it is none.

        Args:
            needed: the names of the text's fields, which are then all that is read; None when the text is not known.
        """

    @abstractmethod
    def batches(self, needed: Sequence[str] | None = None) -> Batches:
        """Give the rows for a send, from the first one; `needed` as for `rows`."""

    def field_names(self) -> Sequence[str]:
        """Return the names of the fields its recipients can have; none if only a row shows them. It may block."""
        return ()

    @abstractmethod
    def describe(self) -> str:
        """Return what it is, for messages; without anything that it holds."""

    def fingerprint(self) -> str | None:
        """Return what distinguishes this input from any other, or None if unknown. It may read all of it."""
        return None


class RowIterator:
    """The rows of an iterable, some at a time; those before an error come first."""

    def __init__(self, open_rows: Callable[[], Iterable[Any]]) -> None:
        self._open = open_rows
        self._rows: Iterator[Any] | None = None
        self._error: Exception | None = None

    def extend(self, rows: list[Any], most: int) -> bool:
        """Append up to `most` rows; returns whether there may be more of them now."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        size = len(rows) + most
        try:
            if self._rows is None:
                self._rows = each(self._open())
            rows.extend(islice(self._rows, most))
        except Exception as error:
            if not rows:
                raise
            self._error = error
        return len(rows) == size

    def take(self, most: int) -> list[Any]:
        """Up to `most` rows; none at the end."""
        rows: list[Any] = []
        self.extend(rows, most)
        return rows

    def close(self) -> None:
        """Close a generator that was not read to its end."""
        close = getattr(self._rows, "close", None)
        if close is not None:
            close()


def each(rows: Iterable[Any]) -> Iterator[Any]:
    """Every row once: some iterators start anew whenever a loop begins, and the rows are read by many loops."""
    return iter(rows) if type(rows) in _STEADY else (row for row in rows)


class ThreadBatches(Batches):
    """An iterator of rows that is advanced in a worker thread, so that a slow disk holds up nobody."""

    def __init__(self, open_rows: Callable[[], Iterable[Any]]) -> None:
        self._rows = RowIterator(open_rows)
        self._ready: list[Any] = []
        self._turn = threading.Lock()  # a reading that was cancelled may still be under way

    async def read(self, most: int) -> list[Any]:
        """The next rows. Those of a reading that was cancelled are not lost but come with the next one."""
        await anyio.to_thread.run_sync(self._fetch, most, abandon_on_cancel=True)
        rows, self._ready = self._ready[:most], self._ready[most:]
        return rows

    async def aclose(self) -> None:
        """Close the file, once a reading that was cancelled has ended."""
        await anyio.to_thread.run_sync(self._close, abandon_on_cancel=True)

    def _fetch(self, most: int) -> None:
        with self._turn:
            if not self._ready:
                self._rows.extend(self._ready, most)

    def _close(self) -> None:
        with self._turn:
            self._rows.close()
