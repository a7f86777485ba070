"""The table of faults in tests/faults/README.md against the tests there are."""

from __future__ import annotations

import re
from pathlib import Path

FAULTS = Path(__file__).parents[1] / "faults"
_ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"^(?:async )?def (test_fault_(\d\d)_\w+)", re.MULTILINE)


def test_every_fault_has_a_test_or_a_reason() -> None:
    """All are in the table, each with a sentence or the names of its tests, which are those that there are."""
    table = _ROW.findall((FAULTS / "README.md").read_text(encoding="utf-8"))
    code = "".join(path.read_text(encoding="utf-8") for path in FAULTS.glob("test_*.py"))
    assert [int(number) for number, _, _ in table] == list(range(1, len(table) + 1))
    assert all("`test_fault_" in told or len(told) > 40 for _, _, told in table)
    named = {(name, int(number)) for number, _, told in table for name in re.findall(r"test_fault_\w+", told)}
    assert named == {(name, int(number)) for name, number in _TEST.findall(code)}
