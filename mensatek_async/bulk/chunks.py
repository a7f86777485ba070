"""Turns rows into requests: checks, drops repeats, keeps the two encodings apart. Pure, no input or output."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field

from .._core.message import Message
from ..errors import InvalidRequest
from ..models.bulk import RowProblem
from ..models.recipient import Recipient
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

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
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
        return Recipients(self.given, [wire["Movil"] for wire in self.wire])


class Chunker:
    """Fed with rows one by one; gives a chunk when one is full."""

    def __init__(self, message: Message, seen: SeenPhones) -> None:
        self._message = message
        self._seen = seen
        self._open = {False: Chunk(unicode=False), True: Chunk(unicode=True)}
        self._invalid: list[RowProblem] = []
        self.rows = 0

    def number(self, given: object) -> int:
        """Count a row and tell its number: the caller's own, else its position."""
        self.rows += 1
        own = given.row if isinstance(given, Recipient) else None
        return self.rows if own is None else own

    def add(self, given: str | Recipient, size: int) -> Chunk | None:
        """Take one row; the chunk it filled, or None."""
        row = self.number(given)
        try:
            phone, wire, unicode, segments = self._message.address(given)
        except InvalidRequest as error:
            return self._refuse(row, str(error))
        if not self._seen.add(phone):
            return self._refuse(row, REPEATED)
        chunk = self._open[unicode]
        chunk.rows.append(row)
        chunk.given.append(given)
        chunk.wire.append(wire)
        chunk.segments += segments
        return self._take(unicode) if len(chunk.rows) >= size else None

    def flush(self) -> Chunk | None:
        """A chunk that is not full, or None when nothing is left."""
        for unicode in (False, True):
            if self._open[unicode].rows:
                return self._take(unicode)
        return self._take(False) if self._invalid else None

    def _refuse(self, row: int, reason: str) -> Chunk | None:
        self._invalid.append(RowProblem(row, reason))
        if len(self._invalid) < _MOST_INVALID:
            return None
        return Chunk(invalid=self._taken())

    def _take(self, unicode: bool) -> Chunk:
        chunk, self._open[unicode] = self._open[unicode], Chunk(unicode=unicode)
        chunk.invalid = self._taken()
        return chunk

    def _taken(self) -> list[RowProblem]:
        invalid, self._invalid = self._invalid, []
        return invalid
