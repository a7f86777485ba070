"""What the client sends, the sandbox answers and posts, and the payload builders build, held against the document."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import Issuer, Mensatek, MensatekError, Recipient, Template, testing
from mensatek_async.sandbox import Sandbox
from mensatek_async.text import elements
from tests.openapi_document import DOCUMENT, OPERATIONS

jsonschema = pytest.importorskip("jsonschema", reason="runs in the session tests_openapi")

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")
PDF = b"%PDF-1.7\n%%EOF\n"


def check(schema: dict[str, Any], value: object) -> None:
    """Fail where a value is not what a schema of the document says."""
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def use_everything(client: Mensatek, sandbox: Sandbox, folder: Path) -> None:
    """Call every operation with every option, and some in ways that are refused."""
    later = sandbox.now + timedelta(days=2)
    sent = client.sms.send(
        "600000001", "Mañana", scheduled_at=later, reference="r", report=True, encoding="unicode"
    )
    client.sms.send("600000002", "Hola", join=sent.message_id, voice_fallback=True, fix_utf8=True)
    client.sms.send_bulk([Recipient("600000003", {"nombre": "Ana"})], Template("Hola {nombre}"))
    client.sms.reschedule(sent.message_id, later + timedelta(days=1))
    client.sms.report(sent.message_id)
    client.sms.cancel(sent.message_id)
    client.files.upload(PDF, name="contrato.pdf", encoding="base64", delete_after_certification=True)
    client.files.upload(PDF, name="otro.pdf")
    client.files.list()
    client.files.delete("otro.pdf")
    client.credits(max_age=0)
    certified = client.certified.send(
        "600000004", "Le notificamos", validity=timedelta(days=1), acceptance_days=3
    )
    text = "Firme " + elements.file("contrato.pdf")
    client.certified.send("600000005", text, contract_type=18)
    moved = client.certified.send("600000006", "Luego", scheduled_at=later, report_email="a@example.com")
    client.certified.reschedule(moved.message_id, later + timedelta(days=1))
    client.certified.cancel(moved.message_id)
    sandbox.advance(60)
    client.certified.report(certified.message_id)
    client.certified.download(folder / "one.pdf", message_id=certified.message_id, phone="600000004")
    client.certified.download(folder / "all.zip", start=sandbox.now - timedelta(days=1), end=sandbox.now)
    for wrong in (lambda: client.sms.cancel(sent.message_id), lambda: client.sms.report(5)):
        with pytest.raises(MensatekError):
            wrong()


@pytest.mark.parametrize("request_format", ["json", "form"])
def test_what_the_client_sends_is_documented(tmp_path: Path, request_format: Any) -> None:
    """Every request with every option, as JSON and as a form; and every reply of the sandbox to them."""
    with (
        Sandbox() as sandbox,
        Mensatek(
            *(sandbox.user, sandbox.token),
            base_url=sandbox.base_url,
            sender="MIEMPRESA",
            issuer=ISSUER,
            request_format=request_format,
        ) as client,
    ):
        use_everything(client, sandbox, tmp_path)
        calls = sandbox.requests

    assert {call.operation for call in calls} == set(OPERATIONS)
    for call in calls:
        content = OPERATIONS[call.operation]["requestBody"]["content"]
        body: dict[str, Any] = call.params
        if call.content_type.startswith("multipart/"):
            body["Fichero"] = ""  # the file itself is no parameter of the sandbox
        check(content[call.content_type.partition(";")[0]]["schema"], body)
        if call.reply is not None:
            answers = OPERATIONS[call.operation]["responses"]["200"]["content"]
            check(answers["application/json"]["schema"], [json.loads(json.dumps(call.reply, default=float))])


EVENTS = {
    "SMSMASIVO": "DeliveryReport",
    "SMSCERTIFICADO": "DeliveryReport",
    "EVENTOSSMSCERTIFICADO": "DocumentEvent",
    "SMSRECIBIDO": "IncomingMessage",
}


def test_what_the_sandbox_posts_is_documented() -> None:
    """Callbacks of plain texts, certified ones, documents and replies."""
    with (
        Sandbox() as sandbox,
        Mensatek(sandbox.user, sandbox.token, base_url=sandbox.base_url, sender="X", issuer=ISSUER) as client,
    ):
        recorder = sandbox.record()
        client.sms.send("600000001", "Hola", reference="r")
        client.certified.send("600000002", "Firme " + elements.pdf(PDF), contract_type=18)
        sandbox.advance(5)
        sandbox.sign_contract("34600000002", biometric=True, location=(40.4, -3.7))
        sandbox.reply("34600000001", "SI")
        posted = recorder.take()

    assert {fields["Servicio"] for fields in posted} == set(EVENTS)
    for fields in posted:
        check({"$ref": f"#/components/schemas/{EVENTS[fields['Servicio']]}"}, fields)


@pytest.mark.parametrize(
    ("build", "schema"),
    [
        (testing.delivery_report, "DeliveryReport"),
        (testing.document_event, "DocumentEvent"),
        (testing.incoming_message, "IncomingMessage"),
    ],
)
def test_what_the_builders_build_is_documented(build: Any, schema: str) -> None:
    """The payloads for users' tests are such as the provider could post."""
    check({"$ref": f"#/components/schemas/{schema}"}, json.loads(build().body))
