"""The rows of the outbox."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from attrs import evolve, field, fields_dict, frozen

from ..codes import DeliveryStatus
from ..models.outbox import OutboxItem, OutboxState
from ..store.transaction import Tx
from .schema import EXPIRED, QUEUED, UNKNOWN


@frozen
class ItemRow:
    """One row, without what is sent."""

    id: int
    account: str = field(repr=False)
    item_key: str
    digest: str = field(repr=False)
    product: Literal["sms", "certified"]
    phone: str = field(repr=False)
    reference: str = field(repr=False)
    mark: str
    repeat_unknown: int
    created: float
    not_after: float | None
    state: OutboxState
    due_at: float | None
    token: str
    attempts: int
    failures: int
    lost: int
    idmensaje: int | None
    credits: str
    sent_at: float | None
    error: str
    status_code: int | None
    status_at: float | None

    def is_late(self, wall: float) -> bool:
        """Return whether it must not be sent any more."""
        return self.not_after is not None and self.not_after <= wall

    @property
    def state_when_late(self) -> OutboxState:
        """Return what it is once it is late: of one whose answer was lost nobody knows that it was not sent."""
        return UNKNOWN if self.lost else EXPIRED

    def item(self, wall: float) -> OutboxItem:
        """Return it as users see it at a moment."""
        late = self.state == QUEUED and self.is_late(wall)
        return OutboxItem(
            key=self.item_key,
            state=self.state_when_late if late else self.state,
            phone=self.phone,
            product=self.product,
            message_id=self.idmensaje or 0,
            status=None
            if self.status_code is None
            else DeliveryStatus(self.status_code, certifies=self.product == "certified"),
            error=self.error,
            reference=self.reference,
            created_at=datetime.fromtimestamp(self.created, UTC),
            sent_at=_moment(self.sent_at),
            not_after=_moment(self.not_after),
            attempts=self.attempts,
            credits_used=Decimal(self.credits) if self.credits else None,
        )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


_FIELDS = fields_dict(ItemRow)
COLUMNS = ", ".join(_FIELDS)
SELECT = f"SELECT {COLUMNS} FROM mensatek_outbox"


def by_key(tx: Tx, account: str, key: str, *, lock: bool = False) -> ItemRow | None:
    """Return the item of a key, or None."""
    if not isinstance(key, str) or not key.isprintable():
        return None  # no key, and perhaps no text that a database takes
    end = tx.locking if lock else ""
    found = tx.one(f"{SELECT} WHERE account = ? AND item_key = ?{end}", account, key)
    return ItemRow(*found) if found else None


def by_id(tx: Tx, number: int) -> ItemRow | None:
    """Return the item of a number, locked, or None."""
    found = tx.one(f"{SELECT} WHERE id = ?{tx.locking}", number)
    return ItemRow(*found) if found else None


def change(tx: Tx, row: ItemRow, **columns: Any) -> ItemRow:
    """Give columns of a row other values; return the row as it is then."""
    names = ", ".join(f"{name} = ?" for name in columns)
    tx.run(f"UPDATE mensatek_outbox SET {names} WHERE id = ?", *columns.values(), row.id)
    return evolve(row, **{name: value for name, value in columns.items() if name in _FIELDS})


def end(tx: Tx, row: ItemRow, state: OutboxState, **columns: Any) -> ItemRow:
    """End an item; return the row as it is then."""
    return change(tx, row, state=state, due_at=None, ended=tx.wall, **columns)
