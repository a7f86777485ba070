"""The example data: made by its script, the same bytes each time."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

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
