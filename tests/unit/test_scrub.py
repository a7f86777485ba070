"""What the provider quotes of a call does not reach an error's words."""

from __future__ import annotations

from typing import Any

import pytest

from mensatek_async._core.final_errors import scrub
from mensatek_async.settings import Secret

TEXT = "Su cita es el martes a las 10:00 con la doctora Ruiz"


@pytest.mark.parametrize(
    ("told", "params", "shown"),
    [
        (f"Texto no válido: {TEXT}!", {"Mensaje": TEXT}, "Texto no válido: ***!"),
        (f"{TEXT} y {TEXT}", {"MENSAJE": TEXT}, "*** y ***"),
        (f"Texto: {TEXT[:30]}...", {"Mensaje": TEXT}, "Texto: ***..."),
        ("Texto: a b c d", {"Mensaje": "a\n b\t c   d"}, "Texto: ***"),
        ("Contenido QUJDRA== malo", {"Contenido": "QUJDRA=="}, "Contenido *** malo"),
        (
            "El valor Ana Ruiz sobra",
            {"Destinatarios": [{"Movil": "1", "Variable_1": "Ana Ruiz"}]},
            "El valor *** sobra",
        ),
        ("Falta el parámetro Mensaje", {"Mensaje": "Hola"}, "Falta el parámetro Mensaje"),
        ("No: el", {"Mensaje": "el"}, "No: el"),
        ("Remitente ACME malo", {"Remitente": "ACME"}, "Remitente ACME malo"),
        ("Sobran 1, 2", {"Destinatarios": ["x", 3], "Mensaje": 5}, "Sobran 1, 2"),
    ],
)
def test_what_a_call_carried_is_taken_out(told: str, params: dict[str, Any], shown: str) -> None:
    """Texts, contents and recipients' fields vanish, whole or cut off; names of parameters stay."""
    assert scrub(told, params) == shown


@pytest.mark.parametrize("phone", ["34600123456", "+34600123456", "600123456"])
def test_a_whole_phone_is_masked(phone: str) -> None:
    """A phone is told apart by its ends, never whole, wherever it came from."""
    shown = scrub(f"El número {phone} no es correcto.", {})

    assert phone not in shown
    assert phone[:3] in shown
    assert shown.endswith("no es correcto.")


@pytest.mark.parametrize(
    "told", ["Mensaje 10573758", "quedan 14.970,00", "quedan 1234567890.50", "Res -3", "id a123456789012"]
)
def test_other_numbers_stay(told: str) -> None:
    """Message ids, credits and codes are no phones."""
    assert scrub(told, {}) == told


def test_further_secrets_are_taken_out() -> None:
    """The token does not show, whoever quotes it."""
    assert scrub("token tOkEn-4711 caducado", {}, [Secret("tOkEn-4711")]) == "token *** caducado"
