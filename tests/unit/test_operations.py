"""The table of operations, which test_openapi.py holds against the manuals: how a row is found and replaced."""

from __future__ import annotations

import pytest

from mensatek_async import ConfigurationError, codes
from mensatek_async._core.operations import OPERATIONS, Kind, Operation, find, with_paths


@pytest.mark.parametrize("row", OPERATIONS.values(), ids=OPERATIONS)
def test_a_row_makes_sense(row: Operation) -> None:
    """It is found in any case under its own name; what it makes stale is a read; `done` and `not_done`, of repeatable
    changes only, never overlap and name listed errors."""
    assert find(OPERATIONS, row.name.lower()) is find(OPERATIONS, row.name.upper()) is row
    assert OPERATIONS[row.path] is OPERATIONS[row.name] is row
    assert all(OPERATIONS[name].kind is Kind.READ for name in row.invalidates)
    assert not row.done & row.not_done
    assert row.kind is Kind.CHANGE or not row.done | row.not_done
    for code in row.done | row.not_done:
        found = codes.lookup(row.name, code)
        assert found is not None
        assert found.error is not None


@pytest.mark.parametrize(
    "paths",
    [
        {"Cancelar": "X"},
        {5: "X"},
        *({"EnviarSMS": path} for path in ("a/b", "", "a?b", "https://x", 5)),
    ],
)
def test_a_path_that_cannot_be_is_refused(paths: dict[str, str]) -> None:
    """A replaced path is one plain segment of a known operation, so it cannot lead to another host."""
    with pytest.raises(ConfigurationError, match=r"unknown operation|not a plain name"):
        with_paths(paths)
