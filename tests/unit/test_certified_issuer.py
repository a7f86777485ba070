"""Issuers and tax ids: by their check character with the library, by their form without it."""

from __future__ import annotations

import sys

import pytest

from mensatek_async import InvalidField, InvalidRequest, Issuer, tax_ids
from mensatek_async.tax_ids import check_tax_id


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra `es` were not installed."""
    monkeypatch.setattr(tax_ids, "_library", lambda: None)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("B00000000", "B00000000"),
        ("b-00000000", "B00000000"),
        ("ES B00000000", "B00000000"),
        ("12345678Z", "12345678Z"),
        ("12.345.678-z", "12345678Z"),
        ("X1234567L", "X1234567L"),
        ("A58818501", "A58818501"),
        ("Q2826000H", "Q2826000H"),
    ],
)
def test_a_right_tax_id_in_any_writing(written: str, plain: str) -> None:
    """NIF, NIE and CIF, with dots, dashes, small letters or the country in front."""
    assert check_tax_id(written) == plain
    assert Issuer("EMPRESA", "900000000", written).tax_id == plain


@pytest.mark.parametrize("wrong", ["12345678A", "X1234567A", "A58818502", "B00000001"])
def test_a_wrong_check_character(wrong: str) -> None:
    """One digit mistyped is found by the library, and the message does not show the id."""
    with pytest.raises(InvalidField, match="check character") as caught:
        Issuer("EMPRESA", "900000000", wrong)
    assert wrong not in str(caught.value)


@pytest.mark.parametrize("wrong", ["12345678A", "A58818502"])
@pytest.mark.usefixtures("no_library")
def test_without_the_library_the_form_decides(wrong: str) -> None:
    """What cannot be checked is not refused."""
    assert check_tax_id(wrong) == wrong


@pytest.mark.parametrize("wrong", ["1234", "123456789", "BB0000000", "I00000000", "DE123456789", "ZZZZZZZZZ"])
@pytest.mark.usefixtures("no_library")
def test_a_wrong_form_is_refused_without_the_library_too(wrong: str) -> None:
    """Ids of other countries among them: those are told to be so."""
    with pytest.raises(InvalidField, match="check=False"):
        Issuer("EMPRESA", "900000000", wrong)

    assert Issuer("EMPRESA", "900000000", wrong, check=False).tax_id == wrong


@pytest.mark.parametrize(
    "given",
    [
        ("", "900000000", "B00000000"),
        ("EMPRESA", " ", "B00000000"),
        ("EMPRESA", "900000000", ""),
        ("EMPRESA", None, "B00000000"),
        ("EMPRESA\nS.L.", "900000000", "B00000000"),
        ("E" * 201, "900000000", "B00000000"),
        ("EMPRESA", "llámenos", "B00000000"),
        ("EMPRESA", "12", "B00000000"),
        ("EMPRESA", "1234567890123456", "B00000000"),
    ],
)
def test_an_issuer_is_whole(given: tuple[str, str, str]) -> None:
    """Name, phone and tax id, one line each; the phone is a number."""
    with pytest.raises(InvalidRequest, match=r"[Ii]ssuer"):
        Issuer(*given)


@pytest.mark.parametrize(
    ("phone", "wire"), [("900 000 000", "900000000"), ("+34 (91) 111-11.11", "+34911111111"), ("010", "010")]
)
def test_a_phone_that_reaches_the_issuer(phone: str, wire: str) -> None:
    """Special numbers, which no text could be sent to, are fine here."""
    assert Issuer("EMPRESA", phone, "B00000000").phone == wire


def test_an_issuer_does_not_show_its_id() -> None:
    """A person's tax id is nobody's business in a log."""
    shown = repr(Issuer("Ana", "600000000", "12345678Z"))

    assert "12345678Z" not in shown
    assert "600000000" not in shown


def test_the_library_is_looked_for_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra there is none, and that is no error."""
    monkeypatch.setitem(sys.modules, "stdnum.es.nif", None)

    assert tax_ids._library.__wrapped__() is None
