"""Ctrl-C and SIGTERM while something is being sent: nothing more leaves, what is on its way lands."""

from __future__ import annotations

import signal
from collections.abc import Callable

import anyio
from anyio.abc import TaskStatus

from .output import Output

_STOPPING = "Stopping: no further request leaves; waiting a few seconds for the answers on their way."


async def cancel_on_signal(
    scope: anyio.CancelScope,
    output: Output,
    interrupted: Callable[[], None],
    *,
    task_status: TaskStatus[None],
) -> None:
    """Cancel a scope at each signal, until cancelled itself.

    Args:
        scope: what a signal ends.
        output: where the first one is told.
        interrupted: called at each.
        task_status: started when signals are received, or cannot be.
    """
    told = False
    try:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for _ in signals:
                if not told:
                    output.note(_STOPPING)
                told = True
                interrupted()
                scope.cancel()
    except NotImplementedError:  # Windows: Ctrl-C cancels the whole run instead
        task_status.started()
