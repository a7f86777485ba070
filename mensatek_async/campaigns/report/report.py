"""Writes a campaign's report."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Final

from ..._core.private_file import Kind
from ...errors import InvalidRequest
from ...store.database import Database
from ..journal.records import CampaignRow
from ..options import Content
from .figures import figures
from .page import MARK, Page
from .words import Words

REPORT: Final = Kind(
    "report of a campaign",
    lambda start: MARK.encode() in start,
    (".csv", ".jsonl", ".ndjson", ".json", ".pdf", ".xlsx", ".xls", ".ods", ".db", ".txt"),
    "It is a page in HTML: name it .html. A browser prints it to PDF.",
)


def report(
    db: Database,
    row: CampaignRow,
    content: Content,
    path: str | os.PathLike[str],
    *,
    words: Words,
    price: Decimal | None,
    with_phones: bool,
    force: bool,
) -> None:
    """Write the page, whole or not at all.

    Raises:
        InvalidRequest: the file cannot be written, or may not be.
    """
    if db.owns(Path(path)):
        raise InvalidRequest(f"{str(path)!r} is the database of the store: the report needs another name.")
    with REPORT.write(path, force=force) as out:
        out.write(Page(figures(db, row, content), words, price, with_phones).html())
