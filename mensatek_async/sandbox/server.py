"""The HTTP server: uvicorn's protocol on an event loop in a thread of its own, on loopback by default."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

# uvicorn writes tracebacks of dropped connections to its logger; the sandbox drops them on purpose.
_quiet = logging.getLogger("mensatek_async.sandbox.http")
_quiet.addHandler(logging.NullHandler())
_quiet.setLevel(logging.CRITICAL)
_quiet.propagate = False

_LINGER = "hh" if sys.platform == "win32" else "ii"
_KEEP_ALIVE_SECONDS = 75
_PATIENCE_SECONDS = 5.0


class Connection(H11Protocol):
    """One connection of a client, which the application can cut."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.logger = _quiet
        self.access_log = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Make the connection known to the application."""
        # asyncio does this only for sockets it opened itself; without it every answer takes 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self.app_state = {"connection": self}

    def drop(self, reset: bool) -> None:
        """Close at once, with a TCP reset if asked for."""
        if reset:
            linger = struct.pack(_LINGER, 1, 0)
            with suppress(OSError):  # the caller was quicker
                self.transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, linger
                )
        self.transport.abort()


class ServerThread:
    """Serves an application until it is stopped, on a thread of its own, and calls `every_second` there."""

    def __init__(self, app: Starlette, every_second: Callable[[], None]) -> None:
        self._app = app
        self._every_second = every_second
        self.connections: int = 0
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, host: str, port: int) -> int:
        """Listen, and return the port; 0 takes a free one."""
        if not 0 <= port <= 65_535:
            raise OverflowError("A port is 0 to 65535")  # as the socket would, which it then leaves open
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2048)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)), name="mensatek-sandbox", daemon=True
        )
        port = listener.getsockname()[1]
        self._thread.start()
        ready.wait(_PATIENCE_SECONDS)
        return port

    def stop(self) -> None:
        """Close every connection, free the port, and wait for the thread to end."""
        thread = self._thread  # another thread may be stopping it too
        if thread is None:
            return
        if self._loop is not None and self._stopping is not None and thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join(_PATIENCE_SECONDS)
        self._thread = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._every_second()

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        config = uvicorn.Config(
            self._app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        config.load()
        state = ServerState()

        def connect() -> Connection:
            self.connections += 1
            return Connection(config, state, {})

        server = await self._loop.create_server(connect, sock=listener)
        ready.set()
        ticker = asyncio.create_task(self._tick())
        await self._stopping.wait()
        ticker.cancel()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
        await server.wait_closed()
