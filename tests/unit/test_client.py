"""The client itself: its settings, opening and closing, what it shows."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anyio
import httpx
import pytest

from mensatek_async import (
    AccountPaused,
    AsyncMensatek,
    AuthenticationError,
    ConfigurationError,
    InvalidDate,
    InvalidRequest,
    InvalidSender,
    Issuer,
    Limits,
    OutcomeUnknown,
    Retry,
    Timeout,
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
        ({"report": "yes"}, ConfigurationError),
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


@pytest.mark.parametrize("lands", [True, False], ids=["lands", "ended"])
@pytest.mark.parametrize("of_account", [False, True], ids=["client", "account"])
async def test_closing_waits_for_what_is_on_its_way(
    caplog: pytest.LogCaptureFixture, lands: bool, of_account: bool
) -> None:
    """For as long as the grace says; what then has no answer is named. A call that waits for a place is not made."""
    closing, ended = anyio.Event(), []

    async def answer(_: httpx.Request) -> httpx.Response:
        await closing.wait()
        await anyio.sleep(0.05 if lands else 60)
        return httpx.Response(200, json=[{"Res": 1, **SENT}])

    script = Script(answer)
    grace = Timeout(grace=20 if lands else 0.05)
    parent = client_of(script, limits=Limits(concurrency=1), retry=Retry(attempts=1), timeout=grace)
    client = parent.for_account("TENANT", "of-tenant") if of_account else parent

    async def send() -> None:
        try:
            ended.append((await client.sms.send(PHONE, "Hola")).message_id)
        except (OutcomeUnknown, ConfigurationError) as error:
            ended.append(type(error))

    async with anyio.create_task_group() as group:
        group.start_soon(send)
        group.start_soon(send)
        await anyio.wait_all_tasks_blocked()
        closing.set()
        with anyio.fail_after(10), anyio.CancelScope() as scope:
            scope.cancel()  # a program that is stopped waits, too
            await parent.aclose()

    assert ended == ([77, ConfigurationError] if lands else [OutcomeUnknown, ConfigurationError])
    assert (len(script.requests), script.closed) == (1, 1)
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == (0 if lands else 1)
    assert lands or ("EnviarSMS (1)" in told[0] and PHONE not in told[0])


# --- accounts ----------------------------------------------------------------------------------------------


def by_user(request: httpx.Request) -> tuple[str, str]:
    """The user and token of a request."""
    login = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
    user, _, token = login.partition(":")
    return user, token


async def test_accounts_share_connections_and_nothing_else() -> None:
    """Sender, issuer, credits and refusals are each account's own, and a new token counts at once."""

    async def answer(request: httpx.Request) -> httpx.Response:
        user, token = by_user(request)
        if token == "old":
            return reply(Res=-1)
        return reply(**{**SENT, "Cred": {"API-USER": 5, "ANA": 10, "LUIS": 20}[user]})

    script = Script(answer, repeat_last=True)
    async with client_of(
        script, sender="PARENT", issuer=Issuer("A S.L.", "900000000", "B00000000")
    ) as client:
        ana, luis = client.for_account("ANA", "a"), client.for_account("LUIS", "old", sender="LUIS")
        await ana.sms.send(PHONE, "Hola")
        with pytest.raises(AuthenticationError):
            await luis.sms.send(PHONE, "Hola")
        with pytest.raises(AccountPaused):
            await client.for_account("LUIS", "old").sms.send(PHONE, "Hola")
        await client.sms.send(PHONE, "Hola")
        rotated = client.for_account("LUIS", "new", sender="LUIS")
        await rotated.sms.send(PHONE, "Hola")
        await rotated.aclose()
        with pytest.raises(ConfigurationError, match="This client is closed"):
            await rotated.credits()
        assert await ana.credits() == 10
        assert (await client.credits(), luis.last_credits, rotated.last_credits) == (5, None, 20)
        assert (client.issuer is None, ana.issuer, script.closed) == (False, None, 0)
        senders = [script.params(number).get("Remitente") for number in range(4)]
        assert senders == ["", "LUIS", "PARENT", "LUIS"]
    assert script.closed == 1
    with pytest.raises(ConfigurationError, match="whose connections this account uses is closed"):
        await ana.credits(max_age=0)
    assert len(script.requests) == 4


async def test_accounts_share_the_places_in_flight() -> None:
    """One limit for all: it is the connections' and the provider's, not an account's."""

    async def slowly(_: httpx.Request) -> httpx.Response:
        await anyio.sleep(0.01)
        return reply(**SENT)

    script = Script(slowly, repeat_last=True)
    async with client_of(script, limits=Limits(concurrency=2)) as client, anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(client.for_account(f"U{number}", "t").sms.send, PHONE, "Hola")

    assert (len(script.requests), script.most_in_flight) == (6, 2)


@pytest.mark.parametrize(
    ("user", "token", "more", "error"),
    [
        ("", "t", {}, ConfigurationError),
        ("u", "", {}, ConfigurationError),
        ("u", None, {}, ConfigurationError),
        ("u:x", "t", {}, ConfigurationError),
        ("u", "t\n", {}, ConfigurationError),
        ("u", "t", {"sender": "DEMASIADOLARGO"}, InvalidSender),
        ("u", "t", {"issuer": "EMPRESA"}, ConfigurationError),
    ],
)
def test_an_account_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, user: str, token: Any, more: Any, error: type[Exception]
) -> None:
    """What is missing never comes from the environment: it would be another's account that pays."""
    monkeypatch.setenv("MENSATEK_API_USER", USER)
    monkeypatch.setenv("MENSATEK_API_TOKEN", TOKEN)
    with pytest.raises(error):
        AsyncMensatek().for_account(user, token, **more)


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
