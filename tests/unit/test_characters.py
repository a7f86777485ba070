"""The GSM 03.38 alphabet."""

import pytest
from gsm0338 import Codec
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async.text.segments import (
    BASIC,
    EXTENSION,
    PLAIN,
    extension_count,
    lost_characters,
    needs_unicode,
    replaced_characters,
)

oracle = Codec()
any_text = st.text(
    st.one_of(st.sampled_from(BASIC + EXTENSION + "".join(PLAIN) + "çŠ😀\x1b"), st.characters())
)


def septets(character: str) -> int | None:
    """What the independent codec makes of one character, or None."""
    if character == "\x1b":
        return None
    try:
        return len(oracle.encode(character)[0])
    except UnicodeEncodeError:
        return None


def test_every_character_of_unicode_is_sorted_as_the_independent_codec_sorts_it() -> None:
    """One, two or no septets: the table agrees with gsm0338 for each code point."""
    basic, extension = set(BASIC), set(EXTENSION)
    wrong = [
        hex(number)
        for number in range(0x11000)
        for expected in [septets(chr(number))]
        if expected != (1 if chr(number) in basic else 2 if chr(number) in extension else None)
    ]

    assert wrong == []
    assert (len(basic), len(extension)) == (127, 10)


@pytest.mark.parametrize("character", [*BASIC, *EXTENSION, *PLAIN])
def test_the_alphabet_and_the_replaced_vowels_need_no_unicode(character: str) -> None:
    """Each accepted character alone travels as GSM."""
    assert not needs_unicode(character)


@pytest.mark.parametrize(
    "character", ["ç", "ê", "ã", "\x1b", "\u00a0", "’", "–", "ñ\u0303", "a\u0301", "а", "😀", "\ud800"]
)
def test_anything_else_needs_unicode(character: str) -> None:
    """Look-alikes and combining accents are not in the alphabet."""
    assert needs_unicode("Hola " + character)
    assert needs_unicode("10 € " + character)


@given(any_text)
def test_unicode_is_needed_exactly_when_a_character_is_outside(text: str) -> None:
    """The quick ways agree with looking at each character."""
    outside = [c for c in text if c not in BASIC + EXTENSION and c not in PLAIN]

    assert needs_unicode(text) == bool(outside)
    assert lost_characters(text) == tuple(dict.fromkeys(outside))
    assert extension_count(text) == sum(c in EXTENSION for c in text)
    assert replaced_characters(text) == tuple(dict.fromkeys(c for c in text if c in PLAIN))


def test_the_plain_letters_are_in_the_alphabet_and_the_accented_are_not() -> None:
    """What the provider replaces is what the alphabet lacks; é and É stay."""
    assert not set(PLAIN) & set(BASIC)
    assert set(PLAIN.values()) <= set(BASIC)
    assert "é" not in PLAIN
    assert "É" not in PLAIN
