"""Phones: every usual writing to international digits, and a clear no to the rest."""

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mensatek_async import phones
from mensatek_async.errors import InvalidPhone, InvalidRequest
from mensatek_async.phones import check_region, mask, normalise, normalise_all


@pytest.fixture(params=["with phonenumberslite", "without it"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Both worlds: the extra installed, and not."""
    installed = request.param == "with phonenumberslite"
    if not installed:
        monkeypatch.setattr(phones, "_library", lambda: None)
    check_region.cache_clear()
    yield installed
    check_region.cache_clear()


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The extra is not installed."""
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
    "34600000000",
    "600000000",
    "600 000 000",
    "600 00 00 00",
    "+34600000000",
    "+34 600 00 00 00",
    "0034600000000",
    "00 34 600 000 000",
    "34 600 000 000",
    "(+34) 600-00/00.00",
    "(0034) 600 000 000",
    "+34 (600) 000000",
    "600.000.000",
    "600-000-000",
    "600/000/000",
    "600–00−00‐00",
    "600·000·000",
    "\t600000000 \n",
    "600\u00a0000\u202f000",
    "\u200e600\u2060000\u200b000\ufeff",
    "６００ ０００ ０００",
    "＋３４６００００００００",
    "٦٠٠٠٠٠٠٠٠",
    "tel:+34600000000",
    "TEL: 600000000",
    "'600000000",
    "600000000.0",
    "600000000,00",
    "34600000000.0",
    600000000,
    34600000000,
    600000000.0,
]


@pytest.mark.parametrize("phone", WRITINGS, ids=repr)
def test_every_usual_writing_of_a_spanish_mobile(phone: Any, library: bool) -> None:
    """All come out as the same digits, whether or not the extra is installed."""
    assert normalise(phone) == "34600000000"
    assert normalise_all([phone, phone]) == ["34600000000"] * 2


@pytest.mark.parametrize(
    "phone", ["612345678", "712345678", "799999999", "812345678", "888000000", "912345678", "987654321"]
)
def test_spanish_mobiles_and_landlines_are_taken(phone: str, library: bool) -> None:
    """A landline can be reached by the voice fallback."""
    assert normalise(phone) == normalise("34" + phone) == normalise("+34 " + phone) == "34" + phone


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("", "is empty"),
        ("  \u200b", "is empty"),
        (None, "is empty"),
        ("nan", "is empty"),
        ("N/A", "is empty"),
        ("+", "no digits"),
        ("-", "no digits"),
        ("000000000", "zeros"),
        ("Juan Pérez", "letters"),
        ("600 000 00O", "letters"),
        ("Móvil: 600000000", "letters"),
        ("1-800-FLOWERS", "letters"),
        (b"600000000", "letters"),
        ("600000000*", "a character that phone numbers have not"),
        ("6E+08", "scientific"),
        ("3,46E+10", "scientific"),
        ("6.00000000e8", "scientific"),
        ("600000000 / 611111111", "two numbers"),
        ("600000000/611111111", "two numbers"),
        ("600000000;611111111", "two numbers"),
        ("600000000, 611111111", "two numbers"),
        ("600000000 y 611111111", "two numbers"),
        ("+34600000000+34611111111", "two numbers"),
        ("600000000\n611111111", "two numbers"),
        ("600000000 611111111", "too long"),
        ("912345678/9", "two numbers"),
        ("91234567/89", "two numbers"),
        ("600000000/11", "two numbers"),
        ("600000000 ext. 5", "extension"),
        ("600000000x5", "extension"),
        ("600000000 #5", "extension"),
        ("+34600000000;ext=5", "extension"),
        ("60000000", "too short"),
        ("6", "too short"),
        ("60000000.0", "too short"),
        ("61234567.8", "decimals"),
        ("612345678,50", "decimals"),
        ("+3460000000", "too short"),
        ("+34 6000 000 000", "too long"),
        ("6000000000", "one digit too many"),
        ("9123456789", "one digit too many"),
        ("6591234567", "one digit too many"),
        ("1" * 16, "too long"),
        ("6" * 500, "too long"),
        ("+0034600000000", "begins with 0"),
        ("0000600000000", "begins with 0"),
        ("0600000000", "begins with a 0|Spanish"),
        ("500000000", "Spanish"),
        ("+34500000000", "Spanish"),
        ("900123456", "special-rate"),
        ("34900123456", "special-rate"),
        ("800123456", "special-rate"),
        ("902123456", "special-rate"),
        ("+600000000", "not a number|prefix"),
        ("600+000000", "a character"),
    ],
)
def test_what_is_no_phone_is_refused_with_its_reason(phone: Any, expected: str, library: bool) -> None:
    """The same words with and without the extra."""
    assert re.search(expected, reason(phone))
    assert [type(each) for each in normalise_all([phone, "600000000"])] == [InvalidPhone, str]


def test_a_refusal_never_shows_the_number() -> None:
    """Three characters in front and two at the end are all there is."""
    for phone in ("+34 600 123 4567 89", "612345678 / 698765432", "6123456789", "612345678 ext 5"):
        message = reason(phone)
        shown = message.removeprefix("The phone ").split("***")
        assert len(shown[0]) <= 3
        assert "2345" not in message
        assert "9876" not in message


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("34600123456", "346***56"),
        ("+34 600 12 34 56", "+34***56"),
        ("6001234", "6***"),
        ("", "***"),
        ("60\n0123456", "600***56"),
    ],
)
def test_mask_shows_three_and_two(phone: str, shown: str) -> None:
    """Short ones show one; control characters never show."""
    assert mask(phone) == shown


# --- other countries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "digits"),
    [
        ("+33 6 12 34 56 78", "33612345678"),
        ("0033612345678", "33612345678"),
        ("33612345678", "33612345678"),
        ("+44 (0)7911 123456", "447911123456"),
        ("(+44) (0) 7911 123456", "447911123456"),
        ("+1 (202) 555-0123", "12025550123"),
        ("+39 312 345 6789", "393123456789"),
        ("+351 912 345 678", "351912345678"),
        ("+65 9123 4567", "6591234567"),
        ("+212 612-345678", "212612345678"),
    ],
)
def test_foreign_numbers_in_international_form(phone: str, digits: str, library: bool) -> None:
    """With a plus, a double zero or eleven digits and more they need no extra."""
    assert normalise(phone) == digits


@pytest.mark.parametrize(
    ("phone", "region", "digits"),
    [
        ("06 12 34 56 78", "FR", "33612345678"),
        ("612345678", "fr", "33612345678"),
        ("(202) 555-0123", "US", "12025550123"),
        ("07911 123456", "GB", "447911123456"),
        ("030/12345678", "DE", "493012345678"),
        ("+34 600 000 000", "FR", "34600000000"),
        ("34 600 000 000", "DE", "34600000000"),
    ],
)
def test_national_numbers_of_another_region(phone: str, region: str, digits: str) -> None:
    """With the extra, a default region is enough."""
    assert normalise(phone, region) == digits


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("+1 800 356 9377", "toll-free"),
        ("+44 900 123 4567", "special-rate"),
        ("+49 900 1 234567", "special-rate"),
        ("+33612345", "too short|not a number"),
        ("+336123456789012", "too long|not a number"),
        ("+99912345678", "not a number of any country"),
        ("+21012345678", "not a number of any country"),
        ("99912345678", "not a number of any country"),
    ],
)
def test_foreign_numbers_that_cannot_be_texted_are_refused(phone: str, expected: str) -> None:
    """With the extra, the country's own numbering decides."""
    assert re.search(expected, reason(phone))


def test_without_the_extra_a_national_number_of_another_region_names_it(without_library: None) -> None:
    """The error says what to install, and Spanish numbers still pass."""
    assert "mensatek-async[phones]" in reason("0612345678", "FR")
    assert "default region is FR" in reason("33612345678", "FR")
    assert normalise("+33612345678", "FR") == "33612345678"
    assert normalise("34600000000", "FR") == "34600000000"


def test_without_the_extra_a_plus_before_a_spanish_number_is_refused(without_library: None) -> None:
    """It would be a number of Malaysia."""
    assert "prefix" in reason("+600000000")
    assert "too short" in reason("+3361234")
    assert "Spanish" in reason("700123456")


@pytest.mark.parametrize("region", ["", "E", "ESP", "E1", "ÑÑ", "XX", "UK", None, 34])
def test_a_region_that_is_none_is_refused(region: Any) -> None:
    """A wrong setting is not a wrong phone: one error, not one for each row."""
    with pytest.raises(InvalidRequest) as caught:
        normalise_all(["600000000", "x"], region)
    assert not isinstance(caught.value, InvalidPhone)
    with pytest.raises(InvalidRequest):
        normalise("600 000 000", region)


# --- many at once ------------------------------------------------------------------------------------------


def test_many_clean_phones_come_out_in_order() -> None:
    """With and without prefix, mixed."""
    assert normalise_all(["34600000001", "600000002", "912345678"]) == [
        "34600000001",
        "34600000002",
        "34912345678",
    ]
    assert normalise_all([]) == []


def test_one_bad_phone_among_many_is_an_error_in_its_place() -> None:
    """The others are not disturbed."""
    first, second, third = normalise_all(["600000001", "x", "+33 612345678"])

    assert (first, third) == ("34600000001", "33612345678")
    assert isinstance(second, InvalidPhone)


def test_a_line_break_inside_a_phone_does_not_make_it_two() -> None:
    """Joined for speed, phones are still told apart."""
    two, one = normalise_all(["600000000\n611111111", "622222222"])

    assert isinstance(two, InvalidPhone)
    assert one == "34622222222"
    assert isinstance(normalise_all(["600000000\n611111111"])[0], InvalidPhone)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_empty_cell_among_clean_phones_is_an_error(place: int) -> None:
    """First, last or in the middle, joined phones do not swallow it."""
    many = ["600000000", "611111111"]
    many.insert(place, "")

    assert isinstance(normalise_all(many)[place], InvalidPhone)


written = st.one_of(
    st.text(max_size=20),
    st.text(st.sampled_from("0123456789+ -./()ext,;\n\u200b６٦"), max_size=20),
    st.from_regex(r"(\+|00)?(34|33|44|1)? ?[679][0-9]{8}", fullmatch=True),
)


@given(st.lists(written, max_size=5))
def test_many_agree_with_one_by_one(many: list[str]) -> None:
    """The fast way gives what the slow way gives."""
    expected = []
    for phone in many:
        try:
            expected.append(normalise(phone))
        except InvalidPhone as error:
            expected.append(str(error))

    assert [str(each) for each in normalise_all(many)] == expected


@given(written, st.sampled_from(["ES", "FR", "US", "GB"]))
def test_whatever_comes_out_is_a_number_that_can_be_texted(phone: str, region: str) -> None:
    """Only ASCII digits, valid by the independent package, and only InvalidPhone otherwise."""
    try:
        digits = normalise(phone, region)
    except InvalidPhone:
        return

    assert digits.isascii()
    assert digits.isdigit()
    assert 8 <= len(digits) <= 15
    assume(not digits.startswith("34"))
    assert phonenumbers.is_valid_number(phonenumbers.parse("+" + digits))


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
    for _ in range(500):
        national = rng.choice("6789") + "".join(rng.choices("0123456789", k=8))
        number = phonenumbers.parse(national, "ES")
        kind = phonenumbers.number_type(number)
        if kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            assert normalise(national) == "34" + national


def test_spanish_numbers_never_load_the_extra() -> None:
    """Neither clean nor written out does one pay for the import."""
    code = (
        "import sys; from mensatek_async.phones import normalise;"
        "normalise('600 000 000'); normalise('+34 912 345 678'); normalise('600000000');"
        "sys.exit('phonenumbers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_package_is_noticed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that fails is the same as no extra."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    phones._library.cache_clear()
    try:
        assert phones._library() is None
    finally:
        phones._library.cache_clear()
