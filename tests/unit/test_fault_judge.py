"""The judge of the fault suite sees what it is there to see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.judging import judge, phone_of

GIVEN = ["600000000", "+34 600 000 001", "0034600000002"]
COUNTS = {"34600000000": 1, "34600000001": 1, "34600000002": 1}


def rows(*outcomes: str) -> list[dict[str, str]]:
    """An export of the three rows."""
    return [{"phone": phone, "outcome": outcome} for phone, outcome in zip(GIVEN, outcomes, strict=True)]


def progress(**counts: int) -> dict[str, Any]:
    """A progress over three rows."""
    none = dict.fromkeys(("sent", "rejected", "invalid", "unknown", "failed", "pending", "cancelled"), 0)
    return {**none, "undelivered": 0, "total": 3, **counts}


def test_all_texted_once_is_clean() -> None:
    """Whatever spelling the phones were given in."""
    assert [phone_of(one) for one in GIVEN] == list(COUNTS)
    assert judge(COUNTS, GIVEN, rows("sent", "sent", "sent"), progress(sent=3)).clean


def test_a_second_text_is_seen() -> None:
    """Two texts to one phone are one too many, whatever the campaign says of it."""
    verdict = judge({**COUNTS, "34600000001": 2}, GIVEN, rows("sent", "unknown", "sent"))
    assert verdict.doubled == ["34600000001"]
    assert not verdict.clean


@pytest.mark.parametrize("said", ["failed", "pending", "sent"])
def test_a_missing_text_is_seen(said: str) -> None:
    """Nobody may go without, unless unknown."""
    verdict = judge({**COUNTS, "34600000002": 0}, GIVEN, rows("sent", "sent", said))
    assert verdict.lost == ["34600000002"]
    assert bool(verdict.lies) == (said == "sent")


def test_unknown_is_no_loss() -> None:
    """With and without a text."""
    for count in (0, 1):
        verdict = judge({**COUNTS, "34600000000": count}, GIVEN, rows("unknown", "sent", "sent"))
        assert (verdict.clean, verdict.unknown) == (True, ["34600000000"])


def test_a_text_that_is_denied_is_seen() -> None:
    """Texted, and reported as not sent."""
    assert judge(COUNTS, GIVEN, rows("sent", "failed", "sent")).lies


@pytest.mark.parametrize(
    "counts",
    [{"sent": 2}, {"sent": 2, "unknown": 1}, {"sent": 3, "total": 4}, {"sent": 3, "pending": 1, "total": 4}],
)
def test_sums_that_do_not_add_up_are_seen(counts: dict[str, int]) -> None:
    """The progress has to agree with itself, with the export and with the rows given."""
    assert judge(COUNTS, GIVEN, rows("sent", "sent", "sent"), progress(**counts)).lies


def test_a_row_that_is_missing_in_the_export_is_seen() -> None:
    """One row out for each row in."""
    assert judge(COUNTS, GIVEN, rows("sent", "sent", "sent")[:2]).lies
