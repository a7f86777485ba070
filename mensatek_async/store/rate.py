"""The rate that everybody who uses a store shares: one row, booked in the transaction that claims."""

from __future__ import annotations

from .transaction import Tx

TABLES = (
    """CREATE TABLE IF NOT EXISTS mensatek_rate (
        name TEXT PRIMARY KEY, tat {real} NOT NULL, hold_until {real} NOT NULL, seen_at {real} NOT NULL)""",
    "INSERT INTO mensatek_rate VALUES ('', 0, 0, 0) ON CONFLICT (name) DO NOTHING",
)
"""For the schema of everybody who keeps to the rate."""
_AHEAD = 1.0  # seconds before its place in the rate that a chunk may be claimed
_BACK = 5.0  # seconds that the clock may go back before the row is made anew


def restart(tx: Tx) -> None:
    """Begin anew, with a clock that does."""
    tx.run("UPDATE mensatek_rate SET tat = 0, hold_until = 0, seen_at = 0")


def held(tx: Tx) -> float:
    """Return the seconds that everybody waits because the provider said so. It locks nothing: every claim asks."""
    _tat, hold_until, seen_at = _row(tx, lock=False)
    return 0.0 if _reset(tx, seen_at) else max(hold_until - tx.now, 0.0)


def ahead(tx: Tx) -> tuple[float, float]:
    """Return the seconds until the next place may be taken, and until the provider's hold ends; nothing is changed."""
    tat, hold_until, seen_at = _row(tx, lock=False)
    if seen_at > tx.now + _BACK:
        return 0.0, 0.0
    return max(tat - tx.now - _AHEAD, 0.0), max(hold_until - tx.now, 0.0)


def waits(tx: Tx) -> float:
    """Return the seconds until the next place is near enough to be booked; 0 when it is.

    The row stays locked until the transaction ends.
    """
    tat, _, seen_at = _row(tx)
    return 0.0 if _reset(tx, seen_at) else max(tat - tx.now - _AHEAD, 0.0)


def book(tx: Tx, cost: float) -> float:
    """Take the next place.

    Args:
        tx: the transaction.
        cost: seconds until the place after it: recipients by recipients a second.

    Returns:
        Seconds until this place.
    """
    tat, _, _ = _row(tx)
    start = max(tat, tx.now)
    tx.run("UPDATE mensatek_rate SET tat = ?, seen_at = ? WHERE name = ''", start + cost, tx.now)
    return start - tx.now


def hold(tx: Tx, seconds: float) -> None:
    """Make everybody wait."""
    tat, hold_until, _ = _row(tx)
    until = tx.now + seconds
    tx.run(
        "UPDATE mensatek_rate SET tat = ?, hold_until = ?, seen_at = ? WHERE name = ''",
        *(max(tat, until), max(hold_until, until), tx.now),
    )


def _row(tx: Tx, *, lock: bool = True) -> tuple[float, float, float]:
    sql = "SELECT tat, hold_until, seen_at FROM mensatek_rate WHERE name = ''"
    tat, hold_until, seen_at = tx.one(sql + (tx.locking if lock else ""))
    return tat, hold_until, seen_at


def _reset(tx: Tx, seen_at: float) -> bool:
    """Begin the row anew if the clock went back, which would leave everybody waiting; return whether it did."""
    if seen_at <= tx.now + _BACK:
        return False
    tx.run("UPDATE mensatek_rate SET tat = ?, hold_until = 0, seen_at = ? WHERE name = ''", tx.now, tx.now)
    return True
