"""Recipients who are left out of a chunk before its first try: repeated phones, and who has opted out since."""

from __future__ import annotations

from ...bulk.chunks import REPEATED
from ...opt_outs import tables
from ...store.transaction import Tx
from . import chunks
from .recipients import ChunkRecipients
from .records import CampaignRow, add_to_campaign


def repeated(tx: Tx, campaign: int, seq: int, part: ChunkRecipients, phones: set[str]) -> ChunkRecipients:
    """Take the phones of openers out of a chunk, as invalid rows; return what is left, or the same part if none."""
    left, gone = part.without(phones)
    if not gone:
        return part
    tx.many("INSERT INTO mensatek_invalid VALUES (?, ?, ?)", [(campaign, at, REPEATED) for at, _ in gone])
    add_to_campaign(tx, campaign, invalid=len(gone))
    chunks.rewrite(tx, campaign, seq, left)
    return left


def opted_out(
    tx: Tx, row: CampaignRow, seq: int, part: ChunkRecipients, changes: str | None
) -> ChunkRecipients:
    """Take those out of a chunk who have opted out; return what is left, or the same part if nobody has.

    Args:
        tx: a transaction.
        row: the campaign.
        seq: the chunk's number.
        part: its recipients. None of them may have been texted by it before: the repeat of a request has the recipients
            of its first try, else nobody could tell the repeated ones that the provider counts.
        changes: the changes of opt-outs, read in this transaction or before.
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
    """Return how many recipients of a campaign were left out because they had opted out."""
    if tables.changes(tx) is None:
        return 0
    return int(tx.one("SELECT count(*) FROM mensatek_left_out WHERE campaign_id = ?", campaign)[0])


def purge(tx: Tx, campaign: int) -> None:
    """Take their phones out; how many they were stays."""
    if tables.changes(tx) is not None:
        tx.run("UPDATE mensatek_left_out SET phone = '' WHERE campaign_id = ?", campaign)
