"""Callbacks as the provider posts them: the samples of both manuals, and the three encodings."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from mensatek_async.webhooks import DeliveryReport, Event, IncomingMessage, parse

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "----x7MA4YWxkTrZu0gW"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
REPORT: dict[str, Any] = {
    "Servicio": "SMSMASIVO",
    "Resultado": 11,
    "Remitente": "TUEMPRESA",
    "Movil": "34600123456",
    "Fecha": "2020-12-03 11:14:24",
    "Segundos": 3,
    "idMensaje": 10573758,
    "Referencia": "Su referencia si la indicó",
    "idReport": 1234567890,
}
CONTRACT = {name: str(value) for name, value in REPORT.items()} | {
    "Servicio": "SMSCERTIFICADO",
    "Resultado": "180",
}
DOCUMENT = {
    "Servicio": "EVENTOSSMSCERTIFICADO",
    "Fichero": "Nombrefichero.pdf",
    "TipoAdjunto": "1",
    "Fecha": "2020-12-03 11:14:24",
    "Telefono": "34600000000",
    "TipoEvento": "1",
    "idEnvio": "123433379",
    "idMensaje": "123433379",
    "Valor": "00000000T",
    "Referencia": "19927743TR",
    "IP": "127.0.0.1",
    "Puerto": "56678",
}
INCOMING = {
    "Servicio": "SMSRECIBIDO",
    "timestamp": "1664795529",
    "Fecha": "2022-10-03 13:12:08",
    "Movil": "34600000000",
    "Remitente": "34600123456",
    "Mensaje": "Sí, acepto",
    "idR": "56399876",
    "idM": "78334454",
    "EsCert": "true",
    "Referencia": "19927743TR",
}
SAMPLES = (REPORT, DOCUMENT, INCOMING)


def as_json(values: object) -> tuple[bytes, str]:
    return json.dumps(values).encode(), "application/json"


def as_form(values: dict[str, Any], encoding: str = "utf-8") -> tuple[bytes, str]:
    return urlencode(values, encoding=encoding).encode(), FORM


def as_multipart(values: dict[str, Any], encoding: str = "utf-8") -> tuple[bytes, str]:
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    )
    return f"{''.join(parts)}--{BOUNDARY}--\r\n".encode(encoding), MULTIPART


ENCODINGS = [as_json, as_form, as_multipart]
in_every_encoding = pytest.mark.parametrize("encoded", ENCODINGS, ids=lambda encoded: encoded.__name__)


def event_of(values: dict[str, Any], **changes: Any) -> Event:
    """The event of a callback posted as JSON."""
    return parse(*as_json(values | changes))


def report(**changes: Any) -> DeliveryReport:
    event = event_of(REPORT, **changes)
    assert isinstance(event, DeliveryReport)
    return event


def incoming(**changes: Any) -> IncomingMessage:
    event = event_of(INCOMING, **changes)
    assert isinstance(event, IncomingMessage)
    return event
