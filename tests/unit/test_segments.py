"""Segments: how a text is cut, counted and charged."""

from typing import Any

import pytest
import smsutil
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async import errors
from mensatek_async.text import Segmentation, segments, split
from mensatek_async.text.segments import EXTENSION, count_segments, counts_by_length, has_pairs

gsm_text = st.lists(
    st.tuples(st.text(st.sampled_from("aé@\n€[^|~"), min_size=1, max_size=4), st.integers(1, 90)), max_size=6
).map(lambda runs: "".join(word * times for word, times in runs))
unicode_text = st.lists(
    st.tuples(st.text(st.sampled_from("aж中😀👍€"), min_size=1, max_size=3), st.integers(1, 50)), max_size=6
).map(lambda runs: "ж" + "".join(word * times for word, times in runs))


@given(gsm_text | unicode_text)
@example("a" * 152 + "€" * 77)
@example("€" * 80)
@example("a" * 153 + "€" * 4)
@example("a" * 152 + "€" * 4 + "a")
@example("ж" + "😀" * 40)
@example("ж" * 66 + "😀" * 3)
def test_texts_are_cut_as_the_independent_package_cuts_them(text: str) -> None:
    """Parts, their number and the quick count agree with smsutil."""
    expected = [part.content for part in smsutil.split(text).parts] if text else []

    assert list(split(text)) == expected
    assert segments(text).segments == count_segments(text) == len(expected)
    assert count_segments(text, "unicode" if "ж" in text else "gsm") == len(expected)


@given(st.one_of(st.text(), gsm_text, unicode_text), st.sampled_from(["auto", "gsm", "unicode"]))
def test_parts_joined_are_the_text_and_fit(text: str, encoding: Any) -> None:
    """Whatever the text, nothing is lost by cutting, no part is empty and none is too long."""
    parts = split(text, encoding)
    told = segments(text, encoding)

    assert "".join(parts) == text
    assert len(parts) == told.segments == count_segments(text, encoding)
    assert all(0 < units(part, told.encoding) <= limit(told.encoding, len(parts)) for part in parts)
    assert told.characters == sum(units(part, told.encoding) for part in parts)


@given(st.one_of(gsm_text, unicode_text))
def test_remaining_units_are_those_that_still_fit(text: str) -> None:
    """As many plain letters as remain make no further part, one more does."""
    told = segments(text)
    if told.segments:
        assert segments(text + "a" * told.remaining, told.encoding).segments == told.segments
        assert segments(text + "a" * (told.remaining + 1), told.encoding).segments == told.segments + 1


def units(text: str, encoding: str) -> int:
    """Units counted character by character."""
    if encoding == "gsm":
        return sum(2 if c in EXTENSION else 1 for c in text)
    return sum(2 if ord(c) > 0xFFFF else 1 for c in text)


def limit(encoding: str, parts: int) -> int:
    """Units one part may hold."""
    return {"gsm": (160, 153), "unicode": (70, 67)}[encoding][parts > 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segmentation("gsm", 0, 0, 160)),
        ("a", Segmentation("gsm", 1, 1, 159)),
        ("a" * 160, Segmentation("gsm", 1, 160, 0)),
        ("a" * 161, Segmentation("gsm", 2, 161, 145)),
        ("a" * 306, Segmentation("gsm", 2, 306, 0)),
        ("a" * 307, Segmentation("gsm", 3, 307, 152)),
        ("€" * 80, Segmentation("gsm", 1, 160, 0)),
        ("€" * 81, Segmentation("gsm", 2, 162, 143)),
        ("a" * 152 + "€" * 77, Segmentation("gsm", 3, 306, 151)),
        ("\f", Segmentation("gsm", 1, 2, 158)),
        ("mañana, José Á", Segmentation("gsm", 1, 14, 146, ("Á",))),
        ("ж" * 70, Segmentation("unicode", 1, 70, 0)),
        ("ж" * 71, Segmentation("unicode", 2, 71, 63)),
        ("😀" * 35, Segmentation("unicode", 1, 70, 0)),
        ("😀" * 67, Segmentation("unicode", 3, 134, 65)),
        ("\ud800", Segmentation("unicode", 1, 1, 69)),
    ],
)
def test_known_texts(text: str, expected: Segmentation) -> None:
    """Boundaries of both encodings, worked out by hand."""
    assert segments(text) == expected
    if expected.encoding == "gsm" and text in ("", "a"):  # forced, nothing is replaced
        assert segments(text, "unicode") == Segmentation("unicode", len(text), len(text), 70 - len(text))


def test_what_happens_to_characters() -> None:
    """Accented vowels cost nothing, and each that changes is named once; a lost one is a unit; none shows in a log."""
    told = segments("Sí, el lunes próximo irá a la clínica Ávila: ¿a las 10 o a las 11? ¡Qué año!")
    assert (told.encoding, told.replaced, told.lost) == ("gsm", ("í", "ó", "á", "Á"), ())
    forced = segments("ok 😀 ç😀", "gsm")
    assert (forced.encoding, forced.characters, forced.lost) == ("gsm", 7, ("😀", "ç"))
    assert not {"í", "😀"} & {*repr(told), *repr(forced)}


def test_an_unknown_encoding_is_refused() -> None:
    """Only three names are taken, and the error lists them; bytes and numbers are not counted as if they were texts."""
    wrong: list[Any] = ["latin-1", "GSM", "", None, 0, []]
    for encoding in wrong:
        for ask in (segments, split, count_segments):
            with pytest.raises(errors.InvalidRequest, match='"auto", "gsm" or "unicode"'):
                ask("hola", encoding)
    no_text: list[Any] = [None, b"hola", 5]
    for text in no_text:
        with pytest.raises(errors.InvalidRequest, match="A text is a str"):
            segments(text)


def test_many_texts_are_counted_by_their_length() -> None:
    """As one by one, at the edges of both encodings; a character of two units is told, which no length shows."""
    edges: list[tuple[Any, str, list[int]]] = [
        ("gsm", "a", [1, 159, 160, 161, 306, 307, 459, 460]),
        ("unicode", "ж", [1, 69, 70, 71, 134, 135, 201, 202]),
    ]
    for encoding, letter, lengths in edges:
        told = counts_by_length(lengths, encoding)
        assert told == [segments(letter * length).segments for length in lengths] == [1, 1, 1, 2, 2, 3, 3, 4]
        assert not has_pairs(letter, encoding)
    assert (has_pairs("a€", "gsm"), has_pairs("a€", "unicode"), has_pairs("a😀", "unicode")) == (
        True,
        False,
        True,
    )


def test_the_characters_that_force_unicode_are_named() -> None:
    """In order, once each; none of a text that was to be Unicode and need not be."""
    assert segments("año ж, 中 y ж").forcing == ("ж", "中")
    assert segments("año", "unicode").forcing == segments("año").forcing == ()
