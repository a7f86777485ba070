"""Tells by its content what kind of file of recipients it is."""

from __future__ import annotations

from itertools import islice
from typing import BinaryIO

from ..errors import InvalidFile, InvalidRequest
from .columns import Say, keyword
from .csv_table import CsvTable
from .excel_table import ExcelTable
from .headings import Headings
from .json_table import JsonTable
from .rows import Table
from .text_files import Encoding, detect, lines_of, opened_as

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def start_of(handle: BinaryIO) -> bytes:
    """The first bytes of a file, left at its start.

    Raises:
        InvalidFile: it is an old .xls file.
    """
    start = handle.read(8)
    handle.seek(0)
    if start == OLE:
        raise InvalidFile("This is an old .xls file or one with a password. Save it as .xlsx or as CSV.")
    return start


def _first_line(handle: BinaryIO, encoding: Encoding) -> str:
    with opened_as(handle, encoding) as text:
        return next((line for line in islice(lines_of(text), 100) if line.strip()), "").lstrip()


def is_json(handle: BinaryIO, encoding: Encoding) -> bool:
    """Whether a text file begins as JSON does."""
    return _first_line(handle, encoding).startswith(("{", "["))


def open_table(
    handle: BinaryIO,
    name: str,
    *,
    delimiter: str | None = None,
    encoding: Encoding | None = None,
    sheet: str | None = None,
    headings: Headings = Headings(),  # noqa: B008
    include_hidden: bool = False,
    say: Say = keyword,
) -> Table:
    """Open a file of recipients, of whatever kind it is by its content (and the name's ending).

    Args:
        handle: the file, open for reading bytes.
        name: how the user calls it.
        delimiter: what separates the cells of a CSV; None finds out.
        encoding: of a text file; None finds out.
        sheet: the name or number of a spreadsheet's sheet; None takes the first visible one.
        headings: where the headings stand.
        include_hidden: whether rows that a spreadsheet hides are read.
        say: how messages write an option.

    Raises:
        InvalidRequest: it is no file of recipients, or holds none, or an option does not fit its kind.
        ConfigurationError: it is a spreadsheet, and what reads them is not installed.
    """
    if start_of(handle).startswith(ZIP):
        return ExcelTable(handle, sheet, headings, include_hidden=include_hidden)
    if sheet is not None:
        raise InvalidRequest(f"{say('sheet', '').strip(' =')} is for Excel files.")
    encoding = encoding or detect(handle)
    first = _first_line(handle, encoding)
    if first.startswith("[") and name.lower().endswith(".json"):
        raise InvalidFile("This is one JSON array. Write one object a line (JSON Lines) instead.")
    if not first.startswith("{") and not name.lower().endswith((".jsonl", ".ndjson")):
        return CsvTable(handle, encoding, delimiter, headings)
    if headings.row is not None:
        raise InvalidRequest(f"{say('header_row', '').strip(' =')} is for CSV and Excel files.")
    return JsonTable(handle, encoding)
