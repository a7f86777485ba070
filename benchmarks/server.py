"""A loopback stand-in for the provider, as fast as plain asyncio goes, in a process of its own.

It reads whole bodies and answers every operation at once; for a send it counts the recipients in the body. It
keeps no account and checks nothing: for that there is `mensatek_async.sandbox`.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

REPLY = (
    '[{"Res":%d,"Destinatarios":%d,"Msgid":10573758,"idMensaje":10573758,"Cred":100000000.0,'
    '"Mensajes":%d,"NoEnviados":0,"CreditosUsados":%d}]'
)


class Provider(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.waiting[:end]).lower()
            start = head.index(b"content-length:") + len(b"content-length:")
            whole = end + 4 + int(head[start:].split(b"\r\n", 1)[0])
            if len(self.waiting) < whole:
                return
            sent = self.waiting.count(b'"Movil"', end, whole)
            del self.waiting[:whole]
            body = (REPLY % (sent or 1, sent, sent, sent)).encode()
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )


async def serve() -> None:
    """Serve on a free port until standard input closes; the port is the first line printed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def running() -> Iterator[str]:
    """The server in its own process; gives its base URL."""
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v7"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(serve())
