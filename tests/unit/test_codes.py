"""The tables of codes, held against lists typed from the manuals."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async import errors
from mensatek_async.codes import (
    DeliveryStatus,
    Phase,
    known_statuses,
    result_codes,
)

ORACLE = Path(__file__).parents[1] / "oracle"
LABELS = json.loads((ORACLE / "delivery_labels.json").read_text(encoding="utf-8"))["labels"]
STATUSES = json.loads((ORACLE / "delivery_phases.json").read_text(encoding="utf-8"))
RESULTS = json.loads((ORACLE / "result_codes.json").read_text(encoding="utf-8"))
PHASES = {code: phase for phase, codes in STATUSES["phases"].items() for code in codes}


def test_the_table_is_the_manuals_and_the_notes() -> None:
    """No status is missing and none was made up; each has the manual's own label, is explained, and is in the phase
    that its text tells."""
    every = known_statuses()
    assert (
        {status.code for status in every}
        == {*map(int, LABELS), *STATUSES["beyond_the_manual"]}
        == set(PHASES)
    )
    assert {code: DeliveryStatus(int(code)).label for code in LABELS} == LABELS
    for status in every:
        phase = PHASES[status.code]
        assert status.phase is Phase[phase]
        assert status.is_failed == (phase == "FAILED")
        final = status.code in STATUSES["final_contracts"] or phase in ("DELIVERED", "FAILED")
        assert status.is_final == final
        if (
            phase == "CONTRACT"
        ):  # it has arrived once the recipient did something; an expired one may never have
            assert status.is_delivered == (status.code != 195)
        assert 0 < len(status.label_en) <= 60
        assert re.fullmatch(r"[A-ZÁÉÍÓÚÑ¿].{11,}\.", status.meaning)


def test_certificate_contract_flags() -> None:
    """The flags hold for the statuses the manuals say and for no other."""
    every = known_statuses()

    assert STATUSES["certificate_to_download"] == [s.code for s in every if s.is_certified]
    assert STATUSES["signed"] == [s.code for s in every if s.is_signed]
    assert STATUSES["rejected"] == [s.code for s in every if s.is_rejected]


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


def test_status_is_a_value() -> None:
    """Equal by code, hashable, frozen, picklable, with a telling repr; what is no int is refused, decoding converts."""
    status = DeliveryStatus(14)

    assert {DeliveryStatus(14)} == {status}
    assert DeliveryStatus(13) != status
    assert (status.replaces(DeliveryStatus(13)), DeliveryStatus(5000).replaces(status)) == (True, False)
    assert pickle.loads(pickle.dumps(status)) == status
    assert repr(status) == "<DeliveryStatus 14 DELIVERED: Certified SMS delivered and certified>"
    with pytest.raises(FrozenInstanceError):
        status.code = 13  # type: ignore[misc]
    wrong: list[Any] = ["14", 14.0, None, True]
    for value in wrong:
        with pytest.raises(TypeError, match="int"):
            DeliveryStatus(value)


# --- result codes ------------------------------------------------------------------------------------------


def test_result_codes_are_the_manuals() -> None:
    """Every code of an operation in the typed list raises the error it says, and none is missing, twice or made up."""
    rows, found = result_codes(), dict[str, dict[str, str]]()
    for row in rows:
        assert row.error is None or issubclass(row.error, errors.APIError)
        if row.error is not None and row.operation != "*":
            found.setdefault(row.operation, {})[str(row.code)] = row.error.__name__

    assert RESULTS["errors"] == {name: found[name] for name in RESULTS["errors"]}
    assert len(rows) == len({(row.operation, row.code) for row in rows})
    assert all(row.meaning for row in rows)
