"""Phones in any usual writing to international digits."""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .errors import InvalidPhone, InvalidRequest

# Mobiles are 6 and 71-79; landlines 81-88 and 91-98 get a voice fallback. 70, 80 and 90 are special rates.
_SPANISH = r"(?:6[0-9]{8}|7[1-9][0-9]{7}|[89][1-8][0-9]{7})"
_is_clean = re.compile(rf"(?:34)?{_SPANISH}").fullmatch
_is_spaced = re.compile(rf"((?:\+|00)?34)?({_SPANISH})").fullmatch
_all_clean = re.compile(rf"(?:34)?{_SPANISH}(?:\n(?:34)?{_SPANISH})*+")

# What programs make of an empty cell.
_EMPTY = ("", "none", "nan", "null", "n/a")
_MAX_LENGTH = 60
MAX_DIGITS = 15
_MIN_DIGITS = 8

# Mexico dropped the 1 of its mobiles, and the 044 and 045 before them, in 2019; people write them still.
_MEXICAN = re.compile(r"521([0-9]{10})")
_OLD_MEXICAN = re.compile(r"04[45]([0-9]{10})")
# Blank to the eye and no mark: the fillers of Hangul and the blank of Braille.
_BLANK = frozenset("\u115f\u1160\u2800")
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
_formula = re.compile(r'=\s*"?([^"=]*)"?')

SEPARATORS = re.compile(r"[\s.\-/()\u00b7\u2010-\u2015\u2212]+")
_decimal = re.compile(r"([0-9]{6,})[.,]([0-9]{1,2})")
_scientific = re.compile(r"[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_extension = re.compile(r"[0-9]\s*;?\s*(?:ext|x|#)", re.IGNORECASE)
_several = re.compile(r"[0-9][^0-9]*(?:[/;,|&\n]|\b(?:y|o|e|and|or)\b)[^0-9]*[0-9]", re.IGNORECASE)
_trunk_zero = re.compile(r"^((?:\(?\+|\(?00)[^()]*\)?\s*)\(0\)")

# The kinds of numbers that take texts, as phonenumbers calls them.
_TEXTABLE = ("MOBILE", "FIXED_LINE_OR_MOBILE", "FIXED_LINE", "VOIP", "PERSONAL_NUMBER")
_INSTALL = "Install mensatek-async[phones] to use numbers of that country."


def normalise(phone: str, region: str = "ES") -> str:
    """Return the international digits of a phone number in any usual writing, such as "34600000000".

    `region` is the two-letter country of numbers written without a prefix.

    Raises:
        InvalidPhone: it is no number that can be texted, or it takes the extra `phones` to understand it.
            The message shows no more than the first three and last two characters.
        InvalidRequest: there is no such region.
    """
    try:
        clean = _is_clean(phone)
    except TypeError:
        phone, clean = str(phone), None
    if clean:
        if len(phone) == 11:
            return phone
        if region == "ES":
            return "34" + phone
    else:
        # What people write by hand and the full reading would take ten times as long for.
        spaced = _is_spaced(phone.replace(" ", "").replace("-", ""))
        if spaced and (spaced[1] or region == "ES"):
            return "34" + spaced[2]
    return _normalise_written(phone, region)


def normalise_all(phones: Sequence[str], region: str = "ES") -> list[str | InvalidPhone]:
    """Normalise many phones at once: for each its international digits, or the error that says why it has none."""
    region = check_region(region)
    if region == "ES":
        try:
            joined = "\n".join(phones)
        except TypeError:
            joined = ""
        # A line break inside a phone would make one of it look like two.
        if joined.count("\n") == len(phones) - 1 and _all_clean.fullmatch(joined):
            if len(joined) == 12 * len(phones) - 1:  # every one with its 34
                return list(phones)
            return [phone if len(phone) == 11 else "34" + phone for phone in phones]
    return [_normalise_or_error(phone, region) for phone in phones]


def mask(phone: str) -> str:
    """A phone for messages: its first three and last two characters, or fewer of a short one."""
    shown = "".join(c for c in str(phone) if c.isprintable() and not c.isspace())
    if len(shown) < 8:
        return shown[:1] + "***"
    return f"{shown[:3]}***{shown[-2:]}"


def check_caller(phone: str, region: str = "ES") -> str:
    """Return the international digits of the number a voice call comes from: any that can call, textable or not."""
    _, digits, international = _read(phone, "voice caller")
    library = None if international else _library()
    if not international and region == "ES" and len(digits) == 9:
        return "34" + digits
    if library is not None and len(digits) < 11:
        number = _parsed(library, digits, check_region(region))
        if library.is_possible_number(number):
            return _digits_of(library, number)
    if not _MIN_DIGITS <= len(digits) <= MAX_DIGITS or digits.startswith("0") or len(digits) == 9:
        raise _invalid(phone, "is no international number", kind="voice caller", advice="Write it as +34 ...")
    return digits


@lru_cache(maxsize=256)
def check_region(region: str) -> str:
    """Return a default region in capital letters, if it is one."""
    code = region.upper() if isinstance(region, str) else ""
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise InvalidRequest("A region is a country's two letters, such as ES.")
    library = _library() if code != "ES" else None
    if library is not None and code not in library.SUPPORTED_REGIONS:
        advice = "Use a country's two letters, such as ES."
        raise InvalidRequest(f"There is no region {code!r}.", advice=advice)
    return code


@lru_cache(maxsize=1)
def _library() -> Any:
    """The phonenumbers package, or None. Some 30 ms to import, so only when a number needs it."""
    try:
        return importlib.import_module("phonenumbers")
    except ImportError:
        return None


def _normalise_or_error(phone: str, region: str) -> str | InvalidPhone:
    try:
        return normalise(phone, region)
    except InvalidPhone as error:
        return error


def _read(phone: str, kind: str = "phone") -> tuple[str, str, bool]:
    """The number as it is written, its digits, and whether it says that they are international."""
    text = _tidy(str(phone))
    decimal = _decimal.fullmatch(text)
    if decimal is not None:
        # A spreadsheet's number: 600000000.0. Its decimals are no digits of the phone.
        text = decimal[1]
        if decimal[2].strip("0"):
            raise _invalid(phone, "is a number with decimals", kind=kind)
    number = SEPARATORS.sub("", _trunk_zero.sub(r"\1", text))
    digits = number.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise _invalid(phone, _fault(text), kind=kind)
    if number == digits and digits.startswith("00"):
        return text, digits[2:], True
    return text, digits, number != digits


def _normalise_written(phone: str, region: str) -> str:
    text, digits, international = _read(phone)
    region = check_region(region)
    if not international and region == "MX" and (old := _OLD_MEXICAN.fullmatch(digits)):
        international, digits = True, "52" + old[1]
    if _is_clean(digits):
        if len(digits) == 11:
            return digits
        if region == "ES" and not international:
            return "34" + digits
    if len(digits) > MAX_DIGITS:
        raise _invalid(phone, "holds two numbers" if _several.search(text) else "is too long for one number")
    if not digits.strip("0"):
        raise _invalid(phone, "holds nothing but zeros")
    if international:
        return _international(phone, digits)
    if region == "ES" and "/" in text:
        raise _invalid(phone, "holds two numbers, or is no Spanish one")
    return _national(phone, digits, region)


def _tidy(phone: str) -> str:
    """Plain digits and signs, without what nobody sees."""
    text = phone.strip()
    if len(text) > _MAX_LENGTH:
        raise _invalid(phone, "is too long")
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        seen = (c for c in text if unicodedata.category(c) not in _INVISIBLE and c not in _BLANK)
        text = "".join(map(_plain_digit, seen)).strip()
    # A spreadsheet keeps a number as text behind an apostrophe, or as the formula ="600000000".
    text = text.removeprefix("'")
    if formula := _formula.fullmatch(text):
        text = formula[1].strip()
    if text[:4].casefold() == "tel:":
        text = text[4:].strip()
    if text.casefold() in _EMPTY:
        raise InvalidPhone("The phone is empty.")
    return text


def _plain_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _fault(text: str) -> str:
    """Why `text`, which holds more than digits and separators, is no phone."""
    if _scientific.fullmatch(text):
        return "was written by a spreadsheet in scientific notation, which loses digits"
    if _extension.search(text):
        return "has an extension, which a text cannot reach"
    if _several.search(text) or text.count("+") > 1:
        return "holds two numbers"
    if any(c.isalpha() for c in text):
        return "holds letters"
    return (
        "holds a character that phone numbers have not" if any(map(str.isdigit, text)) else "holds no digits"
    )


def _international(phone: str, digits: str) -> str:
    if mexican := _MEXICAN.fullmatch(digits):
        digits = "52" + mexican[1]
    if digits.startswith("0"):
        raise _invalid(phone, "has no country's prefix: none begins with 0")
    if len(digits) < _MIN_DIGITS:
        raise _invalid(phone, "is too short")
    library = _library()
    if library is not None:
        return _checked(library, phone, _parsed(library, "+" + digits, None))
    if digits.startswith("34"):
        raise _invalid(phone, _spanish_fault(digits[2:]))
    if _is_clean(digits):
        raise _invalid(phone, "has a Spanish number where a country's prefix should be")
    return digits


def _national(phone: str, digits: str, region: str) -> str:
    """A number without `+` or `00`: of the default region, or international as it comes out of here."""
    if region == "ES" and len(digits) < 9:
        raise _invalid(phone, _spanish_fault(digits))
    if region == "ES" and len(digits) == 10 and digits[0] in "6789":
        # Else a mobile with one digit too many could be a valid number of Malaysia or Singapore.
        raise _invalid(phone, "has one digit too many for a Spanish number; write a + before a foreign one")
    library = _library()
    if library is None:
        if region != "ES":
            raise _invalid(phone, f"has no prefix, and the default region is {region}", advice=_INSTALL)
        if len(digits) < 10 or digits.startswith("0"):
            raise _invalid(phone, _spanish_fault(digits))
        return _international(phone, digits)
    number = _parsed(library, digits, region)
    if not library.is_valid_number(number) and len(digits) >= 10 and not digits.startswith("0"):
        return _international(phone, digits)
    return _checked(library, phone, number)


def _spanish_fault(national: str) -> str:
    if national.startswith("0"):
        return "begins with a 0, as no Spanish number does"
    if len(national) != 9:
        return f"is too {'short' if len(national) < 9 else 'long'} for a Spanish number"
    if national[:2] in ("70", "80", "90"):
        return "is a Spanish special-rate number"
    return "is no Spanish mobile or landline"


def _parsed(library: Any, number: str, region: str | None) -> Any:
    try:
        return library.parse(number, region)
    except library.NumberParseException:
        return library.PhoneNumber()


def _checked(library: Any, phone: str, number: Any) -> str:
    valid = library.is_valid_number(number)
    national = str(number.national_number)
    if number.country_code == 34 and not (valid and _is_clean("34" + national)):
        raise _invalid(phone, _spanish_fault(national))  # the same numbers as without the extra
    if not valid:
        # Which of too short and too long is a matter of the country's own table.
        results = library.ValidationResult
        reasons = {results.TOO_SHORT: "is too short", results.TOO_LONG: "is too long"}
        result = library.is_possible_number_with_reason(number)
        raise _invalid(phone, reasons.get(result, "is not a number of any country"))
    kind = library.PhoneNumberType.to_string(library.number_type(number))
    if kind not in _TEXTABLE:
        raise _invalid(phone, "is a toll-free, special-rate or service number, which takes no texts")
    return _digits_of(library, number)


def _digits_of(library: Any, number: Any) -> str:
    return str(library.format_number(number, library.PhoneNumberFormat.E164)).removeprefix("+")


def _invalid(phone: str, reason: str, *, kind: str = "phone", advice: str = "") -> InvalidPhone:
    return InvalidPhone(f"The {kind} {mask(phone)} {reason}.", advice=advice)
