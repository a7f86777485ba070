"""What the fixtures `deliver`, `reply` and `post_callback` give: the carrier and the recipient, in a test's hands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..codes import DeliveryStatus
from ..phones import normalise
from .handing import CallbackResult, Webhook
from .payloads import Payload, encoded

if TYPE_CHECKING:
    from ..sandbox import Recorder, Sandbox

Target = Any
"""A webhook: an ASGI or WSGI application, a handler, a URL, or a `Webhook`; None for the fixture `mensatek_webhook`."""


class CallbackSender:
    """Hands callbacks over, and sees to it that this was awaited where it has to be.

    Args:
        configured: gives what the fixture `mensatek_webhook` gave.
    """

    def __init__(self, configured: Callable[[], Target]) -> None:
        self._configured = configured
        self._told: list[CallbackResult] = []

    def webhook(self, to: Target) -> Webhook:
        """Find out where callbacks go.

        Raises:
            LookupError: nobody said so.
        """
        target = self._configured() if to is None else to
        if target is None:
            raise LookupError(
                "nobody said where callbacks go: give to=, or override the fixture mensatek_webhook with your "
                "application, handler or URL"
            )
        return target if isinstance(target, Webhook) else Webhook(target)

    def hand(self, payloads: list[Payload], webhook: Webhook, expect: int | None) -> CallbackResult:
        """Hand callbacks over, now or when awaited."""
        told = CallbackResult(webhook, payloads, expect)
        self._told.append(told)
        return told

    @property
    def forgotten(self) -> int:
        """How many of them were never awaited."""
        return sum(not told.is_over for told in self._told)


class Events:
    """What has happened in a sandbox and was not told to anybody yet.

    Args:
        recorder: the sandbox's.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
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


class Deliver:
    """Has the carrier report on texts that were sent; the fixture `deliver`."""

    def __init__(self, sandbox: Sandbox, events: Events, post: CallbackSender) -> None:
        self._sandbox = sandbox
        self._events = events
        self._post = post

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
            What was told and answered; to be awaited in asynchronous tests.

        Raises:
            LookupError: there is no such text, it was sent with `report=False`, or nobody said where callbacks go.
            ValueError: it has not left yet, was cancelled, or cannot reach this status.
            AssertionError: the webhook answered with another status.
        """
        webhook = self._post.webhook(to)
        if phone is None:
            if status is not None or message_id is not None:
                raise ValueError("a status or a message needs a phone")
            found = self._events.all()
        else:
            found = self._one(normalise(phone), status, message_id)
        return self._post.hand([encoded(one, webhook.form) for one in found], webhook, expect)

    def _one(
        self, phone: str, status: int | DeliveryStatus | None, message_id: int | None
    ) -> list[Mapping[str, Any]]:
        code = status.code if isinstance(status, DeliveryStatus) else status
        try:
            found = self._events.caused_by(lambda: self._sandbox.deliver(phone, code, message_id=message_id))
        except KeyError:
            raise LookupError(
                f"no such text was sent to ...{phone[-3:]}; for a report on nothing that was sent, use "
                "post_callback(testing.delivery_report(...))"
            ) from None
        if not found:
            raise LookupError(
                f"the text to ...{phone[-3:]} was sent with report=False: nothing is reported of it"
            )
        return found


class Reply:
    """Has a recipient write back; the fixture `reply`."""

    def __init__(self, sandbox: Sandbox, events: Events, post: CallbackSender) -> None:
        self._sandbox = sandbox
        self._events = events
        self._post = post

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
            What was told and answered; to be awaited in asynchronous tests.

        Raises:
            LookupError: the phone never got that message, or nobody said where callbacks go.
            AssertionError: the webhook answered with another status.
        """
        webhook, sender = self._post.webhook(to), normalise(phone)
        found = self._events.caused_by(
            lambda: self._sandbox.reply(sender, text, message_id=message_id, number=number)
        )
        return self._post.hand([encoded(one, webhook.form) for one in found], webhook, expect)


class PostCallback:
    """Hands any callback to the webhook; the fixture `post_callback`."""

    def __init__(self, post: CallbackSender) -> None:
        self._post = post

    def __call__(self, payload: Payload, *, to: Target = None, expect: int | None = None) -> CallbackResult:
        """Hand a callback to the webhook, whether anything was sent or not.

        Args:
            payload: what `testing.delivery_report`, `document_event` or `incoming_message` built.
            to: as for `deliver`.
            expect: as for `deliver`.

        Returns:
            What was told and answered; to be awaited in asynchronous tests.

        Raises:
            LookupError: nobody said where callbacks go.
            AssertionError: the webhook answered with another status.
        """
        return self._post.hand([payload], self._post.webhook(to), expect)
