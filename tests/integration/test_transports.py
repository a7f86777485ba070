"""One suite over every transport that a client may be given, on a real socket: what leaves, and what each end means."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from httpx_aiohttp import AiohttpTransport

from mensatek_async import (
    AsyncMensatek,
    ConnectionFailed,
    Limits,
    OutcomeUnknown,
    Recipient,
    Retry,
    SendResult,
    Template,
    Timeout,
    TooManyRequests,
)
from tests.loopback import (
    Provider,
    Step,
    answer,
    break_off,
    hang_up,
    head,
    minutes_pass,
    provider,
    say_nothing,
)

PHONE, TEXT = "34600000000", "Su cita es mañana"
ONCE = Retry(attempts=1)
QUICK = Retry(wait_initial=0.001, wait_max=0.002, timeout=5)
PDF = b"%PDF-1.7\n" + b"x" * 300_000 + b"\n%%EOF\n"

Make = Callable[[], Any]
MAKERS: dict[str, Make] = {
    "own": lambda: None,
    "httpx": httpx.AsyncHTTPTransport,
    "httpx-aiohttp": AiohttpTransport,
    "httpx2": httpx2.AsyncHTTPTransport,
}
everywhere = pytest.mark.parametrize(
    ("anyio_backend", "make"),
    [
        pytest.param(backend, make, id=f"{name}-{backend}")
        for name, make in MAKERS.items()
        for backend in ("asyncio", "trio")
        if (name, backend) != ("httpx-aiohttp", "trio")  # aiohttp is asyncio's
    ],
)


def client_of(served: Provider, make: Make, **settings: Any) -> AsyncMensatek:
    """A client of that provider over a transport of that kind."""
    settings.setdefault("retry", ONCE)
    return AsyncMensatek("user", "token", base_url=served.base_url, transport=make(), **settings)


@everywhere
async def test_a_send(make: Make) -> None:
    """Body and answer, twice over one connection."""
    async with provider(answer(Cred=5.5)) as served, client_of(served, make) as client:
        for _ in range(2):
            result = await client.sms.send(Recipient(PHONE, {"n": "Ñandú"}), Template("Hola {n}"))

    assert isinstance(result, SendResult)
    assert (result.message_id, str(client.last_credits)) == (7, "5.5")
    assert served.params()["Destinatarios"] == [{"Movil": PHONE, "Variable_1": "Ñandú"}]
    assert (len(served.bodies), served.connections) == (2, 1)


@everywhere
async def test_a_bulk_send(make: Make) -> None:
    """Every recipient leaves once, in requests that join the first."""

    async def took_all(stream: Any) -> None:
        await answer(Res=len(served.params()["Destinatarios"]))(stream)

    phones = [str(34600000000 + number) for number in range(95)]
    limits = Limits(concurrency=4, sms_per_request=10)
    async with provider(took_all) as served, client_of(served, make, limits=limits) as client:
        result = await client.sms.send_bulk(phones, TEXT)

    assert result.all_sent
    sent = [one["Movil"] for at in range(len(served.bodies)) for one in served.params(at)["Destinatarios"]]
    assert sorted(sent) == phones
    assert served.connections <= 4


@everywhere
@pytest.mark.parametrize("before", [0, 1], ids=["new connection", "kept connection"])
@pytest.mark.parametrize("end", [hang_up, break_off], ids=["no answer", "half an answer"])
async def test_a_lost_answer_is_never_a_failure(make: Make, end: Step, before: int) -> None:
    """The request arrived whole, so it may have been done: it is unknown, and not made again."""
    steps = [*[answer()] * before, end, answer()]
    async with provider(*steps) as served, client_of(served, make, retry=QUICK) as client:
        for _ in range(before):
            await client.sms.send(PHONE, TEXT)
        with pytest.raises(OutcomeUnknown):
            await client.sms.send(PHONE, TEXT)

        assert len(served.bodies) == before + 1
        assert (await client.sms.send(PHONE, TEXT)).message_id == 7


@everywhere
async def test_a_lost_answer_of_a_joined_send_is_asked_again(make: Make) -> None:
    """Where a repeat is safe it is made."""
    async with provider(hang_up, answer()) as served, client_of(served, make, retry=QUICK) as client:
        result = await client.sms.send(PHONE, TEXT, join=7)

    assert result.accepted == 1
    assert len(served.bodies) == 2


@everywhere
async def test_a_refused_connection_sent_nothing(make: Make) -> None:
    """Nobody listens: certain, so it is tried again, and said at last."""
    async with provider(answer()) as served:
        pass
    async with client_of(served, make, retry=QUICK) as client:
        with pytest.raises(ConnectionFailed):
            await client.sms.send(PHONE, TEXT)


@everywhere
@pytest.mark.parametrize("timeout", [Timeout(read=45, total=900), Timeout(total=45)], ids=["read", "total"])
async def test_a_timeout_leaves_it_unknown(make: Make, timeout: Timeout) -> None:
    """Either clock ends the wait, the request having left."""
    async with (
        provider(answer(), minutes_pass, answer()) as served,
        client_of(served, make, timeout=timeout) as client,
    ):
        await client.sms.send(PHONE, TEXT)
        with pytest.raises(OutcomeUnknown):
            await client.sms.send(PHONE, TEXT)

        assert len(served.bodies) == 2
        assert (await client.sms.send(PHONE, TEXT)).message_id == 7


@everywhere
async def test_told_to_wait(make: Make) -> None:
    """A 429 and its Retry-After are understood: nothing was sent."""

    async def busy(stream: Any) -> None:
        await stream.send(head(429, 0, "Retry-After: 30"))

    async with provider(busy) as served, client_of(served, make) as client:
        with pytest.raises(TooManyRequests) as caught:
            await client.sms.send(PHONE, TEXT)

    assert caught.value.retry_after == 30


@everywhere
async def test_a_document_is_streamed(make: Make) -> None:
    """One that breaks off is fetched again from its start; one that comes in pieces is whole at its end."""

    async def half(stream: Any) -> None:
        await stream.send(head(200, len(PDF)) + PDF[:1000])
        await stream.aclose()

    async def pieces(stream: Any) -> None:
        await stream.send(head(200, len(PDF)))
        for at in range(0, len(PDF), 50_000):
            await stream.send(PDF[at : at + 50_000])
            await anyio.lowlevel.checkpoint()

    into = io.BytesIO()
    async with provider(half, pieces) as served, client_of(served, make, retry=QUICK) as client:
        told = await client.certified.download(into, message_id=7, phone=PHONE)

    assert into.getvalue() == PDF
    assert told.size == len(PDF)


@everywhere
async def test_a_cancelled_send_leaves_the_client_usable(make: Make) -> None:
    """And its connection is not used for another's answer."""
    async with provider(say_nothing, answer(idMensaje=9)) as served, client_of(served, make) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.sms.send, PHONE, TEXT)
            await served.arrived.wait()
            group.cancel_scope.cancel()

        assert (await client.sms.send(PHONE, TEXT)).message_id == 9
    assert served.connections == 2


@everywhere
async def test_many_callers_share_a_client(make: Make) -> None:
    """No more connections than requests allowed at once, and all are served."""
    async with (
        provider(answer()) as served,
        client_of(served, make, limits=Limits(concurrency=4)) as client,
        anyio.create_task_group() as group,
    ):
        for _ in range(64):
            group.start_soon(client.sms.send, PHONE, TEXT)

    assert len(served.bodies) == 64
    assert served.connections <= 4
