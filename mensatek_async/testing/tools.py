"""What the fixtures `deliver`, `reply` and `post_callback` give: the carrier and the recipient, in a test's hands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ..codes import DeliveryStatus
from ..phones import normalise
from .handing import CallbackResult, Webhook
from .payloads import Payload, encoded

if TYPE_CHECKING:
    from ..sandbox import Sandbox

Target = Any
"""A webhook: an ASGI or WSGI application, a handler, a URL, or a `Webhook`; None for the fixture `mensatek_webhook`."""


class CallbackSender:
    """Hands callbacks over, and sees to it that this was awaited where it has to be."""

    def __init__(self, configured: Target) -> None:
        self._configured = configured
        self._results: list[CallbackResult] = []

    def webhook(self, to: Target) -> Webhook:
        """Find out where callbacks go; a LookupError when nobody said so."""
        target = self._configured if to is None else to
        if target is None:
            raise LookupError(
                "nobody said where callbacks go: give to=, or override the fixture mensatek_webhook with your "
                "application, handler or URL"
            )
        return target if isinstance(target, Webhook) else Webhook(target)

    def hand(self, payloads: list[Payload], webhook: Webhook, expect: int | None) -> CallbackResult:
        """Hand callbacks over, now or when awaited."""
        self._results.append(CallbackResult(webhook, payloads, expect))
        return self._results[-1]

    @property
    def forgotten(self) -> int:
        """How many of them were never awaited."""
        return sum(not result.is_over for result in self._results)


class Events:
    """What has happened in a sandbox and was not handed to anybody yet."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._recorder = sandbox.record()
        self._waiting: list[Mapping[str, Any]] = []

    def caused_by(self, action: Callable[[], object]) -> list[Mapping[str, Any]]:
        """Do something and give what it caused; what happened before goes on waiting."""
        self._waiting += self._recorder.take()
        action()
        return list(self._recorder.take())

    def all(self) -> list[Mapping[str, Any]]:
        """Give everything that waits."""
        self._waiting += self._recorder.take()
        taken, self._waiting = self._waiting, []
        return taken


@frozen
class Deliver:
    """Has the carrier report on texts that were sent; the fixture `deliver`."""

    _events: Events
    _post: CallbackSender

    def __call__(
        self,
        phone: str | None = None,
        status: int | DeliveryStatus | None = None,
        *,
        message_id: int | None = None,
        to: Target = None,
        expect: int | None = None,
    ) -> CallbackResult:
        """Give a text a delivery status, and hand the report to the webhook.

        Args:
            phone: the recipient, in any usual writing. None hands over everything that has happened in the sandbox and
                was not handed over yet, such as after `mensatek_sandbox.advance(60)` or `sign_contract(...)`.
            status: a delivery status, such as 50; None for delivered.
            message_id: which message; the newest to this phone that has left when not given.
            to: the webhook: an ASGI or WSGI application, a handler, a URL or a `Webhook`; when not given, that of the
                fixture `mensatek_webhook`.
            expect: the HTTP status it has to answer with; None for any from 200 to 299.

        Returns:
            What was handed over and answered; to be awaited in asynchronous tests.

        Raises:
            LookupError: there is no such text, it was sent with `report=False`, or nobody said where callbacks go.
            ValueError: it has not left yet, was cancelled, or cannot reach this status.
            AssertionError: the webhook answered with another status.
        """
        webhook = self._post.webhook(to)
        if phone is None:
            if status is not None or message_id is not None:
                raise ValueError("a status or a message needs a phone")
            callbacks = self._events.all()
        else:
            callbacks = self._one(normalise(phone), status, message_id)
        return self._post.hand([encoded(one, webhook.form) for one in callbacks], webhook, expect)

    def _one(
        self, phone: str, status: int | DeliveryStatus | None, message_id: int | None
    ) -> list[Mapping[str, Any]]:
        code = status.code if isinstance(status, DeliveryStatus) else status
        try:
            callbacks = self._events.caused_by(
                lambda: self._events.sandbox.deliver(phone, code, message_id=message_id)
            )
        except KeyError:
            raise LookupError(
                f"no such text was sent to ...{phone[-3:]}; for a report on nothing that was sent, use "
                "post_callback(testing.delivery_report(...))"
            ) from None
        if not callbacks:
            raise LookupError(
                f"the text to ...{phone[-3:]} was sent with report=False: nothing is reported of it"
            )
        return callbacks


@frozen
class Reply:
    """Has a recipient write back; the fixture `reply`."""

    _events: Events
    _post: CallbackSender

    def __call__(
        self,
        phone: str,
        text: str,
        *,
        message_id: int | None = None,
        number: str | None = None,
        to: Target = None,
        expect: int | None = None,
    ) -> CallbackResult:
        """Have a phone write to the account, and hand that to the webhook; SI closes a contract that waits for it.

        Args:
            phone: who writes, in any usual writing.
            text: what.
            message_id: the message it replies to; the newest that arrived at this phone when not given.
            number: the number it is written to.
            to: as for `deliver`.
            expect: as for `deliver`.

        Returns:
            What was handed over and answered; to be awaited in asynchronous tests.

        Raises:
            LookupError: the phone never got that message, or nobody said where callbacks go.
            AssertionError: the webhook answered with another status.
        """
        webhook, sender = self._post.webhook(to), normalise(phone)
        callbacks = self._events.caused_by(
            lambda: self._events.sandbox.reply(sender, text, message_id=message_id, number=number)
        )
        return self._post.hand([encoded(one, webhook.form) for one in callbacks], webhook, expect)


@frozen
class PostCallback:
    """Hands any callback to the webhook; the fixture `post_callback`."""

    _post: CallbackSender

    def __call__(self, payload: Payload, *, to: Target = None, expect: int | None = None) -> CallbackResult:
        """Hand a callback to the webhook, whether anything was sent or not.

        Args:
            payload: what `testing.delivery_report`, `document_event` or `incoming_message` built.
            to: as for `deliver`.
            expect: as for `deliver`.

        Returns:
            What was handed over and answered; to be awaited in asynchronous tests.

        Raises:
            LookupError: nobody said where callbacks go.
            AssertionError: the webhook answered with another status.
        """
        return self._post.hand([payload], self._post.webhook(to), expect)
