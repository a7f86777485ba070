"""Streams: an asynchronous context manager held open in the loop, while the caller's thread is inside its block."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

import anyio

from ..bulk.outcomes import attach
from ..errors import ConfigurationError
from ..loop_thread import Portal, spawn
from ..models.bulk import BulkResult
from ._call import Call, CallerQueue

T = TypeVar("T")
A = TypeVar("A")  # an asynchronous class
S = TypeVar("S")  # its synchronous twin


class Line:
    """Several calls that belong together and share one queue: what the first leaves there, the next one finds."""

    def __init__(self, here: Portal, grace: float) -> None:
        self.portal = here
        self.ended = False
        self._grace = grace
        self._queue = CallerQueue()

    def run(self, work: Coroutine[Any, Any, T], lost: Callable[[T], object] | None = None) -> T:
        """Run one call to its end."""
        if not self.portal.is_here or self.portal.is_caller:
            work.close()
            raise ConfigurationError(
                "A stream belongs to the process and the threads that opened it.",
                advice="Open one in each process.",
            )
        return Call(self.portal, work, grace=self._grace, queue=self._queue).result(lost)


class Managed(AbstractContextManager[S], Generic[A, S]):
    """Enters and leaves an asynchronous context manager in one task, as its cancel scopes want it."""

    def __init__(
        self,
        line: Callable[[], Line],
        manager: AbstractAsyncContextManager[A],
        twin: Callable[[A, Line], S],
    ) -> None:
        self._new_line = line
        self._manager = manager
        self._twin = twin
        self._given: list[A] = []
        self._reason: Exception | None = None
        self._failure: BaseException | None = None

    # --- in the calling thread ------------------------------------------------------------------------------

    def __enter__(self) -> S:
        self._line = self._new_line()
        try:
            return self._twin(self._line.run(self._begin()), self._line)
        except BaseException:
            with suppress(Exception):
                self._line.run(self._end(None))  # a Ctrl-C may have come when it was open already
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        line = self._line
        if not line.portal.is_here:
            return False  # a child that was forked inside the block: the work is the parent's
        if line.portal.is_caller:  # a generator that held the block open was collected there, of all places
            self._leave.set()
            return False
        # Only what is no interruption may pass through the loop: the others would end it.
        interrupted = error is not None and not isinstance(error, Exception)
        reason = error if isinstance(error, Exception) else self._stand_in(interrupted)
        try:
            line.run(self._end(reason))
        except BaseException as another:
            self._tell(another)
            raise
        finally:
            line.ended = True
            if error is not None:
                error.__traceback__ = trace  # without what passing through the loop added
                if interrupted:
                    self._tell(error)
        if error is None and self._failure is not None:
            raise self._failure
        if reason is None or interrupted or self._failure is error:
            return False
        if self._failure is None:
            return True
        raise self._failure

    def _stand_in(self, interrupted: bool) -> Exception | None:
        """What leaves the block in the loop, in place of an interruption."""
        return None

    def _tell(self, interruption: BaseException) -> None:
        for given in self._given:
            result = getattr(given, "result", None)
            if isinstance(result, BulkResult):
                attach(interruption, result)

    # --- in the loop's thread -------------------------------------------------------------------------------

    async def _begin(self) -> A:
        self._entered, self._leave, self._left = anyio.Event(), anyio.Event(), anyio.Event()
        spawn(self._hold())
        await self._entered.wait()
        if self._failure is not None:
            raise self._failure
        return self._given[0]

    async def _hold(self) -> None:
        try:
            async with self._manager as given:
                self._given.append(given)
                self._entered.set()
                await self._leave.wait()
                if self._reason is not None:
                    raise self._reason
        except BaseException as error:
            # Kept for the caller's thread; an interruption that left the task would end the loop for everybody.
            self._failure = error
        finally:
            self._entered.set()
            self._left.set()

    async def _end(self, reason: Exception | None) -> None:
        if not hasattr(self, "_leave"):
            return  # it never began
        with anyio.CancelScope(shield=True):  # an interruption waits too, for as long as the grace lasts
            self._reason = self._reason or reason
            self._leave.set()
            await self._left.wait()


class Stream(Generic[A]):
    """A synchronous stream over an asynchronous one."""

    def __init__(self, original: A, line: Line) -> None:
        self._original = original
        self._line = line

    def _next(self, receive: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return one item; it is not lost when an interruption comes in between."""
        ahead: deque[T] = getattr(self._original, "_ahead", deque())
        read_ahead = getattr(self._original, "_read_ahead", bool)

        async def some() -> T:
            item = await receive()
            read_ahead()
            return item

        if self._line.portal.is_here and not self._line.ended:
            with suppress(IndexError):  # another thread may take the last one
                return ahead.popleft()
        try:
            return self._line.run(some(), lost=ahead.appendleft)
        except StopAsyncIteration:
            raise StopIteration from None

    def _look(self, see: Callable[[], T]) -> T:
        """Look at the original where it is worked on, so that nothing changes meanwhile."""
        if self._line.ended or not self._line.portal.is_here or self._line.portal.is_caller:
            return see()

        async def look() -> T:
            return see()

        return self._line.run(look())
