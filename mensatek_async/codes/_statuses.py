"""Delivery statuses: what a report's number means."""

from __future__ import annotations

from enum import Enum
from functools import cache

from attrs import Attribute, field, frozen

from ._table import load


class Phase(Enum):
    """Where a message stands, in one word."""

    SCHEDULED = "scheduled"
    """It waits for its date."""
    PENDING = "pending"
    """It is on its way."""
    RETRYING = "retrying"
    """A try failed, and the provider goes on trying."""
    DELIVERED = "delivered"
    """It arrived."""
    FAILED = "failed"
    """It did not arrive and will not."""
    CONTRACT = "contract"
    """A step in the life of a contract SMS."""
    INFO = "info"
    """News that do not change where the message stands."""
    UNKNOWN = "unknown"
    """This version of the package does not know the status."""


@frozen(kw_only=True)
class StatusRow:
    """One row of the table of statuses."""

    code: int
    label: str
    label_en: str
    meaning: str
    phase: Phase
    source: str
    final: bool = False
    delivered: bool = False
    certified: bool = False
    signed: bool = False
    rejected: bool = False


_UNKNOWN = StatusRow(
    code=0,
    label="Estado desconocido",
    label_en="Unknown status",
    meaning="This version of the package does not know this status; the report's own label may tell.",
    phase=Phase.UNKNOWN,
    source="inferred",
)


@cache
def _rows() -> dict[int, StatusRow]:
    return {row.code: row for row in load("statuses.json", StatusRow)}


def _whole(_: object, __: Attribute[int], value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a status code is an int")


@frozen(repr=False)
class DeliveryStatus:
    """A delivery status, by its number. Every number makes one: those unlisted have `Phase.UNKNOWN`.

    Attributes:
        code: the provider's number (`Resultado`).
        certifies: whether it is of a certified text or a contract, where "delivered to the phone" is not the end:
            the certificate, or the contract's own statuses, follow. Two statuses of one number are equal.

    Raises:
        TypeError: the code is not an int.
    """

    code: int = field(validator=_whole)
    certifies: bool = field(default=False, eq=False, kw_only=True)

    @property
    def _row(self) -> StatusRow:
        return _rows().get(self.code, _UNKNOWN)

    @property
    def label(self) -> str:
        """The status in Spanish, as the provider's panel and manual say it."""
        return self._row.label

    @property
    def label_en(self) -> str:
        """The status in English, in a few words."""
        return self._row.label_en

    @property
    def meaning(self) -> str:
        """What the status means for the sender, a sentence in English."""
        return self._row.meaning

    @property
    def phase(self) -> Phase:
        """Where the message stands."""
        return self._row.phase

    @property
    def is_final(self) -> bool:
        """Whether no other status follows.

        13, "delivered to the phone", ends a plain text only; a certified text or a contract (`certifies`) goes on
        to its certificate.
        """
        row = self._row
        return row.final and not (self.certifies and row.phase is Phase.DELIVERED and not row.certified)

    def replaces(self, earlier: DeliveryStatus) -> bool:
        """Return whether it is newer than `earlier`, of the same text, as far as the two tell by themselves.

        Reports overtake each other: "awaiting delivery" after "delivered" is old news. One of `Phase.INFO` never
        replaces another.
        """
        if self.phase is Phase.INFO:
            return False
        return self.is_final or self._progress >= earlier._progress

    @property
    def _progress(self) -> tuple[int, int]:
        if self.is_final:
            return (3, 0)
        if self.phase is Phase.CONTRACT:
            return (2, self.code)  # their numbers go up as a contract goes on
        return (1, 0) if self.phase is Phase.DELIVERED else (0, 0)

    @property
    def is_delivered(self) -> bool:
        """Whether the phone is known to have the message, a contract's text included."""
        return self._row.delivered or self._row.phase is Phase.DELIVERED

    @property
    def is_failed(self) -> bool:
        """Whether the message did not arrive and will not."""
        return self._row.phase is Phase.FAILED

    @property
    def is_certified(self) -> bool:
        """Whether a certificate can be downloaded: 14, 17, 180, 181.

        The manual's text on downloading names 160 too, where its table of statuses has 160 for a contract
        that was merely opened and 180 for one that can be downloaded; so 160 is taken for a slip.
        """
        return self._row.certified

    @property
    def is_signed(self) -> bool:
        """Whether a contract was signed, or closed by the recipient's reply or acceptance."""
        return self._row.signed

    @property
    def is_rejected(self) -> bool:
        """Whether the recipient rejected a contract."""
        return self._row.rejected

    def __repr__(self) -> str:
        # Python refuses to write out an int of thousands of digits, which nothing stops a reply from holding.
        code = str(self.code) if self.code.bit_length() <= 64 else f"{hex(self.code)[:20]}..."
        return f"<DeliveryStatus {code} {self.phase.name}: {self.label_en}>"


def known_statuses() -> tuple[DeliveryStatus, ...]:
    """Return every status of the table, by code."""
    return tuple(DeliveryStatus(code) for code in sorted(_rows()))
