"""Chunks in the journal: reading, adding and changing one."""

from __future__ import annotations

from typing import Any

from ...store.transaction import Tx
from .recipients import ChunkRecipients
from .records import CampaignRow, add_to_campaign
from .states import FAILED, PENDING, UNKNOWN

_ONE = "WHERE campaign_id = ? AND seq = ?"
BODY = (
    "(SELECT body FROM mensatek_payload p WHERE p.campaign_id = mensatek_chunk.campaign_id "
    "AND p.seq = mensatek_chunk.seq)"
)
"""A chunk's packed recipients, as one of its columns."""


def recipients_of(tx: Tx, campaign: int, seq: int) -> ChunkRecipients:
    columns = tx.one(f"SELECT {BODY}, segments, zone FROM mensatek_chunk {_ONE}", campaign, seq)
    return ChunkRecipients.unpack(*columns)


def change(tx: Tx, campaign: int, seq: int, **columns: Any) -> None:
    names = ", ".join(f"{name} = ?" for name in columns)
    tx.run(f"UPDATE mensatek_chunk SET {names} {_ONE}", *columns.values(), campaign, seq)


def first_due(
    tx: Tx, columns: str, row: CampaignRow, zones: tuple[str, ...] | None, more: str = "", end: str = ""
) -> Any:
    """Return columns of the chunk that is due first, in these zones or, with None, in any."""
    named = "" if zones is None else f" AND zone IN ({', '.join('?' * len(zones))})"
    return tx.one(
        f"SELECT {columns} FROM mensatek_chunk WHERE campaign_id = ? AND due_at IS NOT NULL{more}{named} "
        f"ORDER BY due_at, seq LIMIT 1{end}",
        *(row.id, *(zones or ())),
    )


def add(
    tx: Tx, campaign: int, seq: int, *parts: ChunkRecipients, n: int | None = None, due: float = 0.0
) -> None:
    """Add chunks, numbered from `seq` on; each counts for `n` rows, else for as many as it has recipients."""
    numbered = list(enumerate(parts, seq))
    tx.many(
        "INSERT INTO mensatek_chunk (campaign_id, seq, state, n, segments, zone, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (campaign, at, PENDING, len(one) if n is None else n, one.segments, one.zone, due)
            for at, one in numbered
        ],
    )
    bodies = [(campaign, at, one.pack()) for at, one in numbered]
    tx.many("INSERT INTO mensatek_payload VALUES (?, ?, ?)", bodies)


def append(tx: Tx, campaign: int, part: ChunkRecipients) -> None:
    """Add a chunk behind all others."""
    add(tx, campaign, tx.one("SELECT next_seq FROM mensatek_campaign WHERE id = ?", campaign)[0], part)
    add_to_campaign(tx, campaign, next_seq=1)


def rewrite(tx: Tx, campaign: int, seq: int, part: ChunkRecipients) -> None:
    """Give a chunk other recipients; without any it is removed."""
    if not len(part):
        remove(tx, campaign, seq)
        return
    change(tx, campaign, seq, n=len(part), segments=part.segments)
    tx.run(f"UPDATE mensatek_payload SET body = ? {_ONE}", part.pack(), campaign, seq)


def remove(tx: Tx, campaign: int, seq: int) -> None:
    for table in ("mensatek_chunk", "mensatek_payload"):
        tx.run(f"DELETE FROM {table} {_ONE}", campaign, seq)


def park(tx: Tx, campaign: int, seq: int, reason: str) -> None:
    """End a chunk of which nobody knows what became: it is never repeated, and waits for its delivery report."""
    change(tx, campaign, seq, state=UNKNOWN, due_at=None, since=tx.wall, error=reason)


def fail(tx: Tx, campaign: int, seq: int, reason: str) -> None:
    """End a chunk that the provider refuses for good."""
    change(tx, campaign, seq, state=FAILED, due_at=None, since=tx.wall, error=reason)
