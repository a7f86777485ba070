"""Spreadsheets: .xlsx through openpyxl, row by row."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from ..errors import ConfigurationError, InvalidFile
from .rows import Grid, Record
from .text_files import shown
from .values import as_text

_MOST_COLUMNS = 256
_MOST_ROWS = 1_048_576
_MOST_UNPACKED = 1 << 30  # bytes; a send list does not unpack to more, a zip bomb does


class ExcelTable(Grid):
    """One sheet of an .xlsx file."""

    def __init__(self, handle: BinaryIO, sheet: str | None = None) -> None:
        book = _open(handle)
        self._sheet = _choose(book, sheet)
        self.label = f"Excel, sheet {shown(self._sheet.title)}"
        if sheet is None and len(book.worksheets) > 1:
            self.label += f" (the first of {len(book.worksheets)})"
        self.find_headings()

    def records(self, width: int | None) -> Iterator[list[Record]]:
        """Every row as text."""
        sheet = self._sheet
        sheet.reset_dimensions()  # what the file says about its size may be wrong
        rows = sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True)
        number = 0
        try:
            for number, values in enumerate(rows, 1):
                yield [(number, _trimmed([as_text(value) for value in values]))]
        except (OSError, EOFError, ValueError, KeyError, TypeError, SyntaxError, zipfile.BadZipFile) as error:
            raise InvalidFile(
                f"The spreadsheet is damaged after row {number} ({type(error).__name__})."
            ) from None


def _open(handle: BinaryIO) -> Any:
    try:
        import openpyxl
    except ImportError:
        raise ConfigurationError(
            "Reading .xlsx needs openpyxl. Install it with: pip install 'mensatek-async[excel]'",
            advice="Or save the sheet as CSV.",
        ) from None
    try:
        with zipfile.ZipFile(handle) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MOST_UNPACKED:
                raise InvalidFile("The spreadsheet is too large. Save the sheet as CSV.")
        handle.seek(0)
        return openpyxl.load_workbook(handle, read_only=True, data_only=True)
    except (InvalidFile, Warning):  # openpyxl warns of styles and the like; the user's filters decide
        raise
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise InvalidFile(
            f"This is not a spreadsheet that can be read ({type(error).__name__}). Save it as CSV."
        ) from None


def _choose(book: Any, sheet: str | None) -> Any:
    sheets = book.worksheets
    if not sheets:
        raise InvalidFile("The spreadsheet has no sheet with cells.")
    if sheet is None:
        return sheets[0]
    for candidate in sheets:
        if candidate.title == sheet:
            return candidate
    if sheet.isdecimal() and 1 <= int(sheet) <= len(sheets):
        return sheets[int(sheet) - 1]
    names = ", ".join(shown(candidate.title) for candidate in sheets)
    raise InvalidFile(f"There is no sheet {shown(sheet)}. The sheets are: {names}.")


def _trimmed(cells: list[str]) -> list[str]:
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]
