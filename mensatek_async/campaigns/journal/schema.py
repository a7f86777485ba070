"""The tables of campaigns."""

from __future__ import annotations

from typing import Final

from ...store import rate
from ...store.schema import Schema
from ...store.transaction import Tx

_VERSION_1 = (
    """CREATE TABLE mensatek_campaign (
        id {serial}, uid TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
        state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
        options TEXT NOT NULL, settings TEXT NOT NULL, content TEXT NOT NULL,
        idmensaje BIGINT, opener_gen INTEGER NOT NULL DEFAULT 0, next_seq BIGINT NOT NULL DEFAULT 1,
        ingested BIGINT NOT NULL DEFAULT 0, ingest_done INTEGER NOT NULL DEFAULT 0,
        source_fingerprint TEXT NOT NULL DEFAULT '', source_file TEXT NOT NULL DEFAULT '',
        ingest_owner TEXT NOT NULL DEFAULT '', ingest_until {real} NOT NULL DEFAULT 0,
        invalid BIGINT NOT NULL DEFAULT 0, refusals INTEGER NOT NULL DEFAULT 0,
        troubles INTEGER NOT NULL DEFAULT 0,
        price BIGINT NOT NULL DEFAULT 0,
        delivered BIGINT NOT NULL DEFAULT 0, undelivered BIGINT NOT NULL DEFAULT 0,
        reconciled INTEGER NOT NULL DEFAULT 0, created {real} NOT NULL, ended {real})""",
    "CREATE INDEX mensatek_campaign_message ON mensatek_campaign (idmensaje)",
    """CREATE TABLE mensatek_chunk (
        campaign_id BIGINT NOT NULL, seq BIGINT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
        segments INTEGER NOT NULL, zone TEXT NOT NULL DEFAULT '', due_at {real}, attempts INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0, token TEXT NOT NULL DEFAULT '', owner TEXT NOT NULL DEFAULT '',
        idmensaje BIGINT, accepted INTEGER NOT NULL DEFAULT 0, duplicated INTEGER NOT NULL DEFAULT 0,
        credits BIGINT NOT NULL DEFAULT 0,
        credits_left TEXT NOT NULL DEFAULT '', since {real}, error TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (campaign_id, seq)){rowless}""",
    """CREATE INDEX mensatek_chunk_due ON mensatek_chunk (campaign_id, due_at, seq) WHERE due_at IS NOT NULL""",
    """CREATE INDEX mensatek_chunk_opener ON mensatek_chunk (idmensaje) WHERE seq <= 0""",
    """CREATE TABLE mensatek_payload (
        campaign_id BIGINT NOT NULL, seq BIGINT NOT NULL, body {bytes} NOT NULL, PRIMARY KEY (campaign_id, seq))""",
    """CREATE TABLE mensatek_invalid (campaign_id BIGINT NOT NULL, row_no BIGINT NOT NULL, reason TEXT NOT NULL)""",
    "CREATE INDEX mensatek_invalid_campaign ON mensatek_invalid (campaign_id, row_no)",
    """CREATE TABLE mensatek_delivery (
        campaign_id BIGINT NOT NULL, phone TEXT NOT NULL, message_id BIGINT NOT NULL, code INTEGER NOT NULL,
        standing INTEGER NOT NULL, reported_at {real}, PRIMARY KEY (campaign_id, phone)){rowless}""",
    *rate.TABLES,
)

# From this version on, settings may hold a date before which nothing leaves; a program of version 1 would pass over it.
_VERSION_2 = (  # when a text arrived, whatever is reported later, and how many seconds the provider says that it took
    "ALTER TABLE mensatek_delivery ADD COLUMN delivered_at {real}",
    "ALTER TABLE mensatek_delivery ADD COLUMN seconds {real}",
)


def _recover(tx: Tx, restarted: bool) -> None:
    """End every lease; after a restart of the machine, make all that waits due now."""
    if restarted:
        rate.restart(tx)
        tx.run("UPDATE mensatek_chunk SET due_at = 0 WHERE due_at IS NOT NULL")
    tx.run(
        "UPDATE mensatek_chunk SET due_at = 0 WHERE due_at IS NOT NULL AND state IN ('claimed', 'posting')"
    )
    tx.run("UPDATE mensatek_campaign SET ingest_until = 0")


CAMPAIGNS: Final = Schema("", (_VERSION_1, _VERSION_2), _recover)
