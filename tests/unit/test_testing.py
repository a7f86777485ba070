"""The payloads for users' own tests are ones that the provider could have posted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mensatek_async import DeliveryReport, DocumentEvent, IncomingMessage, testing
from mensatek_async.webhooks import parse

NOON = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Madrid"))


COMMON = {"phone": "34600000009", "message_id": 5, "reference": "cita 7"}
REPORT = {"sender": "CLÍNICA", "reported_at": NOON, "seconds": 4, "report_id": 6, "service": "SMSCERTIFICADO"}
OPENED = {"kind": "3", "file": "año.pdf", "protection": "2", "occurred_at": NOON, "value": "00000000T"}
WRITTEN = {
    "text": "Sí, quiero: 100 % €",
    "sender": "34600000009",
    "number": "34600000008",
    "received_at": NOON,
}
BUILDERS: dict[Any, tuple[type, dict[str, Any]]] = {
    testing.delivery_report: (DeliveryReport, {**COMMON, **REPORT, "variables": {"IP": "192.0.2.1"}}),
    testing.document_event: (DocumentEvent, {**COMMON, **OPENED, "ip": "192.0.2.9", "port": 4}),
    testing.incoming_message: (
        IncomingMessage,
        {**WRITTEN, "message_id": 5, "original_id": 6, "is_certified": True, "reference": "r"},
    ),
}


@pytest.mark.parametrize("form", ["json", "form", "multipart"])
@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_a_payload_says_what_was_asked(build: Any, form: testing.Form) -> None:
    """Every argument comes out under its own name; without any it is valid."""
    model, asked = BUILDERS[build]

    event = parse(*build(form=form, **asked))

    assert isinstance(event, model)
    assert {name: getattr(event, name) for name in asked} == asked
    assert event.raw == {}
    assert parse(*build()).is_known_service


def test_further_fields_replace_and_remove() -> None:
    """A test of what the provider may do some day can be written."""
    event = parse(*testing.delivery_report(extra={"Nuevo": "x", "idReport": None, "Segundos": "9"}))

    assert isinstance(event, DeliveryReport)
    assert (event.raw, event.report_id, event.seconds) == ({"Nuevo": "x"}, None, 9)


def test_what_makes_no_sense_is_refused() -> None:
    """A moment nobody knows, an encoding nobody reads."""
    with pytest.raises(ValueError, match="time zone"):
        testing.delivery_report(reported_at=datetime(2026, 7, 1))
    with pytest.raises(ValueError, match="Invalid form"):
        testing.delivery_report(form="xml")  # type: ignore[arg-type]
