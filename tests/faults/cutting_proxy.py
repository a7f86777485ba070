"""A proxy before PostgreSQL that cuts a connection at a chosen COMMIT, before or after it took effect."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

_STOP = b"COMMIT"


class CuttingProxy:
    """Forwards connections to a server; the n-th COMMIT of all is where it cuts, 0 for never.

    It cuts before the server sees it, or, carried out, once the server has answered, and its answer is lost.
    """

    def __init__(self, url: str, nth: int, *, carried_out: bool) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._nth = nth
        self._carried_out = carried_out
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self.commits = 0
        self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"postgres@127.0.0.1:{port}"))
        self._run(self._accept)

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _run(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target, timeout=10)
            server.settimeout(None)
            mute = threading.Event()
            self._run(self._upstream, client, server, mute)
            self._run(self._downstream, client, server, mute)

    def _is_the_one(self, data: bytes) -> bool:
        with self._lock:
            found = data.count(_STOP)
            before, self.commits = self.commits, self.commits + found
            if before < self._nth <= self.commits:
                self.cut += 1
                return True
        return False

    def _upstream(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self._is_the_one(data):
                    if self._carried_out:
                        mute.set()
                        server.sendall(data)
                        time.sleep(0.1)
                    break
                server.sendall(data)
        self._close(client, server)

    def _downstream(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if not mute.is_set():
                    client.sendall(data)
        self._close(client, server)

    def _close(self, *ends: socket.socket) -> None:
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
