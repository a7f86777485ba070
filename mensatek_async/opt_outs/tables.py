"""The table of opt-outs, as SQL: also for those who look into it in a transaction of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..store.database import note_deletion
from ..store.schema import Schema
from ..store.transaction import Tx

_LONGEST = 200  # characters of a reason
_COLUMNS = "phone, added_at, reason, source"

OPT_OUTS: Final = Schema(
    ":opt_outs",
    (
        (
            """CREATE TABLE mensatek_opt_out (phone TEXT PRIMARY KEY,
                added_at {real} NOT NULL, reason TEXT NOT NULL, source TEXT NOT NULL){rowless}""",
            "CREATE INDEX mensatek_opt_out_added ON mensatek_opt_out (added_at)",
            # Whom campaigns have left out: here, so that a store of an earlier version needs no other tables.
            """CREATE TABLE mensatek_left_out (
                campaign_id BIGINT NOT NULL, row_no BIGINT NOT NULL, phone TEXT NOT NULL)""",
            "CREATE INDEX mensatek_left_out_campaign ON mensatek_left_out (campaign_id, row_no)",
        ),
    ),
)

CHANGES: Final = "(SELECT value FROM mensatek_meta WHERE name = 'opt_outs')"
"""A text that is another one whenever somebody has opted out; NULL where nobody ever has in this store, which may then
lack the tables. It is read before the phones are looked up."""


def opted_out(tx: Tx, phones: Sequence[str]) -> set[str]:
    """Return those of many phones that have opted out; where `CHANGES` is NULL there is nothing to ask."""
    sql = f"SELECT phone FROM mensatek_opt_out WHERE phone{tx.among}"
    return {row[0] for row in tx.all(sql, tx.listed(phones))}


def changes(tx: Tx) -> str | None:
    """Return `CHANGES`."""
    value: str | None = tx.one(f"SELECT {CHANGES}")[0]
    return value


def add(tx: Tx, phones: Sequence[str], reason: str, source: str) -> int:
    """Opt phones out; return how many had not before."""
    # First, so that two who add the same phones in another order wait for each other here.
    tx.run(
        "INSERT INTO mensatek_meta VALUES ('opt_outs', '1') ON CONFLICT (name) DO UPDATE SET "
        "value = CAST(CAST(mensatek_meta.value AS BIGINT) + 1 AS TEXT)"
    )
    known = opted_out(tx, phones)
    new = [phone for phone in dict.fromkeys(phones) if phone not in known]
    given = tx.wall, reason[:_LONGEST], source[:_LONGEST]
    tx.many("INSERT INTO mensatek_opt_out VALUES (?, ?, ?, ?)", [(phone, *given) for phone in new])
    return len(new)


def remove(tx: Tx, phone: str) -> bool:
    """Remove one, of whom the store's next purge leaves no trace; return whether they had opted out."""
    removed = tx.run("DELETE FROM mensatek_opt_out WHERE phone = ?", phone) == 1
    if removed:
        note_deletion(tx)
    return removed


def count(tx: Tx) -> int:
    """Return how many there are."""
    return int(tx.one("SELECT count(*) FROM mensatek_opt_out")[0])


def newest(tx: Tx, limit: int) -> list[Any]:
    """Return the newest ones."""
    sql = f"SELECT {_COLUMNS} FROM mensatek_opt_out ORDER BY added_at DESC, phone LIMIT ?"
    return tx.all(sql, limit)


def page(tx: Tx, after: str, limit: int) -> list[Any]:
    """Return those whose phones come after one."""
    sql = f"SELECT {_COLUMNS} FROM mensatek_opt_out WHERE phone > ? ORDER BY phone LIMIT ?"
    return tx.all(sql, after, limit)
