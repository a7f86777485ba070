"""What became of a bulk send, row by row."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import eq
from typing import Literal, overload

from attrs import field, frozen

from ..errors import MensatekError
from .recipient import Recipient


@frozen
class RowProblem:
    """A row that was not sent, or may not have been, and why.

    Attributes:
        row: the row's number: `Recipient.row`, else its position in the input from 1.
        reason: a sentence; it never shows a whole phone number.
    """

    row: int
    reason: str


class RowProblems(Sequence[RowProblem]):
    """Problems, packed: neighbouring rows with one reason are one entry, so ten million of them cost a few bytes."""

    __slots__ = ("_ends", "_known", "_reasons", "_starts", "_which")

    _detailed = 10_000  # distinct sentences kept; further ones are replaced by their general form

    def __init__(self, problems: Sequence[RowProblem] = ()) -> None:
        self._starts = array("q")
        self._ends = array("q")  # running totals: how many rows stand up to and with this entry
        self._which = array("l")
        self._reasons: list[str] = []
        self._known: dict[str, int] = {}
        for problem in problems:
            self._add(problem.row, problem.row + 1, problem.reason)

    def _add(self, start: int, stop: int, reason: str, general: str | None = None) -> None:
        """Append rows start..stop-1; `general` stands in for `reason` when too many sentences are kept already."""
        if stop <= start:
            return
        if reason not in self._known and len(self._known) >= self._detailed:
            reason = general or "see the first rows' reasons"
        which = self._known.setdefault(reason, len(self._reasons))
        if which == len(self._reasons):
            self._reasons.append(reason)
        before = self._ends[-2] if len(self._ends) > 1 else 0
        total = len(self) + stop - start
        if self._which and self._which[-1] == which and self._starts[-1] + len(self) - before == start:
            self._ends[-1] = total
        else:
            self._starts.append(start)
            self._ends.append(total)
            self._which.append(which)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[RowProblem]:
        before = 0
        for start, end, which in zip(self._starts, self._ends, self._which, strict=True):
            reason = self._reasons[which]
            for row in range(start, start + end - before):
                yield RowProblem(row, reason)
            before = end

    @overload
    def __getitem__(self, index: int) -> RowProblem: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RowProblem]: ...
    def __getitem__(self, index: int | slice) -> RowProblem | Sequence[RowProblem]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError("row problem index out of range")
        entry = bisect_right(self._ends, position)
        before = self._ends[entry - 1] if entry else 0
        return RowProblem(self._starts[entry] + position - before, self._reasons[self._which[entry]])

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RowProblems | list | tuple):
            return len(self) == len(other) and all(map(eq, self, other))
        return NotImplemented

    def __repr__(self) -> str:
        return f"<RowProblems: {len(self)} rows>"

    def ordered(self) -> RowProblems:
        """Return an independent copy of what is known now, by row number."""
        other = RowProblems()
        entries = zip(self._starts, (0, *self._ends[:-1]), self._ends, self._which, strict=False)
        for start, before, end, which in sorted(entries):
            other._add(start, start + end - before, self._reasons[which])
        return other


@frozen(kw_only=True)
class BulkResult:
    """What became of every row of a bulk send.

    Each row read is in exactly one place: the accepted, the rejected or the opted-out count, or one of the three lists.

    Attributes:
        message_id: the id all chunks share; 0 when nothing was accepted, the last one with `group=False`.
        accepted: recipients the provider took.
        rejected: recipients it did not take: repeated, or not a correct number. It does not say which.
        opted_out: recipients left out because they had opted out when their request was about to leave.
        invalid: rows refused here, before anything left, each with its reason; repeated phones among them.
        failed: rows certainly not sent, each with its reason.
        unknown: rows that may have been sent: the request left and no readable answer came.
        credits_used: the sum of what the replies named.
        credits_left: what the newest reply named; None when none did.
        rows: rows read from the input. After a cancellation the rest was not read, so nothing of it was sent.
        requests: requests that sent something.
        stopped: why the send ended before its end, or None.
    """

    message_id: int = 0
    accepted: int = 0
    rejected: int = 0
    opted_out: int = 0
    invalid: Sequence[RowProblem] = ()
    failed: Sequence[RowProblem] = ()
    unknown: Sequence[RowProblem] = ()
    credits_used: Decimal = Decimal(0)
    credits_left: Decimal | None = None
    rows: int = 0
    requests: int = 0
    stopped: BaseException | None = None

    @property
    def all_sent(self) -> bool:
        """Whether every row read was accepted, and every row was read."""
        return self.accepted == self.rows and self.stopped is None

    def raise_if_stopped(self) -> None:
        """Raise what stopped the send before its end, if anything did.

        Raises:
            MensatekError: such as `InsufficientCredits` or `AuthenticationError`.
        """
        if self.stopped is not None:
            raise self.stopped


@frozen(kw_only=True)
class BulkProgress:
    """How far a bulk send is.

    Attributes:
        rows: rows read so far.
        total: rows in all, when the input knows its length.
        accepted: recipients taken by the provider.
        rejected: recipients the provider did not take.
        opted_out: recipients left out because they had opted out.
        invalid: rows refused here.
        failed: rows certainly not sent.
        unknown: rows that may have been sent.
        credits_used: what it has cost so far.
        credits_left: what remains; None when unknown yet.
        elapsed: seconds since the start.
    """

    rows: int
    total: int | None
    accepted: int
    rejected: int
    invalid: int
    failed: int
    unknown: int
    credits_used: Decimal
    credits_left: Decimal | None
    elapsed: float
    opted_out: int = 0

    @property
    def settled(self) -> int:
        """Rows whose outcome is known or known to be unknown."""
        return self.accepted + self.rejected + self.opted_out + self.invalid + self.failed + self.unknown

    @property
    def rate(self) -> float:
        """Recipients accepted a second."""
        return self.accepted / self.elapsed if self.elapsed > 0 else 0.0


@frozen(kw_only=True)
class ChunkOutcome:
    """What became of one request of a bulk send, with the rows refused on the way to it.

    Attributes:
        status: "sent" (the provider answered), "failed" (certainly not sent), "unknown" (it may have been), or
            "invalid" (no request: only rows refused or left out here).
        rows: the numbers of the rows in the request.
        recipients: the recipients in the request, phones in international digits; empty for rows never sent.
        accepted: recipients the provider took.
        rejected: recipients it did not take.
        opted_out: the numbers of the rows left out of the request because their recipients had opted out.
        invalid: rows refused here since the outcome before.
        message_id: the message's id, 0 when there is none.
        segments: texts charged; None when the reply did not say.
        credits_used: what it cost; None when the reply did not say.
        credits_left: what remains in the account; None when the reply did not say.
        attempts: how often the request was tried.
        error: why it failed or is unknown.
    """

    status: Literal["sent", "failed", "unknown", "invalid"]
    rows: Sequence[int] = ()
    recipients: Sequence[Recipient] = field(default=(), repr=False)
    accepted: int = 0
    rejected: int = 0
    opted_out: Sequence[int] = ()
    invalid: Sequence[RowProblem] = ()
    message_id: int = 0
    segments: int | None = None
    credits_used: Decimal | None = None
    credits_left: Decimal | None = None
    attempts: int = 0
    error: MensatekError | None = None
