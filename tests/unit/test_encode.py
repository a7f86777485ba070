"""Requests: English names to wire names, and parameters to bodies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async._wire import encode
from mensatek_async._wire.encode import to_wire
from mensatek_async._wire.names import RECIPIENT, REQUEST
from mensatek_async.errors import InvalidDate, InvalidField, InvalidRequest

# Typed from the parameter tables of both manuals.
PARAMETERS = {
    "Remitente", "Destinatarios", "Mensaje", "Fecha", "Referenciausuario", "Report", "Idmensaje", "Fail2voice",
    "Lenguajevoz", "Remitentevoz", "Unicode", "Fixutf8", "Resp", "Tipocontrato", "Contacto", "Telcontacto",
    "Cifcontacto", "Vpd", "Vph", "Vpm", "Identificar", "Aceptacion", "Emailreport", "Telefono", "Fechainicio",
    "Fechafin", "Nombre", "Tipo", "Contenido", "Autoborrado", "Links",
}  # fmt: skip
PARAMS: dict[str, Any] = {
    "Mensaje": "Su cita es mañana a las 10:00 €",
    "Destinatarios": [{"Movil": "34600000000", "Variable_1": "Ana & \"Eva\""}],
    "Unicode": True,
    "Fixutf8": False,
    "Report": None,
    "Idmensaje": 1765987,
    "Cred": Decimal("1.50"),
    "Vpd": Decimal(3),
}  # fmt: skip


def circular() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


def test_every_parameter_of_the_manuals_has_a_name() -> None:
    """No parameter is missing and none was made up."""
    assert set(REQUEST.values()) == PARAMETERS
    assert {"Movil", *(f"Variable_{n}" for n in range(1, 11))} == set(RECIPIENT.values())


def test_to_wire() -> None:
    """English in, the provider's names out, without what was not given; 0 and "" were. Mistakes are said."""
    wire = to_wire(
        sender="", text="Hola", join=None, unicode=0, scheduled_at=datetime(2027, 1, 8, 9, 0, tzinfo=UTC)
    )

    assert wire == {"Remitente": "", "Mensaje": "Hola", "Unicode": 0, "Fecha": "2027-01-08 10:00"}
    for asked, yes in ((True, {"Autoborrado": "Si"}), (False, {}), ("Si", {"Autoborrado": "Si"})):
        assert yes == to_wire(delete_after_certification=asked)
    with pytest.raises(KeyError, match="recipient"):
        to_wire(recipient="34600000000")
    with pytest.raises(InvalidDate):
        to_wire(scheduled_at=datetime(2027, 1, 8))


def test_bodies() -> None:
    """JSON is compact UTF-8, yes and no as 1 and 0, decimals exact; forms have lists as JSON texts."""
    body = encode.json_body(PARAMS)
    assert "mañana a las 10:00 €".encode() in body
    assert b'": ' not in body
    assert b'"Unicode":1' in body
    plain = {
        "Mensaje": PARAMS["Mensaje"],
        "Unicode": 1,
        "Fixutf8": 0,
        "Idmensaje": 1765987,
        "Cred": "1.50",
        "Vpd": 3,
    }
    assert json.loads(body) == {**plain, "Destinatarios": PARAMS["Destinatarios"]}

    fields = parse_qs(encode.form_body(PARAMS).decode("ascii"), strict_parsing=True)
    assert json.loads(fields.pop("Destinatarios")[0]) == PARAMS["Destinatarios"]
    assert fields == {name: [str(value)] for name, value in plain.items()}
    asked = {"Tipo": "FILES", "Resp": "JSON", "N": 1, "L": ["a"], "x": None}
    assert encode.multipart_fields(asked) == {"Tipo": "FILES", "Resp": "JSON", "N": "1", "L": '["a"]'}
    params, shown = encode.Params(PARAMS), repr(encode.Body(body))
    assert (repr(params), [*params.__rich_repr__()], shown) == ("<8 parameters>", [8], f"<{len(body)} bytes>")


@pytest.mark.parametrize("write", [encode.json_body, encode.form_body, encode.multipart_fields])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("a\ud83d", InvalidField),
        ([{"Movil": "1", "Variable_1": "\udc00"}], InvalidField),
        *(
            (value, InvalidRequest)
            for value in (circular(), [float("inf")], {"a": object()}, b"x", {(1,): 2})
        ),
        *((value, InvalidRequest) for value in (float("nan"), {1, 2}, [Decimal("NaN")], Decimal("Infinity"))),
        *((Decimal(size), InvalidRequest) for size in ("1E+999999", "1E+19", "1E-19")),
    ],
    ids=[
        *("surrogate", "deep surrogate", "circular", "inf", "object", "bytes", "tuple", "nan", "set"),
        *("dnan", "dinf", "huge", "large", "small"),
    ],
)
def test_values_the_wire_does_not_have(write: Any, value: object, error: type[InvalidRequest]) -> None:
    """What JSON cannot hold, and half a character, which is not shown, are a clear error."""
    with pytest.raises(error, match="surrogate" if error is InvalidField else None):
        write({"x": value})


def test_numbers_are_written_out() -> None:
    """To eighteen places; whole ones as whole numbers."""
    numbers = {"1E+18": 10**18, "1E-18": "0." + "0" * 17 + "1", "1E-7": "0.0000001", "2.0": 2, "2.50": "2.50"}
    for number, written in numbers.items():
        assert json.loads(encode.json_body({"x": Decimal(number)})) == {"x": written}


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUE = TEXT | st.integers() | st.lists(st.dictionaries(TEXT, TEXT, max_size=3), max_size=3)


@given(st.dictionaries(TEXT.filter(bool), VALUE, max_size=5))
def test_bodies_say_the_same(params: dict[str, Any]) -> None:
    """JSON and form carry the same values."""
    read = json.loads(encode.json_body(params))
    fields = parse_qs(encode.form_body(params).decode("ascii"), keep_blank_values=True)

    assert params == read
    assert {name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            for name, value in params.items()} == {name: values[0] for name, values in fields.items()}  # fmt: skip
