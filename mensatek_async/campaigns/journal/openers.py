"""Openers: the one send of a group that cannot be repeated, kept to one recipient and parked when in doubt."""

from __future__ import annotations

from ...opt_outs.tables import changes
from ...store.transaction import Tx
from . import chunks, left_out
from .recipients import phones_in
from .records import CampaignRow, by_id, set_campaign
from .states import PENDING, UNKNOWN


def cut_opener(tx: Tx, row: CampaignRow, zones: tuple[str, ...] | None, due: float = 0.0) -> bool:
    """Make the first recipient of the next pending chunk an opener of its own; False when there is no such chunk.

    The transaction holds the campaign's row; `zones` are those whose chunks may be sent now, None for all.
    """
    if zones == ():
        return False
    more = f" AND seq > 0 AND state = '{PENDING}'"
    first_due = chunks.first_due(tx, "seq", row, zones, more, tx.locking)
    if first_due is None:
        return False
    (seq,) = first_due
    part = chunks.recipients_of(tx, row.id, seq)
    if left_out.forgotten(tx, row.id, seq, part) is not part:
        return True
    if left_out.repeated(tx, row.id, seq, part, opener_phones(tx, row.id)) is not part:
        return True
    if left_out.opted_out(tx, row, seq, part, changes(tx)) is not part:
        return True
    first, rest = part.split(1)
    gen = row.opener_gen + 1
    chunks.add(tx, row.id, -gen, first, due=due)
    chunks.rewrite(tx, row.id, seq, rest)
    set_campaign(tx, row.id, opener_gen=gen)
    return True


def opener_phones(tx: Tx, campaign: int) -> set[str]:
    """Return the phones of every opener: another group cannot know them, so no chunk may hold them."""
    bodies = tx.all("SELECT body FROM mensatek_payload WHERE campaign_id = ? AND seq <= 0", campaign)
    return {phone for (body,) in bodies for phone in phones_in(body)}


def regroup(tx: Tx, campaign: int) -> None:
    """Begin a new group, after the provider lost the old one (rule 13)."""
    row = by_id(tx, campaign, lock=True)
    # What was tried and not answered may have been taken by the group that is lost: nobody can tell any more.
    tx.run(
        "UPDATE mensatek_chunk SET state = ?, due_at = NULL, since = ?, error = ? WHERE campaign_id = ? "
        "AND due_at IS NOT NULL AND attempts > 0",
        *(UNKNOWN, tx.wall, "its message was lost before an answer came", row.id),
    )
    set_campaign(tx, row.id, idmensaje=None)
