"""Where a contract was signed, out of `Variables`, whose form no manual tells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mensatek_async import DeliveryReport, Location
from mensatek_async._wire.location import location_of
from mensatek_async.webhooks import parse

MADRID = Location(40.4168, -3.7038)


@pytest.mark.parametrize(
    "variables",
    [
        {"Latitud": "40.4168", "Longitud": "-3.7038"},
        {"LATITUDE": 40.4168, "longitude": -3.7038},
        {"lat": "40,4168", "lng": "-3,7038"},
        {"GPS": "40.4168,-3.7038"},
        {"coordenadas": " (40.4168; -3.7038) "},
        {"Localización": {"Lat": 40.4168, "Lon": -3.7038}},
    ],
)
def test_a_position_in_any_usual_form(variables: dict[str, Any]) -> None:
    """By two names, in one text, or in an object; with either decimal sign."""
    assert location_of(variables) == MADRID


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"IP": "127.0.0.1"},
        {"Latitud": "40.4168"},
        {"Latitud": "91", "Longitud": "0"},
        {"Latitud": "0", "Longitud": "180.5"},
        {"Latitud": "norte", "Longitud": "oeste"},
        {"Latitud": True, "Longitud": False},
        {"Latitud": float("nan"), "Longitud": 0},
        {"Latitud": float("inf"), "Longitud": 0},
        {"Latitud": 10**400, "Longitud": 0},
        {"GPS": "1,2,3"},
        {"GPS": ["40", "3"]},
        {"GPS": {"lat": None}},
        {1: 2},
    ],
)
def test_what_is_no_position(variables: dict[Any, Any]) -> None:
    """What cannot be read is no error: the variables still have it."""
    assert location_of(variables) is None


@pytest.mark.parametrize(("given", "location"), [("40.4168", MADRID), ("?", None)])
def test_a_callback_brings_it(given: str, location: Location | None) -> None:
    """Status 5000 tells where the signer was, when it can be read, and never who."""
    fields = {
        "Servicio": "SMSCERTIFICADO",
        "Resultado": "5000",
        "Movil": "34600000000",
        "idMensaje": "5",
        "Variables": json.dumps({"Latitud": given, "Longitud": "-3.7038"}),
    }

    event = parse(json.dumps(fields).encode())

    assert isinstance(event, DeliveryReport)
    assert event.location == location
    assert event.variables["Latitud"] == given
    assert not event.status.is_signed
    assert "40.41" not in repr(event)
