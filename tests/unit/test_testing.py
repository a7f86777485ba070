"""The payloads for users' own tests are ones that the provider could have posted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mensatek_async import DeliveryReport, DocumentEvent, IncomingMessage, testing
from mensatek_async.webhooks import parse

NOON = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Madrid"))
in_every_form = pytest.mark.parametrize("form", ["json", "form", "multipart"])


@in_every_form
def test_a_delivery_report_says_what_was_asked(form: testing.Form) -> None:
    """Every argument comes out under its own name."""
    asked: dict[str, Any] = {
        "phone": "34600000009",
        "message_id": 5,
        "sender": "CLÍNICA",
        "reported_at": NOON,
        "seconds": 4,
        "reference": "cita 7",
        "report_id": 6,
        "service": "SMSCERTIFICADO",
        "variables": {"IP": "192.0.2.1"},
    }

    event = parse(*testing.delivery_report(status=50, form=form, **asked))

    assert isinstance(event, DeliveryReport)
    assert {name: getattr(event, name) for name in asked} == asked
    assert (event.status.code, event.raw) == (50, {})


@in_every_form
def test_a_document_event_says_what_was_asked(form: testing.Form) -> None:
    """Every argument comes out under its own name."""
    asked: dict[str, Any] = {
        "kind": "3",
        "file": "año.pdf",
        "protection": "2",
        "occurred_at": NOON,
        "phone": "34600000009",
        "message_id": 5,
        "value": "00000000T",
        "reference": "r",
        "ip": "192.0.2.9",
        "port": 4,
    }

    event = parse(*testing.document_event(form=form, **asked))

    assert isinstance(event, DocumentEvent)
    assert {name: getattr(event, name) for name in asked} == asked
    assert event.raw == {}


@in_every_form
def test_an_incoming_message_says_what_was_asked(form: testing.Form) -> None:
    """Every argument comes out under its own name."""
    asked: dict[str, Any] = {
        "text": "Sí, quiero: 100 % €",
        "sender": "34600000009",
        "number": "34600000008",
        "received_at": NOON,
        "message_id": 5,
        "original_id": 6,
        "is_certified": True,
        "reference": "r",
    }

    event = parse(*testing.incoming_message(form=form, **asked))

    assert isinstance(event, IncomingMessage)
    assert {name: getattr(event, name) for name in asked} == asked
    assert event.raw == {}


@pytest.mark.parametrize(
    "build",
    [testing.delivery_report, testing.document_event, testing.incoming_message],
    ids=lambda b: b.__name__,
)
def test_without_arguments_they_are_valid(build: Any) -> None:
    """A test that cares for nothing else needs no arguments."""
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
