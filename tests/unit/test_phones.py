"""Phones: every usual writing to international digits, and a clear no to the rest."""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import phones
from mensatek_async.errors import InvalidPhone, InvalidRequest
from mensatek_async.phones import check_region, mask, normalise, normalise_all


@pytest.fixture(params=["with phonenumberslite", "without it"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both worlds: the extra installed, and not."""
    if request.param == "without it":
        monkeypatch.setattr(phones, "_library", lambda: None)
    check_region.cache_clear()
    yield
    check_region.cache_clear()


def reason(phone: Any, region: str = "ES") -> str:
    """Why `phone` is refused."""
    with pytest.raises(InvalidPhone) as caught:
        normalise(phone, region)
    return str(caught.value)


WRITINGS = [
    "34600000000", "600000000", "600 000 000", "600 00 00 00", "+34600000000", "+34 600 00 00 00", "0034600000000",
    "00 34 600 000 000", "34 600 000 000", "(+34) 600-00/00.00", "(0034) 600 000 000", "+34 (600) 000000",
    "600.000.000", "600-000-000", "600/000/000", "600–00−00‐00", "600·000·000", "\t600000000 \n",
    "600\u00a0000\u202f000", "\u200e600\u2060000\u200b000\ufeff", "６００ ０００ ０００",
    "＋３４６００００００００", "٦٠٠٠٠٠٠٠٠",
    "tel:+34600000000", "TEL: 600000000", "'600000000", "600000000.0", "600000000,00", "34600000000.0", 600000000,
    34600000000, 600000000.0,
]  # fmt: skip


@pytest.mark.parametrize("phone", WRITINGS, ids=repr)
def test_every_usual_writing_of_a_spanish_mobile(phone: Any, library: None) -> None:
    """All come out as the same digits, whether or not the extra is installed."""
    assert normalise(phone) == "34600000000"
    assert normalise_all([phone, phone]) == ["34600000000"] * 2


def test_spanish_mobiles_and_landlines_are_taken(library: None) -> None:
    """A landline can be reached by the voice fallback."""
    for phone in ("612345678", "712345678", "799999999", "812345678", "888000000", "912345678", "987654321"):
        assert normalise(phone) == normalise("34" + phone) == normalise("+34 " + phone) == "34" + phone


REFUSED: dict[str, list[Any]] = {
    "is empty": ["", "  \u200b", None, "nan", "N/A"],
    "no digits": ["+", "-"],
    "zeros": ["000000000"],
    "letters": ["Juan Pérez", "600 000 00O", "Móvil: 600000000", "1-800-FLOWERS", b"600000000"],
    "a character that phone numbers have not": ["600000000*"],
    "scientific": ["6E+08", "3,46E+10", "6.00000000e8"],
    "two numbers": [
        *(f"600000000{between}611111111" for between in (" / ", "/", ";", ", ", " y ", "\n")),
        *("+34600000000+34611111111", "912345678/9", "91234567/89", "600000000/11"),
    ],
    "too long": ["600000000 611111111", "+34 6000 000 000", "1" * 16, "6" * 500],
    "extension": ["600000000 ext. 5", "600000000x5", "600000000 #5", "+34600000000;ext=5"],
    "too short": ["60000000", "6", "60000000.0", "+3460000000"],
    "decimals": ["61234567.8", "612345678,50"],
    "one digit too many": ["6000000000", "9123456789", "6591234567"],
    "begins with 0": ["+0034600000000", "0000600000000"],
    "begins with a 0|Spanish": ["0600000000"],
    "Spanish": ["500000000", "+34500000000"],
    "special-rate": ["900123456", "34900123456", "800123456", "902123456"],
    "not a number|prefix": ["+600000000"],
    "a character": ["600+000000"],
}


@pytest.mark.parametrize(
    ("phone", "expected"), [(phone, reason) for reason, phones in REFUSED.items() for phone in phones]
)
def test_what_is_no_phone_is_refused_with_its_reason(phone: Any, expected: str, library: None) -> None:
    """The same words with and without the extra."""
    assert re.search(expected, reason(phone))
    assert [type(each) for each in normalise_all([phone, "600000000"])] == [InvalidPhone, str]


def test_a_refusal_never_shows_the_number() -> None:
    """Three characters in front and two at the end are all there is; of short ones one; never a control character."""
    for phone in ("+34 600 123 4567 89", "612345678 / 698765432", "6123456789", "612345678 ext 5"):
        message = reason(phone)
        shown = message.removeprefix("The phone ").split("***")
        assert len(shown[0]) <= 3
        assert "2345" not in message
        assert "9876" not in message
    masked = {"34600123456": "346***56", "+34 600 12 34 56": "+34***56", "6001234": "6***", "": "***"}
    for phone, hidden in {**masked, "60\n0123456": "600***56"}.items():
        assert mask(phone) == hidden


# --- other countries ---------------------------------------------------------------------------------------


def test_foreign_numbers_in_international_form(library: None) -> None:
    """With a plus, a double zero or eleven digits and more they need no extra."""
    for phone, digits in {
        **dict.fromkeys(("+33 6 12 34 56 78", "0033612345678", "33612345678"), "33612345678"),
        **dict.fromkeys(("+44 (0)7911 123456", "(+44) (0) 7911 123456"), "447911123456"),
        "+1 (202) 555-0123": "12025550123",
        "+65 9123 4567": "6591234567",
        "+212 612-345678": "212612345678",
    }.items():
        assert normalise(phone) == digits


def test_national_numbers_of_another_region() -> None:
    """With the extra, a default region is enough."""
    for phone, region, digits in (
        ("06 12 34 56 78", "FR", "33612345678"),
        ("612345678", "fr", "33612345678"),
        ("(202) 555-0123", "US", "12025550123"),
        ("030/12345678", "DE", "493012345678"),
        ("+34 600 000 000", "FR", "34600000000"),
        ("34 600 000 000", "DE", "34600000000"),
    ):
        assert normalise(phone, region) == digits


def test_foreign_numbers_that_cannot_be_texted_are_refused() -> None:
    """With the extra, the country's own numbering decides."""
    nowhere = ("+99912345678", "+21012345678", "99912345678")
    for phone, expected in {
        "+1 800 356 9377": "toll-free",
        "+44 900 123 4567": "special-rate",
        "+49 900 1 234567": "special-rate",
        "+33612345": "too short|not a number",
        "+336123456789012": "too long|not a number",
        **dict.fromkeys(nowhere, "not a number of any country"),
    }.items():
        assert re.search(expected, reason(phone))


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A national number of another region names it, Spanish ones pass, a plus before one is of Malaysia."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    phones._library.cache_clear()
    check_region.cache_clear()
    try:
        assert "mensatek-async[phones]" in reason("0612345678", "FR")
        assert "default region is FR" in reason("33612345678", "FR")
        assert normalise("+33612345678", "FR") == "33612345678"
        assert normalise("34600000000", "FR") == "34600000000"
        assert "prefix" in reason("+600000000")
        assert "too short" in reason("+3361234")
    finally:
        phones._library.cache_clear()
        check_region.cache_clear()


@pytest.mark.parametrize("region", ["", "E", "ESP", "E1", "ÑÑ", "XX", "UK", None, 34])
def test_a_region_that_is_none_is_refused(region: Any) -> None:
    """A wrong setting is not a wrong phone: one error, not one for each row."""
    with pytest.raises(InvalidRequest) as caught:
        normalise_all(["600000000", "x"], region)
    assert not isinstance(caught.value, InvalidPhone)
    with pytest.raises(InvalidRequest):
        normalise("600 000 000", region)


# --- many at once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("many", "expected"),
    [
        (["34600000001", "600000002", "912345678"], ["34600000001", "34600000002", "34912345678"]),
        ([], []),
        (["600000001", "x", "+33 612345678"], ["34600000001", None, "33612345678"]),
        (["600000000\n611111111", "622222222"], [None, "34622222222"]),
        (["600000000\n611111111"], [None]),
        (["", "600000000"], [None, "34600000000"]),
        (["600000000", "", "611111111"], ["34600000000", None, "34611111111"]),
        (["600000000", ""], ["34600000000", None]),
    ],
)
def test_many_come_out_in_order(many: list[str], expected: list[str | None]) -> None:
    """One that is none is an error in its place; joined for speed, phones are still told apart."""
    assert [None if isinstance(one, InvalidPhone) else one for one in normalise_all(many)] == expected


written = st.one_of(
    st.text(max_size=20),
    st.text(st.sampled_from("0123456789+ -./()ext,;\n\u200b６٦"), max_size=20),
    st.from_regex(r"(\+|00)?(34|33|44|1)? ?[679][0-9]{8}", fullmatch=True),
)


@given(st.lists(written, max_size=5), st.sampled_from(["ES", "FR", "US", "GB"]))
def test_whatever_comes_out_is_a_number_that_can_be_texted(many: list[str], region: str) -> None:
    """ASCII digits, valid by the independent package, else InvalidPhone; the fast way gives what the slow way gives."""
    expected = []
    for phone in many:
        try:
            expected.append(normalise(phone, region))
        except InvalidPhone as error:
            expected.append(str(error))
            continue
        assert re.fullmatch("[0-9]{8,15}", expected[-1])
        if not expected[-1].startswith("34"):
            assert phonenumbers.is_valid_number(phonenumbers.parse("+" + expected[-1]))

    assert [str(each) for each in normalise_all(many, region)] == expected


@pytest.mark.parametrize(
    "region", ["ES", "FR", "GB", "MA", "RO", "CO", "EC", "IT", "PT", "DE", "US", "AR", "MX", "BR", "CN"]
)
def test_example_numbers_of_many_countries_agree_with_the_independent_package(region: str) -> None:
    """Every form phonenumberslite itself writes comes back as its digits."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
    for form in ("INTERNATIONAL", "E164", "RFC3966", "NATIONAL"):
        text = phonenumbers.format_number(example, getattr(phonenumbers.PhoneNumberFormat, form))
        assert normalise(text, region) == e164, form


def test_every_valid_spanish_mobile_or_landline_passes_by_both_ways() -> None:
    """The short rule takes all that phonenumberslite takes for a Spanish mobile or landline of nine digits."""
    rng = random.Random(7)
    kinds = phonenumbers.PhoneNumberType
    for _ in range(500):
        national = rng.choice("6789") + "".join(rng.choices("0123456789", k=8))
        if phonenumbers.number_type(phonenumbers.parse(national, "ES")) in (kinds.MOBILE, kinds.FIXED_LINE):
            assert normalise(national) == "34" + national


def test_spanish_numbers_never_load_the_extra() -> None:
    """Neither clean nor written out does one pay for the import."""
    code = (
        "import sys; from mensatek_async.phones import normalise;"
        "normalise('600 000 000'); normalise('+34 912 345 678'); normalise('600000000');"
        "sys.exit('phonenumbers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
