"""The rate that everybody who uses a store shares: one row, booked in the transaction that claims.

It is the rate that the user set, and what the provider's refusals taught whoever sends.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from attrs import astuple, frozen

from ..pace import Pace
from .transaction import Tx

TABLES = (
    """CREATE TABLE IF NOT EXISTS mensatek_rate (
        name TEXT PRIMARY KEY, tat {real} NOT NULL, hold_until {real} NOT NULL, seen_at {real} NOT NULL)""",
    "INSERT INTO mensatek_rate VALUES ('', 0, 0, 0) ON CONFLICT (name) DO NOTHING",
)
"""For the schema of everybody who keeps to the rate."""
_AHEAD = 1.0  # seconds before its place in the rate that a chunk may be claimed
_SOON = 0.2  # the same where the provider refuses what comes too fast: what is claimed leaves, whatever comes
_BACK = 5.0  # seconds that the clock may go back before the row is made anew


def restart(tx: Tx) -> None:
    """Begin anew, with a clock that does."""
    tx.run("DELETE FROM mensatek_meta WHERE name = 'pace'")
    tx.run("UPDATE mensatek_rate SET tat = 0, hold_until = 0, seen_at = 0")


@frozen
class Standing:
    """How it stands with the rate.

    Attributes:
        held: seconds that everybody waits because the provider said so.
        learnt: whether the provider refuses what comes too fast, so that each request needs a place.
    """

    held: float
    learnt: bool


def standing(tx: Tx) -> Standing:
    """Return how it stands with the rate. It locks nothing: every claim asks."""
    _tat, hold_until, seen_at, pace = _row(tx, lock=False)
    if _reset(tx, seen_at):
        return Standing(0.0, False)
    return Standing(max(hold_until - tx.now, 0.0), pace.rate(tx.now) is not None)


def ahead(tx: Tx) -> tuple[float, float]:
    """Return the seconds until the next place may be taken, and until the provider's hold ends; nothing is changed."""
    tat, hold_until, seen_at, _pace = _row(tx, lock=False)
    if seen_at > tx.now + _BACK:
        return 0.0, 0.0
    return max(tat - tx.now - _AHEAD, 0.0), max(hold_until - tx.now, 0.0)


def waits(tx: Tx) -> float:
    """Return the seconds until the next place is near enough to be booked; 0 when it is.

    The row stays locked until the transaction ends.
    """
    tat, _, seen_at, pace = _row(tx)
    if _reset(tx, seen_at):
        return 0.0
    return max(tat - tx.now - (_AHEAD if pace.ceiling is None else _SOON), 0.0)


def book(tx: Tx, cost: float) -> float:
    """Take the next place.

    Args:
        tx: the transaction.
        cost: seconds until the place after it, at least: recipients by recipients a second.

    Returns:
        Seconds until this place.
    """
    tat, _, _, pace = _row(tx)
    start = max(tat, tx.now)
    if learnt := pace.rate(start):
        cost = max(cost, 1 / learnt)
        if pace.doublings is not None:
            pace.accepted()
            _keep(tx, pace)
    tx.run("UPDATE mensatek_rate SET tat = ?, seen_at = ? WHERE name = ''", start + cost, tx.now)
    return start - tx.now


def hold(tx: Tx, seconds: float) -> None:
    """Make everybody wait."""
    tat, hold_until, _, _ = _row(tx)
    until = tx.now + seconds
    tx.run(
        "UPDATE mensatek_rate SET tat = ?, hold_until = ?, seen_at = ? WHERE name = ''",
        *(max(tat, until), max(hold_until, until), tx.now),
    )


def refused(tx: Tx, wait: float | None, accepted: Callable[[float], int]) -> float:
    """Note that the provider refused a request because too many came: everybody waits, and keeps to a lower rate.

    Args:
        tx: the transaction.
        wait: seconds to wait as the provider said, if it did.
        accepted: gives how many requests were accepted within so many seconds, by everybody.

    Returns:
        Seconds until the next request may leave.
    """
    _, hold_until, _, pace = _row(tx)
    limited = pace.rate(tx.now) is not None
    # While there is a rate, that one was refused; else it is looked up what was accepted.
    pause = pace.refused(tx.now, wait, (lambda seconds: math.inf) if limited else accepted)
    if pause:
        _keep(tx, pace)
    hold(tx, max(pause, wait or 0.0))
    return max(hold_until - tx.now, pause, wait or 0.0)


def _keep(tx: Tx, pace: Pace) -> None:
    tx.run("DELETE FROM mensatek_meta WHERE name = 'pace'")
    tx.run("INSERT INTO mensatek_meta VALUES ('pace', ?)", json.dumps(astuple(pace)))


def _row(tx: Tx, *, lock: bool = True) -> tuple[float, float, float, Pace]:
    row = "SELECT 1 FROM mensatek_rate"
    if lock and tx.locking:  # what was read before the lock may have changed while it was waited for
        tx.one(row + tx.locking)
    tat, hold_until, seen_at, pace = tx.one(
        "SELECT tat, hold_until, seen_at, (SELECT value FROM mensatek_meta WHERE name = 'pace') "
        "FROM mensatek_rate WHERE name = ''"
    )
    return tat, hold_until, seen_at, Pace() if pace is None else Pace(*json.loads(pace))


def _reset(tx: Tx, seen_at: float) -> bool:
    """Begin the row anew if the clock went back, which would leave everybody waiting; return whether it did."""
    if seen_at <= tx.now + _BACK:
        return False
    restart(tx)
    return True
