"""The client against the sandbox over real HTTP: every method in every reply style, every code, every fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

import mensatek_async
from mensatek_async import (
    AccountPaused,
    APIError,
    AsyncMensatek,
    AuthenticationError,
    Guard,
    Phase,
    Recipient,
    Retry,
    Template,
)
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.sandbox.api.replies import REPLY_STYLES
from tests.sandbox_calls import ANA, EVA, ISSUER, LUIS

pytestmark = pytest.mark.mensatek_sandbox(credits=Decimal("14970.5"))

QUICK = Retry(wait_initial=0.005, wait_max=0.02, timeout=10)
CODES = json.loads((Path(__file__).parents[1] / "oracle" / "result_codes.json").read_text(encoding="utf-8"))
TOMORROW = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=1)
CERTIFIED = {"Remitente": "ACME", "Mensaje": "Hola", "Destinatarios": [{"Movil": ANA}], **ISSUER}


def client_of(sandbox: Sandbox, **settings: Any) -> AsyncMensatek:
    """A client that repeats quickly and may read as often as it likes."""
    given = {"retry": QUICK, "sender": "ACME", "guard": Guard(read_interval=0), **settings}
    return AsyncMensatek(sandbox.user, given.pop("token", sandbox.token), base_url=sandbox.base_url, **given)


# --- every method, however the provider writes its replies -------------------------------------------------


@pytest.mark.parametrize("style", REPLY_STYLES)
async def test_every_method_in_every_reply_style(sandbox: Sandbox, style: str) -> None:
    """The life of a message, of a file and of the credits reads the same in all forms seen live."""
    sandbox.reply_style = style
    async with client_of(sandbox) as client:
        assert await client.credits(max_age=0) == Decimal("14970.5")

        sent = await client.sms.send([ANA, Recipient(LUIS), ANA], "Su cita es mañana")
        assert (sent.accepted, sent.rejected, sent.recipients, sent.segments) == (2, 1, 3, 2)
        assert (sent.credits_used, sent.credits_left) == (2, Decimal("14968.5"))
        assert client.last_credits == Decimal("14968.5")
        assert (await client.sms.send(EVA, "Hola", join=sent.message_id)).message_id == sent.message_id

        report = await client.sms.report(sent.message_id)
        assert sorted(row.phone for row in report.recipients) == [ANA, LUIS, EVA]
        assert {row.status.phase for row in report.recipients} == {Phase.PENDING}
        assert all(row.reported_at and row.label and row.seconds is not None for row in report.recipients)
        sandbox.advance(60)
        report = await client.sms.report(sent.message_id, max_age=0)
        assert all(row.status.is_delivered for row in report.recipients)

        later = await client.sms.send(ANA, "Mañana", scheduled_at=TOMORROW)
        moved = await client.sms.reschedule(later.message_id, TOMORROW + timedelta(days=1))
        assert moved.rescheduled == 1
        back = await client.sms.cancel(later.message_id)
        assert (back.cancelled, back.message_id, back.credits_refunded) == (1, later.message_id, 1)
        assert back.credits_left == Decimal("14967.5")
        with pytest.raises(APIError, match="cancelled before"):
            await client.sms.cancel(later.message_id)

        assert await client.files.list() == []
        await client.files.upload(b"%PDF-1.4", name="contrato.pdf")
        (stored,) = await client.files.list()
        assert (stored.name, stored.extension) == ("contrato.pdf", "PDF")
        assert stored.uploaded_at is not None
        assert abs(stored.uploaded_at - sandbox.now) < timedelta(minutes=2)
        await client.files.delete("contrato.pdf")
        assert await client.files.list() == []

        answer = await client.request("EnviarSMSCERTIFICADO", CERTIFIED)
        assert int(answer["res"]) == 1
        assert sandbox.credits == client.last_credits
    assert (sandbox.count(ANA), sandbox.count(LUIS), sandbox.count(EVA)) == (2, 1, 1)
    assert sandbox.connections == 1


@pytest.mark.parametrize("style", REPLY_STYLES)
@pytest.mark.parametrize("status", [200, 401])
async def test_refused_credentials_in_every_reply_style(sandbox: Sandbox, style: str, status: int) -> None:
    """One request, whatever form the refusal has; what follows is held back here."""
    sandbox.reply_style, sandbox.refusal_status = style, status
    async with client_of(sandbox, token="falso") as client:
        with pytest.raises(AuthenticationError):
            await client.sms.send(ANA, "Hola")
        for call in (client.credits, client.files.list, lambda: client.sms.cancel(5)):
            with pytest.raises(AccountPaused):
                await call()

    assert len(sandbox.requests) == 1
    assert sandbox.count(ANA) == 0


@pytest.mark.parametrize("request_format", ["json", "form"])
@pytest.mark.parametrize("encoding", ["multipart", "base64"])
async def test_both_request_formats_and_both_upload_encodings(
    sandbox: Sandbox, request_format: Any, encoding: Any
) -> None:
    """The same texts and the same file arrive, whichever way they travel."""
    content = bytes(range(256)) * 40
    async with client_of(sandbox, request_format=request_format) as client:
        await client.files.upload(content, name="a.pdf", encoding=encoding, delete_after_certification=True)
        await client.sms.send(
            [Recipient(ANA, {"n": "Ana & Cía"}), Recipient(LUIS, {"n": "José + 100%"})],
            Template("Hola {n}, ¿qué tal? €=x"),
            reference="cita&5",
        )

    assert {text.phone: text.text for text in sandbox.texts} == {
        ANA: "Hola Ana & Cía, ¿qué tal? €=x".replace("í", "i"),
        LUIS: "Hola José + 100%, ¿qué tal? €=x",
    }
    assert {text.reference for text in sandbox.texts} == {"cita&5"}
    uploaded = {"Res": 1, "Nombre": "a.pdf", "Cred": Decimal("14970.5")}
    assert sandbox.calls("CargarFichero")[0].reply == uploaded
    kinds = {call.content_type.partition(";")[0] for call in sandbox.calls("EnviarSMS")}
    assert kinds == {"application/json" if request_format == "json" else "application/x-www-form-urlencoded"}


EVERY_CODE = [(name, int(code), row[code]) for name, row in CODES["errors"].items() for code in row]
EVERY_CODE += [("EnviarSMS", -99, "APIError"), ("GetCreditos", -3, "BadParameters")]


@pytest.mark.parametrize(("operation", "code", "error"), EVERY_CODE)
async def test_every_result_code_raises_its_error(
    sandbox: Sandbox, operation: str, code: int, error: str
) -> None:
    """The class typed from the manuals, with the provider's own words."""
    sandbox.fault(Fault.refuse(code, "palabras suyas"))
    async with client_of(sandbox) as client:
        with pytest.raises(APIError) as caught:
            await client.request(operation, {"Idmensaje": 5})

    assert type(caught.value) is getattr(mensatek_async, error)
    assert (caught.value.operation, caught.value.code, caught.value.sent) == (operation, code, False)
    assert "palabras suyas" in str(caught.value)
    assert len(sandbox.requests) == 1


# --- repeats -----------------------------------------------------------------------------------------------


async def test_uploads_and_deletions_are_repeated(sandbox: Sandbox) -> None:
    """The same name holds the same file, and a file that is gone is gone."""
    async with client_of(sandbox) as client:
        for fault in (Fault.drop_after_accept(), Fault.cut_body(), Fault.html_page(502, processed=True)):
            sandbox.fault(fault, operation="CargarFichero")
            await client.files.upload(b"%PDF-1.4", name="a.pdf")
            sandbox.fault(fault, operation="BorrarFichero")
            await client.files.delete("a.pdf")
            assert await client.files.list() == []


@pytest.mark.parametrize("detailed", [True, False])
async def test_repeated_recipients_of_a_repeat_count_as_accepted_before(
    sandbox: Sandbox, detailed: bool
) -> None:
    """Also when replies say no more than the manuals promise; at first hand they are rejected."""
    sandbox.detailed = detailed
    async with client_of(sandbox) as client:
        opener = await client.sms.send(ANA, "Hola")
        sandbox.fault(Fault.drop_after_accept(), operation="EnviarSMS")
        repeated = await client.sms.send([LUIS, EVA], "Hola", join=opener.message_id)
        again = await client.sms.send([LUIS, EVA], "Hola", join=opener.message_id)

    assert (repeated.accepted, repeated.rejected, repeated.message_id) == (2, 0, opener.message_id)
    assert repeated.credits_used is None
    assert (again.accepted, again.rejected) == (0, 2)
    assert sandbox.counts == {ANA: 1, LUIS: 1, EVA: 1}


# --- connections -------------------------------------------------------------------------------------------


async def test_a_connection_the_server_closed_meanwhile_is_not_used(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of the server costs no send its answer; a proxy of the environment is not for this machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with client_of(sandbox) as client:
        await client.sms.send(ANA, "Hola")
        sandbox.stop()
        sandbox.start()
        assert (await client.sms.send(LUIS, "Hola")).accepted == 1

    assert sandbox.counts == {ANA: 1, LUIS: 1}


# --- the guard ---------------------------------------------------------------------------------------------


async def test_reading_in_a_loop_never_ends_in_a_block(sandbox: Sandbox) -> None:
    """A hundred questions at once and one after the other are one request within five seconds."""
    sandbox.latency = 0.02
    async with client_of(sandbox, guard=Guard()) as client:
        sent = await client.sms.send(ANA, "Hola")
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(client.sms.report, sent.message_id)
                group.start_soon(client.request, "GetCreditos")
        for _ in range(50):
            await client.sms.report(sent.message_id, max_age=0)
            await client.credits(max_age=0)

    assert len(sandbox.calls("GetReportSMS")) == len(sandbox.calls("GetCreditos")) == 1
    assert not sandbox.blocked
