"""Turns rows into requests: checks, drops repeats, keeps the two encodings apart. Pure, no input or output."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Container, Mapping, Sequence
from typing import Any, overload

from attrs import define, evolve, field

from .._core.messages.batch import Columns, columns_of, counts_of, in_unicode
from .._core.messages.message import Message
from .._wire.rows import Rows
from ..errors import InvalidRequest
from ..models.bulk import RowProblem
from ..models.recipient import Recipient
from ..phones import normalise_all
from ..sources.rows import BrokenRow
from .seen import SeenPhones

REPEATED = "repeats the phone of an earlier row"
_ROW_NUMBERS = range(-(2**63), 2**63)  # those a journal can hold
_MOST_INVALID = 500  # broken rows that wait for a request before they are reported on their own


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
    """The rows of one request, by their numbers, as they came and as the wire wants them."""

    unicode: bool = False
    rows: list[int] = field(factory=list)
    given: list[str | Recipient] = field(factory=list, repr=False)
    wire: Rows = field(factory=Rows, repr=False)
    counts: list[int] = field(factory=list)  # texts (segments) that each of them takes, by this side's count
    invalid: list[RowProblem] = field(factory=list)  # rows refused since the chunk before
    opted_out: list[int] = field(factory=list)  # rows left out since then: they had opted out

    @property
    def segments(self) -> int:
        return sum(self.counts)

    @property
    def recipients(self) -> Recipients:
        """Its recipients, phones in international digits."""
        return Recipients(self.given, self.wire.phones)

    def leave_out(self, phones: Collection[str]) -> None:
        """Leave out the recipients with some phones, who have opted out."""
        if not phones:
            return
        gone = {at for at, phone in enumerate(self.wire.phones) if phone in phones}
        wire = Rows()
        wire.add([one for at, one in enumerate(self.wire) if at not in gone])
        self.opted_out += [self.rows[at] for at in sorted(gone)]
        self.rows, self.given, self.counts = _without(gone, self.rows, self.given, self.counts)
        self.wire = wire


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
        return self._message.text.fields

    def number(self, batch: Sequence[Any]) -> Sequence[int]:
        """Count rows and return their numbers: the caller's own, else their positions."""
        first = self.rows + 1
        self.rows += len(batch)
        return numbered(batch, first)

    def room(self, size: int) -> int:
        """How many rows may be added before a chunk of `size` can be full."""
        return size - max(len(chunk.rows) for chunk in self._open.values())

    def add(self, batch: Sequence[str | Recipient | BrokenRow], size: int) -> None:
        """Take rows, no more than there is room for."""
        rows = self.number(batch)
        given: Sequence[Any] = batch
        kinds = set(map(type, batch))
        if BrokenRow in kinds:
            kinds.remove(BrokenRow)
            broken = {at: one.reason for at, one in enumerate(batch) if isinstance(one, BrokenRow)}
            self._invalid += [_problem(rows[at], reason) for at, reason in broken.items()]
            rows, given = _without(broken, rows, batch)
        if not self._add_together(rows, given, kinds):
            for row, one in zip(rows, given, strict=True):
                self._add_one(row, one)
        for unicode, chunk in self._open.items():
            if len(chunk.rows) >= size:
                self._close(unicode)
        if len(self._invalid) >= _MOST_INVALID:
            self._ready.append(Chunk(invalid=self._taken()))

    def take(self) -> Chunk | None:
        """A chunk that is full, or holds enough broken rows to be reported; None when there is none."""
        return self._ready.popleft() if self._ready else None

    def flush(self) -> Chunk | None:
        """A chunk, full or not; None when nothing is left."""
        for unicode in (False, True):
            if not self._ready and self._open[unicode].rows:
                self._close(unicode)
        if not self._ready and self._invalid:
            self._ready.append(Chunk(invalid=self._taken()))
        return self.take()

    def _add_together(self, rows: Sequence[int], given: Sequence[Any], kinds: set[type]) -> bool:
        """Check rows all at once where all are of one kind and clean; False when each has to be looked at."""
        if kinds == {Recipient}:
            columns = columns_of(self._message, [one.fields for one in given])
            if columns is None:
                return False
            self._sort(rows, given, [one.phone for one in given], columns)
            return True
        if kinds != {str} or self._message.text.fields:
            return False
        self._sort(rows, given, given, {})
        return True

    def _sort(
        self,
        rows: Sequence[int],
        given: Sequence[str | Recipient],
        phones: Sequence[str],
        columns: Columns,
    ) -> None:
        """Refuse the rows that are wrong or repeated; the others go where their encoding belongs."""
        message = self._message
        checked = normalise_all(phones, message.region)
        if set(map(type, checked)) - {str}:
            wrong = {at: str(phone) for at, phone in enumerate(checked) if type(phone) is not str}
            self._invalid += [_problem(rows[at], reason) for at, reason in wrong.items()]
            rows, given, columns, checked = _without(wrong, rows, given, columns, checked)
        phones = checked  # type: ignore[assignment]
        repeated = self._seen.repeats(phones)
        if repeated:
            self._invalid += [RowProblem(rows[at], REPEATED) for at in repeated]
            rows, given, columns, phones = _without(set(repeated), rows, given, columns, phones)
        unicode = in_unicode(message, columns)
        if isinstance(unicode, bool):
            self._put(unicode, rows, given, phones, columns)
            return
        for which in (False, True):
            others = {at for at, one in enumerate(unicode) if one is not which}
            self._put(which, *_without(others, rows, given, phones, columns))

    def _put(
        self,
        unicode: bool,
        rows: Sequence[int],
        given: Sequence[str | Recipient],
        phones: Sequence[str],
        columns: Columns,
    ) -> None:
        if not rows:
            return
        chunk = self._open[unicode]
        chunk.rows.extend(rows)
        chunk.given.extend(given)
        chunk.counts += counts_of(self._message, phones, columns, unicode)
        chunk.wire.add_columns(phones, columns)

    def _add_one(self, row: int, given: str | Recipient) -> None:
        try:
            phone, wire, unicode, segments = self._message.address(given)
        except (InvalidRequest, Warning) as error:  # a warning, where the program has made errors of them
            self._invalid.append(_problem(row, error))
            return
        if not self._seen.add(phone):
            self._invalid.append(RowProblem(row, REPEATED))
            return
        chunk = self._open[unicode]
        chunk.rows.append(row)
        chunk.given.append(given)
        chunk.wire.add([wire])
        chunk.counts.append(segments)

    def _close(self, unicode: bool) -> None:
        chunk, self._open[unicode] = self._open[unicode], Chunk(unicode=unicode)
        chunk.invalid = self._taken()
        self._ready.append(chunk)

    def _taken(self) -> list[RowProblem]:
        invalid, self._invalid = self._invalid, []
        return invalid


def numbered(batch: Sequence[Any], first: int) -> Sequence[int]:
    """The numbers of rows: the caller's own, else their positions from the first one's on."""
    rows = range(first, first + len(batch))
    kinds = set(map(type, batch))
    if kinds == {str}:
        return rows
    if kinds == {Recipient}:  # what most are, at a fraction of the cost
        own: list[Any] = [one.row for one in batch]
        if own.count(None) == len(own):
            return rows
        if set(map(type, own)) == {int} and min(own) in _ROW_NUMBERS and max(own) in _ROW_NUMBERS:
            return own
    numbers = map(_own_number, batch)
    return [at if number is None else number for at, number in zip(rows, numbers, strict=True)]


def _own_number(given: object) -> int | None:
    """How the caller numbers a row; None where that is no number, and its position has to do."""
    if not isinstance(given, Recipient | BrokenRow):
        return None
    row: object = given.row
    return row if isinstance(row, int) and not isinstance(row, bool) and row in _ROW_NUMBERS else None


def _problem(row: int, reason: object) -> RowProblem:
    """A refused row; its reason as every file and database can hold it."""
    return RowProblem(row, str(reason).encode("utf-8", "replace").decode("utf-8").replace("\0", "?"))


def _without(positions: Container[int], *lists: Any) -> tuple[Any, ...]:
    """The lists, or mappings of lists, without what is at some positions."""
    return tuple(
        {name: _without(positions, column)[0] for name, column in listed.items()}
        if isinstance(listed, Mapping)
        else [one for at, one in enumerate(listed) if at not in positions]
        for listed in lists
    )
