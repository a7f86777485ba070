"""Issuers and tax ids: by their check character with the library, by their form without it."""

from __future__ import annotations

import sys

import pytest

from mensatek_async import InvalidField, InvalidRequest, Issuer, tax_ids
from mensatek_async.tax_ids import check_tax_id


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        *((tax_id, tax_id) for tax_id in ("12345678Z", "X1234567L", "A58818501", "Q2826000H")),
        *((tax_id, "B00000000") for tax_id in ("B00000000", "b-00000000", "ES B00000000")),
        ("12.345.678-z", "12345678Z"),
    ],
)
def test_a_right_tax_id_in_any_writing(written: str, plain: str) -> None:
    """NIF, NIE and CIF, with dots, dashes, small letters or the country in front; it is in no repr."""
    assert check_tax_id(written) == plain
    issuer = Issuer("Ana", "600000000", written)
    assert issuer.tax_id == plain
    assert not [secret for secret in (plain, "600000000") if secret in repr(issuer)]


@pytest.mark.parametrize("wrong", ["12345678A", "X1234567A", "A58818502", "B00000001"])
def test_a_wrong_check_character(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One digit mistyped is found by the library, and not shown; without it what cannot be checked is not refused."""
    with pytest.raises(InvalidField, match="check character") as caught:
        Issuer("EMPRESA", "900000000", wrong)
    assert wrong not in str(caught.value)
    monkeypatch.setattr(tax_ids, "_library", lambda: None)
    assert check_tax_id(wrong) == wrong


@pytest.mark.parametrize("wrong", ["1234", "123456789", "BB0000000", "I00000000", "DE123456789", "ZZZZZZZZZ"])
def test_a_wrong_form_is_refused_without_the_library_too(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of other countries among them: those are told to be so."""
    monkeypatch.setitem(sys.modules, "stdnum.es.nif", None)
    tax_ids._library.cache_clear()
    with pytest.raises(InvalidField, match="check=False"):
        Issuer("EMPRESA", "900000000", wrong)

    assert Issuer("EMPRESA", "900000000", wrong, check=False).tax_id == wrong
    tax_ids._library.cache_clear()


@pytest.mark.parametrize(
    "given",
    [
        *((name, "900000000", "B00000000") for name in ("", "EMPRESA\nS.L.", "E" * 201)),
        *(("EMPRESA", phone, "B00000000") for phone in (" ", None, "llámenos", "12", "1234567890123456")),
        ("EMPRESA", "900000000", ""),
    ],
)
def test_an_issuer_is_whole(given: tuple[str, str, str]) -> None:
    """Name, phone and tax id, one line each; the phone is a number, which may be a special one."""
    with pytest.raises(InvalidRequest, match=r"[Ii]ssuer"):
        Issuer(*given)
    for phone, wire in (("900 000 000", "900000000"), ("+34 (91) 111-11.11", "+34911111111"), ("010", "010")):
        assert Issuer("EMPRESA", phone, "B00000000").phone == wire
