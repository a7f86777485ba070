"""Rows by number: what --rows takes and what a summary tells to send next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async.cli.selection import EVERY_ROW, Selection, Span, parse_rows
from mensatek_async.cli.stop import Stop

spans = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 9) | st.none()).map(
        lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
    ),
    max_size=6,
)


def rows(given_spans: list[Span]) -> set[int]:
    """The slow and certain way."""
    return {row for first, last in given_spans for row in range(first, (last or 60) + 1)}


@given(spans)
def test_a_selection_holds_its_rows(given_spans: list[Span]) -> None:
    """However its spans overlap; and what it writes is read back as the same."""
    selection = Selection(given_spans)

    assert {row for row in range(61) if row in selection} == rows(given_spans)
    assert not selection or parse_rows(str(selection)) == selection


@given(spans, spans)
def test_rows_in_both(one: list[Span], other: list[Span]) -> None:
    """What is left to send is never more than what was asked for."""
    both = Selection(one).within(Selection(other))

    assert {row for row in range(61) if row in both} == rows(one) & rows(other)


def test_how_rows_are_written() -> None:
    """Single rows, spans, and to the end of the file."""
    assert str(parse_rows("700, 2-500,501,1022-")) == "2-501,700,1022-"
    assert parse_rows(None) is EVERY_ROW
    for wrong in ("", "x", "2-3-4", "-5", "5-2"):
        with pytest.raises(Stop):
            parse_rows(wrong)
