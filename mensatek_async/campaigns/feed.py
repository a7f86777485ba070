"""The rows of a campaign's recipients, many at a time, with what tells them from any others."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any

import anyio
import anyio.lowlevel

from .._core.messages.message import Message
from ..bulk.source import LOOKED_AT, each
from ..errors import InvalidRequest
from ..models.recipient import Recipient
from ..sources.batches import Batches, RecipientSource
from ..sources.rows import BrokenRow
from ..store.threads import in_thread

_SOON = 0.2  # seconds after which rows that trickle in are handed on, however few
_SLICE = 256
_MANY = 20_000  # rows that are passed over at once


class Feed:
    """Reads rows, never holding more than a batch; a digest of all so far tells whether they are the same again."""

    def __init__(self, recipients: object, fields: Sequence[str]) -> None:
        if isinstance(recipients, str | bytes | Recipient | Mapping):
            raise InvalidRequest(
                "recipients is a list or another iterable of phones and Recipients, not one of them."
            )
        if not isinstance(recipients, RecipientSource | Batches | AsyncIterable | Iterable):
            raise InvalidRequest(f"recipients is an iterable, not {type(recipients).__name__}.")
        self._batches: Batches | None = None
        self._plain: Iterator[Any] | None = None
        self._pump: _Pump | None = None
        self.source: RecipientSource | None = recipients if isinstance(recipients, RecipientSource) else None
        if isinstance(recipients, RecipientSource):
            recipients = recipients.batches(fields)
        if isinstance(recipients, Batches):
            self._batches = recipients
        elif isinstance(recipients, AsyncIterable):
            self._pump = _Pump(recipients.__aiter__())
        else:
            self._plain = each(recipients)
        # What the synchronous client reads in its caller's thread can only be read while that waits.
        self.inline: bool = self._batches is not None and self._batches.inline
        self._digest = blake2b(digest_size=16)
        self._back: list[Any] = []
        self._failure: Exception | None = None
        self._ended = False
        self.position: int = 0

    @property
    def digest(self) -> str:
        """What tells the rows up to `position` from any others."""
        return self._digest.hexdigest()

    async def look(self, message: Message) -> None:
        """Look at the first rows, where the text may want a field of theirs and show its braces instead.

        Raises:
            InvalidRequest: it does.
        """
        names: Sequence[str] = ()
        rows: Sequence[Any] = ()
        if message.braces and self.source is not None:
            names = await in_thread(self.source.field_names)
        elif message.braces:
            try:
                rows = await self._first()
            except Exception as error:  # which the reading will meet in its place
                self._failure = error
        message.refuse_braces(rows, names)

    async def _first(self) -> Sequence[Any]:
        if self._pump is not None:
            return await self._pump.look(LOOKED_AT)
        self._back = await self._read(LOOKED_AT)
        return self._back

    async def pump(self) -> None:
        """Run beside the reading: an async iterable is waited for here, while what it gave is read."""
        if self._pump is not None:
            await self._pump.run()

    async def take(self, most: int) -> list[Any]:
        """From 1 to `most` further rows; none at the end."""
        rows, self._back = self._back[:most], self._back[most:]
        if not rows and self._failure is not None:
            raise self._failure
        if not rows and not self._ended:
            rows = await self._read(most)
            self._ended = not rows
        self._earlier = self.position, self._digest.copy()
        self.position += len(rows)
        self._digest.update(spelt(rows))
        return rows

    def give_back(self, rows: list[Any]) -> None:
        """Undo the last `take`: somebody else had read further."""
        self.position, self._digest = self._earlier
        self._back = rows + self._back

    async def skip_to(self, position: int) -> bool:
        """Pass over rows that are in the journal already; False when there are not so many."""
        while self.position < position:
            if not await self.take(min(position - self.position, _MANY)):
                return False
        return True

    async def aclose(self) -> None:
        """Let go of what is read from."""
        with anyio.CancelScope(shield=True):
            if self._batches is not None:
                await self._batches.aclose()

    async def _read(self, most: int) -> list[Any]:
        if self._batches is not None:
            return list(await self._batches.read(most))
        if self._pump is not None:
            return await self._pump.read(most)
        started = anyio.current_time()
        rows: list[Any] = []
        while len(rows) < most and self._plain is not None:
            # Rows that come slowly must not wait for the others.
            size = min(_SLICE, most - len(rows)) if rows else 1
            got = list(islice(self._plain, size))
            rows += got
            if len(got) < size or anyio.current_time() - started > _SOON:
                break
            await anyio.lowlevel.checkpoint()
        return rows


class _Pump:
    """Takes rows from an async iterable, which is never cut off in the middle of a row to look what there is."""

    def __init__(self, rows: AsyncIterator[Any]) -> None:
        self._rows = rows
        self._ready: list[Any] = []
        self._news, self._room = anyio.Event(), anyio.Event()
        self._most = _SLICE
        self._ended = False
        self._error: Exception | None = None
        self._early: Exception | None = None

    async def look(self, most: int) -> Sequence[Any]:
        """The first rows, which stay to be read; an error among them too."""
        try:
            while len(self._ready) < most:
                self._ready.append(await self._rows.__anext__())
        except StopAsyncIteration:
            pass
        except Exception as error:
            self._early = error
        return self._ready

    async def run(self) -> None:
        try:
            if self._early is not None:
                raise self._early
            async for row in self._rows:
                self._ready.append(row)
                if len(self._ready) == 1 or len(self._ready) >= self._most:
                    self._news.set()
                while len(self._ready) >= self._most:
                    self._room = anyio.Event()
                    await self._room.wait()
        except Exception as error:
            self._error = error
        finally:
            self._ended = True
            self._news.set()
            close = getattr(self._rows, "aclose", None)
            if close is not None:
                with anyio.CancelScope(shield=True):
                    await close()

    async def read(self, most: int) -> list[Any]:
        self._most = most
        self._room.set()
        while not self._ready and not self._ended:
            await self._wait()
        with anyio.move_on_after(_SOON):
            while len(self._ready) < most and not self._ended:
                await self._wait()
        rows, self._ready = self._ready[:most], self._ready[most:]
        self._room.set()
        if not rows and self._error is not None:
            error, self._error = self._error, None
            raise error
        return rows

    async def _wait(self) -> None:
        self._news = anyio.Event()
        await self._news.wait()


def spelt(rows: Sequence[Any]) -> bytes:
    """Rows as bytes that are the same for the same rows, however they are batched."""
    if all(type(row) is str for row in rows):
        return "".join([f"{row}\n" for row in rows]).encode("utf-8", "surrogatepass")
    return "".join([f"{_one(row)}\n" for row in rows]).encode("utf-8", "surrogatepass")


def _one(row: Any) -> str:
    if isinstance(row, str):
        return row
    try:
        if isinstance(row, Recipient):
            fields = "\x1f".join(
                [f"{name}={_value(value)}" for name, value in sorted(row.fields.items(), key=_name)]
            )
            return f"{row.phone}\x1e{'' if row.row is None else row.row}\x1e{fields}"
        if isinstance(row, BrokenRow):
            return f"\x1d{row.row}\x1e{row.reason}"
    except Exception:  # whatever the caller's own mapping raises: the row is refused later, with its reason
        return f"\x1b{row.phone}"
    return f"\x1c{type(row).__name__}"


def _name(field: tuple[Any, Any]) -> str:
    return str(field[0])


def _value(value: object) -> str:
    try:
        return str(value)
    except Exception:  # as above
        return f"\x1c{type(value).__name__}"
