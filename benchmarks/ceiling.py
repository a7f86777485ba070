"""How many requests a second the server answers to a client that costs next to nothing."""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from urllib.parse import urlsplit

from common import CHUNK, CONCURRENCY, body, phones


class Asking(asyncio.Protocol):
    """Sends the same bytes again at each answer, until the time is up."""

    def __init__(self, request: bytes, until: float, done: asyncio.Future[int]) -> None:
        self._request = request
        self._until = until
        self._done = done
        self._answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not data.endswith(b"}]"):
            return
        self._answers += 1
        if time.perf_counter() < self._until:
            self._transport.write(self._request)
        else:
            self._transport.close()
            self._done.set_result(self._answers)


async def asking(base_url: str, recipients: int, connections: int, seconds: float) -> float:
    """Requests a second over that many connections."""
    where = urlsplit(base_url)
    content = json.dumps(body(phones(recipients))).encode()
    head = f"POST {where.path}/EnviarSMS HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {len(content)}\r\n\r\n"
    request = head.encode() + content
    assert where.hostname is not None
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    waited: list[asyncio.Future[int]] = []
    for _ in range(connections):
        done: asyncio.Future[int] = loop.create_future()
        await loop.create_connection(
            partial(Asking, request, start + seconds, done), where.hostname, where.port or 80
        )
        waited.append(done)
    answers = sum([await one for one in waited])
    return answers / (time.perf_counter() - start)


def ceiling(base_url: str) -> dict[str, float]:
    """The server's most, for the bodies and the connections that the programs use."""
    return {
        "1 recipient, 1 connection": asyncio.run(asking(base_url, 1, 1, 0.2)),
        f"{CHUNK} recipients, {CONCURRENCY} connections": asyncio.run(
            asking(base_url, CHUNK, CONCURRENCY, 0.2)
        ),
    }
