"""What observers are told of calls, pauses and callbacks."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from attrs import frozen

Area: TypeAlias = Literal["client", "bulk", "campaigns", "outbox"]
"""Who makes a call: a method of a client, a bulk send, a campaign, or the outbox."""


@frozen(kw_only=True, slots=False)
class CallEvent:
    """What every event of a call says. No phone, text, token or field of a recipient is in any of them.

    Attributes:
        call: a number of the call, the same in all its events, of its own within the process.
        operation: the operation of the API, such as "EnviarSMS".
        kind: "read", "change" (one that may be repeated), or "send".
        area: who makes it: "client", "bulk", "campaigns" or "outbox".
        account: a digest of `base_url` and API user, the same in every process, which tells accounts apart.
        server_address: the host that is called.
        server_port: its port.
        recipients: how many it sends to; 0 for what sends nothing.
        reference: the user's own reference, as they gave it; else "".
    """

    call: int
    operation: str
    kind: Literal["read", "change", "send"]
    area: Area
    account: str
    server_address: str
    server_port: int
    recipients: int
    reference: str


@frozen(kw_only=True, slots=False)
class CallStarted(CallEvent):
    """A call begins, before it waits for anything.

    Attributes:
        traceparent: the trace context that was stored with an item of the outbox, as W3C writes it; else "".
    """

    traceparent: str = ""


@frozen(kw_only=True, slots=False)
class CallRetried(CallEvent):
    """A call failed in a way that may be repeated, and will be.

    Attributes:
        attempt: the number of the attempt that comes; the first repeat is 2.
        cause: "not_reached" (no connection), "no_answer" (cut, timed out, or HTTP 5xx), "unreadable", or
            "told_to_wait".
        http_status: of the answer that there was; None for none.
        wait: seconds until then.
    """

    attempt: int
    cause: Literal["not_reached", "no_answer", "unreadable", "told_to_wait"]
    http_status: int | None
    wait: float


@frozen(kw_only=True, slots=False)
class CallFinished(CallEvent):
    """A call has ended, in whatever way.

    Attributes:
        attempts: requests made; 0 where memory answered, the answer to another call was shared, or nothing left.
        seconds_waited: for the guard, the limits, and between attempts.
        seconds_in_flight: on requests, from each one's start to the end of its answer.
        http_status: of the newest answer; None for none.
        result_code: the provider's result (`Res`); None where no answer had one.
        message_id: the message that it is about; None for none.
        segments: texts charged; None where the answer did not say, and so are the next two.
        credits: what it cost.
        credits_left: what remains in the account.
        error_class: the name of the error's class, such as "OutcomeUnknown"; "" for success.
    """

    attempts: int
    seconds_waited: float
    seconds_in_flight: float
    http_status: int | None
    result_code: int | None
    message_id: int | None
    segments: int | None
    credits: Decimal | None
    credits_left: Decimal | None
    error_class: str


@frozen(kw_only=True, slots=False)
class Paused:
    """The guard holds calls of an account back from now on.

    Attributes:
        reason: "credentials" (they were refused), "block" (the account or address was), "told_to_wait", or
            "wrong_calls" (of one operation, too many).
        operation: the operation whose answer said so; "" for what another process was told.
        account: as in `CallEvent`.
        seconds: for how long.
    """

    reason: Literal["credentials", "block", "told_to_wait", "wrong_calls"]
    operation: str
    account: str
    seconds: float


@frozen(kw_only=True, slots=False)
class WebhookReceived:
    """A callback came that may post and can be read; its handler is called next, unless it came before.

    Attributes:
        callback: a number of its own within the process, the same in `WebhookHandled`.
        kind: the class of the event, such as "DeliveryReport".
        status: the code of the delivery status; None for other events.
        message_id: the message that it is about; None for none.
        reference: the user's own reference, as the send had it; else "".
    """

    callback: int
    kind: str
    status: int | None
    message_id: int | None
    reference: str


@frozen(kw_only=True, slots=False)
class WebhookHandled(WebhookReceived):
    """A callback was answered.

    Attributes:
        outcome: "handled", "repeated" (it was handled before), "busy" (its first copy takes long), or "failed".
        seconds: since it came.
        error_class: the name of the class of what the handler raised; else "".
    """

    outcome: Literal["handled", "repeated", "busy", "failed"]
    seconds: float
    error_class: str


@frozen(kw_only=True, slots=False)
class WebhookRefused:
    """A request was turned away.

    Attributes:
        reason: "unauthorized", "method", "too_large", or "unreadable".
        http_status: the answer.
    """

    reason: Literal["unauthorized", "method", "too_large", "unreadable"]
    http_status: int


@frozen(kw_only=True, slots=False)
class ReportRecorded:
    """The outbox has taken in a delivery report about one of its items.

    Attributes:
        message_id: the message.
        reference: the item's reference; else "".
        traceparent: the trace context that was stored when the item was put; else "".
    """

    message_id: int
    reference: str
    traceparent: str
