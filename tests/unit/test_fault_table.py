"""The table of faults in tests/faults/README.md against the tests there are."""

from __future__ import annotations

import re
from pathlib import Path

FAULTS = Path(__file__).parents[1] / "faults"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"^(?:async )?def (test_fault_(\d\d)_\w+)", re.MULTILINE)


def suite() -> dict[str, int]:
    """The tests of the suite, with the number of their fault."""
    code = "".join(path.read_text(encoding="utf-8") for path in FAULTS.glob("test_*.py"))
    return {name: int(number) for name, number in _TEST.findall(code)}


def rows() -> dict[int, str]:
    """The table: number, and its tests or the reason why there is none."""
    table = (FAULTS / "README.md").read_text(encoding="utf-8")
    return {int(number): told for number, _, told in _ROW.findall(table)}


def test_every_fault_has_a_test_or_a_reason() -> None:
    """All 33 are in the table, each with a test's name or a sentence."""
    found = rows()
    assert list(found) == list(range(1, 34))
    assert all("`test_fault_" in told or len(told) > 40 for told in found.values())


def test_the_table_names_the_tests_that_exist() -> None:
    """Every test is named in the row of its fault, and every name in the table is a test."""
    named = {name: number for number, told in rows().items() for name in re.findall(r"test_fault_\w+", told)}
    assert named == suite()
