"""What the operations answer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from attrs import field, frozen

from ..codes import DeliveryStatus

NOT_TOLD = Decimal("NaN")
"""Credits a reply did not mention: `credits.is_nan()` tells."""


def _comparable(credits: Decimal) -> Decimal | None:
    # NaN differs from itself, and so would two results that say the same.
    return None if credits.is_nan() else credits


@frozen(kw_only=True)
class SendResult:
    """What became of one send (EnviarSMS, EnviarSMSCERTIFICADO).

    Attributes:
        message_id: the message's id, to ask for its report or to join it; 0 when nothing was accepted.
        accepted: recipients the provider took.
        rejected: recipients it did not take: repeated, or not a correct number.
        segments: texts charged, over all recipients; 0 when the reply did not say.
        recipients: recipients in the request, as the provider counted them.
        credits_used: what it cost; NaN when the reply did not say.
        credits_left: what remains in the account; NaN when the reply did not say.
        repeated: of `rejected`, those refused as repeated; None when the reply did not say.
    """

    message_id: int = 0
    accepted: int
    rejected: int = 0
    segments: int = 0
    recipients: int = 0
    credits_used: Decimal = field(default=NOT_TOLD, eq=_comparable)
    credits_left: Decimal = field(default=NOT_TOLD, eq=_comparable)
    repeated: int | None = None


@frozen(kw_only=True)
class Cancellation:
    """A scheduled message that will not leave (CancelarSMS).

    Attributes:
        cancelled: recipients cancelled.
        message_id: the message cancelled.
        credits_left: what remains in the account.
        credits_refunded: what came back; NaN when the reply did not say.
    """

    cancelled: int
    message_id: int = 0
    credits_left: Decimal = field(default=NOT_TOLD, eq=_comparable)
    credits_refunded: Decimal = field(default=NOT_TOLD, eq=_comparable)


@frozen(kw_only=True)
class Rescheduling:
    """A scheduled message with a new date (ReprogramarSMS).

    Attributes:
        rescheduled: messages given the new date.
        credits_left: what remains in the account.
    """

    rescheduled: int
    credits_left: Decimal = field(default=NOT_TOLD, eq=_comparable)


@frozen(kw_only=True)
class RecipientReport:
    """The delivery report of one recipient.

    Attributes:
        phone: the recipient, international digits.
        status: the delivery status.
        reported_at: when the carrier told, aware, Spanish time; None when the report has no date yet.
        seconds: from sending to this status; None when not told.
        label: the status in the provider's own words.
    """

    phone: str
    status: DeliveryStatus
    reported_at: datetime | None = None
    seconds: int | None = None
    label: str = ""


@frozen(kw_only=True)
class MessageReport:
    """Where every recipient of a message stands (GetReportSMS).

    Attributes:
        message_id: the message asked for.
        recipients: one report each.
        credits_left: what remains in the account; NaN when the reply did not say.
    """

    message_id: int = 0
    recipients: tuple[RecipientReport, ...] = ()
    credits_left: Decimal = field(default=NOT_TOLD, eq=_comparable)


@frozen(kw_only=True)
class StoredFile:
    """A file in the library.

    Attributes:
        name: its name there, to be used in a message element.
        extension: the provider's word for its type, such as "PDF".
        uploaded_at: when it was uploaded, aware, Spanish time; None when not told.
    """

    name: str
    extension: str = ""
    uploaded_at: datetime | None = None


@frozen(kw_only=True)
class Balance:
    """The credits of the account (GetCreditos)."""

    credits: Decimal = field()
