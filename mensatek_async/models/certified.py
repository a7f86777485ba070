"""What certified and contract texts need and give: kinds of contract, identification, certificates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import IntEnum
from pathlib import Path

from attrs import field, frozen

from ..codes import DeliveryStatus
from ..errors import InvalidField
from ..phones import mask


class ContractType(IntEnum):
    """The known kinds of contract SMS (`Tipocontrato`). The provider has others: any int is taken where this is."""

    PLAIN = 0
    """No contract: a certified SMS."""
    REPLY = 1
    """The recipient closes the contract by replying SI or ACEPTO."""
    PDF = 18
    """The recipient reads the PDF in the message to its end and presses "accept"."""


class Identify:
    """Ways to have the recipient of a certified SMS identified before the attachments open (`Identificar`)."""

    @staticmethod
    def certificate(tax_id: str) -> str:
        """By a digital certificate that belongs to this tax id.

        Args:
            tax_id: the recipient's NIF or NIE, such as "12345678E".

        Returns:
            The wire form, "CERTIFICADO-12345678E".

        Raises:
            InvalidField: it is not 5 to 20 letters and digits. The check character is not looked at: certificates
                of other countries are taken too.
        """
        plain = re.sub(r"[\s.\-]", "", tax_id).upper() if isinstance(tax_id, str) else ""
        if not re.fullmatch(r"(?!CERTIFICADO)[A-Z0-9]{5,20}", plain):
            raise InvalidField("The recipient's tax id is 5 to 20 letters and digits.")
        return f"CERTIFICADO-{plain}"


@frozen(kw_only=True)
class Download:
    """A certificate, or several in a ZIP, that arrived whole.

    Attributes:
        path: where it is; None when it went into a file of yours.
        media_type: "application/pdf" or "application/zip".
        size: bytes.
    """

    path: Path | None
    media_type: str
    size: int


@frozen(kw_only=True)
class Certificate:
    """One PDF of a downloaded ZIP.

    Attributes:
        name: its name in the ZIP, without folders.
        content: the PDF.
    """

    name: str
    content: bytes = field(repr=False)


@frozen(kw_only=True)
class CertificateRow:
    """What the ZIP's CSV says of one recipient.

    Attributes:
        phone: the recipient, international digits; "" when the row has none.
        status: the delivery status; None when the row has none.
        message_id: the message; None when the row does not say.
        reported_at: when that status came, aware, Spanish time; None when unknown.
        seconds: from sending to that status; None when unknown.
        label: the status in the provider's own words.
        raw: the whole row as it stands in the CSV, by its own headings.
    """

    phone: str = field(default="", repr=mask)
    status: DeliveryStatus | None = None
    message_id: int | None = None
    reported_at: datetime | None = None
    seconds: float | None = None
    label: str = ""
    raw: dict[str, str] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class CertificateBundle:
    """What a downloaded ZIP holds.

    Attributes:
        certificates: the PDFs, in the ZIP's order.
        rows: the CSV's rows, in its order, read anew each time they are gone through; empty when the ZIP has no CSV.
    """

    certificates: tuple[Certificate, ...] = ()
    rows: Sequence[CertificateRow] = ()
