"""A contract in flight, or at its end."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from attrs import field, frozen

from ..codes import DeliveryStatus
from ..phones import mask

ContractState: TypeAlias = Literal[
    "sent", "delivered", "opened", "read", "accepted", "signed", "rejected", "expired", "failed"
]
WaitingFor: TypeAlias = Literal["opened", "read", "accepted", "signed"]


@frozen(kw_only=True)
class Contract:
    """The contract of one recipient, or a certified text to be accepted, as it stood when it was looked at.

    Attributes:
        message_id: the `message_id` its send returned.
        phone: the recipient, international digits.
        state: how far it has come: "sent", "delivered", "opened", "read" to its end, "accepted" (or answered); or how
            it ended: "signed", "rejected", "expired", or "failed", its text did not arrive.
        reference: the `reference` its send was given, else "".
        status: the newest delivery status, or None before the first report.
        sent_at: when it was sent, or is to leave, aware, UTC; None where nobody told.
        delivered_at: when its text arrived; None when unknown, and so are the next five.
        opened_at: when the recipient opened it.
        read_at: when they had read it to its end.
        accepted_at: when they accepted it, or a reply came.
        ended_at: when it was signed, rejected, had expired or failed.
        reminded_at: when `remind` last wrote to them.
        expires_at: until when it can be accepted, or delivered where it has not been; None when unknown.
        verification_code: the code (`CSV`) by which anybody can check the signed document, else "".
    """

    message_id: int
    phone: str = field(repr=mask)
    state: ContractState
    reference: str = field(default="", repr=False)
    status: DeliveryStatus | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    opened_at: datetime | None = None
    read_at: datetime | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    reminded_at: datetime | None = None
    expires_at: datetime | None = None
    verification_code: str = field(default="", repr=False)

    @property
    def is_pending(self) -> bool:
        """Whether it is in flight: neither signed nor rejected, expired or failed."""
        return self.state in ("sent", "delivered", "opened", "read", "accepted")
