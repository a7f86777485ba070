"""Reads the rows: any iterable or async iterable, never held whole."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import GeneratorType
from typing import Any

import anyio.to_thread

from .._core.messages.message import Message
from ..errors import InvalidRequest
from ..models.recipient import Recipient
from ..sources.batches import Batches, RecipientSource
from ..sources.rows import BrokenRow
from .chunks import Chunk, Chunker

LOOKED_AT = 20  # first rows, where the text may show the braces of a field of theirs
_STEADY = (list, tuple, GeneratorType)  # go on where the last loop ended


def each(rows: Iterable[Any]) -> Iterator[Any]:
    """Every row once: some iterators start anew whenever a loop begins, and the rows are read by many loops."""
    yield from rows


def _recipient(given: object) -> Recipient:
    """Whoever a row means, for the account of what was not sent."""
    if isinstance(given, Recipient):
        return given
    return Recipient(given if isinstance(given, str) else given.phone if isinstance(given, BrokenRow) else "")


class Source:
    """Rows in, chunks out. Not safe for two readers at once: its user holds a lock."""

    def __init__(self, recipients: object, chunker: Chunker) -> None:
        self._chunker = chunker
        self._plain: Iterator[Any] | None = None
        self._async: AsyncIterator[Any] | None = None
        self._batches: Batches | None = None
        self._names: Callable[[], Sequence[str]] | None = None
        self._back: list[Any] = []  # rows that were looked at
        self._failure: Exception | None = None
        self.ended: bool = False
        self.total: int | None = None
        if isinstance(recipients, str | bytes | Recipient | Mapping):
            raise InvalidRequest(
                "recipients is a list or another iterable of phones and Recipients, not one of them.",
                advice="Use send for a single recipient.",
            )
        if isinstance(recipients, RecipientSource):
            self._names = recipients.field_names
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

    async def look(self, message: Message) -> None:
        """Look at the first rows, where the text may want a field of theirs and show its braces instead.

        Raises:
            InvalidRequest: it does.
        """
        names: Sequence[str] = ()
        if message.braces and self._names is not None:
            names = await anyio.to_thread.run_sync(self._names)
        elif message.braces:
            try:
                await self._fill(self._back, LOOKED_AT)
            except Exception as error:  # which the reading will meet in its place
                self._failure = error
        message.refuse_braces(self._back, names)

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
        if self._back and batch is not self._back:
            batch += self._back[:room]
            del self._back[:room]
            return False
        if self._failure is not None:
            raise self._failure
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

    async def unsent(self, size: int) -> tuple[list[int], list[Recipient]]:
        """Up to `size` further rows, unchecked, for a send that has stopped; empty at the end."""
        given: list[Any] = []
        if not self.ended:
            self.ended = await self._fill(given, size)
        rows = [self._chunker.number(one) for one in given]
        return rows, [_recipient(one) for one in given]

    async def aclose(self) -> None:
        """Close an async generator that was not read to its end, and what is read in batches."""
        if self._batches is not None:
            await self._batches.aclose()
        close = getattr(self._async, "aclose", None)
        if close is not None and not self.ended:
            await close()
