"""Reads the rows: any iterable or async iterable, never held whole."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from itertools import islice
from types import GeneratorType
from typing import Any

from ..errors import InvalidRequest
from ..models.recipient import Recipient
from ..sources.batches import Batches, RecipientSource
from ..sources.rows import BrokenRow
from .chunks import Chunk, Chunker

_STEADY = (list, tuple, GeneratorType)  # go on where the last loop ended


def each(rows: Iterable[Any]) -> Iterator[Any]:
    """Every row once: some iterators start anew whenever a loop begins, and the rows are read by many loops."""
    yield from rows


class Source:
    """Rows in, chunks out. Not safe for two readers at once: its user holds a lock."""

    def __init__(self, recipients: object, chunker: Chunker) -> None:
        self._chunker = chunker
        self._plain: Iterator[Any] | None = None
        self._async: AsyncIterator[Any] | None = None
        self._batches: Batches | None = None
        self.ended: bool = False
        self.total: int | None = None
        if isinstance(recipients, str | bytes | Recipient | Mapping):
            raise InvalidRequest(
                "recipients is a list or another iterable of phones and Recipients, not one of them.",
                advice="Use send for a single recipient.",
            )
        if isinstance(recipients, RecipientSource):
            recipients = recipients.batches(chunker.fields)
        if isinstance(recipients, Batches):
            self._batches, self.total = recipients, recipients.total()
            return
        if isinstance(recipients, AsyncIterable):
            self._async = recipients.__aiter__()
        elif isinstance(recipients, Iterable):
            known = type(recipients) in _STEADY
            self._plain = iter(recipients) if known else each(recipients)
        else:
            raise InvalidRequest(f"recipients is an iterable, not {type(recipients).__name__}.")
        try:
            self.total = len(recipients)  # type: ignore[arg-type]
        except TypeError:
            pass

    @property
    def rows(self) -> int:
        """Rows read so far."""
        return self._chunker.rows

    async def next(self, size: int) -> Chunk | None:
        """The next chunk of up to `size` rows; None at the end."""
        while not self.ended:
            batch: list[Any] = []
            try:
                self.ended = await self._fill(batch, self._chunker.room(size))
            finally:  # rows read before an error or a cancellation are rows read
                self._chunker.add(batch, size)
            if chunk := self._chunker.take():
                return chunk
        return self._chunker.flush()

    async def _fill(self, batch: list[Any], room: int) -> bool:
        """Read up to `room` rows into `batch`; True at the end of the input."""
        if self._plain is not None:
            batch.extend(islice(self._plain, room))
            return len(batch) < room
        elif self._async is not None:
            while len(batch) < room:
                try:
                    batch.append(await self._async.__anext__())
                except StopAsyncIteration:
                    return True
            return False
        elif self._batches is not None:
            while len(batch) < room:
                further = await self._batches.read(room - len(batch))
                if not further:
                    return True
                batch += further
            return False
        return True

    async def unsent(self, size: int) -> tuple[list[int], list[str | Recipient]]:
        """Up to `size` further rows, unchecked, for a send that has stopped; empty at the end."""
        given: list[Any] = []
        if not self.ended:
            self.ended = await self._fill(given, size)
        rows = [self._chunker.number(one) for one in given]
        return rows, [Recipient(one.phone) if isinstance(one, BrokenRow) else one for one in given]

    async def aclose(self) -> None:
        """Close an async generator that was not read to its end, and what is read in batches."""
        if self._batches is not None:
            await self._batches.aclose()
        close = getattr(self._async, "aclose", None)
        if close is not None and not self.ended:
            await close()
