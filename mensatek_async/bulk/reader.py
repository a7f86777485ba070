"""Reads the rows of a bulk send or a campaign: any iterable or async iterable, never held whole."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.abc import TaskStatus

from .._core.messages.message import Message
from ..errors import InvalidRequest
from ..models.recipient import Recipient
from ..sources.batches import Batches, RecipientSource, RowIterator
from ..sources.rows import BrokenRow
from .chunks import Chunk, Chunker

_LOOKED_AT = 20  # first rows, where the text may show the braces of a field of theirs
_SOON = 0.2  # seconds after which rows that trickle in are handed on, however few
_SLICE = 512


class Reader:
    """Rows from wherever they are. Not safe for two readers at once."""

    def __init__(self, recipients: object, fields: Sequence[str]) -> None:
        if isinstance(recipients, str | bytes | Recipient | Mapping):
            raise InvalidRequest(
                "recipients is a list or another iterable of phones and Recipients, not one of them.",
                advice="Use send for a single recipient.",
            )
        self.source: RecipientSource | None = recipients if isinstance(recipients, RecipientSource) else None
        self._batches = _batches_of(recipients, fields)
        self._back: list[Any] = []
        self._failure: Exception | None = None
        self.total: int | None = self._batches.total()
        # Whether they can be read only while the caller waits, as the synchronous client's can.
        self.inline: bool = self._batches.inline

    async def look(self, message: Message) -> None:
        """Refuse a text that would show the braces of a field that the first rows have."""
        if not message.braces:
            return
        names: Sequence[str] = ()
        if self.source is not None:
            names = await anyio.to_thread.run_sync(self.source.field_names)
        else:
            try:
                while more := await self._batches.read(_LOOKED_AT - len(self._back)):
                    self._back += more
                    if len(self._back) >= _LOOKED_AT:
                        break
            except Exception as error:  # raised again when these rows have been read
                self._failure = error
        message.refuse_braces(self._back, names)

    async def pump(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Run beside the reading, so that rows of an async iterable are handed on as soon as they come.

        Start it with the task group's `start`: nothing may be read until it has begun.
        """
        if isinstance(self._batches, _AsyncRows):
            self._batches.pumped = True
            task_status.started()
            await self._batches.pump()
        else:
            task_status.started()

    async def read(self, most: int) -> Sequence[Any]:
        """From 1 to `most` further rows; none at the end. Rows before an error come first."""
        if self._back:
            rows, self._back = self._back[:most], self._back[most:]
            return rows
        if self._failure is not None:
            error, self._failure = self._failure, None
            raise error
        return await self._batches.read(most)

    def left(self) -> list[Any]:
        """Rows that were read and handed to nobody, because of a cancellation."""
        rows, self._back = self._back, []
        return rows + self._batches.left()

    async def aclose(self) -> None:
        """Let go of what is read from, also before its end."""
        await self._batches.aclose()


def _batches_of(recipients: object, fields: Sequence[str]) -> Batches:
    if isinstance(recipients, RecipientSource):
        return recipients.batches(fields)
    if isinstance(recipients, Batches):
        return recipients
    if isinstance(recipients, AsyncIterable):
        return _AsyncRows(recipients)
    if isinstance(recipients, Iterable):
        return _Rows(recipients)
    raise InvalidRequest(f"recipients is an iterable, not {type(recipients).__name__}.")


def _length(rows: Any) -> int | None:
    try:
        return len(rows)
    except TypeError:
        return None


class _Rows(Batches):
    def __init__(self, rows: Iterable[Any]) -> None:
        self._total = _length(rows)
        self._rows = RowIterator(lambda: rows)

    def total(self) -> int | None:
        return self._total

    async def read(self, most: int) -> list[Any]:
        started = anyio.current_time()
        rows: list[Any] = []
        while (size := min(_SLICE if rows else 1, most - len(rows))) and self._rows.extend(rows, size):
            if anyio.current_time() - started > _SOON:
                break
            if len(rows) > 1:
                await anyio.lowlevel.checkpoint()
        return rows


class _AsyncRows(Batches):
    """An async iterable, which is never cut off in the middle of a row to look what there is."""

    def __init__(self, rows: AsyncIterable[Any]) -> None:
        self._total = _length(rows)
        self._rows: AsyncIterator[Any] = rows.__aiter__()
        self._ready: list[Any] = []
        self._most = _SLICE
        self._ended = self._exhausted = False
        self._error: Exception | None = None
        self.pumped = False
        self._news: anyio.Event | None = None
        self._room: anyio.Event | None = None

    def total(self) -> int | None:
        return self._total

    async def read(self, most: int) -> list[Any]:
        self._most = most
        if self.pumped:
            await self._wait_for_rows()
        elif not self._ended:
            await self._fill()
        rows, self._ready = self._ready[:most], self._ready[most:]
        if self._room is not None:
            self._room.set()
        if not rows and self._error is not None:
            error, self._error = self._error, None
            raise error
        return rows

    async def pump(self) -> None:
        try:
            while not self._ended:
                await self._fill()
                self._tell()
                while len(self._ready) >= self._most:
                    self._room = anyio.Event()
                    await self._room.wait()
        finally:
            self._ended = True
            self._tell()
            with suppress(Exception), anyio.move_on_after(1, shield=True):
                await self._close()

    def left(self) -> list[Any]:
        rows, self._ready = self._ready, []
        return rows

    async def aclose(self) -> None:
        if not self.pumped and not self._exhausted:
            await self._close()

    async def _close(self) -> None:
        close = getattr(self._rows, "aclose", None)
        if close is not None:
            await close()

    async def _fill(self) -> None:
        """Read until as many rows are ready as were asked for, or the end.

        While a row is awaited, `read` may put another list in the place of the one that was ready.
        """
        try:
            while len(self._ready) < self._most:
                row = await self._rows.__anext__()
                self._ready.append(row)
                if len(self._ready) == 1:
                    self._tell()
        except StopAsyncIteration:
            self._ended = self._exhausted = True
        except Exception as error:
            self._error, self._ended = error, True

    async def _wait_for_rows(self) -> None:
        if self._room is not None:
            self._room.set()
        while not self._ready and not self._ended:
            await self._wait()
        with anyio.move_on_after(_SOON):
            while len(self._ready) < self._most and not self._ended:
                await self._wait()

    async def _wait(self) -> None:
        self._news = anyio.Event()
        await self._news.wait()

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()


class ChunkReader(Reader):
    """Rows in, chunks out."""

    def __init__(self, recipients: object, chunker: Chunker) -> None:
        super().__init__(recipients, chunker.fields)
        self._chunker = chunker
        self.ended: bool = False

    @property
    def rows(self) -> int:
        return self._chunker.rows

    async def next(self, size: int) -> Chunk | None:
        """The next chunk of up to `size` rows; None at the end."""
        while not self.ended:
            rows = await self.read(self._chunker.room(size))
            self.ended = not rows
            self._chunker.add(rows, size)
            if chunk := self._chunker.take():
                return chunk
        return self._chunker.flush()

    def rest(self) -> Chunk | None:
        """A chunk of what was read and not sent, for a send that has ended; None when nothing is left."""
        self._chunker.add(self.left(), 1)
        return self._chunker.flush()

    async def unsent(self, size: int) -> tuple[list[int], list[Recipient]]:
        """Up to `size` further rows, unchecked, for a send that has stopped; empty at the end."""
        given = [] if self.ended else await self.read(size)
        self.ended = not given
        return list(self._chunker.number(given)), [_recipient(one) for one in given]


def _recipient(given: object) -> Recipient:
    """Whoever a row means, for the account of what was not sent."""
    if isinstance(given, Recipient):
        return given
    return Recipient(given if isinstance(given, str) else given.phone if isinstance(given, BrokenRow) else "")
