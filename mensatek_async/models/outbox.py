"""A text of the outbox."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from attrs import field, frozen

from ..codes import DeliveryStatus
from ..phones import mask

OutboxState = Literal["queued", "sending", "sent", "unknown", "failed", "expired", "cancelled"]


@frozen(kw_only=True)
class OutboxItem:
    """One text of the outbox, as it stood when it was looked at.

    Attributes:
        key: its key.
        state: "queued"; "sending", its request is on its way; "sent", the provider took it; "unknown", its request
            left and no answer came; "failed", the provider refused it; "expired", its `not_after` passed before it
            was sent; or "cancelled".
        phone: the recipient, international digits; "" once it was purged or forgotten.
        product: "sms" or "certified".
        message_id: the provider's id, 0 before it took the text.
        status: the newest delivery status that `Outbox.record` was given, or None.
        error: what went wrong, the error's class first; else "".
        reference: the user's own, or "".
        created_at: when it was put, aware, UTC.
        sent_at: when the provider took it, or None.
        not_after: when it expires, or None.
        attempts: how often its request left.
        credits_used: what the answer named, or None.
    """

    key: str
    state: OutboxState
    phone: str = field(repr=mask)
    product: Literal["sms", "certified"] = "sms"
    message_id: int = 0
    status: DeliveryStatus | None = None
    error: str = ""
    reference: str = field(default="", repr=False)
    created_at: datetime
    sent_at: datetime | None = None
    not_after: datetime | None = None
    attempts: int = 0
    credits_used: Decimal | None = None

    @property
    def done(self) -> bool:
        """Whether it has ended: only a delivery report, or `Outbox.retry`, changes it any more."""
        return self.state not in ("queued", "sending")
