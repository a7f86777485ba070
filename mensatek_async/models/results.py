"""What the operations answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from ..codes import DeliveryStatus


@frozen(kw_only=True)
class SendResult:
    """What became of one send (EnviarSMS, EnviarSMSCERTIFICADO).

    Attributes:
        message_id: the message's id, to ask for its report or to join it; 0 when nothing was accepted.
        accepted: recipients the provider took.
        rejected: recipients it did not take: repeated, or not a correct number.
        segments: texts charged, over all recipients; None when the reply did not say.
        recipients: recipients in the request, as the provider counted them.
        credits_used: what it cost; None when the reply did not say.
        credits_left: what remains in the account; None when the reply did not say.
        repeated: of `rejected`, those refused as repeated; None when the reply did not say.
        raw: values that could not be read and are None here, as they came, by their wire names.
    """

    message_id: int = 0
    accepted: int
    rejected: int = 0
    segments: int | None = None
    recipients: int = 0
    credits_used: Decimal | None = None
    credits_left: Decimal | None = None
    repeated: int | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class Cancellation:
    """A scheduled message that will not leave (CancelarSMS).

    Attributes:
        cancelled: recipients cancelled.
        message_id: the message cancelled.
        credits_left: what remains in the account; None when the reply did not say.
        credits_refunded: what came back; None when the reply did not say.
        raw: values that could not be read and are None here, as they came, by their wire names.
    """

    cancelled: int
    message_id: int = 0
    credits_left: Decimal | None = None
    credits_refunded: Decimal | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class Rescheduling:
    """A scheduled message with a new date (ReprogramarSMS).

    Attributes:
        rescheduled: messages given the new date.
        credits_left: what remains in the account; None when the reply did not say.
        raw: values that could not be read and are None here, as they came, by their wire names.
    """

    rescheduled: int
    credits_left: Decimal | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class RecipientReport:
    """The delivery report of one recipient.

    Attributes:
        phone: the recipient, international digits.
        status: the delivery status.
        reported_at: when it was reported, aware, Spanish time; None when the report has no date yet.
        seconds: from sending to this status; None when unknown.
        label: the status in the provider's own words.
        raw: values that could not be read and are None here, as they came, by their wire names.
    """

    phone: str
    status: DeliveryStatus
    reported_at: datetime | None = None
    seconds: float | None = None
    label: str = ""
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class MessageReport:
    """Where every recipient of a message stands (GetReportSMS).

    Attributes:
        message_id: the message asked for.
        recipients: one report each.
        stated_recipients: how many recipients the provider says the message has; None when the reply did not say.
        credits_left: what remains in the account; None when the reply did not say.
        raw: values that could not be read and are None here, as they came, by their wire names.
    """

    message_id: int = 0
    recipients: tuple[RecipientReport, ...] = ()
    stated_recipients: int | None = field(default=None, eq=False)
    credits_left: Decimal | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)

    @property
    def is_complete(self) -> bool:
        """Whether there is a row for every recipient that the provider says the message has."""
        return self.stated_recipients is None or len(self.recipients) >= self.stated_recipients


@frozen(kw_only=True)
class StoredFile:
    """A file in the library.

    Attributes:
        name: its name there, to be used in a message element.
        extension: the provider's word for its type, such as "PDF".
        uploaded_at: when it was uploaded, aware, Spanish time; None when unknown.
        raw: values that could not be read and are None here, as they came, by their wire names.
    """

    name: str
    extension: str = ""
    uploaded_at: datetime | None = None
    raw: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)


@frozen(kw_only=True)
class Balance:
    """The credits of the account (GetCreditos)."""

    credits: Decimal = field()
