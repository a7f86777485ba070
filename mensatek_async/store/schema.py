"""The tables of a campaign store, and the steps from each version of them to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

VERSION = 1

_TABLES = (
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
    """CREATE TABLE mensatek_rate (
        name TEXT PRIMARY KEY, tat {real} NOT NULL, hold_until {real} NOT NULL, seen_at {real} NOT NULL)""",
    "INSERT INTO mensatek_rate VALUES ('', 0, 0, 0)",
)

META = "CREATE TABLE IF NOT EXISTS mensatek_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"

MIGRATIONS: Mapping[int, Sequence[str]] = {1: _TABLES}
"""The statements that lead to each version from the one before; those given out are never changed."""

SQLITE = {"serial": "INTEGER PRIMARY KEY", "real": "REAL", "bytes": "BLOB", "rowless": " WITHOUT ROWID"}
POSTGRES = {
    "serial": "BIGSERIAL PRIMARY KEY",
    "real": "DOUBLE PRECISION",
    "bytes": "BYTEA",
    "rowless": "",
}


def steps(found: int, dialect: Mapping[str, str]) -> list[str]:
    """The statements that bring a store of version `found` (0: empty) to this one."""
    return [
        statement.format(**dialect)
        for version in range(found + 1, VERSION + 1)
        for statement in MIGRATIONS[version]
    ]
