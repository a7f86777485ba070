"""Who issues a certified message."""

from __future__ import annotations

from attrs import field, frozen

from ..errors import InvalidField


def _filled(value: object) -> str:
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not text:
        raise InvalidField("An issuer needs a name, a phone and a tax id.")
    return text


@frozen
class Issuer:
    """The person or company in whose name a certified text is sent.

    Attributes:
        name: its name, such as "EMPRESA S.L.".
        phone: a phone to reach it.
        tax_id: its NIF, CIF or NIE.
    """

    name: str = field(converter=_filled)
    phone: str = field(converter=_filled)
    tax_id: str = field(converter=_filled)
