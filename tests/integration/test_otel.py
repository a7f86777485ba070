"""OpenTelemetry's own SDK beside the sandbox: spans, metrics, and traces that go on through an outbox and a webhook."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from attrs import evolve
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mensatek_async import AsyncMensatek, ConfigurationError, Mensatek, MensatekError, Outbox, Retry
from mensatek_async.otel import OpenTelemetryObserver
from mensatek_async.outbox.schema import OUTBOX
from mensatek_async.sandbox import Sandbox
from mensatek_async.store.opening import open_database
from mensatek_async.testing import Payload, delivery_report
from mensatek_async.webhooks import Receiver, Request
from tests.integration.test_outbox import execute
from tests.scripted import Script, client_of, reply

PHONE, QUICK = "600000001", Retry(wait_initial=0.01, wait_max=0.02)


class Telemetry:
    """Where spans and metrics go, and observers of processes that share nothing else."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers, self.meters = TracerProvider(), MeterProvider([self._reader])
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer = self.tracers.get_tracer("test")

    def observer(self) -> OpenTelemetryObserver:
        return OpenTelemetryObserver(tracer_provider=self.tracers, meter_provider=self.meters)

    def spans(self, name: str | None = None) -> list[ReadableSpan]:
        return [one for one in self._spans.get_finished_spans() if name in (None, one.name)]

    def span(self, name: str) -> ReadableSpan:
        (found,) = self.spans(name)
        return found

    def metrics(self) -> dict[str, list[tuple[dict[str, Any], float]]]:
        """By name, the values with their attributes; of a histogram the count."""
        data = self._reader.get_metrics_data()
        scopes = (
            [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        )
        return {
            metric.name: [
                (dict(point.attributes), getattr(point, "value", getattr(point, "count", None)))
                for point in metric.data.data_points
            ]
            for scope in scopes
            for metric in scope.metrics
        }


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    made = Telemetry()
    yield made
    made.tracers.shutdown()
    made.meters.shutdown()


def linked(span: ReadableSpan) -> set[int]:
    """The spans that one is linked to."""
    return {link.context.span_id for link in span.links}


def id_of(span: Any) -> int:
    number: int = span.get_span_context().span_id
    return number


async def test_a_send_is_one_span_with_its_repeats_as_events(telemetry: Telemetry) -> None:
    """Under the span of whoever calls; names and units are those of the semantic conventions."""
    script = Script(
        reply(503, {"Retry-After": "0"}),
        reply(idMensaje=77, Mensajes=2, NoEnviados=0, CreditosUsados="1,5", Cred=9),
    )
    async with client_of(script, retry=QUICK, observer=telemetry.observer()) as client:
        with telemetry.tracer.start_as_current_span("request"):
            await client.sms.send([PHONE, "600000002"], "Hola", reference="pedido 42")

    span, parent = telemetry.span("EnviarSMS"), telemetry.span("request")
    assert (span.kind, span.parent.span_id if span.parent else None) == (trace.SpanKind.CLIENT, id_of(parent))
    assert dict(span.attributes or {}) == {
        "messaging.system": "mensatek",
        "messaging.operation.name": "EnviarSMS",
        "messaging.operation.type": "send",
        "messaging.message.id": "77",
        "messaging.batch.message_count": 2,
        "server.address": "api.example",
        "server.port": 443,
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
        "mensatek.area": "client",
        "mensatek.attempts": 2,
        "mensatek.reference": "pedido 42",
        "mensatek.result_code": 1,
        "mensatek.segments": 2,
        "mensatek.credits": 1.5,
    }
    (event,) = span.events
    assert (event.name, (event.attributes or {})["mensatek.cause"]) == ("retry", "told_to_wait")
    assert (event.attributes or {})["http.response.status_code"] == 503
    call = {"messaging.operation.name": "EnviarSMS", "mensatek.area": "client"}
    (account,) = telemetry.metrics().pop("mensatek.credits_left")
    assert {
        name: points for name, points in telemetry.metrics().items() if name != "mensatek.credits_left"
    } == {
        "mensatek.calls": [(call, 1)],
        "mensatek.call.duration": [(call, 1)],
        "mensatek.recipients": [(call, 2)],
        "mensatek.credits": [(call, 1.5)],
        "mensatek.retries": [({**call, "mensatek.cause": "told_to_wait"}, 1)],
    }
    assert (list(account[0]), account[1]) == (["mensatek.account"], 9)


async def test_a_failure_is_an_error_by_its_class(telemetry: Telemetry) -> None:
    """Its words, which quote the provider's, are nowhere."""
    script = Script(reply(Res=-3, Error="34600000001 Hola"))
    async with client_of(script, observer=telemetry.observer()) as client:
        with pytest.raises(MensatekError):
            await client.sms.send(PHONE, "Hola")

    span = telemetry.span("EnviarSMS")
    assert (span.status.status_code, span.status.description) == (trace.StatusCode.ERROR, None)
    assert (span.attributes or {})["error.type"] == "BadParameters"
    assert not span.events
    assert "Hola" not in span.to_json()
    ((attributes, _),) = telemetry.metrics()["mensatek.calls"]
    assert attributes["error.type"] == "BadParameters"


async def test_a_pause_is_an_event_of_the_call_that_found_out(telemetry: Telemetry) -> None:
    """With the reason and the seconds."""
    async with client_of(Script(reply(401)), observer=telemetry.observer()) as client:
        with pytest.raises(MensatekError):
            await client.sms.send(PHONE, "Hola")

    (event,) = telemetry.span("EnviarSMS").events
    assert (event.name, (event.attributes or {})["mensatek.reason"]) == ("paused", "credentials")


def _client(telemetry: Telemetry) -> AsyncMensatek:
    """A client of the sandbox, as another process would have it."""
    return AsyncMensatek(sender="ACME", retry=QUICK, observer=telemetry.observer())


async def _put(outbox: Outbox, store: str, way: str) -> None:
    if way == "put":
        await outbox.put("order-42", PHONE, "Hola", reference="pedido 42")
        return
    await outbox.create_tables()
    style: Literal["pyformat", "named"] = "pyformat" if "://" in store else "named"
    text = ("order-42", PHONE, "Hola")
    execute(store, *outbox.statement(*text, reference="pedido 42", paramstyle=style), commit=True)


@pytest.mark.parametrize("way", ["put", "statement"])
async def test_a_trace_goes_through_the_outbox_to_the_webhook(
    telemetry: Telemetry, sandbox: Sandbox, store: str, way: str
) -> None:
    """Three processes that share the store alone: who puts, who sends, and who takes the report in."""
    async with _client(telemetry) as client, Outbox(client, store) as outbox:
        with telemetry.tracer.start_as_current_span("web request"):
            await _put(outbox, store, way)
    async with _client(telemetry) as client, Outbox(client, store) as outbox:
        with telemetry.tracer.start_as_current_span("celery task"):
            assert (await outbox.drain())["sent"] == 1
    (sent,) = sandbox.texts
    report = delivery_report(phone=sent.phone, message_id=sent.message_id, reference=sent.reference)
    async with _client(telemetry) as client, Outbox(client, store) as outbox:
        receiver = Receiver(outbox.record, allow_unauthenticated=True, observer=telemetry.observer())
        await receiver.receive(Request(body=report.body, content_type=report.content_type))

    put, send, task = (telemetry.span(name) for name in ("web request", "EnviarSMS", "celery task"))
    assert send.parent is not None
    assert (send.parent.span_id, send.parent.trace_id) == (id_of(put), put.get_span_context().trace_id)
    assert linked(send) == {id_of(put), id_of(task)}
    assert (send.attributes or {})["mensatek.reference"] == "pedido 42"
    assert id_of(put) in linked(telemetry.span("process DeliveryReport"))


async def test_a_callback_finds_its_send_by_message_or_reference(telemetry: Telemetry) -> None:
    """Linked to it, and under it where nothing else is around; any other is on its own."""
    observer = telemetry.observer()
    async with client_of(Script(reply(idMensaje=77)), observer=observer) as client:
        await client.sms.send(PHONE, "Hola", reference="pedido 42")
    receiver = Receiver(_fail, allow_unauthenticated=True, observer=observer)

    async def post(payload: Payload) -> None:
        await receiver.receive(Request(body=payload.body, content_type=payload.content_type))

    await post(delivery_report(message_id=77))
    with telemetry.tracer.start_as_current_span("server"):
        await post(delivery_report(message_id=78, reference="pedido 42"))
    await post(delivery_report(message_id=79))

    send, server = telemetry.span("EnviarSMS"), telemetry.span("server")
    found, around, alone = telemetry.spans("process DeliveryReport")
    assert (found.kind, found.parent.span_id if found.parent else 0) == (trace.SpanKind.CONSUMER, id_of(send))
    assert around.parent is not None
    assert around.parent.span_id == id_of(server)
    assert linked(found) == linked(around) == {id_of(send)}
    assert (alone.parent, linked(alone)) == (None, set())
    attributes = found.attributes or {}
    assert (attributes["error.type"], attributes["mensatek.outcome"]) == ("ZeroDivisionError", "failed")
    assert attributes["messaging.operation.type"] == "process"


@pytest.mark.parametrize("password", ["right", "wrong"])
async def test_the_span_of_the_request_keeps_no_token(telemetry: Telemetry, password: str) -> None:
    """Taken in or refused: the token is out of whatever the web framework wrote of the URL, and the rest stands."""
    receiver = Receiver(print, username="u", password="right", token="s3cret", observer=telemetry.observer())
    report = delivery_report()
    given = f"Basic {b64encode(f'u:{password}'.encode()).decode()}"
    written = {
        "http.url": "https://h/hook?a=1&token=s3cret&b=2",
        "url.query": "token=s3cret",
        "url.path": "/",
    }
    with telemetry.tracer.start_as_current_span("server", attributes=written):
        about = {"query": "token=s3cret", "authorization": given, "content_type": report.content_type}
        await receiver.receive(Request(body=report.body, **about))
    assert dict(telemetry.span("server").attributes or {}) == {
        "http.url": "https://h/hook?a=1&token=REDACTED&b=2",
        "url.query": "token=REDACTED",
        "url.path": "/",
    }


def _fail(event: object) -> None:
    raise ZeroDivisionError


async def test_an_outbox_of_the_version_before_goes_on(
    telemetry: Telemetry, sandbox: Sandbox, store: str
) -> None:
    """Its items are looked at as they are, and sent; those put from now on have their trace."""
    old = open_database(store, evolve(OUTBOX, steps=OUTBOX.steps[:1]))
    async with AsyncMensatek(sender="ACME") as client, Outbox(client, store) as outbox:
        entry = outbox._session.entry("old", PHONE, "Hola")
        sql, values = entry.insert(old, lambda name: "?")
        old.write(lambda tx: tx.run(sql, *values.values()))
        old.close()
        assert (await outbox.counts())["queued"] == 1
        assert (await outbox.get("old")) is not None
    async with _client(telemetry) as client, Outbox(client, store) as outbox:
        with telemetry.tracer.start_as_current_span("web request"):
            await outbox.put("new", "600000002", "Hola")
        assert (await outbox.drain())["sent"] == 2

    parents = [span.parent for span in telemetry.spans("EnviarSMS")]
    assert sorted(parent is None for parent in parents) == [False, True]


def test_a_synchronous_call_is_under_the_span_of_its_thread(telemetry: Telemetry, sandbox: Sandbox) -> None:
    """Its loop is elsewhere, its context is not."""
    client = Mensatek(sender="ACME", observer=telemetry.observer())
    with client, telemetry.tracer.start_as_current_span("request"):
        client.sms.send(PHONE, "Hola")

    parent = telemetry.span("EnviarSMS").parent
    assert parent is not None
    assert parent.span_id == id_of(telemetry.span("request"))


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is made, and not when the module is imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=r"mensatek-async\[otel\]"):
        OpenTelemetryObserver()
