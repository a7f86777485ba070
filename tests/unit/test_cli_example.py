"""The example data: made by its script, the same bytes each time, broken as real lists are."""

from __future__ import annotations

import importlib.util
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


def test_about_one_row_in_a_hundred_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    """Broken or repeated, and everything else can be sent."""
    text = "Hola {Nombre}, le recordamos su cita el {Fecha} a las {Hora} en {Centro}."
    assert run(["bulk", str(FILE), "--text", text, "--sender", "CLINICA", "--dry-run", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)

    assert (told["rows"], told["ready"], told["invalid"]) == (5000, 4950, 50)
    assert len({problem["reason"] for problem in told["problems"]}) > 5
    assert 0 < told["unicode_rows"] < 50
    assert told["samples"][0]["text"].startswith("Hola ")
