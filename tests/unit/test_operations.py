"""The table of operations, which test_openapi.py holds against the manuals: how a row is found and replaced."""

from __future__ import annotations

import pytest

from mensatek_async import ConfigurationError, codes
from mensatek_async._core.operations import OPERATIONS, Kind, find, with_paths


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_found_in_any_case_under_its_own_name(name: str) -> None:
    """A user of the escape hatch need not know the manual's capitals."""
    assert find(OPERATIONS, name.lower()) is find(OPERATIONS, name.upper()) is OPERATIONS[name]
    assert OPERATIONS[name].path == OPERATIONS[name].name == name


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


def test_what_a_call_makes_stale_is_a_read() -> None:
    """`invalidates` names operations whose answers are remembered at all."""
    touched = {name for row in OPERATIONS.values() for name in row.invalidates}

    assert touched == {"GetReportSMS", "GetReportSMSCERTIFICADO", "ListarFicheros"}
    assert all(OPERATIONS[name].kind is Kind.READ for name in touched)


def test_codes_that_settle_a_repeat_are_errors_of_changes() -> None:
    """`done` and `not_done` never overlap, name listed codes, and stand at repeatable changes only."""
    for row in OPERATIONS.values():
        assert not row.done & row.not_done
        if row.kind is not Kind.CHANGE:
            assert not row.done | row.not_done
        assert all(
            (found := codes.lookup(row.name, code)) is not None and found.error is not None
            for code in row.done | row.not_done
        ), row.name
