"""The client itself: its settings, opening and closing, what it shows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest

from mensatek_async import (
    AsyncMensatek,
    ConfigurationError,
    Guard,
    InvalidDate,
    InvalidRequest,
    InvalidSender,
    Limits,
    OutcomeUnknown,
    Retry,
)
from tests.scripted import TOKEN, USER, Script, client_of, reply

PHONE = "34600123456"
SENT = {"idMensaje": 77, "Cred": 9, "Mensajes": 1, "NoEnviados": 0, "CreditosUsados": 1}


def test_it_is_made_without_a_loop_and_opens_nothing() -> None:
    """At module level, say; no connection and no warning when it is never used."""
    client = AsyncMensatek(USER, TOKEN)

    assert client.last_credits is client.issuer is None
    assert repr(client) == "<AsyncMensatek user='API-USER' base_url='https://api.mensatek.com/v7'>"


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"request_format": "xml"}, ConfigurationError),
        ({"sender": "DEMASIADOLARGO"}, InvalidSender),
        ({"default_region": "España"}, InvalidRequest),
        ({"paths": {"Nada": "X"}}, ConfigurationError),
        ({"issuer": "EMPRESA"}, ConfigurationError),
        ({"base_url": "http://api.mensatek.com/v7"}, ConfigurationError),
    ],
)
def test_what_cannot_work_is_refused_at_construction(settings: Any, error: type[Exception]) -> None:
    """Not at the first call."""
    with pytest.raises(error):
        AsyncMensatek(USER, TOKEN, **settings)


async def test_it_is_closed_at_the_end_of_its_block() -> None:
    """Also when the block fails or is cancelled, and closing again does nothing."""
    script = Script(reply(Cred=5))
    client = client_of(script)

    async def fail() -> None:
        async with client as entered:
            assert entered is client
            await client.credits()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await client.aclose()
    cancelled = Script(reply())
    with anyio.move_on_after(5) as scope:
        async with client_of(cancelled) as client:
            await client.sms.cancel(1)
            scope.cancel()

    assert (script.closed, cancelled.closed) == (1, 1)


async def test_closing_during_a_call_ends_the_call_clearly() -> None:
    """What is on its way may have been done; a call that waits for a place was not made."""
    closed = anyio.Event()

    async def until_closed(_: httpx.Request) -> httpx.Response:
        await closed.wait()
        raise httpx.ReadError("closed")

    script, ended = Script(until_closed), []
    client = client_of(script, limits=Limits(concurrency=1), retry=Retry(attempts=1))

    async def send() -> None:
        with pytest.raises((OutcomeUnknown, ConfigurationError)) as caught:
            await client.sms.send(PHONE, "Hola")
        ended.append(type(caught.value))

    async with anyio.create_task_group() as group:
        group.start_soon(send)
        group.start_soon(send)
        await anyio.sleep(0.01)
        await client.aclose()
        closed.set()

    assert ended == [OutcomeUnknown, ConfigurationError]
    assert len(script.requests) == 1


# --- sms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_the_client", "given", "sent"),
    [
        ("CLINICA", None, "CLINICA"),
        ("CLINICA", "OTRA", "OTRA"),
        ("CLINICA", "600 12 34 56", "600123456"),
        (None, None, "ENTORNO"),
    ],
)
async def test_whose_sender(
    of_the_client: str | None, given: str | None, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message's own sender wins; the environment's is the last resort."""
    monkeypatch.setenv("MENSATEK_SENDER", "ENTORNO")
    script = Script(reply(**SENT))
    async with client_of(script, sender=of_the_client) as client:
        await client.sms.send(PHONE, "Hola", sender=given)

    assert script.params()["Remitente"] == sent


async def test_the_default_region_reads_short_numbers() -> None:
    """Phones without a prefix are of that country."""
    script = Script(reply(**SENT))
    async with client_of(script, default_region="PT") as client:
        await client.sms.send("912 345 678", "Olá")

    assert script.params()["Destinatarios"] == [{"Movil": "351912345678"}]


async def test_cancelling_and_rescheduling() -> None:
    """Their parameters, and what comes back; the message's id even when the reply does not repeat it."""
    script = Script(reply(Res=3, CRED="12,5", CREDR=3), reply(Res=2, Cred=12))
    async with client_of(script) as client:
        cancelled = await client.sms.cancel("77")
        moved = await client.sms.reschedule(78, datetime(2099, 1, 8, 9, 30, tzinfo=UTC))
        with pytest.raises(InvalidDate):
            await client.sms.reschedule(78, datetime(2099, 1, 8, 9, 30))
        with pytest.raises(InvalidRequest):
            await client.sms.cancel(0)

    assert script.params(0) == {"Idmensaje": 77, "Resp": "JSON"}
    assert script.params(1) == {"Idmensaje": 78, "Fecha": "2099-01-08 10:30", "Resp": "JSON"}
    assert (cancelled.cancelled, cancelled.message_id) == (3, 77)
    assert (cancelled.credits_left, cancelled.credits_refunded) == (Decimal("12.5"), 3)
    assert (moved.rescheduled, moved.credits_left) == (2, 12)


async def test_a_report() -> None:
    """Its recipients with their status, and the id that was asked for."""
    row = {
        "Fecha": "2027-01-08 10:00:00",
        "Tiempo": "2",
        "Telefono": PHONE,
        "Resultado": 11,
        "Estado": "Entregado",
    }
    odd = {"Telefono": int(PHONE), "Resultado": 98765}
    async with client_of(Script(reply(Informe=[row, odd], Cred=5))) as client:
        report = await client.sms.report("77")

    first, second = report.recipients
    assert (report.message_id, report.credits_left) == (77, 5)
    assert (first.phone, first.seconds, first.label) == (PHONE, 2, "Entregado")
    assert first.status.is_delivered
    assert (second.phone, second.status.phase.name, second.reported_at) == (PHONE, "UNKNOWN", None)


async def test_credits_need_no_call_after_any_reply() -> None:
    """What the newest reply said is known for a minute."""
    script = Script(reply(**SENT), reply(Cred="8,75"))
    async with client_of(script, guard=Guard(read_interval=0)) as client:
        await client.sms.send(PHONE, "Hola")
        assert await client.credits() == client.last_credits == 9
        assert len(script.requests) == 1
        assert await client.credits(max_age=0) == client.last_credits == Decimal("8.75")
