"""Spreadsheets: .xlsx row by row. openpyxl gives the sheets and what the styles of their cells mean."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, BinaryIO, NamedTuple

from attrs import define, field

from ..errors import ConfigurationError, InvalidFile
from .rows import BrokenRow, Grid, Record
from .sheet_xml import CSV_INSTEAD, Archive, SheetRow, unescaped
from .text_files import shown
from .values import as_text

_MOST_UNPACKED = 1 << 30  # bytes; a send list does not unpack to more, a zip bomb does
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, SyntaxError, zipfile.BadZipFile)
_PERCENT = re.compile(r"0(?:\.(0+))?\s*%")
_NOT_SHOWN = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')


class _Sheet(NamedTuple):
    """A sheet with cells: its name, its part of the archive, and whether people see it."""

    title: str
    part: str
    visible: bool


class ExcelTable(Grid):
    """One sheet of an .xlsx file."""

    def __init__(
        self,
        handle: BinaryIO,
        sheet: str | None = None,
        header_row: int | None = None,
        phone: str | int | None = None,
        include_hidden: bool = False,
    ) -> None:
        self._book = _open(handle)
        self._all_rows = include_hidden
        sheets = self._book.sheets
        title, self._part, _ = _choose(sheets, sheet)
        self.label = f"Excel, sheet {shown(title)}"
        if sheet is None and len(sheets) > 1:
            first = "the first" if sheets[0].title == title else "the first visible"
            self.label = f"Excel, sheet {shown(title)} ({first} of {len(sheets)})"
        self.find_headings(header_row, phone)

    def records(self, width: int | None) -> Iterator[Record]:
        """Every row with something in it, as text; hidden ones are left out and counted, unless they were asked for."""
        self.hidden = 0
        last = self._heading_row
        try:
            for row in self._book.archive.rows(self._part):
                below = row.number > self._heading_row
                if row.hidden and not self._all_rows and row.number != self._heading_row:
                    self.hidden += below
                else:
                    yield self._book.record(row)
                if below:
                    self.blank += max(row.number - last - 1, 0)
                    last = row.number
        except _DAMAGE as error:
            damage = f"The spreadsheet is damaged after row {last} ({type(error).__name__})."
            raise InvalidFile(damage) from None


@define
class _Book:
    """An open workbook, and its sheets with cells in order."""

    archive: Archive
    sheets: list[_Sheet]
    _texts: Sequence[str]
    _formats: list[str]
    _epoch: datetime.datetime
    _known: dict[str, tuple[str, str]] = field(factory=lambda: {"0": ("number", "")})

    def record(self, row: SheetRow) -> Record:
        """A row's cells as people see them."""
        cells = [""] * max(row.cells)
        try:
            for column, cell in row.cells.items():
                cells[column - 1] = self._text(*cell)
        except (ValueError, LookupError, TypeError, OverflowError):
            return BrokenRow(row.number, "one of its cells cannot be read")
        while cells and not cells[-1]:
            cells.pop()
        return row.number, cells

    def _text(self, kind: str, style: str, given: str) -> str:
        if kind == "s":
            return self._texts[int(given)]
        if kind == "n":
            return self._number(style, given)
        if kind == "b":
            return as_text(given.strip() == "1")
        if kind == "d":
            from openpyxl.utils.datetime import from_ISO8601

            return as_text(from_ISO8601(given))
        return unescaped(given)

    def _number(self, style: str, given: str) -> str:
        value = int(given) if given.isdecimal() else float(given)
        meaning, written = self._known.get(style) or self._learn(style)
        if meaning == "number":
            return as_text(value)
        if meaning == "zeros":
            return as_text(value).zfill(len(written))
        if meaning == "percent":
            return f"{value * 100:.{len(written)}f}%"
        return self._date(value, meaning, written)

    def _date(self, value: float, meaning: str, written: str) -> str:
        from openpyxl.utils.datetime import from_excel

        try:
            date = from_excel(value, self._epoch, timedelta=meaning == "duration")
        except (OverflowError, ValueError):
            return as_text(value)  # a phone in a column of dates
        if isinstance(date, datetime.datetime) and not set(written) & set("dyDY"):
            return as_text(date.time())
        return as_text(date)

    def _learn(self, style: str) -> tuple[str, str]:
        """What a style makes of a number, and what of its format says how."""
        from openpyxl.styles.numbers import is_date_format, is_timedelta_format

        number = int(style)
        written = self._formats[number] if number < len(self._formats) else "General"
        plain = _NOT_SHOWN.sub("", written.split(";")[0])
        meaning = "number", ""
        if is_timedelta_format(written):
            meaning = "duration", written
        elif is_date_format(written):
            meaning = "date", plain
        elif percent := _PERCENT.search(plain):
            meaning = "percent", percent[1] or ""
        elif plain and not plain.strip("0"):
            meaning = "zeros", plain
        self._known[style] = meaning
        return meaning


def _open(handle: BinaryIO) -> _Book:
    try:
        import openpyxl as _  # noqa: F401
        from openpyxl.reader.excel import ExcelReader
        from openpyxl.styles.stylesheet import apply_stylesheet
        from openpyxl.xml.constants import SHARED_STRINGS
    except ImportError:
        raise ConfigurationError(
            "Reading .xlsx needs openpyxl. Install it with: pip install 'mensatek-async[excel]'",
            advice="Or save the sheet as CSV.",
        ) from None
    try:
        archive = Archive(handle)
        if sum(part.file_size for part in archive.infolist()) > _MOST_UNPACKED:
            raise InvalidFile(
                f"The spreadsheet is too large: it unpacks to more than {_MOST_UNPACKED >> 20:,} MB.",
                advice=CSV_INSTEAD,
            )
        reader = ExcelReader(handle, read_only=True, data_only=True, keep_links=False)
        reader.archive = archive
        reader.read_manifest()
        texts = reader.package.find(SHARED_STRINGS)
        shared = archive.shared_texts(texts.PartName[1:]) if texts is not None else []
        reader.read_workbook()
        apply_stylesheet(archive, reader.wb)
        sheets = [
            _Sheet(sheet.name, part.target, sheet.state == "visible")
            for sheet, part in reader.parser.find_sheets()
            if part.target in archive.namelist() and part.Type.endswith("/worksheet")
        ]
        return _Book(archive, sheets, shared, _formats(reader.wb), reader.wb.epoch)
    except (InvalidFile, Warning):  # openpyxl warns of styles and the like; the user's filters decide
        raise
    except Exception as error:  # openpyxl raises whatever its parsers raise
        raise InvalidFile(
            f"This is not a spreadsheet that can be read ({type(error).__name__}). Save it as CSV."
        ) from None


def _formats(book: Any) -> list[str]:
    """How the numbers of each style are written."""
    from openpyxl.cell.read_only import ReadOnlyCell

    sheet: Any = SimpleNamespace(parent=book)
    styles = range(len(book._cell_styles))
    return [str(ReadOnlyCell(sheet, 1, 1, None, style_id=style).number_format) for style in styles]


def _choose(sheets: list[_Sheet], wanted: str | None) -> _Sheet:
    """The sheet of that name, or of that number among those people see; without a word the first of them."""
    if not sheets:
        raise InvalidFile("The spreadsheet has no sheet with cells.")
    visible = [sheet for sheet in sheets if sheet.visible] or sheets
    if wanted is None:
        return visible[0]
    for sheet in sheets:
        if sheet.title == wanted:
            return sheet
    if wanted.isdecimal() and 1 <= int(wanted) <= len(visible):
        return visible[int(wanted) - 1]
    names = ", ".join(
        shown(sheet.title) if sheet.visible else f"{shown(sheet.title)} (hidden)" for sheet in sheets
    )
    raise InvalidFile(f"There is no sheet {shown(wanted)}. The sheets are: {names}.")
