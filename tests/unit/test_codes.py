"""The tables of codes, held against lists typed from the manuals."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
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


def test_opened_contract_has_no_certificate() -> None:
    """160 is a contract merely opened, whatever the manual's text on downloading says."""
    assert not DeliveryStatus(160).is_certified
    assert not DeliveryStatus(160).is_final


@pytest.mark.parametrize("status", known_statuses(), ids=lambda status: str(status.code))
def test_every_status_is_explained(status: DeliveryStatus) -> None:
    """Labels are short, and a meaning is a sentence."""
    assert 0 < len(status.label_en) <= 60
    assert status.meaning[0].isupper()
    assert status.meaning.endswith(".")
    assert len(status.meaning) > len("The number.")


@given(st.integers())
def test_every_number_is_a_status(code: int) -> None:
    """No number is an error, and the unlisted ones are unknown and nothing more."""
    status = DeliveryStatus(code)

    assert code == status.code
    if code not in PHASES:
        assert Phase.UNKNOWN is status.phase
        flags = [name for name in dir(status) if name.startswith("is_") and getattr(status, name)]
        assert flags == []
        assert status.label
        assert status.label_en
        assert status.meaning


@pytest.mark.parametrize("code", [10**5000, -(10**5000), -14, 2**64], ids=["huge", "-huge", "-14", "2**64"])
def test_huge_and_negative_numbers_can_be_shown(code: int) -> None:
    """A number Python would not write out does not break repr."""
    status = DeliveryStatus(code)

    assert "UNKNOWN" in repr(status)
    assert len(repr(status)) < 80


def test_unknown_statuses_are_not_kept() -> None:
    """A stream of new codes leaves the table as it was."""
    before = known_statuses()
    for code in range(10_000_000, 10_000_100):
        assert Phase.UNKNOWN is DeliveryStatus(code).phase

    assert before == known_statuses()


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


def test_cattrs_waits_for_the_first_look() -> None:
    """Importing the codes, and making a status, does not import cattrs."""
    program = (
        "import sys; from mensatek_async import codes; s = codes.DeliveryStatus(14); "
        "assert 'cattrs' not in sys.modules; assert s.is_final; assert 'cattrs' in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


# --- result codes ------------------------------------------------------------------------------------------


def test_result_codes_are_the_manuals() -> None:
    """Every code of every operation raises the error the typed list says, and none is missing or made up."""
    found: dict[str, dict[str, str]] = {}
    for row in result_codes():
        if row.error is not None and row.operation != "*":
            found.setdefault(row.operation, {})[str(row.code)] = row.error.__name__

    assert RESULTS["errors"] == found


def test_each_row_tells_where_it_is_known_from() -> None:
    """A row that no manual and no live reply showed is marked as inferred."""
    for row in result_codes():
        if row.code >= 0 or row.operation == "*":
            continue
        expected = [
            s for s, table in RESULTS["standings"].items() if row.code in table.get(row.operation, [])
        ]
        assert (expected or ["inferred"]) == [row.standing]


def test_rows_are_unique_and_explained() -> None:
    """One row per operation and code, each with a meaning."""
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


def test_lookup_of_an_unlisted_code() -> None:
    """Nobody's code is nobody's row."""
    assert lookup("EnviarSMS", -99) is None
    row = lookup("EnviarSMS", 0)
    assert row is not None
    assert row.error is None


def test_a_table_names_only_errors_of_the_provider() -> None:
    """A slip in the data, such as an error that is no APIError, is found on loading."""
    from mensatek_async.codes._table import _error_named

    with pytest.raises(TypeError, match="ConfigurationError"):
        _error_named("ConfigurationError", None)
