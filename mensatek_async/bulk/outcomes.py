"""Adds up what became of the rows, and hands the outcomes out."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import anyio

from .._core.call_state import CallState
from ..errors import MensatekError
from ..models.bulk import BulkProgress, BulkResult, ChunkOutcome, RowProblems
from ..models.results import SendResult
from ..tracebacks import hide_frames
from .chunks import Chunk

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream

ProgressCallback = Callable[[BulkProgress], Awaitable[None] | None]


class Tally:
    """The running account of one bulk send. Everything is recorded here before it is handed out."""

    def __init__(self, total: int | None, concurrency: int) -> None:
        self.total: int | None = total
        self.started: float = anyio.current_time()
        self.message_id: int = 0
        self.accepted: int = 0
        self.rejected: int = 0
        self.opted_out: int = 0
        self.requests: int = 0
        self.credits_used: Decimal = Decimal(0)
        self.invalid: RowProblems = RowProblems()
        self.failed: RowProblems = RowProblems()
        self.unknown: RowProblems = RowProblems()
        self.stopped: BaseException | None = None
        # Replies overtake each other, and credits only fall while a send runs: the lowest of the last few is newest.
        self._credits: deque[Decimal] = deque(maxlen=concurrency)

    @property
    def credits_left(self) -> Decimal | None:
        """What remains in the account; None when no reply said."""
        return min(self._credits, default=None)

    def add(self, outcome: ChunkOutcome) -> None:
        self.opted_out += len(outcome.opted_out)
        for one in outcome.invalid:
            self.invalid._add(one.row, one.row + 1, one.reason, "refused; see the first rows' reasons")
        if outcome.status == "sent":
            self.requests += 1
            self.accepted += outcome.accepted
            self.rejected += outcome.rejected
            self.message_id = outcome.message_id or self.message_id
            if outcome.credits_used is not None:
                self.credits_used += outcome.credits_used
            if outcome.credits_left is not None:
                self._credits.append(outcome.credits_left)
        elif outcome.status == "unknown":
            self.requests += 1
            _add_rows(self.unknown, outcome.rows, f"may have been sent: {outcome.error}")
        elif outcome.status == "failed":
            _add_rows(self.failed, outcome.rows, f"not sent: {outcome.error}")

    def progress(self, rows: int) -> BulkProgress:
        return BulkProgress(
            rows=rows,
            total=self.total,
            accepted=self.accepted,
            rejected=self.rejected,
            opted_out=self.opted_out,
            invalid=len(self.invalid),
            failed=len(self.failed),
            unknown=len(self.unknown),
            credits_used=self.credits_used,
            credits_left=self.credits_left,
            elapsed=anyio.current_time() - self.started,
        )

    def result(self, rows: int) -> BulkResult:
        return BulkResult(
            message_id=self.message_id,
            accepted=self.accepted,
            rejected=self.rejected,
            opted_out=self.opted_out,
            invalid=self.invalid.ordered(),
            failed=self.failed.ordered(),
            unknown=self.unknown.ordered(),
            credits_used=self.credits_used,
            credits_left=self.credits_left,
            rows=rows,
            requests=self.requests,
            stopped=self.stopped,
        )


def _add_rows(problems: RowProblems, rows: Sequence[int], reason: str) -> None:
    for row in rows:
        problems._add(row, row + 1, reason)


def unsent(
    chunk: Chunk, status: Literal["failed", "unknown"], state: CallState, error: MensatekError
) -> ChunkOutcome:
    """The outcome of a chunk that was not sent, or whose answer was lost."""
    hide_frames(error)
    return ChunkOutcome(
        status=status if chunk.rows else "invalid",
        rows=chunk.rows,
        recipients=chunk.recipients,
        opted_out=chunk.opted_out,
        invalid=chunk.invalid,
        attempts=state.attempts,
        error=error,
    )


def sent(chunk: Chunk, state: CallState, result: SendResult) -> ChunkOutcome:
    """The outcome of a chunk that the provider answered."""
    return ChunkOutcome(
        status="sent",
        rows=chunk.rows,
        recipients=chunk.recipients,
        accepted=result.accepted,
        rejected=len(chunk.rows) - result.accepted,
        opted_out=chunk.opted_out,
        invalid=chunk.invalid,
        message_id=result.message_id,
        segments=result.segments,
        credits_used=result.credits_used,
        credits_left=result.credits_left,
        attempts=state.attempts,
    )


def attach(error: BaseException, result: BulkResult) -> None:
    """Let an exception that ends a bulk send say what became of its rows."""
    try:
        error.bulk_result = result  # type: ignore[attr-defined]
    except AttributeError:
        return
    error.add_note(
        f"bulk send: {result.accepted} accepted, {result.rejected} rejected, "
        f"{result.opted_out} opted out, {len(result.invalid)} invalid, "
        f"{len(result.failed)} not sent, {len(result.unknown)} unknown, of {result.rows} rows read; "
        "see this exception's bulk_result"
    )


class BulkStream:
    """The outcomes of a bulk send, in the order they come in: iterate over it for each `ChunkOutcome`.

    It stays readable when the block has ended or was cancelled: `result`, `progress` and `remaining()`.
    """

    def __init__(
        self, receive: MemoryObjectReceiveStream[ChunkOutcome], tally: Tally, rows: Callable[[], int]
    ) -> None:
        self._receive = receive
        self._tally = tally
        self._rows = rows
        self._ahead: deque[ChunkOutcome] = deque()
        self._undelivered: list[ChunkOutcome] = []
        self._error: BaseException | None = None
        self._final: BulkProgress | None = None

    @property
    def result(self) -> BulkResult:
        """What became of every row read so far; complete once the block has ended."""
        return self._tally.result(self._rows())

    @property
    def progress(self) -> BulkProgress:
        """The counts so far."""
        return self._final or self._tally.progress(self._rows())

    def remaining(self) -> list[ChunkOutcome]:
        """Outcomes nobody read, after the block was left early or cancelled; each is given once."""
        rest = [*self._ahead, *self._undelivered]
        self._ahead.clear()
        self._undelivered.clear()
        return rest

    def _read_ahead(self) -> None:
        """Take what waits already: a synchronous client hands it out without another turn through the loop."""
        with suppress(anyio.WouldBlock, anyio.EndOfStream, anyio.ClosedResourceError):
            while True:
                self._ahead.append(self._receive.receive_nowait())

    def _close(self) -> None:
        self._read_ahead()
        self._receive.close()

    def _take_error(self) -> BaseException | None:
        error, self._error = self._error, None
        if error is not None:
            hide_frames(error)
        return error

    def __aiter__(self) -> BulkStream:
        return self

    async def __anext__(self) -> ChunkOutcome:
        try:
            return await self._receive.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            error = self._take_error()
            if error is not None:
                raise error from None
            raise StopAsyncIteration from None
