"""Who issues a certified message."""

from __future__ import annotations

import re
import unicodedata

from attrs import field, frozen

from ..errors import InvalidField
from ..phones import mask
from ..tax_ids import check_tax_id

_written = re.compile(r"\+?[0-9][0-9\s.\-/()]*")
_LONGEST_NAME = 200


def _filled(value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text:
        raise InvalidField("An issuer needs a name, a phone and a tax id.")
    text = unicodedata.normalize("NFC", text)
    if not text.isprintable() or len(text) > _LONGEST_NAME:
        raise InvalidField(
            f"An issuer's name, phone and tax id are one line each, {_LONGEST_NAME} characters at most."
        )
    return text


def _phone(value: object) -> str:
    # Not `phones.normalise`: a free number such as 900 000 000 reaches an issuer well, and cannot be texted.
    text = _filled(value)
    digits = sum(letter.isdigit() for letter in text)
    if not _written.fullmatch(text) or not 3 <= digits <= 15:
        raise InvalidField("The issuer's phone is no number: 3 to 15 digits, with or without + in front.")
    return re.sub(r"[^0-9+]", "", text)


@frozen
class Issuer:
    """The person or company in whose name a certified text is sent; it stands in the certificate.

    Attributes:
        name: its name, such as "EMPRESA S.L.".
        phone: a phone to reach it, in any usual writing; special numbers such as 900 000 000 too.
        tax_id: its NIF, CIF or NIE, checked by its check character with the extra `es`, else by its form.
        check: False takes any tax id as it is, for issuers of other countries.

    Raises:
        InvalidField: one of them is missing or cannot be right.
    """

    name: str = field(converter=_filled)
    phone: str = field(converter=_phone, repr=mask)
    tax_id: str = field(converter=_filled, repr=False)
    check: bool = field(default=True, kw_only=True, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.check:
            object.__setattr__(self, "tax_id", check_tax_id(self.tax_id))
