"""The GSM 03.38 alphabet."""

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


def test_what_needs_unicode() -> None:
    """Not the alphabet, nor what the provider replaces, which is what it lacks (é and É stay); look-alikes and
    combining accents do."""
    assert not [character for character in (*BASIC, *EXTENSION, *PLAIN) if needs_unicode(character)]
    assert not set(PLAIN) & {*BASIC, "é", "É"}
    assert set(PLAIN.values()) <= set(BASIC)
    for character in ("ç", "ê", "ã", "\x1b", "\u00a0", "’", "–", "ñ\u0303", "a\u0301", "а", "😀", "\ud800"):
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
