"""What becomes of unknown recipients: a late answer, a report, or the user's decision (transitions 9 and 11)."""

from __future__ import annotations

from ...errors import CampaignError
from ...store.transaction import Tx
from . import chunks
from .records import CampaignRow, reopen
from .states import PENDING, SENT, UNKNOWN


def until_settled(tx: Tx, row: CampaignRow) -> float | None:
    """Return the seconds until unknown recipients are settled by a campaign's own policy, None for never."""
    after = row.settings.unknown_after
    if after is None or row.settings.unknown_policy == "keep":
        return None
    sql = "SELECT min(since) FROM mensatek_chunk WHERE campaign_id = ? AND state = ?"
    since: float | None = tx.one(sql, row.id, UNKNOWN)[0]
    return None if since is None else since + after - tx.wall


def settle_unknown(tx: Tx, row: CampaignRow) -> bool:
    """Apply a campaign's own policy to recipients unknown for long enough; return whether some are sent to again."""
    after, policy = row.settings.unknown_after, row.settings.unknown_policy
    if after is None or policy == "keep":
        return False
    return bool(resolve(tx, row, policy, older_than=after)) and policy == "resend"


def resolve(tx: Tx, row: CampaignRow, policy: str, older_than: float = 0.0) -> int:
    """Count unknown recipients as sent, or send to them again; return how many they were."""
    if policy == "keep":
        return 0
    if policy == "resend" and row.is_purged:
        raise CampaignError(
            f"The phones and texts of the campaign {row.name!r} were purged: nobody can be sent to again."
        )
    decided = tx.all(
        f"SELECT seq, n FROM mensatek_chunk WHERE campaign_id = ? AND state = ? AND since <= ?{tx.locking}",
        *(row.id, UNKNOWN, tx.wall - older_than + (0.001 if not older_than else 0.0)),
    )
    for seq, n in decided:
        if policy == "assume_sent":
            adopt(tx, row.id, seq, n, None)
        else:
            chunks.change(
                tx, row.id, seq, state=PENDING, due_at=0, attempts=0, token="", since=None, error=""
            )
    if decided and policy == "resend":
        reopen(tx, row.id)
    return sum(n for _, n in decided)


def adopt(tx: Tx, campaign: int, seq: int, accepted: int, message_id: int | None) -> None:
    """Count an unknown send as taken; its message becomes the group's if there is none yet."""
    taken = {"state": SENT, "due_at": None, "accepted": accepted, "error": ""}
    chunks.change(tx, campaign, seq, **taken, **({"idmensaje": message_id} if message_id else {}))
    if message_id:
        open_group(tx, campaign, message_id)


def open_group(tx: Tx, campaign: int, message_id: int) -> None:
    """Let everything join this message from now on, unless there is one to join already."""
    tx.run(
        "UPDATE mensatek_campaign SET idmensaje = ? WHERE id = ? AND idmensaje IS NULL",
        *(message_id, campaign),
    )
