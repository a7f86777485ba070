"""`OpenTelemetryObserver`: spans and metrics of calls and callbacks, with the API of OpenTelemetry alone.

Each call of the SDK is one span, whatever it takes, with its repeats as events: an instrumentation of the HTTP client
adds one for each request. Names are those of the semantic conventions for HTTP clients and messaging where they fit.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .errors import ConfigurationError
from .observe.events import (
    CallFinished,
    CallRetried,
    CallStarted,
    Paused,
    ReportRecorded,
    WebhookHandled,
    WebhookReceived,
    WebhookRefused,
)
from .observe.metrics import BUCKETS, METRICS, Metric, measured
from .observe.observer import Observer

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import Link, Span, SpanContext, TracerProvider

__all__ = ["OpenTelemetryObserver"]

_SCHEMA = "https://opentelemetry.io/schemas/1.28.0"
_TOKEN = re.compile(r"(^|[?&])token=[^&#]*")  # of a webhook, in a URL or its query
_MOST_SENT = 10_000  # messages whose span is kept in mind, for the callbacks about them


class OpenTelemetryObserver(Observer):
    """Makes a span of each call and callback, and metrics of the calls.

    Use it as `AsyncMensatek(observer=OpenTelemetryObserver())`. A call's span has the kind CLIENT and the operation's
    name, and is the current span while the call is made. The call of an item of the outbox goes on with the trace in
    which the item was put, wherever that was. A callback's span has the kind CONSUMER, and a link to the send that it
    is about: found by message or reference where this observer saw the send, and through `outbox.record` where another
    process sent it. Use one object for the client and the webhook.

    Args:
        tracer_provider: where spans go. Default: the global one.
        meter_provider: where metrics go. Default: the global one.

    Raises:
        ConfigurationError: the extra `otel` is not installed.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        try:
            from opentelemetry import context, metrics, trace
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError:
            raise ConfigurationError(
                "OpenTelemetry is not installed.", advice="Install it: pip install 'mensatek-async[otel]'."
            ) from None
        self._trace, self._context, self._w3c = trace, context, TraceContextTextMapPropagator()
        self._tracer = trace.get_tracer("mensatek_async", __version__, tracer_provider, _SCHEMA)
        meter = metrics.get_meter("mensatek_async", __version__, meter_provider, _SCHEMA)
        self._metrics = {metric: _recorder(meter, metric) for metric in METRICS}
        self._running: dict[tuple[str, int], tuple[Span, Any]] = {}
        self._sent: OrderedDict[int | str, SpanContext] = OrderedDict()

    def call_started(self, event: CallStarted) -> None:
        """Begin the span of a call, and make it the current one."""
        parent, links = None, []
        if event.traceparent:
            parent = self._w3c.extract({"traceparent": event.traceparent})
            around = (self._trace.get_current_span(parent), self._trace.get_current_span())
            contexts = (span.get_span_context() for span in around)
            links = [self._trace.Link(one) for one in contexts if one.is_valid]
        about = {
            "messaging.operation.name": event.operation,
            "messaging.operation.type": "send" if event.kind == "send" else None,
            "server.address": event.server_address,
            "server.port": event.server_port,
            "mensatek.area": event.area,
        }
        kind = self._trace.SpanKind.CLIENT
        self._begin(("call", event.call), event.operation, kind, about, links, parent)

    def call_retried(self, event: CallRetried) -> None:
        """Add a repeat to the span of its call."""
        about = {
            "http.request.resend_count": event.attempt - 1,
            "http.response.status_code": event.http_status,
            "mensatek.cause": event.cause,
            "mensatek.wait": event.wait,
        }
        self._trace.get_current_span().add_event("retry", _known(about))
        self._measure(event)

    def call_finished(self, event: CallFinished) -> None:
        """End the span of a call."""
        about = {
            "mensatek.attempts": event.attempts,
            "http.request.method": "POST" if event.attempts else None,
            "http.response.status_code": event.http_status,
            "http.request.resend_count": event.attempts - 1 if event.attempts > 1 else None,
            "messaging.message.id": str(event.message_id) if event.message_id else None,
            "messaging.batch.message_count": event.recipients if event.recipients > 1 else None,
            "mensatek.reference": event.reference or None,
            "mensatek.result_code": event.result_code,
            "mensatek.segments": event.segments,
            "mensatek.credits": None if event.credits is None else float(event.credits),
        }
        span = self._end(("call", event.call), about, event.error_class)
        if event.kind == "send" and not event.error_class:
            for name in (event.message_id, event.reference):
                self._remember(name, span.get_span_context())
        self._measure(event)

    def paused(self, event: Paused) -> None:
        """Add a pause of the guard to the span of the call that found out."""
        about = {"mensatek.reason": event.reason, "mensatek.wait": event.seconds}
        self._trace.get_current_span().add_event("paused", about)

    def webhook_received(self, event: WebhookReceived) -> None:
        """Begin the span of a callback, and make it the current one."""
        sent = self._sent.get(event.message_id or "") or self._sent.get(event.reference)
        around, parent = self._hide_token(), None
        links = [] if sent is None else [self._trace.Link(sent)]
        if sent is not None and not around.get_span_context().is_valid:
            parent = self._trace.set_span_in_context(self._trace.NonRecordingSpan(sent))
        about = {
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.message.id": str(event.message_id) if event.message_id else None,
            "mensatek.kind": event.kind,
            "mensatek.reference": event.reference or None,
            "mensatek.status": event.status,
        }
        kind = self._trace.SpanKind.CONSUMER
        self._begin(("callback", event.callback), f"process {event.kind}", kind, about, links, parent)

    def webhook_handled(self, event: WebhookHandled) -> None:
        """End the span of a callback."""
        self._end(("callback", event.callback), {"mensatek.outcome": event.outcome}, event.error_class)

    def webhook_refused(self, event: WebhookRefused) -> None:
        """Make nothing of it, but leave no token in the span of the request."""
        self._hide_token()

    def report_recorded(self, event: ReportRecorded) -> None:
        """Link what is current, a callback's span, to the context in which the item was put."""
        if event.traceparent:
            put = self._trace.get_current_span(self._w3c.extract({"traceparent": event.traceparent}))
            self._trace.get_current_span().add_link(put.get_span_context())

    def traceparent(self) -> str:
        """Return the current trace context."""
        carrier: dict[str, str] = {}
        self._w3c.inject(carrier)
        return carrier.get("traceparent", "")

    def _hide_token(self) -> Span:
        """Return the current span, the web framework's; what it holds of a URL has the webhook's token no more."""
        span = self._trace.get_current_span()
        for name, value in dict(getattr(span, "attributes", None) or {}).items():
            if isinstance(value, str) and _TOKEN.search(value):
                span.set_attribute(name, _TOKEN.sub(r"\1token=REDACTED", value))
        return span

    def _begin(
        self,
        key: tuple[str, int],
        name: str,
        kind: Any,
        about: dict[str, Any],
        links: list[Link],
        parent: Any,
    ) -> None:
        about["messaging.system"] = "mensatek"
        span = self._tracer.start_span(name, parent, kind, _known(about), links)
        self._running[key] = span, self._context.attach(self._trace.set_span_in_context(span))

    def _end(self, key: tuple[str, int], about: dict[str, Any], error_class: str) -> Span:
        span, token = self._running.pop(key)
        span.set_attributes(_known(about))
        if error_class:
            span.set_attribute("error.type", error_class)
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()
        self._context.detach(token)
        return span

    def _remember(self, name: int | str | None, context: SpanContext) -> None:
        if name and context.is_valid:
            self._sent[name] = context
            self._sent.move_to_end(name)
            if len(self._sent) > _MOST_SENT:
                self._sent.popitem(last=False)

    def _measure(self, event: CallFinished | CallRetried) -> None:
        for metric, amount, attributes in measured(event):
            self._metrics[metric](amount, attributes)


def _known(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if value is not None}


def _recorder(meter: Meter, metric: Metric) -> Callable[[float, dict[str, Any]], None]:
    """Return what records a value of a metric."""
    about = (metric.name, metric.unit, metric.about)
    if metric.kind == "counter":
        return meter.create_counter(*about).add
    if metric.kind == "gauge":
        return meter.create_gauge(*about).set
    return meter.create_histogram(*about, explicit_bucket_boundaries_advisory=BUCKETS).record
