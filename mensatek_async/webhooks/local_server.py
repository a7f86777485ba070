"""A small HTTP server for callbacks, for development and for the doctor; no server for production."""

from __future__ import annotations

import socketserver
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer


class LocalServer(socketserver.ThreadingMixIn, WSGIServer):
    """Serves a WSGI application, to be given by `set_app`, with a thread for each request.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one.

    Raises:
        OSError: nothing can listen there.
        OverflowError: there is no such port.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, host: str, port: int) -> None:
        super().__init__((host, port), _Quiet)

    def server_bind(self) -> None:
        """Listen, without asking anybody for this machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _Quiet(WSGIRequestHandler):
    def address_string(self) -> str:
        """Give the caller's address, without asking anybody for its name."""
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the events are what is to be seen."""
