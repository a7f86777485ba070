"""Rows into chunks, without a network."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from random import Random

import anyio
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async import Recipient, Template, TextAltered
from mensatek_async._core.messages.message import Encoding, compose
from mensatek_async._core.operations import OPERATIONS
from mensatek_async.bulk.chunks import Chunk, Chunker
from mensatek_async.bulk.reader import ChunkReader, Reader
from mensatek_async.bulk.seen import _FEW, SeenPhones
from mensatek_async.models.bulk import RowProblem, RowProblems
from mensatek_async.sources.rows import BrokenRow


def chunker_for(text: str | Template) -> Chunker:
    message = compose(OPERATIONS["EnviarSMS"], text, sender=None, region="ES")
    return Chunker(message, SeenPhones())


async def chunks_of(rows: object, text: str | Template, size: int) -> list[Chunk]:
    source = ChunkReader(rows, chunker_for(text))
    found = []
    while chunk := await source.next(size):
        found.append(chunk)
    return found


phones = st.integers(600_000_000, 600_000_040).map(str)
rows = st.lists(
    st.one_of(
        phones,
        st.sampled_from(["", "x", "12", "+34 600 00 00 01"]),
        st.builds(
            Recipient, phones, st.sampled_from([{}, {"n": "Ana"}, {"n": "Łukasz"}, {"n": "(LINK:2:x)"}])
        ),
    ),
    max_size=60,
)


@given(rows, st.integers(1, 7), st.sampled_from(["Hola", Template("Hola {n}")]))
async def test_every_row_is_in_one_place_and_every_phone_in_one_chunk(
    given_rows: list[str | Recipient], size: int, text: str | Template
) -> None:
    """Whatever the input: no row lost, none twice, no chunk too large or mixed in encoding, order kept."""
    found = await chunks_of(given_rows, text, size)

    sent = [row for chunk in found for row in chunk.rows]
    refused = [problem.row for chunk in found for problem in chunk.invalid]
    assert sorted(sent + refused) == list(range(1, len(given_rows) + 1))
    texted = [wire["Movil"] for chunk in found for wire in chunk.wire]
    assert len(texted) == len(set(texted))
    assert all(len(chunk.rows) == len(chunk.wire) == len(chunk.given) <= size for chunk in found)
    assert all(chunk.rows == sorted(chunk.rows) for chunk in found)
    for chunk in found:
        needs = ["Ł" in "".join(wire.values()) for wire in chunk.wire]
        assert all(need == chunk.unicode for need in needs)
        assert [recipient.phone for recipient in chunk.recipients[:]] == [
            wire["Movil"] for wire in chunk.wire
        ]
        assert repr(chunk.recipients) == f"<{len(chunk.rows)} recipients>"


class OneByOne(Chunker):
    """Looks at each row alone, as it must where a batch is not clean."""

    def _add_together(self, *_: object) -> bool:
        return False


several = st.dictionaries(
    st.sampled_from(["n", "m", "o", "Variable_1", "Variable_11"]),
    st.text(st.sampled_from("aáñ€ŁЖ(😀)LINK:/ "), max_size=90) | st.integers() | st.none(),
)
clean = st.fixed_dictionaries({"n": st.text(st.sampled_from("aáñ€Ł😀"), max_size=90), "m": st.just("x" * 40)})
texts = st.sampled_from(
    [
        "Hola",
        "Hola (Movil), " + "a" * 150,
        "Hola (Variable_1)",
        Template("Hola {n}"),
        Template("{n}{m}"),
        Template("Ж {n} {n} {phone} " + "a" * 60),
        Template("{n} € {phone}{m} " + "a" * 120),
        Template("Vea (LINK:2:https://e.example/{n})"),
        Template("Hola {phone}"),
    ]
)
broken = st.builds(BrokenRow, st.integers(100, 200), st.just("no number"))
bare = st.lists(phones | st.sampled_from(["12", "+34 600 00 00 01"]) | broken, max_size=12)
addressed = st.builds(
    Recipient,
    phones | st.sampled_from(["12", "+44 7911 123456"]),
    clean | several,
    row=st.none() | st.integers(0, 200),
)
batches = bare | st.lists(addressed | broken, max_size=12)


@given(batches, texts, st.sampled_from(["auto", "gsm", "unicode"]))
def test_rows_checked_together_fare_as_each_alone(
    batch: Sequence[str | Recipient], text: str | Template, encoding: Encoding
) -> None:
    """What is done for many at once is quicker and nothing else: the same chunks, refusals and counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TextAltered)
        message = compose(OPERATIONS["EnviarSMS"], text, sender=None, region="ES", encoding=encoding)
        together, alone = Chunker(message, SeenPhones()), OneByOne(message, SeenPhones())
        found = []
        for chunker in (together, alone):
            chunker.add(batch, 500)
            chunks, invalid = [], []
            while chunk := chunker.flush():
                chunks.append((chunk.unicode, chunk.rows, chunk.given, list(chunk.wire), chunk.segments))
                invalid += [(one.row, one.reason) for one in chunk.invalid]
            found.append((chunks, chunker.rows, sorted(invalid)))
    assert found[0] == found[1]


async def test_many_broken_rows_are_told_before_a_chunk_is_full() -> None:
    """A file of broken rows does not pile up in memory."""
    found = await chunks_of(["x"] * 1200, "Hola", 500)

    assert [len(chunk.invalid) for chunk in found] == [500, 500, 200]
    assert not any(chunk.rows for chunk in found)


async def test_rows_before_an_error_are_kept() -> None:
    """What the input gave before it failed is still there to be named, full batch of broken rows included."""

    def failing() -> Iterator[str]:
        yield from ["x"] * 499
        yield "600000000"
        yield "y"
        raise OSError

    source = ChunkReader(failing(), chunker_for("Hola"))
    found = await source.next(2000)
    assert found is not None
    with pytest.raises(OSError):
        await source.next(2000)

    left = [found]
    while more := source.rest():
        left.append(more)
    assert sum(len(one.invalid) + len(one.rows) for one in left) == 501


@given(
    st.integers(0, 2 * _FEW),
    st.integers(1, 700),
    st.sampled_from([1, 7, 10**5]),
    st.integers(0, 2**32),
)
@example(20_000, 500, 1, 1)
def test_seen_phones_is_a_set(most: int, step: int, apart: int, seed: int) -> None:
    """It answers as a plain set would, however near the phones are, and where the first few or a page are full."""
    chance = Random(seed)
    phones = [str(34_600_000_000 + apart * chance.randrange(3 * _FEW)) for _ in range(most)]
    seen, alone, known = SeenPhones(), SeenPhones(), set[str]()
    for start in range(0, most, step):
        some = phones[start : start + step]
        repeats = []
        for place, phone in enumerate(some):
            if phone in known:
                repeats.append(place)
            known.add(phone)
        assert seen.repeats(some) == repeats
        assert [place for place, phone in enumerate(some) if not alone.add(phone)] == repeats


def test_memory_is_bounded() -> None:
    """At its limit it takes no more, and lets phones pass that it cannot remember."""
    seen = SeenPhones(most_bytes=1000)
    numbers = [str(34_600_000_000 + number * 100_000) for number in range(50)]

    assert all(seen.add(number) for number in numbers)
    assert not seen.add(numbers[0])
    assert seen.add(numbers[-1])
    assert seen.repeats([numbers[0], numbers[-1], numbers[1]]) == [0, 2]


@given(st.lists(st.tuples(st.integers(1, 30), st.sampled_from("abc")), unique_by=lambda pair: pair[0]))
def test_row_problems_are_a_sequence(pairs: list[tuple[int, str]]) -> None:
    """Packed or not, it reads like the list it was made of; and in order, however requests overtook each other."""
    plain = [RowProblem(row, reason) for row, reason in pairs]
    packed = RowProblems(plain)

    assert list(packed) == plain
    assert packed == plain
    assert len(packed) == len(plain)
    assert [packed[at] for at in range(-len(packed), len(packed))] == plain * 2
    assert packed[1:3] == plain[1:3]
    with pytest.raises(IndexError):
        packed[len(plain)]
    assert packed != 5
    assert list(packed.ordered()) == sorted(plain, key=lambda problem: problem.row)


def test_row_problems_by_the_million_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one reason are one entry; after so many different reasons the general one stands in."""
    problems = RowProblems()
    problems._add(1, 10_000_001, "not sent")
    assert len(problems) == 10_000_000
    assert problems[9_999_999].row == 10_000_000
    assert repr(problems) == "<RowProblems: 10000000 rows>"

    monkeypatch.setattr(RowProblems, "_detailed", 3)
    problems = RowProblems()
    for row in range(10):
        problems._add(row, row + 1, f"reason {row}", "many reasons")
    assert [one.reason for one in problems] == [*(f"reason {n}" for n in range(3)), *["many reasons"] * 7]


async def test_rows_of_an_async_iterable_are_not_lost() -> None:
    """Those that came are handed on while the next is awaited, in the middle of which nothing is cut off."""

    async def rows(pause: float) -> AsyncIterator[int]:
        for number in range(4):
            yield number
            if number == 1:
                await anyio.sleep(pause)

    reader = Reader(rows(0.5), ())
    async with anyio.create_task_group() as group:
        await group.start(reader.pump)
        assert [await reader.read(10) for _ in range(3)] == [[0, 1], [2, 3], []]
    reader = Reader(rows(60), ())
    with anyio.move_on_after(0.5):
        await reader.read(10)
    assert reader.left() == [0, 1]
