"""Openers: the one send of a group that cannot be repeated, kept to one recipient and parked when in doubt."""

from __future__ import annotations

from collections.abc import Sequence

from ...bulk.chunks import REPEATED
from ...store.transaction import Tx
from . import payload
from .payload import crowd
from .records import CampaignRow, by_id
from .states import FAILED, PENDING, UNKNOWN, Crowd


def body_of(tx: Tx, campaign: int, seq: int) -> Crowd:
    """A chunk's recipients."""
    return payload.unpack(
        tx.one("SELECT body FROM mensatek_payload WHERE campaign_id = ? AND seq = ?", campaign, seq)[0]
    )


def write_chunk(
    tx: Tx,
    campaign: int,
    seq: int,
    content: Crowd,
    segments: int,
    zone: str,
    *,
    n: int | None = None,
    due: float = 0.0,
) -> None:
    """Add a chunk to be sent, from `due` on."""
    tx.run(
        "INSERT INTO mensatek_chunk (campaign_id, seq, state, n, segments, zone, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(campaign, seq, PENDING, len(content) if n is None else n, segments, zone, due),
    )
    tx.run("INSERT INTO mensatek_payload VALUES (?, ?, ?)", campaign, seq, payload.pack(content))


def append_chunk(tx: Tx, campaign: int, content: Crowd, segments: int, zone: str) -> None:
    """Add a chunk behind all others."""
    seq = tx.one("SELECT next_seq FROM mensatek_campaign WHERE id = ?", campaign)[0]
    write_chunk(tx, campaign, seq, content, segments, zone)
    tx.run("UPDATE mensatek_campaign SET next_seq = next_seq + 1 WHERE id = ?", campaign)


def rewrite_chunk(tx: Tx, campaign: int, seq: int, content: Crowd, segments: int) -> None:
    """Give a chunk other recipients; it is gone when none is left."""
    where = (campaign, seq)
    if not len(content):
        tx.run("DELETE FROM mensatek_chunk WHERE campaign_id = ? AND seq = ?", *where)
        tx.run("DELETE FROM mensatek_payload WHERE campaign_id = ? AND seq = ?", *where)
        return
    tx.run(
        "UPDATE mensatek_chunk SET n = ?, segments = ? WHERE campaign_id = ? AND seq = ?",
        *(len(content), segments, *where),
    )
    tx.run(
        "UPDATE mensatek_payload SET body = ? WHERE campaign_id = ? AND seq = ?",
        payload.pack(content),
        *where,
    )


def cut_opener(tx: Tx, row: CampaignRow, zones: tuple[str, ...] | None, due: float = 0.0) -> bool:
    """Make the first recipient of the next pending chunk an opener of its own; False when there is no such chunk.

    Args:
        tx: the transaction, which holds the campaign's row.
        row: the campaign.
        zones: the zones whose chunks may be sent now; None for all.
        due: when it may be sent.
    """
    named = "" if zones is None else f" AND zone IN ({', '.join('?' * len(zones))})"
    if zones == ():
        return False
    found = tx.one(
        "SELECT seq, segments, zone FROM mensatek_chunk WHERE campaign_id = ? AND seq > 0 AND due_at IS NOT NULL "  # noqa: S608
        f"AND state = ?{named} ORDER BY seq LIMIT 1{tx.locking}",
        *(row.id, PENDING, *(zones or ())),
    )
    if found is None:
        return False
    seq, segments, zone = found
    content, repeated = payload.without(body_of(tx, row.id, seq), opener_phones(tx, row.id))
    if repeated:
        keep_out(tx, row.id, seq, content, repeated, segments)
        return True
    first, rest = payload.split(content, 1)
    own = max(segments // (len(rest) + 1), 1)
    gen = row.opener_gen + 1
    write_chunk(tx, row.id, -gen, first, own, zone, due=due)
    rewrite_chunk(tx, row.id, seq, rest, max(segments - own, 0))
    tx.run("UPDATE mensatek_campaign SET opener_gen = ? WHERE id = ?", gen, row.id)
    return True


def park(tx: Tx, campaign: int, seq: int, reason: str) -> None:
    """Nobody knows what became of it: it is never repeated, and waits for its delivery report."""
    _end(tx, campaign, seq, UNKNOWN, reason)


def fail(tx: Tx, campaign: int, seq: int, reason: str) -> None:
    """The provider refuses it for good."""
    _end(tx, campaign, seq, FAILED, reason)


def _end(tx: Tx, campaign: int, seq: int, state: str, reason: str) -> None:
    tx.run(
        "UPDATE mensatek_chunk SET state = ?, due_at = NULL, since = ?, error = ? WHERE campaign_id = ? AND seq = ?",
        *(state, tx.wall, reason, campaign, seq),
    )


def demote(tx: Tx, row: CampaignRow, seq: int) -> None:
    """Let an opener that the provider refused wait as a chunk, to join what another one opens."""
    segments, zone = tx.one(
        "SELECT segments, zone FROM mensatek_chunk WHERE campaign_id = ? AND seq = ?", row.id, seq
    )
    content = body_of(tx, row.id, seq)
    rewrite_chunk(tx, row.id, seq, crowd([], []), 0)
    append_chunk(tx, row.id, content, segments, zone)


def opener_phones(tx: Tx, campaign: int) -> set[str]:
    """The phones of every opener: another group cannot know them, so no chunk may hold them."""
    bodies = tx.all("SELECT body FROM mensatek_payload WHERE campaign_id = ? AND seq <= 0", campaign)
    return {phone for (body,) in bodies for phone in payload.phones_in(body)}


def keep_out(tx: Tx, campaign: int, seq: int, content: Crowd, repeated: Sequence[int], segments: int) -> int:
    """Leave a chunk with `content`, without the rows that repeat the phone of an opener.

    Args:
        tx: the transaction.
        campaign: the campaign's id.
        seq: the chunk.
        content: its recipients from now on.
        repeated: the rows that go.
        segments: texts it took before.

    Returns:
        Texts it takes now.
    """
    left = segments * len(content) // (len(content) + len(repeated))
    tx.many("INSERT INTO mensatek_invalid VALUES (?, ?, ?)", [(campaign, at, REPEATED) for at in repeated])
    tx.run("UPDATE mensatek_campaign SET invalid = invalid + ? WHERE id = ?", len(repeated), campaign)
    rewrite_chunk(tx, campaign, seq, content, left)
    return left


def regroup(tx: Tx, campaign: int) -> None:
    """Begin a new group, after the provider lost the old one (rule 13)."""
    row = by_id(tx, campaign, lock=True)
    # What was tried and not answered may have been taken by the group that is lost: nobody can tell any more.
    tx.run(
        "UPDATE mensatek_chunk SET state = ?, due_at = NULL, since = ?, error = ? WHERE campaign_id = ? "
        "AND due_at IS NOT NULL AND attempts > 0",
        *(UNKNOWN, tx.wall, "its message was lost before an answer came", row.id),
    )
    tx.run("UPDATE mensatek_campaign SET idmensaje = NULL WHERE id = ?", row.id)
