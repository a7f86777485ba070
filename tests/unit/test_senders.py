"""Senders: the provider's lengths are rules, its characters advice."""

import re
import unicodedata
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import SenderWarning, errors
from mensatek_async.senders import check_sender


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        *((one, one) for one in ("MIEMPRESA", "a", "A&B_2027", "ABCDEFGHIJK", "12", "34600000000")),
        ("123456789012345", "123456789012345"),
        ("+34600000000", "+34600000000"),
        ("+34 600 00.00-00", "+34600000000"),
        ("(+34) 600/000000", "+34600000000"),
        ("0034600000000", "+34600000000"),
        ("900 000 000", "900000000"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_what_the_manual_allows(sender: str, expected: str) -> None:
    """Up to eleven letters, digits, & and _; or a phone of up to fifteen digits, which loses its separators."""
    assert check_sender(sender) == check_sender(f" {sender} ") == expected


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        *((blank, "is empty") for blank in ("", "   ")),
        *((odd, "control character") for odd in ("a\nb", "a\ud83d")),
        ("DOCELETRAS12", "has 12 characters"),
        *((long, "has 13 characters") for long in ("MI EMPRESA SL", "++34600000000")),
        ("1234567890123456", "has 16 digits"),
        *((other, "is a str") for other in (34600000000, None)),
    ],
)
def test_what_is_too_long_or_no_text_is_refused_with_its_reason(sender: Any, reason: str) -> None:
    """The reason says what is wrong with it."""
    with pytest.raises(errors.InvalidSender, match=reason) as caught:
        check_sender(sender)
    assert "123" not in str(caught.value)  # a number in an error message is a number in a log


def test_what_the_manual_does_not_advise_goes_out_with_a_warning() -> None:
    """The charset is advice; the warning names the characters."""
    for sender, told in {
        "MI EMPRESA": "' '",
        "CLI\u0301NICA": "'Í'",
        "a+b": r"'\+'",
        "ＡＢＣ": "'Ａ'",
    }.items():
        with pytest.warns(SenderWarning, match=told):
            assert check_sender(sender) == unicodedata.normalize("NFC", sender)


@given(st.one_of(st.text(), st.text(st.sampled_from("aZ09&_+-. (")), st.from_regex(r"[\w&]{0,13}")))
def test_whatever_passes_keeps_the_rules(sender: str) -> None:
    """Every accepted sender has one of the two lengths, and passes again unchanged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SenderWarning)
        try:
            checked = check_sender(sender)
        except errors.InvalidSender:
            return
        assert check_sender(checked) == checked

    assert len(checked) <= 11 or re.fullmatch(r"\+?[0-9]{3,15}", checked)
