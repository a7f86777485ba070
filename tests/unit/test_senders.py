"""Senders: the provider's two forms and nothing else."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import errors
from mensatek_async.phones import check_sender


@pytest.mark.parametrize(
    "sender", ["MIEMPRESA", "a", "A&B_2027", "ABCDEFGHIJK", "12", "34600000000", "123456789012345"]
)
def test_what_the_manual_allows_goes_out_as_it_is(sender: str) -> None:
    """Up to eleven letters, digits, ampersands and underscores; or up to fifteen digits."""
    assert check_sender(sender) == sender
    assert check_sender(f" {sender} ") == sender


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("+34600000000", "+34600000000"),
        ("+34 600 00.00-00", "+34600000000"),
        ("(+34) 600/000000", "+34600000000"),
        ("0034600000000", "+34600000000"),
        ("00 34 600 000 000", "+34600000000"),
        ("900 000 000", "900000000"),
        ("+123456789012345", "+123456789012345"),
    ],
)
def test_a_phone_as_sender_loses_its_separators(sender: str, expected: str) -> None:
    """International form with a plus; a double zero is one."""
    assert check_sender(sender) == expected


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("MI EMPRESA", "holds ' '"),
        ("CLÍNICA", "holds 'Í'"),
        ("mi-empresa", "holds '-'"),
        ("a+b", r"holds '\+'"),
        ("ＡＢＣ", "holds 'Ａ'"),
        ("a\nb", "holds"),
        ("DOCELETRAS12", "has 12 characters"),
        ("1234567890123456", "phone of 16 digits"),
        ("+1", "phone of 1 digits"),
        ("３４６００", "phone of 5 digits"),
        ("++34600000000", "holds"),
        (34600000000, "is a str"),
        (None, "is a str"),
    ],
)
def test_what_breaks_the_rules_is_refused_with_its_reason(sender: Any, reason: str) -> None:
    """The reason says what is wrong with it."""
    with pytest.raises(errors.InvalidSender, match=reason):
        check_sender(sender)


def test_a_refused_phone_is_not_shown() -> None:
    """A number in an error message is a number in a log."""
    with pytest.raises(errors.InvalidSender) as caught:
        check_sender("+34 600 123 456 789 012")
    assert "123" not in str(caught.value)


@given(st.one_of(st.text(), st.text(st.sampled_from("aZ09&_+-. (")), st.from_regex(r"[\w&]{0,13}")))
def test_whatever_passes_keeps_the_rules(sender: str) -> None:
    """Every accepted sender has one of the two forms, and passes again unchanged."""
    try:
        checked = check_sender(sender)
    except errors.InvalidSender:
        return

    assert re.fullmatch(r"[A-Za-z0-9&_]{1,11}|\+?[0-9]{3,15}", checked)
    assert check_sender(checked) == checked
