"""The file library of the sandbox over HTTP: every code and limit."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mensatek_async.sandbox import Sandbox
from tests.sandbox_calls import ANA, NOON, Caller, calling

pytestmark = pytest.mark.mensatek_sandbox(
    starts_at=NOON, block_after=1000, max_files=2, max_file_bytes=100, library_bytes=150
)

PDF = base64.b64encode(b"%PDF-1.4 x").decode()


def upload(call: Caller, name: str = "a.pdf", size: int = 10, **change: Any) -> dict[str, Any]:
    """CargarFichero in Base64."""
    content = base64.b64encode(b"x" * size).decode()
    return call("CargarFichero", **{"Tipo": "BASE64", "Nombre": name, "Contenido": content, **change})


def names(call: Caller) -> list[str]:
    """The names in the library."""
    return [row["Nombre"] for row in call("ListarFicheros")["Ficheros"]]


def test_base64_upload_list_and_delete(call: Caller) -> None:
    """A file goes in, is listed with date and type, and goes out once."""
    assert upload(call, "contrato.pdf") == {"Res": 1, "Nombre": "contrato.pdf", "Cred": 100000}
    row = {"Fecha": "2027-01-08 12:00:00", "Nombre": "contrato.pdf", "Ext": "PDF"}
    assert call("ListarFicheros") == {"Res": 1, "Ficheros": [row], "Cred": 100000}
    assert call("BorrarFichero", Nombre="contrato.pdf") == {"Res": 1, "Cred": 100000}
    assert call("BorrarFichero", Nombre="contrato.pdf") == {"Res": -2, "Cred": 100000}
    assert call("BorrarFichero")["Res"] == -3


@pytest.mark.parametrize(
    ("given", "filename", "kept"),
    [
        ("c.pdf", "contrato.pdf", "c.pdf"),
        ("", "contrato.pdf", "contrato.pdf"),
        ("", "Contrato de alquiler 2027.docx", "Contratode.docx"),
        ("", "¿?.pdf", "fichero.pdf"),
    ],
)
def test_multipart_upload(call: Caller, given: str, filename: str, kept: str) -> None:
    """A file part takes the name given, or its own made to fit."""
    data = {"Tipo": "FILES", "Nombre": given, "Resp": "JSON"}
    answer = call.post("CargarFichero", data=data, files={"fichero": (filename, b"%PDF")})
    assert (answer.json()["Res"], answer.json().get("Nombre")) == (1, kept)
    assert names(call) == [kept]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Nombre": "a.exe"}, -11),
        ({"Contenido": ""}, -12),
        ({"Tipo": "FILES"}, -13),
        ({"Nombre": "a.bmp"}, -14),
        ({"Tipo": "mifichero.pdf"}, -15),
        ({"Tipo": ""}, -15),
        ({"size": 101}, -16),
        ({"Contenido": "%%%"}, -17),
        ({"Nombre": ""}, -3),
        ({"Nombre": "dieciseis123.pdf"}, -3),
        ({"Nombre": "con espacio.pdf"}, -3),
        ({"Nombre": "pdf"}, -3),
        ({"Nombre": "a.png"}, 1),
        ({"Nombre": "a.VCF"}, 1),
        ({"Nombre": "quince12345.pdf"}, 1),
    ],
)
def test_upload_codes(call: Caller, change: dict[str, Any], code: int) -> None:
    """Every refusal of an upload by its code."""
    assert upload(call, **change)["Res"] == code


def test_full_library(call: Caller) -> None:
    """Too many files and too many bytes are -10; the same name again replaces."""
    assert upload(call, "a.pdf", 80)["Res"] == 1
    assert upload(call, "b.pdf", 80)["Res"] == -10
    assert upload(call, "a.pdf", 100)["Res"] == 1
    assert upload(call, "b.pdf", 50)["Res"] == 1
    assert upload(call, "c.pdf", 0, Contenido=PDF)["Res"] == -10
    assert names(call) == ["a.pdf", "b.pdf"]


def test_trial_account() -> None:
    """A trial account uploads nothing."""
    with Sandbox(trial=True) as sandbox, calling(sandbox) as call:
        assert upload(call)["Res"] == -18


def test_file_that_leaves_once_certified(sandbox: Sandbox, call: Caller) -> None:
    """Autoborrado deletes the file when its message is certified, not before; other files stay."""
    upload(call, "a.pdf", Autoborrado="Si")
    upload(call, "b.pdf")
    call.send(ANA)
    call.certify(ANA, text="Lea (FILE:2:a.pdf) y (FILE:2:b.pdf)")
    call.certify(ANA, text="Otra vez (FILE:2:a.pdf)")
    assert names(call) == ["a.pdf", "b.pdf"]
    sandbox.advance(6)
    assert names(call) == ["b.pdf"]
    assert call("BorrarFichero", Nombre="a.pdf")["Res"] == -2
