"""One event loop in a daemon thread of its own, for all synchronous clients and WSGI webhooks of a process."""

from __future__ import annotations

import asyncio
import contextvars
import math
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Coroutine
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from typing import Any, TypeVar

from .errors import ConfigurationError

T = TypeVar("T")

_PAUSE = 2.0  # a fork waits no longer for the loop, nor the loop for a fork
_MAIN_THREADS_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM", "SIGUSR1", "SIGUSR2")


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that lasts as long as its process, and is silent in another one."""

    def __init__(self) -> None:
        super().__init__()
        self._home = os.getpid()
        # What takes long here holds nobody up, so nobody need hear of it.
        self.slow_callback_duration: float = math.inf

    def __del__(self) -> None:  # not closed on purpose: it ends with the process
        pass

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        # After a fork the parent's tasks are in the child's memory too, and never end there.
        if os.getpid() == self._home and not sys.is_finalizing():
            super().call_exception_handler(context)


class Portal:
    """The event loop and its thread."""

    def __init__(self) -> None:
        self.pid: int = os.getpid()
        self.loop: _Loop = _Loop()
        self._starter = threading.get_native_id()
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
        # Under gevent a thread is none, and its signals are the main thread's.
        if hasattr(signal, "pthread_sigmask") and threading.get_native_id() != self._starter:
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

    def pause(self) -> threading.Event:
        """Hold the loop between two steps, until the event that this returns is set."""
        paused, resume = threading.Event(), threading.Event()

        def hold() -> None:
            paused.set()
            resume.wait(_PAUSE)

        self.loop.call_soon_threadsafe(hold)
        paused.wait(_PAUSE)
        return resume

    def finish(self, work: Coroutine[Any, Any, object], seconds: float) -> None:
        """Run something to its end, for so long at most; what it raises is nobody's business."""
        done = asyncio.run_coroutine_threadsafe(work, self.loop)
        with suppress(Exception, NotInTime):
            done.result(seconds)

    def run(self, work: Awaitable[T]) -> T:
        """Wait in the calling thread for work in the loop: return its result, or raise what it raised.

        Raises:
            RuntimeError: the work tried to end the program, which would end the loop for everybody.
        """

        async def call() -> T:
            try:
                return await work
            except (KeyboardInterrupt, SystemExit) as error:
                raise RuntimeError("Work in the background tried to end the program") from error

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result()

    def leave(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something without waiting; safe where a garbage collector calls."""
        self.loop.call_soon_threadsafe(lambda: spawn(work))


_portal: Portal | None = None
_lock = threading.Lock()
_of_the_parent: list[Portal] = []
_pauses: dict[int, threading.Event] = {}
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


def _before_fork() -> None:
    # A child inherits locks, of imports above all, in the state they are in, and nobody there ever releases those
    # of the loop's thread. Between two steps of the loop it holds none.
    here = _portal
    if here is not None and here.is_here and not here.is_caller:
        _pauses[threading.get_ident()] = here.pause()


def _after_fork_in_parent() -> None:
    pause = _pauses.pop(threading.get_ident(), None)
    if pause is not None:
        pause.set()


def _after_fork_in_child() -> None:
    # The parent's memory is here but not its threads: nothing of the loop may be used, or freed, here.
    global _portal, _lock
    if _portal is not None:
        _of_the_parent.append(_portal)
    _portal, _lock = None, threading.Lock()
    _pauses.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )


def spawn(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Start a task in the running loop, and hold on to it."""
    task = asyncio.get_running_loop().create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task
