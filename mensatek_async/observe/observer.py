"""The observer of a client or a webhook; and the telling, which hurts nobody."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from typing import Any

from ..errors import ConfigurationError
from .events import (
    CallFinished,
    CallRetried,
    CallStarted,
    Paused,
    ReportRecorded,
    WebhookHandled,
    WebhookReceived,
    WebhookRefused,
)

_log = logging.getLogger("mensatek_async.call")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Observer:
    """Is told what a client does: `AsyncMensatek(observer=...)`, `webhooks.asgi.WebhookApp(handler, observer=...)`.

    Every method may be left out, and any object that has some of them will do; none may be a coroutine function. They
    are called where the work is done, one after the other, so they must be quick: in the event loop's thread, which for
    a `Mensatek` is a thread in the background, and for callbacks under WSGI in the thread of the request. What one
    raises is logged once and otherwise passed over.
    """

    def call_started(self, event: CallStarted) -> None:
        """A call begins."""

    def call_retried(self, event: CallRetried) -> None:
        """An attempt failed, and another follows."""

    def call_finished(self, event: CallFinished) -> None:
        """A call has ended; in the same task as it started."""

    def paused(self, event: Paused) -> None:
        """The guard holds calls back."""

    def webhook_received(self, event: WebhookReceived) -> None:
        """A callback came that can be read."""

    def webhook_handled(self, event: WebhookHandled) -> None:
        """A callback was answered; in the same task as it was received."""

    def webhook_refused(self, event: WebhookRefused) -> None:
        """A request to the webhook was turned away."""

    def report_recorded(self, event: ReportRecorded) -> None:
        """The outbox has taken in a delivery report."""

    def traceparent(self) -> str:
        """Return this moment's trace context as W3C writes it, to be stored with an item that is put; "" for none."""
        return ""


_METHODS = tuple(name for name, value in vars(Observer).items() if inspect.isfunction(value))


class Notifier:
    """Tells one observer.

    Args:
        observer: an object with some of the methods of `Observer`.

    Raises:
        ConfigurationError: it has none of them, or one that is no plain function.
    """

    def __init__(self, observer: object) -> None:
        found = {name: getattr(observer, name, None) for name in _METHODS}
        self._failed = False
        self._methods: dict[str, Callable[..., Any]] = {
            name: method
            for name, method in found.items()
            if method is not None and getattr(method, "__func__", None) is not getattr(Observer, name)
        }
        is_plain = all(
            callable(one) and not inspect.iscoroutinefunction(one) for one in self._methods.values()
        )
        is_one = isinstance(observer, Observer) or (self._methods and not isinstance(observer, type))
        if not (is_plain and is_one):
            raise ConfigurationError(
                f"observer is {type(observer).__name__}, which cannot be told anything.",
                advice="Give an object with methods of Observer: plain functions, and not `async def`.",
            )

    def tell(self, name: str, *event: object) -> Any:
        """Call a method of the observer, if it has it; return what it gives."""
        try:
            return self._methods[name](*event) if name in self._methods else None
        except Exception as error:
            if not self._failed:
                self._failed = True
                _log.error(
                    "The observer's %s raised %s; the work goes on, and no more is said of it",
                    *(name, type(error).__name__),
                    exc_info=error,
                )
            return None

    def traceparent(self) -> str:
        """Return the trace context of this moment; "" where there is none, or none that can be."""
        written = self.tell("traceparent")
        return written if isinstance(written, str) and _TRACEPARENT.fullmatch(written) else ""


def notifier_of(observer: object | None) -> Notifier | None:
    """Return what tells an observer; None where there is none."""
    return None if observer is None else Notifier(observer)
