"""What a campaign would send: its rows are checked as for sending; nothing is written down, and nothing leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from itertools import chain
from typing import Any

import anyio
from attrs import define, field

from .._core.messages.batch import lengths_of
from .._core.messages.message import PHONE, Message
from ..bulk.chunks import REPEATED, Chunk, Chunker, numbered
from ..bulk.reader import Reader
from ..bulk.seen import SeenPhones
from ..models.bulk import RowProblem
from ..models.campaign import Preview, PreviewedText
from ..opt_outs import tables
from ..store.database import Database
from ..store.threads import in_thread
from ..store.transaction import Tx
from ..text.segments import lost_characters

OPTED_OUT = "has opted out"
_BATCH = 5000  # rows
_SAMPLES = 3
_FORCING = 10  # characters
_PROBLEMS = 10_000

RowsCallback = Callable[[Sequence[tuple[int, str, str]]], Awaitable[None] | None]
"""Called with rows: the number of each, its phone, and why nothing would be sent to it, "" where it would."""


async def preview(
    db: Database,
    message: Message,
    recipients: object,
    respect_opt_outs: bool,
    on_progress: RowsCallback | None,
) -> Preview:
    """Read all recipients, and count; the store's opt-outs are looked up, and may not be there."""
    reader = Reader(recipients, message.text.fields)
    counting = _Counting(message)
    asked = db if respect_opt_outs else None
    try:
        await reader.look(message)
        while rows := await reader.read(_BATCH):
            first = counting.rows + 1
            chunks = await in_thread(counting.add, rows, asked)
            if on_progress is not None and isawaitable(
                pending := on_progress(_problems_of(rows, first, chunks))
            ):
                await pending
    finally:
        with anyio.CancelScope(shield=True):
            await reader.aclose()
    return counting.result()


def _opted_out(db: Database | None, phones: Sequence[str]) -> set[str]:
    def look(tx: Tx) -> set[str]:
        return set() if tables.changes(tx) is None else tables.opted_out(tx, phones)

    return db.read(look) if db is not None and db.is_there() else set()


@define(eq=False)
class _Counting:
    """What rows amount to, in bounded memory."""

    _message: Message
    _chunker: Chunker = field(init=False)
    _counts: Counter[str] = field(factory=Counter, init=False)
    _segments: Counter[int] = field(factory=Counter, init=False)
    _forcing: dict[str, None] = field(factory=dict, init=False)
    _samples: list[PreviewedText] = field(factory=list, init=False)
    _problems: list[RowProblem] = field(factory=list, init=False)
    _longest: PreviewedText | None = field(default=None, init=False)
    _length: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._chunker = Chunker(self._message, SeenPhones())

    @property
    def rows(self) -> int:
        return self._chunker.rows

    def add(self, rows: Sequence[Any], db: Database | None) -> list[Chunk]:
        """Count further rows, and return what would be sent of them, with what would not."""
        self._chunker.add(rows, len(rows))
        chunks = list(iter(self._chunker.flush, None))
        for chunk in chunks:
            for problem in chunk.invalid:
                self._counts["repeated" if problem.reason == REPEATED else "invalid"] += 1
            self._problems += chunk.invalid[: _PROBLEMS - len(self._problems)]
            chunk.leave_out(_opted_out(db, chunk.wire.phones))
            self._counts["opted_out"] += len(chunk.opted_out)
            if chunk.rows:
                self._count(chunk)
        self._sample(chunks)
        return chunks

    def _count(self, chunk: Chunk) -> None:
        self._segments.update(chunk.counts)
        self._counts["gaps"] += sum("" in values for values in chunk.wire.values())
        if chunk.unicode:
            self._counts["unicode"] += len(chunk.rows)
        if chunk.unicode and len(self._forcing) < _FORCING:
            written = "".join(chain([self._message.text.literal], *chunk.wire.values()))
            self._forcing |= dict.fromkeys(lost_characters(written))
        lengths = lengths_of(self._message, chunk.wire)
        if (length := max(lengths)) > self._length:
            self._length, self._longest = length, self._text(chunk, lengths.index(length))

    def _sample(self, chunks: Sequence[Chunk]) -> None:
        """Keep the first texts: those of a batch may be apart, by their encoding."""
        if len(self._samples) < _SAMPLES:
            first = [
                self._text(chunk, at) for chunk in chunks for at in range(min(_SAMPLES, len(chunk.rows)))
            ]
            self._samples = (self._samples + sorted(first, key=lambda one: one.row))[:_SAMPLES]

    def _text(self, chunk: Chunk, at: int) -> PreviewedText:
        values = dict(chunk.wire[at])
        phone = values.pop(PHONE)
        text = self._message.text.fill(values, phone)
        return PreviewedText(chunk.rows[at], phone, text, chunk.counts[at], chunk.unicode)

    def result(self) -> Preview:
        counts = {
            name: self._counts[name] for name in ("opted_out", "repeated", "invalid", "unicode", "gaps")
        }
        return Preview(
            rows=self.rows,
            ready=self._segments.total(),
            **counts,
            segments=dict(sorted(self._segments.items())),
            forcing=tuple(self._forcing)[:_FORCING],
            samples=tuple(self._samples),
            longest=self._longest,
            problems=tuple(self._problems),
        )


def _problems_of(rows: Sequence[Any], first: int, chunks: Sequence[Chunk]) -> list[tuple[int, str, str]]:
    """Return the number of each row, its phone, and why nothing is sent to it or ""."""
    given = [one if isinstance(one, str) else str(getattr(one, "phone", "")) for one in rows]
    phones = dict(zip(numbered(rows, first), given, strict=True))
    reasons: dict[int, str] = {}
    for chunk in chunks:
        phones |= zip(chunk.rows, chunk.wire.phones, strict=True)
        reasons |= {one.row: one.reason for one in chunk.invalid} | dict.fromkeys(chunk.opted_out, OPTED_OUT)
    return [(row, phone, reasons.get(row, "")) for row, phone in phones.items()]
