"""Builds callbacks as the provider posts them, for the tests of your own webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import urlencode

from .._wire.names import CALLBACKS
from .._wire.scalars import madrid
from ..models.events import DeliveryReport, DocumentEvent, IncomingMessage

Form: TypeAlias = Literal["json", "form", "multipart"]
"""How a payload is encoded."""

_BOUNDARY = "mensatek-async-testing"


class Payload(NamedTuple):
    """What a callback holds: `parse(*payload)` reads it, and any HTTP client can post it.

    Attributes:
        body: the request's body.
        content_type: its `Content-Type` header.
    """

    body: bytes
    content_type: str


def delivery_report(
    *,
    status: int = 13,
    phone: str = "34600000000",
    message_id: int = 10573758,
    sender: str = "MIEMPRESA",
    reported_at: datetime | None = None,
    seconds: int = 3,
    reference: str = "",
    report_id: int = 1234567890,
    service: str = "SMSMASIVO",
    variables: Mapping[str, Any] | None = None,
    extra: Mapping[str, Any] | None = None,
    form: Form = "json",
) -> Payload:
    """Build a delivery report.

    Args:
        status: the status's number; 13 is "delivered to the phone".
        phone: the recipient, international digits.
        message_id: what the send returned.
        sender: who the text came from.
        reported_at: when the carrier reported it, aware. Default: now.
        seconds: from sending to this status.
        reference: the reference its send was given.
        report_id: the provider's id of this recipient's text.
        service: "SMSMASIVO", "SMSCERTIFICADO", or anything else.
        variables: what a contract's status brings along.
        extra: further fields by their wire names; they may replace the others, and None takes one out.
        form: how it is encoded.

    Returns:
        The payload, to be posted or parsed.

    Raises:
        ValueError: `reported_at` has no time zone.
    """
    values = {
        "service": service,
        "status": status,
        "sender": sender,
        "phone": phone,
        "reported_at": _written(reported_at),
        "seconds": seconds,
        "message_id": message_id,
        "reference": reference,
        "report_id": report_id,
        "variables": None if variables is None else json.dumps(dict(variables)),
    }
    return _payload(DeliveryReport, values, extra, form)


def document_event(
    *,
    kind: str = "1",
    file: str = "contrato.pdf",
    protection: str = "1",
    occurred_at: datetime | None = None,
    phone: str = "34600000000",
    message_id: int = 10573758,
    value: str = "",
    reference: str = "",
    ip: str = "192.0.2.1",
    port: int = 56678,
    extra: Mapping[str, Any] | None = None,
    form: Form = "json",
) -> Payload:
    """Build an event of a certified text's document.

    Args:
        kind: what happened (`TipoEvento`).
        file: the document's name.
        protection: how it is protected (`TipoAdjunto`).
        occurred_at: when it happened, aware. Default: now.
        phone: the recipient, international digits.
        message_id: what the send returned.
        value: what belongs to this kind of event.
        reference: the reference its send was given.
        ip: where the recipient came from.
        port: the port they came from.
        extra: further fields by their wire names; they may replace the others, and None takes one out.
        form: how it is encoded.

    Returns:
        The payload, to be posted or parsed.

    Raises:
        ValueError: `occurred_at` has no time zone.
    """
    values = {
        "service": "EVENTOSSMSCERTIFICADO",
        "file": file,
        "protection": protection,
        "occurred_at": _written(occurred_at),
        "phone": phone,
        "kind": kind,
        "message_id": message_id,
        "value": value,
        "reference": reference,
        "ip": ip,
        "port": port,
    }
    return _payload(DocumentEvent, values, {"idEnvio": message_id, **(extra or {})}, form)


def incoming_message(
    *,
    text: str = "SI",
    sender: str = "34600000000",
    number: str = "34600000001",
    received_at: datetime | None = None,
    message_id: int | None = None,
    original_id: int | None = None,
    is_certified: bool = False,
    reference: str = "",
    extra: Mapping[str, Any] | None = None,
    form: Form = "json",
) -> Payload:
    """Build a text that came in.

    Args:
        text: what it says.
        sender: who wrote it.
        number: the number that received it.
        received_at: when it came in, aware, to the second. Default: now.
        message_id: the send it replies to; None when it replies to none.
        original_id: the provider's own id of the text it replies to.
        is_certified: whether it replies to a certified text.
        reference: the reference of the send it replies to.
        extra: further fields by their wire names; they may replace the others, and None takes one out.
        form: how it is encoded.

    Returns:
        The payload, to be posted or parsed.

    Raises:
        ValueError: `received_at` has no time zone.
    """
    moment = received_at or datetime.now(UTC)
    values = {
        "service": "SMSRECIBIDO",
        "reported_at": _written(moment),
        "received_at": int(moment.timestamp()),
        "number": number,
        "sender": sender,
        "text": text,
        "original_id": original_id or 0,
        "message_id": message_id or 0,
        "is_certified": "true" if is_certified else "false",
        "reference": reference,
    }
    return _payload(IncomingMessage, values, extra, form)


def _written(moment: datetime | None) -> str:
    moment = moment or datetime.now(UTC)
    if moment.utcoffset() is None:
        raise ValueError("the moment has no time zone: give it one, such as tzinfo=ZoneInfo('Europe/Madrid')")
    return moment.astimezone(madrid()).strftime("%Y-%m-%d %H:%M:%S")


def _payload(model: type, values: Mapping[str, Any], extra: Mapping[str, Any] | None, form: Form) -> Payload:
    wire = {CALLBACKS[model][name][0]: value for name, value in values.items()} | dict(extra or {})
    wire = {name: value for name, value in wire.items() if value is not None}
    return encoded(wire, form)


def encoded(wire: Mapping[str, Any], form: Form) -> Payload:
    """Encode the fields of a callback, given by their wire names.

    Raises:
        ValueError: there is no such form.
    """
    if form == "json":
        return Payload(json.dumps(wire, ensure_ascii=False).encode(), "application/json")
    if form == "form":
        return Payload(urlencode(wire).encode(), "application/x-www-form-urlencoded")
    if form != "multipart":
        raise ValueError(f"Invalid form {form!r}: json, form or multipart")
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="'
    parts = (f'{head}{name}"\r\n\r\n{value}\r\n' for name, value in wire.items())
    body = f"{''.join(parts)}--{_BOUNDARY}--\r\n".encode()
    return Payload(body, f"multipart/form-data; boundary={_BOUNDARY}")
