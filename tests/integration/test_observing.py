"""Observers of everything that sends, against the sandbox: who makes a call, and what never reaches them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from attrs import asdict

from mensatek_async import (
    AsyncMensatek,
    CallFinished,
    Campaigns,
    Issuer,
    Mensatek,
    MensatekError,
    Outbox,
    Recipient,
    Template,
    VoiceFallback,
)
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.testing import Payload, delivery_report, document_event, incoming_message
from mensatek_async.webhooks import Receiver, Request
from tests.markdown import ROOT, blocks
from tests.sync.child import environment
from tests.unit.test_observer import Recorder

MARK = "sEcReT"
PHONES = [f"6006660{number:02}" for number in range(40)]
ISSUER = Issuer(f"{MARK} SL", PHONES[39], "B00000000")


async def everything(client: AsyncMensatek, sandbox: Sandbox, folder: Path) -> None:
    """Call all there is, with marks in whatever has no place in an event, and with what goes wrong."""
    fields = {"nombre": f"{MARK}-valor"}
    text = Template(f"{MARK} para {{nombre}}")
    rows = [Recipient(phone, fields) for phone in PHONES]
    sent = await client.sms.send(
        rows[0], text, sender=MARK, voice_fallback=VoiceFallback("es-ES", PHONES[38])
    )
    await client.sms.report(sent.message_id)
    await client.sms.send_bulk(rows[1:9], text, chunk_size=3)
    legal = {"issuer": ISSUER, "report_email": f"{MARK}@example.com", "contract_type": 7}
    await client.certified.send(rows[9], text, **legal)
    await client.files.upload(MARK.encode(), name=f"{MARK}.pdf")
    await client.files.list()
    await client.files.delete(f"{MARK}.pdf")
    await client.credits(max_age=0)
    wire = {"Remitente": MARK, "Destinatarios": [{"Movil": PHONES[10]}], "Mensaje": MARK, "Otro": MARK}
    await client.request("EnviarSMS", wire)
    async with Campaigns(client, folder / f"{MARK}.db") as campaigns:
        await (await campaigns.start("navidad", text, rows[11:20], chunk_size=4)).complete()
    async with Outbox(client, folder / "outbox.db") as outbox:
        await outbox.put(MARK, rows[20], text)
        await outbox.drain()
    for body in (f'[{{"Res":-3,"Error":"{MARK} {PHONES[21]}"}}]', f"<h1>{MARK} {PHONES[21]}</h1>"):
        sandbox.fault(Fault.reply(body), operation="EnviarSMS")
        with pytest.raises(MensatekError):
            await client.sms.send(rows[21], text)


def callbacks() -> Iterator[Payload]:
    """One of each kind, full of marks."""
    yield delivery_report(phone=PHONES[0], sender=MARK, variables={MARK: MARK}, extra={MARK: MARK})
    yield document_event(phone=PHONES[0], file=MARK, value=MARK, ip="192.0.2.66")
    yield incoming_message(sender=PHONES[0], number=PHONES[1], text=MARK)
    yield delivery_report(service=f"EMAIL{MARK}", extra={"Destinatario": f"{MARK}@example.com"})
    yield Payload(MARK.encode(), "application/json")


async def test_nothing_private_reaches_an_observer_or_the_log(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Marks in every input, of whatever makes a call, and in every callback; each kind of work is told."""
    seen, requests = Recorder(), Counter[str]()
    user, token = sandbox.user, sandbox.token
    caplog.set_level(logging.DEBUG, "mensatek_async")
    async with AsyncMensatek(sender=MARK, issuer=ISSUER, observer=seen) as client:
        await everything(client, sandbox, tmp_path)
    receiver = Receiver(lambda event: None, username=MARK, password=MARK, token=MARK, observer=seen)
    login = httpx.BasicAuth(MARK, MARK)._build_auth_header(MARK, MARK)
    for payload in callbacks():
        for authorization in (login, f"Basic {MARK}"):
            given = {"authorization": authorization, "query": f"token={MARK}"}
            posted = {"body": payload.body, "content_type": payload.content_type}
            await receiver.receive(Request(**given, **posted))

    kinds = {type(event).__name__ for event in seen.events}
    assert kinds >= {"CallStarted", "CallFinished", "WebhookReceived", "WebhookHandled", "WebhookRefused"}
    for one in seen.of(CallFinished):
        requests[one.area] += one.attempts
    assert requests.keys() == {"client", "bulk", "campaigns", "outbox"}
    assert requests.total() == len(sandbox.requests)
    logged = [
        f"{one.getMessage()} {vars(one)}" for one in caplog.records if one.name.startswith("mensatek_async.")
    ]
    assert len(logged) > len(sandbox.requests)
    # Seconds may have any digits.
    told_of = [{k: v for k, v in asdict(one).items() if not isinstance(v, float)} for one in seen.events]
    for told in (str(told_of), *logged):
        assert not [word for word in (MARK, "6006660", user, token) if word in told]


def test_a_synchronous_client_tells_in_the_thread_of_its_loop(sandbox: Sandbox) -> None:
    """The same observer, one event after the other, away from the thread that calls."""
    threads: list[str] = []
    observer = SimpleNamespace(call_started=lambda _: threads.append(threading.current_thread().name))
    with Mensatek(sender="ACME", observer=observer) as client:
        client.sms.send(PHONES[0], "Hola")
        client.for_account(sandbox.user, sandbox.token, sender="ACME").sms.send(PHONES[1], "Hola")

    assert len(threads) == 2
    assert threading.current_thread().name not in threads
    assert len(set(threads)) == 1


async def test_a_campaign_is_logged_as_it_stands(client: AsyncMensatek, tmp_path: Path, caplog: Any) -> None:
    """By its name, when somebody has worked on it."""
    caplog.set_level(logging.INFO, "mensatek_async.campaigns")
    async with Campaigns(client, tmp_path / "campaigns.db") as campaigns:
        await (await campaigns.start("navidad", "Hola", PHONES[:3])).complete()

    assert caplog.messages == ["Campaign navidad: done"]


@pytest.mark.parametrize("library", ["json", "structlog"])
def test_the_page_shows_how_to_log_as_json_lines(sandbox: Sandbox, tmp_path: Path, library: str) -> None:
    """A program with the example at its top: one object a call, with what the call was."""
    page = ROOT / "docs" / "observability.md"
    (example,) = (one.text for one in blocks(page) if one.said and f"import {library}\n" in one.text)
    send = "from mensatek_async import Mensatek\nwith Mensatek(sender='ACME') as client:\n"
    program = f"{example}\n{send}    client.sms.send('{PHONES[0]}', 'Hola')\n"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(sandbox),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["logger"], line["level"].lower(), line["operation"]) == (
        "mensatek_async.call",
        "info",
        "EnviarSMS",
    )
    assert (line["message_id"], line["attempts"], line["area"]) == (sandbox.texts[0].message_id, 1, "client")
    assert line["milliseconds"] > 0
    assert "message" in line["event"]
