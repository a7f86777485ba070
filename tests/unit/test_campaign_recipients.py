"""A chunk's recipients in the journal: what is written down is read again, whole and in order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mensatek_async.campaigns.journal.recipients import ChunkRecipients, phones_in

phones = st.from_regex(r"[1-9][0-9]{8,14}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def chunk_recipients(draw: st.DrawFn, least: int = 0) -> ChunkRecipients:
    """Recipients of one chunk: the same fields each, row numbers in order, with gaps."""
    names = draw(st.lists(st.sampled_from(["Variable_1", "Variable_2", "Variable_10"]), unique=True))
    numbers = draw(st.lists(st.integers(1, 10**9), unique=True, min_size=least, max_size=30))
    wire = [{"Movil": draw(phones), **{name: draw(texts) for name in names}} for _ in range(len(numbers))]
    return ChunkRecipients.of(sorted(numbers), wire, draw(st.booleans()))


def told(content: ChunkRecipients) -> tuple[list[int], list[dict[str, str]], bool]:
    return list(content.rows), [dict(one) for one in content.wire], content.unicode


@given(chunk_recipients(), st.integers(0, 40))
def test_what_is_packed_is_unpacked(content: ChunkRecipients, first: int) -> None:
    """Whatever stands in phones and fields, in any alphabet; and an opener is cut off its front without loss."""
    body = content.pack()

    assert told(ChunkRecipients.unpack(body)) == told(content)
    assert phones_in(body) == list(content.wire.phones)
    before, after = content.split(first)
    assert len(before) == min(first, len(content))
    rows, wire, unicode = told(before)
    assert (rows + told(after)[0], wire + told(after)[1], unicode) == told(content)


@given(chunk_recipients(least=1), st.data())
def test_phones_are_taken_out(content: ChunkRecipients, data: st.DataObject) -> None:
    """Whoever was an opener is kept out, and named by row; the others stay in order."""
    out = data.draw(st.sets(st.sampled_from(list(content.wire.phones))))
    kept, gone = content.without(out)

    assert out.isdisjoint(kept.wire.phones)
    assert sorted([*kept.rows, *dict(gone)]) == list(content.rows)
    everybody = dict(zip(content.rows, told(content)[1], strict=True))
    assert dict(zip(kept.rows, told(kept)[1], strict=True)) == {row: everybody[row] for row in kept.rows}


def test_what_is_left_keeps_its_share_of_the_segments() -> None:
    """Of 42 that take 43 texts, 41 take 42 and not 41: a report and a cap on credits count by it."""
    content = ChunkRecipients.of(range(42), [{"Movil": f"346000000{at:02}"} for at in range(42)], False, 43)

    assert content.without({"34600000007"})[0].segments == 42


@given(chunk_recipients(least=2), st.data())
def test_some_are_chosen(content: ChunkRecipients, data: st.DataObject) -> None:
    """A chunk falls into parts of one time zone each."""
    places = data.draw(st.lists(st.integers(0, len(content) - 1), unique=True, min_size=1).map(sorted))
    rows, wire, _ = told(content)

    assert told(content.at(places)) == (
        [rows[at] for at in places],
        [wire[at] for at in places],
        content.unicode,
    )


def test_usual_chunks() -> None:
    """500 neighbours, of which ten million cost six bytes each, not fifty; one with an empty field; nobody."""
    neighbours = [{"Movil": str(34600000000 + number)} for number in range(500)]
    assert len(ChunkRecipients.of(range(500), neighbours).pack()) < 6 * 500
    usual: list[tuple[Any, list[dict[str, str]]]] = [(range(2, 502), neighbours), ([], [])]
    for rows, wire in (*usual, ([5], [{"Movil": "34600000000", "Variable_1": ""}])):
        content = ChunkRecipients.of(rows, wire)
        assert told(ChunkRecipients.unpack(content.pack())) == (list(rows), wire, False)
