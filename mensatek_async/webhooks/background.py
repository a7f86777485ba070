"""One event loop in a daemon thread, for coroutine handlers under WSGI: they keep their connections between calls."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable
from typing import TypeVar

import anyio
from anyio.from_thread import BlockingPortal

_Value = TypeVar("_Value")
_PATIENCE = 10.0  # seconds for a thread to start


class _Background:
    """The loop of this process. A fork takes no threads along, so each process starts its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._portal: BlockingPortal | None = None
        self._pid = 0

    def portal(self) -> BlockingPortal:
        """The way into the loop, which is started at first use."""
        with self._lock:
            if self._portal is None or self._pid != os.getpid():
                self._portal, self._pid = self._start(), os.getpid()
            return self._portal

    def reset(self) -> None:
        """Begin anew in a forked child, whose copy of the lock may be one that nobody will release."""
        self._lock = threading.Lock()
        self._portal = None

    def _start(self) -> BlockingPortal:
        started: list[BlockingPortal] = []
        ready = threading.Event()

        async def serve() -> None:
            async with BlockingPortal() as portal:
                started.append(portal)
                ready.set()
                await portal.sleep_until_stopped()

        # A daemon: it ends with the program, and no program waits for it.
        threading.Thread(target=anyio.run, args=(serve,), name="mensatek-webhooks", daemon=True).start()
        if not ready.wait(_PATIENCE):
            raise RuntimeError("The event loop of the webhooks did not start")
        return started[0]


_background = _Background()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_background.reset)


def run_in_background(value: Awaitable[_Value]) -> _Value:
    """Wait for an awaitable on the loop in the background and give its result, or raise what it raised."""

    async def run() -> _Value:
        try:
            return await value
        except (KeyboardInterrupt, SystemExit) as error:
            # Raised inside the loop these would end it, for every handler to come.
            raise RuntimeError("A webhook's handler tried to end the program") from error

    return _background.portal().call(run)
