"""Forgetting a phone: what the tables of texts have in common, and the outbox' own, for whoever shares its store."""

from __future__ import annotations

from typing import Final

from ..store.database import note_deletion
from ..store.transaction import Tx

BLANK: Final = "phone = '', reference = '', body = '', digest = ''"
"""What an item of the outbox loses; its key, state and dates stay."""


def forget_items(tx: Tx, phone: str) -> int:
    """Take a phone out of every item of the outbox, if the store has one; what waits for it is cancelled."""
    if tx.one("SELECT 1 FROM mensatek_meta WHERE name = 'schema:outbox'") is None:
        return 0
    tx.run(
        "UPDATE mensatek_outbox SET state = CASE WHEN lost <> 0 THEN 'unknown' ELSE 'cancelled' END, due_at = NULL, "
        "token = '', ended = ? WHERE phone = ? AND state = 'queued'",
        *(tx.wall, phone),
    )
    found = tx.run(f"UPDATE mensatek_outbox SET {BLANK} WHERE phone = ?", phone)
    if found:
        note_deletion(tx)
    return found
