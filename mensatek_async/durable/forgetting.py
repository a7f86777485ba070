"""Forgetting a phone: what the tables of texts have in common, and the outbox' own, for whoever shares its store."""

from __future__ import annotations

from hashlib import blake2b
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


def forget_contracts(tx: Tx, phone: str) -> int:
    """Remove a phone's contracts, if the store has any; no report brings them back."""
    if not _has_contracts(tx):
        return 0
    messages = tx.all("SELECT message_id FROM mensatek_contract WHERE phone = ?", phone)
    return _remove_contracts(tx, "phone = ?", phone, [tombstone(-one, phone) for (one,) in messages])


def purge_contracts(tx: Tx, message_id: int) -> None:
    """Remove a message's contracts, if the store has any; no report brings them back."""
    if _has_contracts(tx):
        _remove_contracts(tx, "message_id = ?", message_id, [tombstone(-message_id, "")])


def _has_contracts(tx: Tx) -> bool:
    return tx.one("SELECT 1 FROM mensatek_meta WHERE name = 'schema:contracts'") is not None


def _remove_contracts(tx: Tx, which: str, value: object, names: list[str]) -> int:
    forgotten = "INSERT INTO mensatek_meta VALUES (?, '') ON CONFLICT (name) DO NOTHING"
    tx.many(forgotten, [(name,) for name in names])
    found = tx.run(f"DELETE FROM mensatek_contract WHERE {which}", value)
    if found:
        note_deletion(tx)
    return found


def tombstone(campaign: int, phone: str) -> str:
    """Return the name under which a store keeps that a campaign's phone was forgotten: no report brings it back.

    That of a contract has its message with a minus sign for a campaign, and without a phone it is for all of them. It
    is 24 bits of a digest, which dozens of phones of a country share: nobody is known by it.
    """
    digest = blake2b(phone.encode(), salt=str(campaign).encode()[:16], digest_size=3).hexdigest()
    return f"forgotten:{campaign}:{digest if phone else ''}"
