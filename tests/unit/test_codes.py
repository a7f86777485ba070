"""The tables of codes, held against lists typed from the manuals."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async import errors
from mensatek_async.codes import (
    DeliveryStatus,
    Phase,
    error_class,
    known_statuses,
    lookup,
    result_codes,
)

ORACLE = Path(__file__).parents[1] / "oracle"
LABELS = json.loads((ORACLE / "delivery_labels.json").read_text(encoding="utf-8"))["labels"]
STATUSES = json.loads((ORACLE / "delivery_phases.json").read_text(encoding="utf-8"))
RESULTS = json.loads((ORACLE / "result_codes.json").read_text(encoding="utf-8"))
PHASES = {code: phase for phase, codes in STATUSES["phases"].items() for code in codes}


@pytest.mark.parametrize(("code", "label"), LABELS.items())
def test_label_is_the_manuals(code: str, label: str) -> None:
    """Every status of the manual's table has the manual's own label."""
    assert label == DeliveryStatus(int(code)).label


def test_table_is_the_manual_and_the_notes_and_nothing_else() -> None:
    """No status is missing and none was made up."""
    expected = {int(code) for code in LABELS} | set(STATUSES["beyond_the_manual"])

    assert expected == {status.code for status in known_statuses()} == set(PHASES)


@pytest.mark.parametrize(("code", "phase"), PHASES.items())
def test_phase(code: int, phase: str) -> None:
    """Every status is in the phase its text tells."""
    status = DeliveryStatus(code)

    assert Phase[phase] is status.phase
    assert (phase == "FAILED") == status.is_failed
    assert (code in STATUSES["final_contracts"] or phase in ("DELIVERED", "FAILED")) == status.is_final


def test_certificate_contract_flags() -> None:
    """The flags hold for the statuses the manuals say and for no other."""
    every = known_statuses()

    assert STATUSES["certificate_to_download"] == [s.code for s in every if s.is_certified]
    assert STATUSES["signed"] == [s.code for s in every if s.is_signed]
    assert STATUSES["rejected"] == [s.code for s in every if s.is_rejected]


def test_a_contract_that_the_recipient_saw_is_delivered() -> None:
    """A contract's text has arrived once the recipient did something with it; an expired one may never have."""
    contracts = STATUSES["phases"]["CONTRACT"]

    assert [code for code in contracts if code != 195] == [
        c for c in contracts if DeliveryStatus(c).is_delivered
    ]


@pytest.mark.parametrize("status", known_statuses(), ids=lambda status: str(status.code))
def test_every_status_is_explained(status: DeliveryStatus) -> None:
    """Labels are short, and a meaning is a sentence."""
    assert 0 < len(status.label_en) <= 60
    assert status.meaning[0].isupper()
    assert status.meaning.endswith(".")
    assert len(status.meaning) > len("The number.")


@given(st.integers())
@example(10**5000)
@example(-(10**5000))
def test_every_number_is_a_status(code: int) -> None:
    """No number is an error, and the unlisted ones are unknown, nothing more, and can be shown."""
    status = DeliveryStatus(code)

    assert code == status.code
    assert len(repr(status)) < 120
    if code not in PHASES:
        assert Phase.UNKNOWN is status.phase
        flags = [name for name in dir(status) if name.startswith("is_") and getattr(status, name)]
        assert flags == []
        assert status.label
        assert status.label_en
        assert status.meaning


@pytest.mark.parametrize("value", ["14", 14.0, None, True])
def test_only_an_int_is_a_code(value: object) -> None:
    """What is no int is refused; decoding converts."""
    with pytest.raises(TypeError, match="int"):
        DeliveryStatus(value)  # type: ignore[arg-type]


def test_status_is_a_value() -> None:
    """Equal by code, hashable, frozen, picklable, with a telling repr."""
    status = DeliveryStatus(14)

    assert {DeliveryStatus(14)} == {status}
    assert DeliveryStatus(13) != status
    assert pickle.loads(pickle.dumps(status)) == status
    assert repr(status) == "<DeliveryStatus 14 DELIVERED: Certified SMS delivered and certified>"
    with pytest.raises(FrozenInstanceError):
        status.code = 13  # type: ignore[misc]


# --- result codes ------------------------------------------------------------------------------------------


def test_result_codes_are_the_manuals() -> None:
    """Every code of an operation in the typed list raises the error it says, and none is missing or made up."""
    found: dict[str, dict[str, str]] = {}
    for row in result_codes():
        assert row.error is None or issubclass(row.error, errors.APIError)
        if row.error is not None and row.operation != "*":
            found.setdefault(row.operation, {})[str(row.code)] = row.error.__name__

    assert RESULTS["errors"] == {name: found[name] for name in RESULTS["errors"]}


def test_each_row_is_there_once_and_explained() -> None:
    """Where it is known from, test_openapi.py holds against the manuals."""
    rows = result_codes()
    assert len(rows) == len({(row.operation, row.code) for row in rows})
    assert all(row.meaning for row in rows)


@pytest.mark.parametrize(
    ("operation", "code", "error"),
    [
        ("EnviarSMS", -2, errors.InsufficientCredits),
        ("CancelarSMS", -2, errors.NotYours),
        ("enviarsmscertificado", -15, errors.ContractWithoutPdf),
        ("GetCreditos", -3, errors.BadParameters),
        ("Unheard", -1, errors.AuthenticationError),
        ("EnviarSMS", -99, errors.APIError),
        ("Unheard", -2, errors.APIError),
        ("GetReportSMS", 1, errors.APIError),
    ],
)
def test_error_of_a_code(operation: str, code: int, error: type[errors.APIError]) -> None:
    """A listed code has its error, refused credentials are that everywhere, an unlisted code is an APIError."""
    assert error is error_class(operation, code)
    row = lookup(operation, code)
    assert (row is None or row.error is None) == (error is errors.APIError)
