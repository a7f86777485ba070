"""One event loop in a daemon thread of its own, for all synchronous clients of a process.

The only file of the package that knows of threads. A thread that calls the client hands its work to the loop and
waits; meanwhile it runs the errands that the work leaves for it, such as reading the caller's rows.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import anyio

from .._core.trace import Flights, landing
from ..bulk.engine import attach
from ..errors import ConfigurationError, MensatekError
from ..models.bulk import BulkResult
from ._usage import warn_in_async_code

T = TypeVar("T")

_PATIENCE = 5.0  # seconds beyond the grace that an interrupted call is given to end
_TICK = 0.1  # on Windows nothing interrupts a wait without end
_MAIN_THREADS_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2")


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that lasts as long as its process, and is silent in another one."""

    def __init__(self) -> None:
        super().__init__()
        self._home = os.getpid()

    def __del__(self) -> None:  # not closed on purpose: it ends with the process
        pass

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        # After a fork the parent's tasks are in the child's memory too, and never end there.
        if os.getpid() == self._home and not sys.is_finalizing():
            super().call_exception_handler(context)


class Portal:
    """The event loop and its thread."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = _Loop()
        self._thread = threading.Thread(target=self._serve, name="mensatek-async", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise ConfigurationError(
                "The interpreter is ending: no thread can be started for the client any more.",
                advice="Make the call before, or any call earlier, which starts the thread.",
            ) from error

    def _serve(self) -> None:
        # Python's handlers run in the main thread, which only wakes up for a signal that the system gave to it.
        if hasattr(signal, "pthread_sigmask"):
            own = {getattr(signal, name) for name in _MAIN_THREADS_SIGNALS if hasattr(signal, name)}
            signal.pthread_sigmask(signal.SIG_BLOCK, own)
        while True:
            # A task that raises SystemExit ends `run_forever`; the others must go on.
            with suppress(KeyboardInterrupt, SystemExit):
                contextvars.Context().run(self.loop.run_forever)

    @property
    def is_here(self) -> bool:
        """Whether it was made in this process, not in one that forked since."""
        return self.pid == os.getpid()

    @property
    def is_caller(self) -> bool:
        """Whether the code that asks runs in the loop's own thread."""
        return threading.get_ident() == self._thread.ident

    def finish(self, work: Coroutine[Any, Any, object], seconds: float) -> None:
        """Run something to its end, for so long at most; what it raises is nobody's business."""
        done = asyncio.run_coroutine_threadsafe(work, self.loop)
        with suppress(Exception, NotInTime):
            done.result(seconds)

    def leave(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something without waiting; safe where a garbage collector calls."""
        self.loop.call_soon_threadsafe(lambda: spawn(work))


_portal: Portal | None = None
_lock = threading.Lock()
_of_the_parent: list[Portal] = []
_running: set[asyncio.Task[Any]] = set()


def portal() -> Portal:
    """This process's portal, started at its first use.

    Raises:
        ConfigurationError: called in the loop's own thread, or while the interpreter ends.
    """
    global _portal
    here = _portal
    if here is None or not here.is_here:
        with _lock:
            here = _portal
            if here is None or not here.is_here:
                here = _portal = Portal()
    if here.is_caller:
        raise ConfigurationError(
            "The synchronous client was called in the thread of its own event loop, which would wait for itself.",
            advice="Use AsyncMensatek there, or call it in a thread: anyio.to_thread.run_sync.",
        )
    if sys.is_finalizing():
        raise ConfigurationError("The interpreter is ending: no call can be made any more.")
    return here


def _forget_the_parent() -> None:
    """A child has the parent's memory but not its threads: nothing of the loop may be used, or freed, here."""
    global _portal, _lock
    if _portal is not None:
        _of_the_parent.append(_portal)
    _portal, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_the_parent)


def spawn(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task in the running loop, and hold on to it."""
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


class Desk:
    """Where work in the loop leaves errands for the thread that waits for it."""

    def __init__(self) -> None:
        self.bell: SimpleQueue[None] = SimpleQueue()
        # Threads may share a stream; one of them waits at a time.
        self.turn = threading.RLock()
        self._errands: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()

    async def ask(self, errand: Callable[[], T]) -> T:
        """Have the waiting thread call a function; gives what it returns, raises what it raises."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._errands.append((errand, answer))
        self.bell.put(None)
        value, error = await answer
        if error is not None:
            raise error
        found: T = value
        return found

    def serve(self) -> None:
        """Run the errands that wait. In the calling thread."""
        while self._errands:
            errand, answer = self._errands.popleft()
            if answer.done():
                continue
            try:
                told: tuple[Any, Exception | None] = errand(), None
            except Exception as error:
                told = None, error
            answer.get_loop().call_soon_threadsafe(_settle, answer, told)


def _settle(answer: asyncio.Future[Any], told: tuple[Any, Exception | None]) -> None:
    if not answer.done():
        answer.set_result(told)


_desk: contextvars.ContextVar[Desk] = contextvars.ContextVar("desk")


async def ask_caller(errand: Callable[[], T]) -> T:
    """Have the thread that called the client call a function, from work in the loop."""
    return await _desk.get().ask(errand)


class Call(Generic[T]):
    """One piece of work in the loop, and the thread that waits for its end."""

    def __init__(
        self, here: Portal, work: Coroutine[Any, Any, T], *, grace: float, desk: Desk | None = None
    ) -> None:
        self._portal = here
        self._work = work
        self._grace = grace
        self._alone = desk is None  # what belongs to a stream is told when its block ends
        self._desk = desk or Desk()
        self._flights = Flights()
        self._scope: anyio.CancelScope | None = None
        self._cancelled = False
        self._done = False
        self._values: list[T] = []
        self._error: BaseException | None = None
        self._context = contextvars.copy_context()
        self._context.run(_desk.set, self._desk)
        self._context.run(landing.set, self._flights)

    # --- in the calling thread ------------------------------------------------------------------------------

    def wait(self, lost: Callable[[T], object] | None = None) -> BaseException | None:
        """Start the work and wait for its end, running its errands.

        Returns:
            What it raised, for the caller to raise: the same object, with its cause. None when it gave a `value`.

        Args:
            lost: gets the work's value when an interruption keeps it from being returned.
        """
        warn_in_async_code(self._portal.loop)
        desk = self._desk
        with desk.turn:
            try:
                self._portal.loop.call_soon_threadsafe(self._start)
                while not self._done:
                    self._ring()
                    desk.serve()
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

    @property
    def value(self) -> T:
        """What the work returned."""
        return self._values[0]

    def _ring(self) -> None:
        if sys.platform == "win32":
            with suppress(Empty):
                self._desk.bell.get(timeout=_TICK)
        else:
            self._desk.bell.get()

    def _abandon(self, reason: BaseException) -> None:
        """Cancel the work and wait for its end, however impatient the user is."""
        limit = time.monotonic() + self._grace + _PATIENCE
        told = False
        while not self._done and self._portal.is_here and time.monotonic() < limit:
            with suppress(BaseException):  # a second Ctrl-C changes nothing: the end is near
                if not told:
                    self._portal.loop.call_soon_threadsafe(self._cancel)
                    told = True
                self._desk.bell.get(timeout=0.05)
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
        elif self._flights.lost:
            reason.add_note(
                "the interrupted call had left and got no answer: it may or may not have been done"
            )
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
        self._flights.land(self._grace)
        if self._scope is not None:
            self._scope.cancel()

    def _finish(self) -> None:
        self._done = True
        self._desk.bell.put(None)

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
