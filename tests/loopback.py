"""A provider on a loopback socket that does as its script says, byte by byte: for what no mock can show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import sniffio
import trio
from anyio.abc import SocketAttribute, SocketStream
from attrs import define, field

Step = Callable[[SocketStream], Awaitable[None]]


def answer(status: int = 200, content: bytes | None = None, **fields: Any) -> Step:
    """A whole answer; by default the JSON of a send that went well, with these fields."""
    body = content if content is not None else json.dumps([{"Res": 1, "idMensaje": 7, **fields}]).encode()

    async def act(stream: SocketStream) -> None:
        await stream.send(head(status, len(body)) + body)

    return act


def head(status: int, length: int, *headers: str) -> bytes:
    """The beginning of an answer."""
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", f"Content-Length: {length}", *headers]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


async def hang_up(stream: SocketStream) -> None:
    """The request was read, and the connection ends without an answer."""


async def say_nothing(stream: SocketStream) -> None:
    """The request was read, and nothing comes back."""
    await anyio.sleep_forever()


async def minutes_pass(stream: SocketStream) -> None:
    """The request was read, and nothing comes back in ten minutes, which pass at once on the event loop's clock."""
    await anyio.wait_all_tasks_blocked()  # the client waits by now
    if sniffio.current_async_library() == "trio":
        clock: Any = trio.lowlevel.current_clock()
        object.__setattr__(clock, "offset", clock.offset + 600)
    else:
        loop: Any = asyncio.get_running_loop()
        loop.time = lambda before=loop.time: before() + 600
    await anyio.sleep_forever()


async def break_off(stream: SocketStream) -> None:
    """Half an answer."""
    await stream.send(head(200, 1000) + b'[{"Res":')


@define
class Provider:
    """What the socket saw; `arrived` is set with the first whole request."""

    steps: list[Step]
    base_url: str = ""
    bodies: list[bytes] = field(factory=list)
    connections: int = 0
    arrived: anyio.Event = field(factory=anyio.Event)

    async def serve(self, stream: SocketStream) -> None:
        """One connection: each request gets the next step; the last one serves for all that follow."""
        self.connections += 1
        async with stream:
            try:
                while True:
                    self.bodies.append(await _request(stream))
                    self.arrived.set()
                    step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
                    await step(stream)
                    if step in (hang_up, break_off):
                        return
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    def params(self, number: int = -1) -> dict[str, Any]:
        """A request's decoded body."""
        decoded: dict[str, Any] = json.loads(self.bodies[number])
        return decoded


async def _request(stream: SocketStream) -> bytes:
    waiting = b""
    while (end := waiting.find(b"\r\n\r\n")) < 0:
        waiting += await stream.receive()
    lines = waiting[:end].lower().split(b"\r\n")
    length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:"))
    while len(waiting) < end + 4 + length:
        waiting += await stream.receive()
    return waiting[end + 4 :]


@asynccontextmanager
async def provider(*steps: Step) -> AsyncIterator[Provider]:
    """The provider, listening while the block lasts."""
    made = Provider(list(steps))
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        port = listener.extra(SocketAttribute.local_port)
        made.base_url = f"http://127.0.0.1:{port}/v7"
        group.start_soon(listener.serve, made.serve)
        yield made
        group.cancel_scope.cancel()
