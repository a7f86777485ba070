"""The tables of the outbox."""

from __future__ import annotations

from typing import Final

from ..store import rate
from ..store.schema import Schema
from ..store.transaction import Tx

QUEUED: Final = "queued"
SENDING: Final = "sending"
SENT: Final = "sent"
UNKNOWN: Final = "unknown"
FAILED: Final = "failed"
EXPIRED: Final = "expired"
CANCELLED: Final = "cancelled"
STATES: Final = (QUEUED, SENDING, SENT, UNKNOWN, FAILED, EXPIRED, CANCELLED)

RARE: Final = "state IN ('unknown', 'failed', 'expired', 'cancelled')"
"""What few items are, as the index of those has it: a statement that looks for them repeats it."""

LATE: Final = (
    "account = ? AND due_at IS NOT NULL AND state = 'queued' AND not_after IS NOT NULL AND not_after <= ?"
)
"""Which items of an account are late at a moment and not yet ended, as a condition that an index serves."""

CHANNEL: Final = "mensatek_outbox"
"""On which PostgreSQL tells workers of new items."""

_VERSION_1 = (
    """CREATE TABLE mensatek_outbox (
        id {serial}, account TEXT NOT NULL, item_key TEXT NOT NULL, digest TEXT NOT NULL, product TEXT NOT NULL,
        phone TEXT NOT NULL, reference TEXT NOT NULL, body TEXT NOT NULL, mark TEXT NOT NULL,
        repeat_unknown INTEGER NOT NULL, created {real} NOT NULL, not_after {real},
        state TEXT NOT NULL DEFAULT 'queued', due_at {real} DEFAULT 0, token TEXT NOT NULL DEFAULT '',
        owner TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
        lost INTEGER NOT NULL DEFAULT 0, idmensaje BIGINT, credits TEXT NOT NULL DEFAULT '', sent_at {real},
        ended {real}, error TEXT NOT NULL DEFAULT '', status_code INTEGER, status_at {real},
        UNIQUE (account, item_key))""",
    "CREATE INDEX mensatek_outbox_due ON mensatek_outbox (account, due_at, id) WHERE due_at IS NOT NULL",
    """CREATE INDEX mensatek_outbox_late ON mensatek_outbox (account, not_after)
        WHERE due_at IS NOT NULL AND not_after IS NOT NULL""",
    f"CREATE INDEX mensatek_outbox_rare ON mensatek_outbox (account, state, id) WHERE {RARE}",
    "CREATE INDEX mensatek_outbox_message ON mensatek_outbox (idmensaje) WHERE idmensaje IS NOT NULL",
    """CREATE TABLE mensatek_outbox_hold (
        name TEXT PRIMARY KEY, troubles INTEGER NOT NULL, until {real} NOT NULL, length {real} NOT NULL,
        trial INTEGER NOT NULL, reason TEXT NOT NULL)""",
    *rate.TABLES,
)
_VERSION_2 = ("ALTER TABLE mensatek_outbox ADD COLUMN traceparent TEXT NOT NULL DEFAULT ''",)


def _recover(tx: Tx, restarted: bool) -> None:
    """End every lease; after a restart of the machine, whose clock begins anew, make all that waits due now."""
    if restarted:
        rate.restart(tx)
        tx.run("UPDATE mensatek_outbox_hold SET until = 0")
        tx.run("UPDATE mensatek_outbox SET due_at = 0 WHERE due_at IS NOT NULL")
    tx.run("UPDATE mensatek_outbox SET due_at = 0 WHERE due_at IS NOT NULL AND token <> ''")


OUTBOX: Final = Schema(":outbox", (_VERSION_1, _VERSION_2), _recover)
