"""The sandbox's own idea of texts: what a phone shows and what is charged."""

from __future__ import annotations

import gsm0338
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async.sandbox.api import texting

GSM = [
    chr(code)
    for code in range(0x10000)
    if not 0xD800 <= code <= 0xDFFF and texting.to_gsm(chr(code)) == chr(code)
]


def test_alphabet_is_that_of_the_standard() -> None:
    """Exactly the 127 basic letters and the 10 extended ones pass unchanged."""
    standard = gsm0338.Codec()
    assert len(GSM) == 137
    for letter in GSM:
        encoded, _ = standard.encode(letter)
        assert len(encoded) == (2 if texting._DOUBLE.match(letter) else 1), letter


def test_letters_outside_gsm_become_the_nearest() -> None:
    """Accents outside the alphabet fall off; what has no like becomes a question mark."""
    kept = "Año: é ñ Ñ ü ¿ ¡ €"
    for text, shown in (
        (kept, kept),
        ("á í ó ú Á Í Ó Ú", "a i o u A I O U"),
        ("ç ê", "c e"),
        ("listo 🎉", "listo ?"),
    ):
        assert texting.to_gsm(text) == shown


def test_segments_at_the_borders() -> None:
    """160/153 and 70/67, with extended letters and surrogate pairs counting two and never cut."""
    plain = {"": 1, "a" * 160: 1, "a" * 161: 2, "a" * 306: 2, "a" * 307: 3}
    for text, count in {**plain, "€" * 80: 1, "€" * 81: 2, "a" * 152 + "€" * 77: 3}.items():
        assert texting.segments(text, False) == count
    letters = {"ñ" * 70: 1, "ñ" * 71: 2, "ñ" * 135: 3}
    for text, count in {**letters, "🎉" * 35: 1, "🎉" * 36: 2, "a" + "🎉" * 67: 3}.items():
        assert texting.segments(text, True) == count


@given(st.text(st.sampled_from(GSM), max_size=700))
def test_gsm_segments_agree_with_an_independent_count(text: str) -> None:
    """An independent package counts the same texts for any text in the alphabet."""
    sliced = smsutil.split(text) if text else None
    assert texting.segments(text, False) == (len(sliced.parts) if sliced else 1)


def test_placeholders_are_filled_in_any_case() -> None:
    """Variables and the phone are filled in; what nobody gave is empty; values are not filled again."""
    text = "Hola (Variable_1)(variable_2), (VARIABLE_10) al (Movil)"
    shown = texting.render(text, "34600000001", {"variable_1": "Ana", "Variable_10": "(Movil)"})
    assert shown == "Hola Ana, (Movil) al 34600000001"
    assert texting.is_personal("(Movil)")
    assert not texting.is_personal("(Variable_11) Variable_1")


def test_elements_become_short_links() -> None:
    """Every element is found, and shown as a link of its protocol."""
    text = "Vea (FILE:2:a.pdf) (LINK:1:x.es) (IMG:0:f.png) (TICKET:3)"
    assert texting.elements(text) == [("FILE", "a.pdf"), ("LINK", "x.es"), ("IMG", "f.png"), ("TICKET", "3")]
    link = "sandbox.example/x1Y2z3"
    assert texting.shown(text, True) == f"Vea https://{link} http://{link} {link} https://{link}"


def test_broken_encoding_is_repaired_where_it_can_be() -> None:
    """UTF-8 read as Latin-1 comes back; a text that is right already stays."""
    assert texting.repair("AÃ±o") == "Año"
    assert texting.repair("Año") == "Año"
