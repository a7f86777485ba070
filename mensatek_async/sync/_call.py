"""One call from the caller's thread into the loop: waiting, its errands (such as reading rows), interruptions."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import anyio
import sniffio

from .._core.call_state import InFlightShield, in_flight_shield
from ..bulk.outcomes import attach
from ..errors import ConfigurationError, MensatekError, OutcomeUnknown
from ..loop_thread import Portal, spawn
from ..models.bulk import BulkResult
from ..warning import MensatekAsyncUsageWarning, calling_thread, warn

T = TypeVar("T")

_PATIENCE = 5.0  # seconds beyond the grace that an interrupted call is given to end
_TICK = 0.1  # on Windows nothing interrupts a wait without end


class CallerQueue:
    """Where work in the loop leaves errands for the thread that waits for it."""

    def __init__(self) -> None:
        self.bell: SimpleQueue[None] = SimpleQueue()
        # Threads may share a stream; one of them waits at a time.
        self.turn: threading.RLock = threading.RLock()
        self._errands: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()

    async def ask(self, errand: Callable[[], T]) -> T:
        """Have the waiting thread call a function; gives what it returns, raises what it raises."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._errands.append((errand, answer))
        self.bell.put(None)
        value, error = await answer
        if error is not None:
            raise error
        result: T = value
        return result

    def serve(self) -> None:
        """Run the errands that wait. In the calling thread."""
        while self._errands:
            errand, answer = self._errands.popleft()
            if answer.done():
                continue
            try:
                outcome: tuple[Any, Exception | None] = errand(), None
            except Exception as error:
                outcome = None, error
            answer.get_loop().call_soon_threadsafe(_settle, answer, outcome)


def _settle(answer: asyncio.Future[Any], outcome: tuple[Any, Exception | None]) -> None:
    if not answer.done():
        answer.set_result(outcome)


queue_of_this_call: contextvars.ContextVar[CallerQueue] = contextvars.ContextVar("queue_of_this_call")


async def ask_caller(errand: Callable[[], T]) -> T:
    """Have the thread that called the client call a function, from work in the loop."""
    return await queue_of_this_call.get().ask(errand)


class Call(Generic[T]):
    """One piece of work in the loop, and the thread that waits for its end."""

    def __init__(
        self, here: Portal, work: Coroutine[Any, Any, T], *, grace: float, queue: CallerQueue | None = None
    ) -> None:
        self._portal = here
        self._work = work
        self._grace = grace
        self._alone = queue is None  # what became of a stream is said when its block ends
        self._queue = queue or CallerQueue()
        self._shield = InFlightShield()
        self._scope: anyio.CancelScope | None = None
        self._cancelled = False
        self._done = False
        self._values: list[T] = []
        self._error: BaseException | None = None
        self._context = contextvars.copy_context()
        self._context.run(queue_of_this_call.set, self._queue)
        self._context.run(in_flight_shield.set, self._shield)
        self._context.run(calling_thread.set, threading.get_ident())

    # --- in the calling thread ------------------------------------------------------------------------------

    def result(self, lost: Callable[[T], object] | None = None) -> T:
        """Start the work and wait for its end, running its errands; return what it returns, or raise what it raises.

        Args:
            lost: gets the work's value when an interruption keeps it from being returned.
        """
        error = self._wait(lost)
        if error is None:
            return self._values[0]
        raise error  # the same object, with its cause

    def _wait(self, lost: Callable[[T], object] | None) -> BaseException | None:
        _warn_in_async_code(self._portal.loop)
        queue = self._queue
        with queue.turn:
            try:
                self._portal.loop.call_soon_threadsafe(self._start)
                while not self._done:
                    self._ring()
                    queue.serve()
                    if not self._portal.is_here:
                        raise ConfigurationError(
                            "The process forked while the client ran its rows or callback."
                        )
            except BaseException as reason:
                self._abandon(reason)
                if lost is not None and self._values:
                    lost(self._values[0])
                raise
        error, self._error = self._error, None
        if error is not None and error.__traceback__ is not None:
            # Without the frame of `_run`, which tells nobody anything.
            error.__traceback__ = error.__traceback__.tb_next
        return error

    def _ring(self) -> None:
        if sys.platform == "win32":
            with suppress(Empty):
                self._queue.bell.get(timeout=_TICK)
        else:
            self._queue.bell.get()

    def _abandon(self, reason: BaseException) -> None:
        """Cancel the work and wait for its end, however impatient the user is."""
        limit = time.monotonic() + self._grace + _PATIENCE
        cancelling = False
        while not self._done and self._portal.is_here and time.monotonic() < limit:
            with suppress(BaseException):  # a second Ctrl-C changes nothing: the end is near
                if not cancelling:
                    self._portal.loop.call_soon_threadsafe(self._cancel)
                    cancelling = True
                self._queue.bell.get(timeout=0.05)
        if self._portal.is_here and self._alone:
            self._report(reason)

    def _report(self, reason: BaseException) -> None:
        """Let the interruption tell what became of the call: in a note, and in attributes."""
        value = self._values[0] if self._values else None
        result = value if isinstance(value, BulkResult) else getattr(self._error, "bulk_result", None)
        if not self._done:
            reason.add_note("the call did not end in time: it may still run, and send")
        elif result is not None:
            attach(reason, result)
        elif isinstance(self._error, MensatekError):
            _remember(reason, "call_error", self._error)
            reason.add_note(f"the interrupted call: {self._error}")
        elif self._values:
            _remember(reason, "call_result", value)
            reason.add_note("the interrupted call had ended: see this exception's call_result")
        elif self._shield.lost:  # and its repeat was given up
            self._error = OutcomeUnknown("The interrupted call", "no answer came in time")
            self._report(reason)
        elif isinstance(self._error, asyncio.CancelledError) or self._error is None:
            reason.add_note("the interrupted call did nothing more: what it had not sent was not sent")

    # --- in the loop's thread -------------------------------------------------------------------------------

    def _start(self) -> None:
        self._task = self._portal.loop.create_task(self._run(), context=self._context)

    def _cancel(self) -> None:
        self._cancelled = True
        if hasattr(self, "_task"):
            spawn(self._stop())
        else:
            self._work.close()
            self._finish()

    async def _stop(self) -> None:
        self._shield.release_in(self._grace)
        if self._scope is not None:
            self._scope.cancel()

    def _finish(self) -> None:
        self._done = True
        self._queue.bell.put(None)

    async def _run(self) -> None:
        try:
            with anyio.CancelScope() as scope:
                self._scope = scope
                if self._cancelled:
                    scope.cancel()
                try:
                    self._values.append(await self._work)
                except BaseException as error:
                    # Shipped as a value: a SystemExit that left the task would end the loop for everybody.
                    self._error = error
                    if isinstance(error, asyncio.CancelledError):
                        raise
        finally:
            self._finish()


def _remember(error: BaseException, name: str, value: object) -> None:
    with suppress(AttributeError):
        setattr(error, name, value)


def _warn_in_async_code(own: asyncio.AbstractEventLoop) -> None:
    """Warn, once a call site, when the calling thread runs an event loop other than the client's own."""
    loop = asyncio._get_running_loop()
    if (loop is None or loop is own) and sniffio.thread_local.name is None:
        return
    shell = sys.modules.get("IPython")
    if shell is not None and shell.get_ipython() is not None:
        return  # a notebook has a running loop, and nobody waits for it
    warn(
        "Mensatek was called in asynchronous code and holds up its event loop; use AsyncMensatek there, or call it in "
        "a thread (asyncio.to_thread).",
        MensatekAsyncUsageWarning,
    )
