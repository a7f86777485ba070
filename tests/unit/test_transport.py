"""The one file that speaks HTTP: what leaves, what comes back, and what each of httpx's errors means."""

from __future__ import annotations

import base64
import gc
import gzip
import ssl
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.lowlevel
import certifi
import httpx
import pytest
import respx
from anyio.abc import SocketAttribute, SocketStream

from mensatek_async import AsyncMensatek, ConfigurationError, ConnectionFailed, Limits, Retry, Timeout
from mensatek_async._core import pool
from mensatek_async._core import reading as module
from mensatek_async._core.failures import Cut, NotReached, Unreadable
from mensatek_async._core.transport import Transport
from mensatek_async.settings import load_account
from tests.scripted import BASE_URL, TOKEN, USER, Script, chain, reply

URL = f"{BASE_URL}/EnviarSMS"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def transport_of(given: Any = None, base_url: str = BASE_URL, **timeout: float) -> Transport:
    """A transport with our credentials."""
    return Transport(load_account(USER, TOKEN, base_url, None), Timeout(**timeout), Limits(), given)


async def post(transport: Transport, body: bytes = b"{}") -> module.RawReply:
    """One request, as the caller makes it, and everything closed."""
    transport.check()
    try:
        return await transport.post("EnviarSMS", body, "application/json")
    finally:
        await transport.aclose()


async def test_what_leaves() -> None:
    """One POST with HTTP Basic, the body as given, our name, nothing in the URL, and no cookie of an earlier one."""
    script = Script(reply(headers={"Retry-After": "3", "Set-Cookie": "a=b"}), reply())
    transport = Transport(load_account("peña", "clavé", BASE_URL, None), Timeout(), Limits(), script)
    answer = await transport.post("EnviarSMS", b"{}", "application/json")
    await post(transport, b'{"Resp":"JSON"}')

    request = script.requests[1]
    assert str(request.url) == URL
    assert request.content == b'{"Resp":"JSON"}'
    assert base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode() == "peña:clavé"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith("mensatek-async/")
    assert "Cookie" not in request.headers
    assert (answer.status, answer.body, answer.content_type) == (200, b'[{"Res":1}]', "application/json")
    assert answer.retry_after == 3.0


ConnectError = type("ConnectError", (Exception,), {})  # of other transports, with classes of the same names


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        *((NotReached, httpx.ConnectError("refused")), (NotReached, httpx.ConnectTimeout("slow"))),
        *((NotReached, httpx.PoolTimeout("full")), (NotReached, httpx.ProxyError("407"))),
        *(
            (NotReached, httpx.UnsupportedProtocol("gopher")),
            (NotReached, httpx.LocalProtocolError("bad header")),
        ),
        (NotReached, type("Refused", (ConnectError,), {})("no")),
        *(
            (Cut, httpx.ReadError("reset")),
            (Cut, httpx.ReadTimeout("slow")),
            (Cut, httpx.WriteError("broken pipe")),
        ),
        *((Cut, httpx.WriteTimeout("slow")), (Cut, httpx.RemoteProtocolError("Server disconnected"))),
        *((Cut, httpx.DecodingError("gzip")), (Cut, httpx.CloseError(""))),
        *((Cut, RuntimeError("whatever another transport raises")), (Cut, OSError("no such device"))),
    ],
)
async def test_whether_it_may_have_arrived(failure: type[Exception], error: Exception) -> None:
    """Without a connection nothing was sent; what is not certainly unsent counts as possibly sent."""
    with pytest.raises(failure, match=type(error).__name__) as caught:
        await post(transport_of(Script(error)))

    assert type(caught.value) is failure
    assert failure is Cut or caught.value.__cause__ is error


async def test_the_reason_behind_a_failure_is_told() -> None:
    """On trio a TLS failure says nothing itself; what caused it does, three deep at most and nothing twice."""
    first = OSError("certificate verify failed")
    error = httpx.ConnectError("")
    error.__cause__ = first
    first.__context__ = ValueError("deeper")
    first.__context__.__context__ = ValueError("deepest")
    with pytest.raises(NotReached) as caught:
        await post(transport_of(Script(error)))
    assert caught.value.reason == ("ConnectError <- OSError: certificate verify failed <- ValueError: deeper")

    twice = httpx.ReadError("reset")
    twice.__cause__ = twice
    with pytest.raises(Cut) as caught_twice:
        await post(transport_of(Script(twice)))
    assert caught_twice.value.reason == "ReadError: reset"


async def test_the_total_time_ends_a_dripping_answer() -> None:
    """However the answer drips, `Timeout.total` bounds the request, and it may have been done."""

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await anyio.sleep(0.005)

    async def dripping(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=drip())

    with pytest.raises(Cut, match=r"no whole answer within 0\.05 s"), anyio.fail_after(5):
        await post(transport_of(Script(dripping), total=0.05))


@pytest.mark.parametrize("packed", [False, True], ids=["endless", "unpacks without end"])
async def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    """More than any reply can be is read no further, and fills no memory; what counts is the size unpacked."""
    monkeypatch.setattr(module, "_LARGEST", 1000)
    read: list[int] = []
    closed: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                read.append(1)
                yield b"x" * 100
                await anyio.lowlevel.checkpoint()
        finally:
            closed.append(True)

    async def answer(_: httpx.Request) -> httpx.Response:
        if packed:
            bomb = gzip.compress(b" " * 1_000_000)
            return httpx.Response(200, content=bomb, headers={"Content-Encoding": "gzip"})
        return httpx.Response(200, content=endless())

    with pytest.raises(Unreadable, match="larger than"):
        await post(transport_of(Script(answer)))
    assert packed or (10 <= len(read) <= 12 and closed)


def test_another_event_loop_is_refused_clearly() -> None:
    """Connections belong to one loop; the second is told so at once, and can still close the client."""
    script = Script(reply(Cred=5), repeat_last=True)
    client = AsyncMensatek(USER, TOKEN, base_url=BASE_URL, transport=script)
    anyio.run(client.credits)

    for backend in ("asyncio", "trio"):
        with pytest.raises(ConfigurationError, match="another event loop") as caught:
            anyio.run(client.credits, backend=backend)
        assert "each event loop" in caught.value.advice

    anyio.run(client.aclose, backend="trio")
    assert len(script.requests) == 1


@pytest.mark.parametrize("file", [None, "a file of its own"])
async def test_the_certificates_are_loaded_once_in_a_worker_thread(
    monkeypatch: pytest.MonkeyPatch, file: str | None
) -> None:
    """For all clients of the process, and not before the first request."""
    made: list[int] = []
    create = ssl.create_default_context

    def note(*given: Any, **more: Any) -> ssl.SSLContext:
        made.append(threading.get_ident())
        time.sleep(0.05)  # whoever else wants one comes meanwhile
        return create(*given, **more)

    monkeypatch.setattr(pool, "_contexts", {})
    monkeypatch.setattr(ssl, "create_default_context", note)
    if file is not None:
        monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    clients = [AsyncMensatek(USER, TOKEN, base_url="https://127.0.0.1:9/v7", retry=Retry(attempts=1))] * 2
    clients += [AsyncMensatek("OTHER", TOKEN, base_url="https://127.0.0.1:9/v7", retry=Retry(attempts=1))]
    clients += [clients[0].for_account("TENANT", "t")]
    assert made == []

    async def ask(client: AsyncMensatek) -> None:
        with pytest.raises(ConnectionFailed):
            await client.credits()

    async with clients[0], clients[2], anyio.create_task_group() as group:
        await anyio.lowlevel.checkpoint()
        assert made == []
        for client in clients:
            group.start_soon(ask, client)

    assert len(made) == 1
    assert made[0] != threading.get_ident()


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for a way to the provider; one that gives none means that nothing was sent."""
    asked: list[bytes] = []

    async def refuse(stream: SocketStream) -> None:
        async with stream:
            asked.append(await stream.receive())
            await stream.send(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as group,
    ):
        group.start_soon(listener.serve, refuse)
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}")
        with pytest.raises(NotReached, match="ProxyError"):
            await post(transport_of())
        group.cancel_scope.cancel()

    assert asked[0].startswith(b"CONNECT api.example:443 ")


async def test_what_the_environment_says_of_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot be is an error that names the environment and nothing of its content; NO_PROXY is heeded."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://me:geheim@proxy.example:1")
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY") as caught:
        await post(transport_of())
    assert "geheim" not in chain(caught.value)

    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "api.example")
    with respx.mock() as router:
        router.post(URL).respond(200, json={"Res": 1})
        assert (await post(transport_of())).status == 200


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_a_request_cancelled_while_it_is_written_leaves_no_generator() -> None:
    """Trio warns of one that is collected half read, into the user's own program."""

    async def half_read(request: httpx.Request) -> httpx.Response:
        async for _ in request.stream:  # type: ignore[union-attr]
            await anyio.sleep(60)
        raise AssertionError("not cancelled")

    with anyio.move_on_after(0.01):
        await post(transport_of(Script(half_read)), b"x" * 100)
    gc.collect()


async def test_a_body_can_be_read_again() -> None:
    """A transport of the user's own may look at it before it sends it."""
    seen: list[bytes] = []

    async def twice(request: httpx.Request) -> httpx.Response:
        for _ in range(2):
            seen.append(b"".join([part async for part in request.stream]))  # type: ignore[union-attr]
        return reply()

    await post(transport_of(Script(twice)), b"body")

    assert seen == [b"body", b"body"]
