"""OpenTelemetry beside the instrumentations of FastAPI and httpx; `nox -s tests_outbox` has what they need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from mensatek_async import AsyncMensatek, Outbox
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.testing import delivery_report
from mensatek_async.webhooks import asgi
from tests.integration.test_otel import Telemetry, id_of, linked

fastapi = pytest.importorskip("fastapi", reason="nox -s tests_outbox")
instrument_fastapi = pytest.importorskip("opentelemetry.instrumentation.fastapi")
instrument_httpx = pytest.importorskip("opentelemetry.instrumentation.httpx")

PHONE, PASSWORD, TOKEN = "600000001", "s3cret-password", "s3cret-token"


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Where everybody's spans and metrics go, with httpx instrumented."""
    made, httpx_too = Telemetry(), instrument_httpx.HTTPXClientInstrumentor()
    httpx_too.instrument(tracer_provider=made.tracers, meter_provider=made.meters)
    yield made
    httpx_too.uninstrument()
    made.tracers.shutdown()
    made.meters.shutdown()


@asynccontextmanager
async def serving(sandbox: Sandbox, telemetry: Telemetry, store: Path) -> AsyncIterator[httpx.AsyncClient]:
    """An instrumented application that sends, puts and takes callbacks, with a worker; gives who calls it."""
    observer = telemetry.observer()
    app = fastapi.FastAPI()
    async with (
        AsyncMensatek(sender="ACME", observer=observer) as client,
        Outbox(client, store) as outbox,
        outbox.run(),
    ):

        @app.post("/send")
        async def send() -> int:
            return (await client.sms.send(PHONE, "Hola")).message_id

        @app.put("/orders/42")
        async def order() -> int:
            await outbox.put("order-42", PHONE, "Su pedido ha salido", reference="42")
            return (await outbox.wait("order-42")).message_id

        webhook = asgi.WebhookApp(
            outbox.record, username="mensatek", password=PASSWORD, token=TOKEN, observer=observer
        )
        app.mount("/mensatek", webhook)
        instrument_fastapi.FastAPIInstrumentor.instrument_app(
            app,
            tracer_provider=telemetry.tracers,
            meter_provider=telemetry.meters,
            exclude_spans=["send", "receive"],
        )
        auth = httpx.BasicAuth("mensatek", PASSWORD)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop", auth=auth) as caller:
            yield caller


async def test_a_call_is_counted_once_beside_the_instrumentations(
    sandbox: Sandbox, telemetry: Telemetry, tmp_path: Path
) -> None:
    """Server, call, request: one span of each, in one trace; and a lost answer is a request more, not a call more."""
    sandbox.fault(Fault.status_503(0), operation="EnviarSMS")
    async with serving(sandbox, telemetry, tmp_path / "outbox.db") as caller:
        assert (await caller.post("/send")).status_code == 200

    server, call, requests = (
        telemetry.span("POST /send"),
        telemetry.span("EnviarSMS"),
        telemetry.spans("POST"),
    )
    assert [one.parent.span_id for one in (call, *requests) if one.parent] == [
        id_of(server),
        *[id_of(call)] * 2,
    ]
    assert len({one.get_span_context().trace_id for one in (server, call, *requests)}) == 1
    metrics = telemetry.metrics()
    assert [value for _, value in metrics["mensatek.calls"]] == [1]
    assert [value for _, value in metrics["mensatek.retries"]] == [1]
    assert {name.partition(".")[0] for name in metrics} == {"mensatek", "http"}


async def test_a_trace_goes_from_the_web_request_to_the_webhook(
    sandbox: Sandbox, telemetry: Telemetry, tmp_path: Path
) -> None:
    """Through the outbox and its worker; no span of anybody's has a secret, a phone or a text."""
    async with serving(sandbox, telemetry, tmp_path / "outbox.db") as caller:
        message = (await caller.put("/orders/42")).json()
        (sent,) = sandbox.texts
        report = delivery_report(phone=sent.phone, message_id=message, reference=sent.reference)
        posted = await caller.post(
            f"/mensatek/?token={TOKEN}", content=report.body, headers={"Content-Type": report.content_type}
        )
        assert posted.status_code == 200

    request, send = telemetry.span("PUT /orders/42"), telemetry.span("EnviarSMS")
    webhook, server = telemetry.span("process DeliveryReport"), telemetry.span("POST /mensatek")
    assert send.parent is not None
    assert webhook.parent is not None
    assert (send.parent.span_id, webhook.parent.span_id) == (id_of(request), id_of(server))
    assert linked(webhook) == {id_of(request), id_of(send)}
    for span in telemetry.spans():
        assert not [
            word for word in (sandbox.token, PASSWORD, TOKEN, PHONE, "pedido") if word in span.to_json()
        ]
