"""The table of operations: every one of both manuals, with its kind, and the ways to look one up."""

from __future__ import annotations

import pytest

from mensatek_async import ConfigurationError, InvalidRequest, codes
from mensatek_async._core.operations import OPERATIONS, Answers, Kind, find, with_paths

# Typed from the manuals and the wire notes: kind, and where the path is known from.
EXPECTED = {
    "EnviarSMS": ("send", "manual"),
    "CancelarSMS": ("repeatable change", "manual"),
    "ReprogramarSMS": ("repeatable change", "manual"),
    "GetReportSMS": ("read", "manual"),
    "CargarFichero": ("repeatable change", "manual"),
    "ListarFicheros": ("read", "manual"),
    "BorrarFichero": ("repeatable change", "manual"),
    "GetCreditos": ("read", "manual"),
    "EnviarSMSCERTIFICADO": ("send", "manual"),
    "CancelarSMSCERTIFICADO": ("repeatable change", "inferred"),
    "ReprogramarSMSCERTIFICADO": ("repeatable change", "inferred"),
    "GetReportSMSCERTIFICADO": ("read", "field"),
    "GetSMSCERTIFICADO": ("read", "field"),
}


def test_every_operation_of_both_manuals_is_there() -> None:
    """The thirteen operations, each with the kind that decides when it is repeated, under its own name as path."""
    assert {name: (row.kind.value, row.path_source) for name, row in OPERATIONS.items()} == EXPECTED
    assert all(row.path == name == row.name for name, row in OPERATIONS.items())


@pytest.mark.parametrize("name", EXPECTED)
def test_an_operation_is_found_in_any_case(name: str) -> None:
    """A user of the escape hatch need not know the manual's capitals."""
    assert find(OPERATIONS, name.lower()) is find(OPERATIONS, name.upper()) is OPERATIONS[name]


def test_an_operation_nobody_lists_is_taken_for_a_send() -> None:
    """What is not known is never repeated blindly, and its path is its name as given."""
    row = find(OPERATIONS, "EnviarMMS")

    assert (row.kind, row.path, row.reply, row.path_source) == (
        Kind.SEND,
        "EnviarMMS",
        Answers.UNKNOWN,
        "user",
    )


@pytest.mark.parametrize(
    "name", ["", "Enviar SMS", "../v6/EnviarSMS", "Enviar/SMS", "1SMS", "a?b", "ñ", "a\n", None, 5]
)
def test_what_cannot_be_an_operation_is_refused(name: object) -> None:
    """A name that would lead to another path never becomes one."""
    with pytest.raises(InvalidRequest, match="not the name of an operation"):
        find(OPERATIONS, name)  # type: ignore[arg-type]


def test_a_path_can_be_replaced_by_any_spelling_of_the_operation() -> None:
    """`paths=` changes one row's path and nothing else."""
    table = with_paths({"cancelarsmscertificado": "/CancelarCERT/"})

    assert table["CancelarSMSCERTIFICADO"].path == "CancelarCERT"
    assert table["CancelarSMSCERTIFICADO"].kind is Kind.CHANGE
    assert {name for name in table if table[name] != OPERATIONS[name]} == {"CancelarSMSCERTIFICADO"}


@pytest.mark.parametrize(
    "paths",
    [
        {"Cancelar": "X"},
        {"EnviarSMS": "a/b"},
        {"EnviarSMS": ""},
        {"EnviarSMS": "a?b"},
        {"EnviarSMS": "https://x"},
        {5: "X"},
        {"EnviarSMS": 5},
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
