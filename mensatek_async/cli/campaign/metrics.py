"""`--metrics PORT` of the workers: what observers are told, served to Prometheus on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...observe.events import CallFinished, CallRetried
from ...observe.metrics import BUCKETS, METRICS, Metric, measured
from ...observe.observer import Observer
from ..output import Output, cannot_listen

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_HERE = "127.0.0.1"
_ADDS = {"counter": "inc", "gauge": "set", "histogram": "observe"}


class PrometheusObserver(Observer):
    """Keeps the metrics of calls in a registry, under the names that OpenTelemetry's exporters give them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._metrics = {metric: _collector(metric, registry) for metric in METRICS}

    def call_retried(self, event: CallRetried) -> None:
        """Count a repeat."""
        self._measure(event)

    def call_finished(self, event: CallFinished) -> None:
        """Count a call."""
        self._measure(event)

    def _measure(self, event: CallFinished | CallRetried) -> None:
        for metric, amount, attributes in measured(event):
            labels = [attributes.get(name, "") for name in metric.labels]
            getattr(self._metrics[metric].labels(*labels), _ADDS[metric.kind])(amount)


def _collector(metric: Metric, registry: CollectorRegistry) -> Any:
    from prometheus_client import Counter, Gauge, Histogram

    labels = [name.replace(".", "_") for name in metric.labels]
    about = (metric.prometheus, metric.about, labels)
    if metric.kind == "histogram":
        return Histogram(*about, registry=registry, buckets=BUCKETS)
    return (Counter if metric.kind == "counter" else Gauge)(*about, registry=registry)


@contextmanager
def serving_metrics(port: int | None, output: Output) -> Iterator[PrometheusObserver | None]:
    """Serve metrics on a port of this machine, if one is named, while the block lasts; give what fills them."""
    if port is None:
        yield None
        return
    # Few ask for it, and it takes time to load.
    from prometheus_client import CollectorRegistry, disable_created_metrics, start_http_server

    disable_created_metrics()  # a series for each, of when it began
    registry = CollectorRegistry()
    try:
        server, thread = start_http_server(port, _HERE, registry)
    except (OSError, OverflowError) as error:
        raise cannot_listen(_HERE, port, error) from None
    try:
        output.note("Metrics at http://{}:{}/metrics", _HERE, server.server_port)
        yield PrometheusObserver(registry)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
