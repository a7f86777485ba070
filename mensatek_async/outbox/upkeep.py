"""Looking at the outbox, and keeping it: lists, counts, cancelling, retrying, purging."""

from __future__ import annotations

from typing import Any

from ..durable.forgetting import BLANK
from ..models.outbox import OutboxItem
from ..store.database import note_deletion
from ..store.transaction import Tx
from .rows import SELECT, ItemRow, by_key, change, end
from .schema import CANCELLED, EXPIRED, FAILED, LATE, QUEUED, RARE, SENDING, SENT, STATES, UNKNOWN

_AT_ONCE = 1000  # items purged in one transaction
_AGAIN = (UNKNOWN, FAILED, CANCELLED)


def listed(tx: Tx, account: str, state: str | None, limit: int) -> list[OutboxItem]:
    """Return the newest items of an account, in one state or in any."""
    values: tuple[Any, ...] = (account,)
    where = "account || '' = ?"  # newest first by number, whatever else has an index
    if state is not None:
        few = RARE if state not in (QUEUED, SENDING) else "due_at IS NOT NULL"
        where = f"{where} AND state = ?" if state == SENT else f"account = ? AND state = ? AND {few}"
        values = (account, state)
    if state == QUEUED:
        where, values = f"{where} AND (not_after IS NULL OR not_after > ?)", (*values, tx.wall)
    rows = _newest(tx, where, values, limit)
    if state in (EXPIRED, UNKNOWN):
        lost = ">" if state == UNKNOWN else "="
        rows += _newest(tx, f"{LATE} AND lost {lost} 0", (account, tx.wall), limit)
        rows.sort(key=lambda row: -row.id)
    return [row.item(tx.wall) for row in rows[:limit]]


def _newest(tx: Tx, where: str, values: tuple[Any, ...], limit: int) -> list[ItemRow]:
    found = tx.all(f"{SELECT} WHERE {where} ORDER BY id DESC LIMIT ?", *values, limit)
    return [ItemRow(*columns) for columns in found]


def counts(tx: Tx, account: str, *, waiting: bool = False) -> dict[str, int]:
    """Return how many items of an account are in each state; of those that wait alone, if asked."""
    more = " AND due_at IS NOT NULL" if waiting else ""
    found = tx.all(
        f"SELECT state, count(*) FROM mensatek_outbox WHERE account = ?{more} GROUP BY state", account
    )
    counted: dict[str, int] = dict.fromkeys(STATES, 0)
    counted |= {state: int(n) for state, n in found}
    if not waiting:
        late = f"SELECT lost > 0, count(*) FROM mensatek_outbox WHERE {LATE} GROUP BY lost > 0"
        for lost, n in tx.all(late, account, tx.wall):
            counted[QUEUED] -= int(n)
            counted[UNKNOWN if lost else EXPIRED] += int(n)
    return counted


def overdue(tx: Tx, account: str, seconds: float) -> int:
    """Return how many items of an account could have been sent for so long, and are not."""
    sql = """SELECT count(*) FROM mensatek_outbox WHERE account = ? AND due_at <= ? AND created <= ?
        AND (not_after IS NULL OR not_after > ?)"""
    return int(tx.one(sql, account, tx.now - seconds, tx.wall - seconds, tx.wall)[0])


def cancel(tx: Tx, account: str, key: str) -> ItemRow | None:
    """Cancel an item that has not left yet; one whose answer was lost before is not sent again."""
    row = by_key(tx, account, key, lock=True)
    if row is None or row.state != QUEUED or row.is_late(tx.wall):
        return row
    return end(tx, row, UNKNOWN if row.lost else CANCELLED, token="")


def retry(tx: Tx, account: str, key: str) -> ItemRow | None:
    """Put an item into the queue again that was cancelled, failed, or is unknown."""
    row = by_key(tx, account, key, lock=True)
    if row is None or row.state not in _AGAIN or not row.phone:
        return row
    fresh = {"state": QUEUED, "due_at": 0, "token": "", "failures": 0, "error": ""}
    return change(tx, row, **fresh, ended=None)


def purge(tx: Tx, account: str, age: float, after: int) -> tuple[int, int]:
    """Take phones and texts out of some of the items that ended so many seconds ago; their keys and states stay.

    Those that nobody sent in time ended then, though no worker has written it down. Return how many were purged, and
    the number after which to go on.
    """
    if not after:
        late = (
            f"UPDATE mensatek_outbox SET state = CASE WHEN lost > 0 THEN '{UNKNOWN}' ELSE '{EXPIRED}' END, "
        )
        tx.run(f"{late}due_at = NULL, ended = not_after WHERE {LATE}", account, tx.wall)
    found = tx.all(
        "SELECT id FROM mensatek_outbox WHERE account = ? AND due_at IS NULL AND ended < ? AND body <> '' AND id > ? "
        "ORDER BY id LIMIT ?",
        *(account, tx.wall - age, after, _AT_ONCE),
    )
    tx.many(f"UPDATE mensatek_outbox SET {BLANK} WHERE id = ?", found)
    if found:
        note_deletion(tx)
    return len(found), int(found[-1][0]) if found else after
