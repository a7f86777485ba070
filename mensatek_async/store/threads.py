"""The journal blocks, so it is asked in worker threads; an answer is never lost to a cancellation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.lowlevel import RunVar

T = TypeVar("T")
A = TypeVarTuple("A")

_MOST = 40  # threads of one event loop
_threads: RunVar[anyio.CapacityLimiter | None] = RunVar("mensatek_async_threads")


async def in_thread(work: Callable[[*A], T], *given: *A) -> T:
    """Run something that blocks in a worker thread, to its end.

    A cancellation that comes before it stops it; one that comes while it runs is raised by whatever is awaited next,
    so that what it did is known to its caller.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(work, *given, limiter=_limiter())
    raise AssertionError("unreachable")


async def in_thread_for(seconds: float, work: Callable[[*A], T], *given: *A) -> T:
    """Run something that blocks in a worker thread, to its end also when this is cancelled; wait so long at most.

    Raises:
        TimeoutError: it has not ended yet, and nobody will know what came of it.
    """
    with anyio.CancelScope(shield=True), anyio.fail_after(seconds):
        return await anyio.to_thread.run_sync(work, *given, abandon_on_cancel=True, limiter=_limiter())
    raise AssertionError("unreachable")


def _limiter() -> anyio.CapacityLimiter:
    # Of our own: a web framework whose threads all wait for this one would wait for ever if they were of the same kind.
    threads = _threads.get(None)
    if threads is None:
        threads = anyio.CapacityLimiter(_MOST)
        _threads.set(threads)
    return threads
