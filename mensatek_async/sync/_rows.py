"""The caller's own rows and callbacks: read and called in the caller's thread, while the loop sends."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from ..models.recipient import Recipient
from ..sources.batches import Batches, RecipientSource, RowIterator
from ..sources.rows import BrokenRow
from ._call import ask_caller

T = TypeVar("T")

_AHEAD = 4096  # rows that are read at once where they come fast: each change of threads costs as much as many of them
_FAST = 0.001  # seconds after which no more are read ahead
_SLICE = 512

# What can be read in any thread, or is no iterable of recipients and is refused further down.
_AS_THEY_ARE = (list, tuple, set, frozenset, range, str, bytes, Recipient, Mapping)


class Rows(Batches):
    """An iterable that only the caller's thread touches, since it may read a database that insists on that."""

    inline = True

    def __init__(self, recipients: Iterable[Any]) -> None:
        self._given = recipients
        self._rows = RowIterator(lambda: recipients)
        self._ready: list[Any] = []
        self._ahead = 0  # more each time, so that little is read ahead of a send that ends soon

    def total(self) -> int | None:
        """How many there are; None for what would have to be read to tell, such as a generator or a QuerySet."""
        return len(self._given) if isinstance(self._given, Collection) else None

    async def read(self, most: int) -> list[Any]:
        """The next rows, read by the thread that waits for this send."""
        if not self._ready:
            await ask_caller(lambda: self._fill(most))
        rows, self._ready = self._ready[:most], self._ready[most:]
        return rows

    def left(self) -> list[Any]:
        """Rows that were read and not given."""
        rows, self._ready = self._ready, []
        return rows

    def _fill(self, most: int) -> None:
        until = time.perf_counter() + _FAST
        while self._rows.extend(self._ready, most) and len(self._ready) < self._ahead:
            if time.perf_counter() > until:
                break
            most = _SLICE
        self._ahead = min(2 * len(self._ready), _AHEAD)


class _InCaller(RecipientSource):
    """A source that only the caller's thread touches."""

    def __init__(self, source: RecipientSource) -> None:
        self._source = source

    def rows(self, needed: Sequence[str] | None = None) -> Iterator[Recipient | BrokenRow]:
        return self._source.rows(needed)

    def batches(self, needed: Sequence[str] | None = None) -> Batches:
        return Rows(self.rows(needed))

    def field_names(self) -> Sequence[str]:
        return self._source.field_names()

    def describe(self) -> str:
        return self._source.describe()


def in_caller(recipients: Iterable[str | Recipient | BrokenRow]) -> Any:
    """Recipients for a bulk send, of any number."""
    if isinstance(recipients, _AS_THEY_ARE) or not isinstance(recipients, Iterable):
        return recipients
    if isinstance(recipients, RecipientSource):
        return _InCaller(recipients) if recipients.callers_thread else recipients
    return Rows(recipients)


def read_here(to: str | Recipient | Iterable[str | Recipient], most: int) -> Any:
    """Recipients for one request, read here and now; one more than fits is enough to refuse them all."""
    if isinstance(to, _AS_THEY_ARE) or not isinstance(to, Iterable):
        return to
    return list(islice(to, most + 1))


def call_here(callback: Callable[[T], object] | None) -> Callable[[T], Awaitable[None]] | None:
    """A callback that is called by the thread that waits for the work."""
    if callback is None:
        return None

    async def tell(news: T) -> None:
        await ask_caller(lambda: callback(news))

    return tell
