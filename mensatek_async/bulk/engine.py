"""Runs a bulk send: an opener, then a fixed number of workers on one stream of chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from inspect import isawaitable

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectSendStream

from .._core.call_state import CallState, InFlightShield
from .._core.context import Context
from .._core.limits.slow_start import start_slowly
from .._core.messages.message import Message, send_request
from .._core.operations import bounded
from ..errors import (
    APIError,
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    InsufficientCredits,
    Interrupted,
    InvalidRequest,
    MensatekError,
    OutcomeUnknown,
    Refused,
    StoreError,
    UnexpectedReply,
)
from ..models.bulk import BulkResult, ChunkOutcome
from ..models.results import SendResult
from ..opt_outs.opt_outs import OptOuts
from .budget import CreditBudget
from .chunks import Chunk, Chunker
from .outcomes import BulkStream, ProgressCallback, Tally, attach, sent, unsent
from .reader import ChunkReader
from .seen import SeenPhones

# The account itself is refused, or every further call would be.
_ENDING = (AuthenticationError, InsufficientCredits, Refused, ConfigurationError)
_MOST_FAILED = 3  # requests in a row that failed, after all their repeats
_MOST_UNKNOWN_OPENERS = 8  # openers in a row whose answer was lost
_MOST_REJECTED_OPENERS = 10  # openers in a row whose phone the provider did not take


class Engine:
    """One bulk send. Its parts share one event loop, so nothing here needs a lock but the reading of rows."""

    def __init__(
        self,
        context: Context,
        message: Message,
        recipients: object,
        most: int,
        group: bool,
        check_credits: bool,
        chunk_size: int | None,
        concurrency: int | None,
        on_progress: ProgressCallback | None,
        opt_outs: OptOuts | None = None,
    ) -> None:
        self._context = context
        self._message = message
        self._operation = message.operation.name
        self._size = bounded("chunk_size", chunk_size, most)
        self._workers = bounded("concurrency", concurrency, context.limits.concurrency)
        self._grouped = group and context.assume_grouping and not message.joined
        self._check_credits = check_credits
        self._on_progress = on_progress
        if opt_outs is not None and not isinstance(opt_outs, OptOuts):
            raise InvalidRequest(f"opt_outs is an OptOuts, not {type(opt_outs).__name__}.")
        self._opt_outs = opt_outs
        self._chunker = Chunker(message, SeenPhones())
        self._source = ChunkReader(recipients, self._chunker)
        self._join: int | None = None
        self._failures = 0
        self._cut = False  # ended from outside, before its end
        self._lost = False  # with rows that were read and not sent

    # --- the two ways to use it -----------------------------------------------------------------------------

    async def run_to_end(self) -> BulkResult:
        """Run, and give the result; an exception that ends it carries the result so far."""
        outcomes: BulkStream | None = None
        try:
            async with self.stream() as outcomes:
                async for _ in outcomes:
                    pass
        except BaseException as error:
            if outcomes is not None:
                attach(error, outcomes.result)
            raise
        return outcomes.result

    @asynccontextmanager
    async def stream(self) -> AsyncIterator[BulkStream]:
        """Run while the block lasts; leaving it stops the run, and no exception group leaves it."""
        self._tally = Tally(self._source.total, self._workers)
        self._budget = CreditBudget(self._operation)
        self._shield = InFlightShield()
        self._reading = anyio.Lock()
        send, receive = anyio.create_memory_object_stream[ChunkOutcome](self._workers)
        self._stream = BulkStream(receive, self._tally, lambda: self._source.rows)
        cancelled = anyio.get_cancelled_exc_class()
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._run, send)
                try:
                    yield self._stream
                except (cancelled, GeneratorExit):
                    raise
                except BaseException as error:
                    failure = error
                group.cancel_scope.cancel()
        finally:
            self._stream._final = self._tally.progress(self._source.rows)
            self._stream._close()
        if failure is None:
            failure = self._stream._take_error()
        if failure is not None:
            raise failure

    # --- the run --------------------------------------------------------------------------------------------

    async def _run(self, out: MemoryObjectSendStream[ChunkOutcome]) -> None:
        self._out = out
        async with out:
            try:
                async with anyio.create_task_group() as group:
                    group.start_soon(self._watch)
                    await self._guarded(self._source.look, self._message)
                    await self._guarded(self._open_message)
                    async with anyio.create_task_group() as workers:
                        start_slowly(workers, partial(self._guarded, self._send_all), self._workers)
                    await self._guarded(self._account_for_the_rest)
                    group.cancel_scope.cancel()
            except BaseException:
                self._cut = True
                raise
            finally:
                self._leave_unsent()
                with suppress(Exception), anyio.move_on_after(1, shield=True):
                    await self._source.aclose()

    async def _watch(self) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            self._shield.release_in(self._context.timeout.grace)

    async def _guarded(self, part: Callable[..., Awaitable[None]], *given: object) -> None:
        # What the user's rows or callback raise ends the send, after what is on its way has been answered.
        try:
            await part(*given)
        except Exception as error:
            self._stop(error)
            self._stream._error = self._stream._error or error

    async def _open_message(self) -> None:
        """Send one recipient at a time until one is accepted, whose message all others join.

        Only this request cannot be repeated, so a lost answer costs the certainty of one recipient, not of a chunk.
        """
        unknown = rejected = 0
        while self._grouped and not self._join and not self._stopped:
            chunk = await self._next(1)
            if chunk is None:
                return
            outcome = await self._send(chunk)
            if outcome.status == "unknown":
                unknown += 1
                if unknown >= _MOST_UNKNOWN_OPENERS:
                    self._stop(outcome.error)
            elif outcome.status == "sent":
                unknown = 0
                if outcome.accepted and outcome.message_id:
                    self._join = outcome.message_id
                elif outcome.accepted:
                    self._stop(_no_id(self._operation))
                else:
                    rejected += 1
                    await self._rest_after(rejected)

    async def _rest_after(self, rejected: int) -> None:
        """Calls that send nothing must not come quickly, nor without end."""
        if rejected >= _MOST_REJECTED_OPENERS:
            reason = f"the first {rejected} recipients were all rejected"
            self._stop(APIError(self._operation, None, reason))
        await anyio.sleep(min(0.05 * rejected, 1.0))

    async def _send_all(self, accepted: Callable[[], None]) -> None:
        while not self._stopped and (chunk := await self._next(self._size)):
            if (await self._send(chunk)).status == "sent":
                accepted()

    async def _next(self, size: int) -> Chunk | None:
        async with self._reading:
            return None if self._stopped else await self._source.next(size)

    async def _send(self, chunk: Chunk) -> ChunkOutcome:
        """Send one chunk and record what became of it, whatever happens."""
        if not chunk.rows:
            return await self._settle(ChunkOutcome(status="invalid", invalid=chunk.invalid))
        state = CallState(shield=self._shield, bulk=True, area="bulk")
        try:
            outcome = await self._outcome_of(chunk, state)
        except BaseException:
            # Cancelled: what left without an answer may have been sent, the rest certainly was not.
            lost = state.maybe_done
            error = (
                OutcomeUnknown(self._operation, "cancelled before its answer came") if lost else self._reason
            )
            self._record(unsent(chunk, "unknown" if lost else "failed", state, error))
            self._lost = True
            raise
        return await self._settle(outcome)

    async def _outcome_of(self, chunk: Chunk, state: CallState) -> ChunkOutcome:
        if self._check_credits and not self._stopped:
            self._stop(await self._budget.afford(chunk.segments, lambda: self._tally.credits_left))
        if self._opt_outs is not None and not self._stopped:
            await self._leave_out(chunk, self._opt_outs)
            if not chunk.rows:
                return ChunkOutcome(status="invalid", invalid=chunk.invalid, opted_out=chunk.opted_out)
        if self._stopped:
            return unsent(chunk, "failed", state, self._reason)
        try:
            result = await self._post(chunk, state)
        except MensatekError as error:
            self._judge(error)
            return unsent(chunk, "unknown" if isinstance(error, OutcomeUnknown) else "failed", state, error)
        self._failures = 0
        return sent(chunk, state, result)

    async def _leave_out(self, chunk: Chunk, opt_outs: OptOuts) -> None:
        """Leave out who has opted out by now; where nobody can look that up, nothing more is sent."""
        try:
            chunk.leave_out(await opt_outs.among(chunk.wire.phones))
        except StoreError as error:
            self._stop(error)

    async def _post(self, chunk: Chunk, state: CallState) -> SendResult:
        reserved = self._budget.start(chunk.segments)
        try:
            result = await send_request(
                self._context, self._message, chunk.wire, chunk.unicode, state, self._join
            )
        finally:
            self._budget.end(reserved)
        self._budget.learn(result, chunk.segments, len(chunk.rows))
        return result

    # --- recording ------------------------------------------------------------------------------------------

    @property
    def _stopped(self) -> bool:
        return self._tally.stopped is not None

    @property
    def _reason(self) -> MensatekError:
        stopped = self._tally.stopped
        if isinstance(stopped, MensatekError):
            return stopped
        name = type(stopped).__name__
        return Interrupted(f"{name} ended the send." if stopped is not None else "The send was cancelled.")

    def _stop(self, reason: BaseException | None) -> None:
        if self._tally.stopped is None and reason is not None:
            self._tally.stopped = reason

    def _judge(self, error: MensatekError) -> None:
        """Decide whether a failure ends the whole send."""
        cause = error.__cause__ if isinstance(error, OutcomeUnknown) else error
        if isinstance(cause, _ENDING) or (isinstance(cause, ConnectionFailed) and not self._tally.requests):
            self._stop(cause)
            return
        if isinstance(error, OutcomeUnknown) and self._join is None and self._grouped:
            return  # openers are counted where they are sent
        self._failures += 1
        if self._failures >= _MOST_FAILED:
            self._stop(error)

    def _record(self, outcome: ChunkOutcome) -> None:
        """Count an outcome that cannot be handed out now."""
        self._tally.add(outcome)
        self._stream._undelivered.append(outcome)

    async def _settle(self, outcome: ChunkOutcome) -> ChunkOutcome:
        self._tally.add(outcome)
        try:
            if self._on_progress is not None:
                pending = self._on_progress(self._tally.progress(self._source.rows))
                if isawaitable(pending):
                    await pending
            await self._out.send(outcome)
        except BaseException:
            self._stream._undelivered.append(outcome)
            raise
        return outcome

    async def _account_for_the_rest(self) -> None:
        """After a refusal, name every row that was not sent; after anything else the rows are not read further."""
        if not isinstance(self._tally.stopped, MensatekError):
            return
        while chunk := self._chunker.flush():
            await self._settle(unsent(chunk, "failed", CallState(), self._reason))
        while True:
            rows, recipients = await self._source.unsent(self._size)
            if not rows:
                return
            await self._settle(
                ChunkOutcome(status="failed", rows=rows, recipients=recipients, error=self._reason)
            )
            await anyio.lowlevel.checkpoint()

    def _leave_unsent(self) -> None:
        """Name the rows read but never sent, when the run ends before its end."""
        while chunk := self._source.rest():
            self._record(unsent(chunk, "failed", CallState(), self._reason))
            self._lost = True
        if self._cut and (self._lost or not self._source.ended):
            self._stop(self._reason)


def _no_id(operation: str) -> UnexpectedReply:
    error = UnexpectedReply(operation, ("missing @ idMensaje",))
    error.args = (
        f"{operation}: the first answer named no message that the other requests could join to be repeatable.",
    )
    error.advice = "group=False sends them as messages of their own, without repeats."
    return error
