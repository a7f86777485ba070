"""The example data: made by its script, the same bytes each time, broken as real lists are."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from pathlib import Path
from types import ModuleType

import pytest

from mensatek_async.cli.app import run

FOLDER = Path(__file__).parents[2] / "docs" / "examples"
FILE = FOLDER / "clinic-appointments.csv"


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_clinic_appointments", FOLDER / "make_clinic_appointments.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_script_makes_the_file_byte_for_byte() -> None:
    """Whoever doubts the data can make it again."""
    assert script().make() == FILE.read_bytes()


def test_it_is_what_a_clinic_exports() -> None:
    """5,000 rows in the order of the diary, Windows-1252, semicolons, phones in every writing."""
    text = FILE.read_bytes().decode("cp1252")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))

    assert len(rows) == 5000
    assert list(rows[0]) == ["Nombre", "Apellidos", "Teléfono móvil", "Fecha", "Hora", "Doctor", "Centro"]
    order = [(*reversed(row["Fecha"].split("/")), row["Hora"]) for row in rows]
    assert order == sorted(order)
    writings = {
        "".join("9" if letter.isdigit() else letter for letter in row["Teléfono móvil"]) for row in rows
    }
    assert len(writings) > 10
    assert {"Begoña", "Íñigo", "Lucía"} <= {row["Nombre"] for row in rows}


def test_about_one_row_in_a_hundred_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    """Broken or repeated, and everything else can be sent."""
    text = "Hola {Nombre}, le recordamos su cita el {Fecha} a las {Hora} en {Centro}."
    assert run(["bulk", str(FILE), "--text", text, "--sender", "CLINICA", "--dry-run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)

    assert (told["rows"], told["ready"], told["invalid"]) == (5000, 4950, 50)
    assert len({problem["reason"] for problem in told["problems"]}) > 5
    assert 0 < told["unicode_rows"] < 50
    assert told["samples"][0]["text"].startswith("Hola ")
