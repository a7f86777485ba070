"""A campaign, row by row, as CSV or JSON Lines."""

from __future__ import annotations

import csv
import heapq
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TextIO

from .._core.private_file import Kind
from .._wire.scalars import madrid
from ..codes import DeliveryStatus
from ..errors import InvalidRequest
from ..language import ENGLISH, Language
from ..opt_outs import tables
from ..sources.values import spreadsheet_cell
from ..store.database import Database
from ..store.transaction import Tx
from .journal.recipients import ChunkRecipients
from .journal.records import CampaignRow
from .journal.states import CANCELLED, FAILED, POSTING, SENT, UNKNOWN

COLUMNS = ("row", "phone", "outcome", "reason", "message_id", "status", "status_label", "reported_at")
_DISORDER = 30_000  # rows that may come before one with a lower number, since chunks are sorted by encoding
_JSON_LINES = (".jsonl", ".ndjson")
Line = tuple[Any, ...]
Reports = dict[str, tuple[int, float | None]]  # code and moment, by phone


def export(
    db: Database,
    row: CampaignRow,
    path: str | os.PathLike[str],
    *,
    words: Language = ENGLISH,
    force: bool = False,
) -> int:
    """Write a line for each row read, by their numbers, whole or not at all; return how many they are.

    Raises:
        InvalidRequest: the file cannot be written, or may not be: it is no earlier export, and nothing forces it.
    """
    if db.owns(Path(path)):
        raise InvalidRequest(f"{str(path)!r} is the database of the store: the export needs another name.")
    written = 0
    with export_file(path, words=words, force=force) as write:
        kinds = _ordered(_sent(db, row)), _invalid(db, row), _opted_out(db, row)
        for line in heapq.merge(*kinds, key=itemgetter(0)):
            write(line)
            written += 1
    return written


@contextmanager
def export_file(
    path: str | os.PathLike[str], *, words: Language = ENGLISH, force: bool = False
) -> Iterator[Callable[[Line], object]]:
    """Give what writes a line, its values in the order of COLUMNS; the file is there whole, or not at all."""
    with EXPORT.write(path, force=force) as out:
        write = _json_lines(out) if Path(path).suffix.lower() in _JSON_LINES else _csv(out)
        yield write if words is ENGLISH else lambda line: write(_translated(words, *line))


def _translated(words: Language, *line: Any) -> Line:
    *start, reason, message_id, status, _, when = line
    label = "" if status == "" else DeliveryStatus(status).label
    return (*start, words.reason(reason), message_id, status, label, when)


def _is_export(start: bytes) -> bool:
    first = start.partition(b"\n")[0].strip()
    return first == ",".join(COLUMNS).encode() or (
        first.startswith(b'{"row": ') and b', "outcome": "' in first
    )


EXPORT: Final = Kind(
    "export of a campaign",
    _is_export,
    (".xlsx", ".xls", ".ods", ".json", ".db", ".html", ".pdf"),
    "It is CSV or JSON Lines: name it .csv or .jsonl.",
)


def _csv(out: TextIO) -> Callable[[Line], object]:
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    return lambda line: writer.writerow(map(spreadsheet_cell, line))


def _json_lines(out: TextIO) -> Callable[[Line], object]:
    def write(line: Line) -> None:
        values = {name: value for name, value in zip(COLUMNS, line, strict=True) if value != ""}
        out.write(json.dumps(values, ensure_ascii=False) + "\n")

    return write


def _ordered(lines: Iterator[Line]) -> Iterator[Line]:
    waiting: list[Line] = []
    for line in lines:
        heapq.heappush(waiting, line)
        if len(waiting) > _DISORDER:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


def _invalid(db: Database, row: CampaignRow) -> Iterator[Line]:
    for number, reason in numbered(db, row, "reason", "mensatek_invalid"):
        yield (number, "", "invalid", reason, "", "", "", "")


def _opted_out(db: Database, row: CampaignRow) -> Iterator[Line]:
    if db.read(tables.changes) is not None:
        for number, phone in numbered(db, row, "phone", "mensatek_left_out"):
            yield (number, phone, "opted_out", "", "", "", "", "")


def numbered(db: Database, row: CampaignRow, column: str, table: str) -> Iterator[Any]:
    """Give the number and another column of a campaign's rows in a table, by their numbers."""
    # Every row of a number is on one page: callers number rows as they like, and so twice the same.
    of_campaign = f"FROM {table} WHERE campaign_id = {row.id} AND row_no"
    for page in db.pages(
        f"WITH page AS (SELECT row_no {of_campaign} > ? ORDER BY row_no LIMIT 5000) SELECT row_no, {column} "
        f"{of_campaign} BETWEEN (SELECT min(row_no) FROM page) AND (SELECT max(row_no) FROM page) ORDER BY row_no"
    ):
        yield from page


def _sent(db: Database, row: CampaignRow) -> Iterator[Line]:
    for page in db.pages(
        "SELECT k.seq, k.state, k.n, k.accepted, k.idmensaje, k.error, p.body FROM mensatek_chunk k "
        "JOIN mensatek_payload p ON p.campaign_id = k.campaign_id AND p.seq = k.seq "
        "WHERE k.campaign_id = ? AND k.seq > ? ORDER BY k.seq LIMIT 50",
        row.id,
    ):
        for *chunk, body in page:
            content = ChunkRecipients.unpack(body)
            reports = db.read(partial(_deliveries, campaign=row.id, phones=content.wire.phones))
            yield from _lines(row, chunk, content, reports)


def _deliveries(tx: Tx, campaign: int, phones: Sequence[str]) -> Reports:
    found = tx.all(
        f"SELECT phone, code, reported_at FROM mensatek_delivery WHERE campaign_id = ? AND phone{tx.among}",
        *(campaign, tx.listed(phones)),
    )
    return {phone: (code, when) for phone, code, when in found}


def _lines(
    row: CampaignRow, chunk: Sequence[Any], content: ChunkRecipients, reports: Reports
) -> Iterator[Line]:
    seq, state, n, accepted, message_id, error = chunk
    if seq <= 0 and not n:
        return  # the anchor is nobody's row
    for number, phone in zip(content.rows, content.wire.phones, strict=True):
        report = reports.get(phone)
        outcome = outcome_of(row, state, n, accepted, report is not None)
        label = moment = ""
        if report is not None:
            status = DeliveryStatus(report[0])
            label = status.label_en
            moment = "" if report[1] is None else datetime.fromtimestamp(report[1], madrid()).isoformat()
        reason = error if state in (UNKNOWN, FAILED) else ""
        shown = message_id if state == SENT and message_id else ""
        yield (number, phone, outcome, reason, shown, "" if report is None else report[0], label, moment)


def outcome_of(row: CampaignRow, state: str, n: int, accepted: int, reported: bool) -> str:
    if state == SENT:
        if reported or accepted >= n:
            return "sent"
        # The provider counts those it did not take and does not say which; its report does.
        return "rejected" if not accepted or row.reconciled else "sent_or_rejected"
    if state in (UNKNOWN, FAILED):
        return state
    if row.state == CANCELLED:
        return UNKNOWN if state == POSTING else "cancelled"
    return "pending"
