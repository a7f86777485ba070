"""Recipients who are left out of a chunk before it leaves: repeated, opted out since, and forgotten."""

from __future__ import annotations

from ...bulk.chunks import REPEATED
from ...durable.forgetting import tombstone
from ...opt_outs import tables
from ...store.transaction import Tx
from . import chunks
from .recipients import ChunkRecipients
from .records import CampaignRow, add_to_campaign, by_id

FORGOTTEN = "its phone was forgotten"


def repeated(tx: Tx, campaign: int, seq: int, part: ChunkRecipients, phones: set[str]) -> ChunkRecipients:
    """Take the phones of openers out of a chunk, as invalid rows; return what is left, or the same part if none."""
    left, gone = part.without(phones)
    if not gone:
        return part
    _refuse(tx, campaign, gone, REPEATED)
    chunks.rewrite(tx, campaign, seq, left)
    return left


def _refuse(tx: Tx, campaign: int, gone: list[tuple[int, str]], reason: str) -> None:
    tx.many("INSERT INTO mensatek_invalid VALUES (?, ?, ?)", [(campaign, at, reason) for at, _ in gone])
    add_to_campaign(tx, campaign, invalid=len(gone))


def forgotten(tx: Tx, campaign: int, seq: int, part: ChunkRecipients, attempts: int = 0) -> ChunkRecipients:
    """Take those out of a chunk whose phones were forgotten; return what is left, or the same part if nobody was.

    They are invalid rows; unknown where an earlier try may have reached them.
    """
    left, gone = part.without({""})
    if not gone:
        return part
    row = by_id(tx, campaign, lock=True)
    (n,) = tx.one("SELECT n FROM mensatek_chunk WHERE campaign_id = ? AND seq = ?", campaign, seq)
    if attempts and n:
        chunks.append(tx, campaign, part.at([at for at, phone in enumerate(part.wire.phones) if not phone]))
        chunks.park(tx, campaign, row.next_seq, FORGOTTEN)
    elif n:  # an anchor is nobody's row
        _refuse(tx, campaign, gone, FORGOTTEN)
    chunks.rewrite(tx, campaign, seq, left)
    return left


def is_forgotten(tx: Tx, campaign: int, phone: str) -> bool:
    """Return whether a phone must not be written down for a campaign: it was forgotten, or the campaign was purged."""
    found = tx.one(
        "SELECT 1 FROM mensatek_meta WHERE name = ? UNION ALL "
        "SELECT 1 FROM mensatek_campaign WHERE id = ? AND content = ''",
        *(tombstone(campaign, phone), campaign),
    )
    return found is not None


def opted_out(
    tx: Tx, row: CampaignRow, seq: int, part: ChunkRecipients, changes: str | None
) -> ChunkRecipients:
    """Take those out of a chunk who have opted out; return what is left, or the same part if nobody has.

    None of them may have been texted by it before: the repeat of a request has the recipients of its first try, else
    nobody could tell the repeated ones that the provider counts.
    """
    if not row.settings.respect_opt_outs or changes is None:
        return part
    left, gone = part.without(tables.opted_out(tx, part.wire.phones))
    if not gone:
        return part
    (n,) = tx.one("SELECT n FROM mensatek_chunk WHERE campaign_id = ? AND seq = ?", row.id, seq)
    if n:  # an anchor is nobody's row
        tx.many("INSERT INTO mensatek_left_out VALUES (?, ?, ?)", [(row.id, *one) for one in gone])
    chunks.rewrite(tx, row.id, seq, left)
    return left


def has_opted_out_since(tx: Tx, row: CampaignRow, content: ChunkRecipients, before: str) -> bool:
    """Return whether anybody of a chunk has opted out since it was looked up."""
    now = tables.changes(tx) if row.settings.respect_opt_outs else None
    return now not in (None, before) and bool(tables.opted_out(tx, content.wire.phones))


def count(tx: Tx, campaign: int) -> int:
    if tables.changes(tx) is None:
        return 0
    return int(tx.one("SELECT count(*) FROM mensatek_left_out WHERE campaign_id = ?", campaign)[0])
