"""One callback of which an observer and the log are told: received, and answered."""

from __future__ import annotations

import logging
from itertools import count
from time import perf_counter
from types import TracebackType
from typing import Any

from ..models.events import DeliveryReport, Event
from ..observe.events import WebhookHandled, WebhookReceived
from ..observe.observer import Notifier

_log = logging.getLogger("mensatek_async.webhooks")
_numbers = count(1)


class ObservedCallback:
    """A callback while it is handled, as a context manager around that.

    Attributes:
        outcome: what became of it, once that is known.
        error: what its handler raised.
    """

    def __init__(self, notifier: Notifier | None, event: Event) -> None:
        self.outcome = "failed"
        self.error: BaseException | None = None
        self._notifier = notifier
        self._about: dict[str, Any] = {
            "kind": type(event).__name__,
            "status": event.status.code if isinstance(event, DeliveryReport) else None,
            "message_id": event.message_id,
            "reference": event.reference,
        }

    def __enter__(self) -> ObservedCallback:
        self._begun = perf_counter()
        if self._notifier is not None:
            self._about["callback"] = next(_numbers)
            self._notifier.tell("webhook_received", WebhookReceived(**self._about))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds, error = perf_counter() - self._begun, error or self.error
        error_class = "" if error is None else type(error).__name__
        if self._notifier is not None:
            what: Any = {"outcome": self.outcome, "seconds": seconds, "error_class": error_class}
            self._notifier.tell("webhook_handled", WebhookHandled(**what, **self._about))
        if _log.isEnabledFor(logging.INFO):
            about = {name: self._about[name] for name in ("kind", "status", "message_id")}
            extra = {**about, "outcome": self.outcome, "milliseconds": round(seconds * 1000, 1)}
            extra["error_class"] = error_class
            values = (about["kind"], about["message_id"] or "", self.outcome, seconds * 1000)
            _log.info("%s of message %s: %s, %.0f ms", *values, extra=extra)
