"""The metrics made of what observers are told, whoever keeps them: a table, and what each event adds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from attrs import frozen

from .events import CallFinished, CallRetried


@frozen
class Metric:
    """One metric.

    Attributes:
        name: in OpenTelemetry's form.
        kind: "counter", "histogram" or "gauge".
        unit: after UCUM, with what is counted in braces.
        about: what it says.
        labels: its attributes.
    """

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    unit: str
    about: str
    labels: tuple[str, ...]

    @property
    def prometheus(self) -> str:
        """Its name in Prometheus, as OpenTelemetry's exporters write it."""
        unit = "" if self.unit.startswith("{") else "_seconds"
        return f"{self.name.replace('.', '_')}{unit}{'_total' if self.kind == 'counter' else ''}"


_CALL = ("messaging.operation.name", "mensatek.area")
_ENDED = (*_CALL, "error.type")
CALLS = Metric("mensatek.calls", "counter", "{call}", "Calls of the API that have ended", _ENDED)
DURATION = Metric("mensatek.call.duration", "histogram", "s", "From a call's start to its end", _ENDED)
RECIPIENTS = Metric("mensatek.recipients", "counter", "{recipient}", "Recipients of calls that send", _ENDED)
CREDITS = Metric("mensatek.credits", "counter", "{credit}", "Credits that calls cost", _CALL)
RETRIES = Metric("mensatek.retries", "counter", "{retry}", "Repeats of calls", (*_CALL, "mensatek.cause"))
CREDITS_LEFT = Metric(
    "mensatek.credits_left", "gauge", "{credit}", "Credits left in the account", ("mensatek.account",)
)
METRICS = (CALLS, DURATION, RECIPIENTS, CREDITS, RETRIES, CREDITS_LEFT)
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0)
"""Bounds of `DURATION`: those of the semantic conventions for HTTP, and two for calls that wait."""


def measured(event: CallFinished | CallRetried) -> Iterator[tuple[Metric, float, dict[str, Any]]]:
    """Return what an event adds: the metric, how much, and its attributes; an empty one is left out."""
    values: dict[str, str] = {
        "messaging.operation.name": event.operation,
        "mensatek.area": event.area,
        "mensatek.account": event.account,
    }
    if isinstance(event, CallRetried):
        values["mensatek.cause"] = event.cause
        amounts: dict[Metric, float] = {RETRIES: 1}
    else:
        values["error.type"] = event.error_class
        amounts = {CALLS: 1, DURATION: event.seconds_waited + event.seconds_in_flight}
        if event.recipients:
            amounts[RECIPIENTS] = event.recipients
        if event.credits:
            amounts[CREDITS] = float(event.credits)
        if event.credits_left is not None:
            amounts[CREDITS_LEFT] = float(event.credits_left)
    for metric, amount in amounts.items():
        yield metric, amount, {name: values[name] for name in metric.labels if values[name]}
