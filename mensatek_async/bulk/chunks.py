"""Turns rows into requests: checks, drops repeats, keeps the two encodings apart. Pure, no input or output."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, overload

from attrs import define, evolve, field

from .._core.message import PHONE, Message
from ..errors import InvalidRequest
from ..models.bulk import RowProblem
from ..models.recipient import Recipient
from ..phones import normalise_all
from ..sources.rows import BrokenRow
from .seen import SeenPhones

REPEATED = "repeats the phone of an earlier row"
_MOST_INVALID = 500  # broken rows that wait for a request before they are told on their own


class Recipients(Sequence[Recipient]):
    """The recipients of a chunk, made when somebody looks: ten million rows need not build objects nobody reads."""

    __slots__ = ("_given", "_phones")

    def __init__(self, given: Sequence[str | Recipient], phones: Sequence[str]) -> None:
        self._given = given
        self._phones = phones

    def __len__(self) -> int:
        return len(self._given)

    @overload
    def __getitem__(self, index: int) -> Recipient: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Recipient]: ...
    def __getitem__(self, index: int | slice) -> Recipient | Sequence[Recipient]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        given, phone = self._given[index], self._phones[index]
        return Recipient(phone) if isinstance(given, str) else evolve(given, phone=phone)

    def __repr__(self) -> str:
        return f"<{len(self)} recipients>"


@define(eq=False)
class Chunk:
    """The rows of one request.

    Attributes:
        unicode: whether it needs Unicode.
        rows: row numbers.
        given: the rows as they came.
        wire: the recipients as the wire wants them.
        segments: texts it takes, by this side's count.
        invalid: rows refused since the chunk before.
    """

    unicode: bool = False
    rows: list[int] = field(factory=list)
    given: list[str | Recipient] = field(factory=list, repr=False)
    wire: list[dict[str, str]] = field(factory=list, repr=False)
    segments: int = 0
    invalid: list[RowProblem] = field(factory=list)

    @property
    def recipients(self) -> Recipients:
        """Its recipients, phones in international digits."""
        return Recipients(self.given, [wire[PHONE] for wire in self.wire])


class Chunker:
    """Fed with rows in batches; gives a chunk when one is full."""

    def __init__(self, message: Message, seen: SeenPhones) -> None:
        self._message = message
        self._seen = seen
        self._open = {False: Chunk(unicode=False), True: Chunk(unicode=True)}
        self._ready: deque[Chunk] = deque()
        self._invalid: list[RowProblem] = []
        self.rows: int = 0

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the text's fields."""
        return self._message.text.fields

    def number(self, given: object) -> int:
        """Count a row and tell its number: the caller's own, else its position."""
        self.rows += 1
        own = given.row if isinstance(given, Recipient | BrokenRow) else None
        return self.rows if own is None else own

    def room(self, size: int) -> int:
        """How many rows may be added before a chunk of `size` can be full."""
        return size - max(len(chunk.rows) for chunk in self._open.values())

    def add(self, batch: Sequence[str | Recipient], size: int) -> None:
        """Take rows, no more than there is room for."""
        if self._message.is_plain and all(type(given) is str for given in batch):
            self._add_phones(batch)  # type: ignore[arg-type]
        else:
            for given in batch:
                self._add_one(given)
        for unicode, chunk in self._open.items():
            if len(chunk.rows) >= size:
                self._close(unicode)
        if len(self._invalid) >= _MOST_INVALID:
            self._ready.append(Chunk(invalid=self._taken()))

    def take(self) -> Chunk | None:
        """A chunk that is full, or holds enough broken rows to be told; None when there is none."""
        return self._ready.popleft() if self._ready else None

    def flush(self) -> Chunk | None:
        """A chunk, full or not; None when nothing is left."""
        for unicode in (False, True):
            if not self._ready and self._open[unicode].rows:
                self._close(unicode)
        if not self._ready and self._invalid:
            self._ready.append(Chunk(invalid=self._taken()))
        return self.take()

    def _add_phones(self, batch: Sequence[str]) -> None:
        """Bare phones for a text without fields, the commonest and the largest input: checked all at once."""
        message = self._message
        first = self.rows + 1
        self.rows += len(batch)
        phones = normalise_all(batch, message.region)
        rows: Sequence[int] = range(first, first + len(batch))
        wrong = [at for at, phone in enumerate(phones) if type(phone) is not str]
        self._invalid += [RowProblem(rows[at], str(phones[at])) for at in wrong]
        if wrong:
            rows, batch, phones = _without(set(wrong), rows, batch, phones)
        new = self._seen.add_all(phones)  # type: ignore[arg-type]
        if not all(new):
            repeated = {at for at, is_new in enumerate(new) if not is_new}
            self._invalid += [RowProblem(rows[at], REPEATED) for at in sorted(repeated)]
            rows, batch, phones = _without(repeated, rows, batch, phones)
        chunk = self._open[message.needs_unicode]
        chunk.rows.extend(rows)
        chunk.given.extend(batch)
        chunk.wire.extend([{PHONE: phone} for phone in phones])  # type: ignore[dict-item]
        chunk.segments += message.segments * len(rows)

    def _add_one(self, given: str | Recipient | BrokenRow) -> None:
        row = self.number(given)
        if isinstance(given, BrokenRow):
            self._invalid.append(RowProblem(row, given.reason))
            return
        try:
            phone, wire, unicode, segments = self._message.address(given)
        except InvalidRequest as error:
            self._invalid.append(RowProblem(row, str(error)))
            return
        if not self._seen.add(phone):
            self._invalid.append(RowProblem(row, REPEATED))
            return
        chunk = self._open[unicode]
        chunk.rows.append(row)
        chunk.given.append(given)
        chunk.wire.append(wire)
        chunk.segments += segments

    def _close(self, unicode: bool) -> None:
        chunk, self._open[unicode] = self._open[unicode], Chunk(unicode=unicode)
        chunk.invalid = self._taken()
        self._ready.append(chunk)

    def _taken(self) -> list[RowProblem]:
        invalid, self._invalid = self._invalid, []
        return invalid


def _without(places: set[int], *lists: Sequence[Any]) -> tuple[list[Any], ...]:
    """The lists without what stands at some places."""
    return tuple([one for at, one in enumerate(listed) if at not in places] for listed in lists)
