"""Exports: one line for each row read, in order, whatever became of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mensatek_async.campaigns.export import COLUMNS, export
from mensatek_async.campaigns.journal import chunks
from mensatek_async.campaigns.journal import lifecycle as journal
from mensatek_async.campaigns.journal.recipients import ChunkRecipients
from mensatek_async.campaigns.journal.records import CampaignRow, Settings, by_name
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.store.sqlite import SqliteDatabase
from mensatek_async.store.transaction import Tx


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """A store with the campaign "a"."""
    found = SqliteDatabase(tmp_path / "c.db", CAMPAIGNS)
    found.write(lambda tx: journal.create(tx, "a", "user", "{}", Settings(), "digest"))
    yield found
    found.close()


def chunk(
    tx: Tx, seq: int, rows: list[int], state: str, *, accepted: int = 0, error: str = "", message: Any = 77
) -> None:
    """A chunk as a run would have left it."""
    wire = [{"Movil": str(34600000000 + row)} for row in rows]
    chunks.add(tx, 1, seq, ChunkRecipients.of(rows, wire, segments=len(rows)))
    tx.run(
        "UPDATE mensatek_chunk SET state = ?, accepted = ?, error = ?, idmensaje = ? WHERE seq = ?",
        *(state, accepted, error, message, seq),
    )


def row_of(db: SqliteDatabase) -> CampaignRow:
    found = db.read(lambda tx: by_name(tx, "a"))
    assert found is not None
    return found


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_fate(db: SqliteDatabase, tmp_path: Path) -> None:
    """Sent, rejected, not told which, unknown, failed, pending and invalid, in the order of their rows."""

    def fill(tx: Tx) -> None:
        chunk(tx, 0, [2], "unknown", error="no answer came", message=None)
        chunk(tx, -1, [3], "sent", accepted=1)
        chunk(tx, 1, [4, 5], "sent", accepted=2)
        chunk(tx, 2, [6, 8], "sent", accepted=1)
        chunk(tx, 3, [9], "sent", accepted=0)
        chunk(tx, 4, [10], "failed", error="EnviarSMS refused -3")
        chunk(tx, 5, [11], "pending", error="it was tried once", message=None)
        tx.run("INSERT INTO mensatek_invalid VALUES (1, 7, 'the phone is empty')")
        tx.run("INSERT INTO mensatek_invalid VALUES (1, 7, 'again')")
        tx.run(
            "INSERT INTO mensatek_delivery VALUES (1, '34600000004', 77, 13, 1, 1800000000, 1800000000, 3)"
        )
        tx.run("INSERT INTO mensatek_delivery VALUES (1, '34600000006', 77, 50, -1, NULL, NULL, NULL)")

    db.write(fill)
    assert export(db, row_of(db), tmp_path / "out.csv") == 11
    found = lines(tmp_path / "out.csv")

    outcomes = [
        "unknown",
        *["sent"] * 4,
        "invalid",
        "invalid",
        "sent_or_rejected",
        "rejected",
        "failed",
        "pending",
    ]
    rows = [2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11]
    assert [(int(one["row"]), one["outcome"]) for one in found] == list(zip(rows, outcomes, strict=True))
    by_row = {int(one["row"]): one for one in found}
    assert by_row[2]["reason"] == "no answer came"
    assert by_row[4]["reported_at"].startswith("2027-01-15T09:00:00+01:00")
    assert (by_row[4]["status"], by_row[4]["message_id"]) == ("13", "77")
    assert by_row[6]["status_label"]
    assert (by_row[10]["reason"], by_row[10]["message_id"]) == ("EnviarSMS refused -3", "")
    assert (by_row[11]["reason"], by_row[7]["phone"]) == ("", "")
    assert tuple(found[0]) == COLUMNS


def test_json_lines(db: SqliteDatabase, tmp_path: Path) -> None:
    """The same by name, without what is empty."""
    db.write(lambda tx: chunk(tx, 1, [1], "sent", accepted=1))
    export(db, row_of(db), tmp_path / "out.JSONL")

    told = {"row": 1, "phone": "34600000001", "outcome": "sent", "message_id": 77}
    assert json.loads((tmp_path / "out.JSONL").read_text()) == told


def test_many_rows_in_order(db: SqliteDatabase, tmp_path: Path) -> None:
    """Chunks of two encodings lie across each other, invalid rows between them: thousands, still in order."""

    def fill(tx: Tx) -> None:
        for seq in range(1, 121):
            first = 1000 + seq // 2 * 200
            chunk(tx, seq, list(range(first + seq % 2, first + 200, 2)), "sent", accepted=100)
        tx.many("INSERT INTO mensatek_invalid VALUES (1, ?, 'broken')", [(one,) for one in range(900)] * 14)

    db.write(fill)
    count = export(db, row_of(db), tmp_path / "out.csv")
    rows = [int(one["row"]) for one in lines(tmp_path / "out.csv")]

    assert count == len(rows) == 120 * 100 + 900 * 14
    assert rows == sorted(rows)
