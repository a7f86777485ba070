"""CSV as people export it: any usual delimiter and encoding, stray quotes, ragged rows."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, TextIO

from ..errors import InvalidRequest
from .rows import BrokenRow, Grid, Record
from .text_files import LONGEST_LINE, Encoding, lines_of, opened_as

DELIMITERS = (";", "\t", ",", "|")
_NAMES = {"\t": "tabs"}
_SPELLED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_SEP = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)
_FORMULA = re.compile(r'\s*="(.*)"\s*', re.DOTALL)  # how Excel is made to keep a number as text
_SUSPECT = re.compile(r"[\u00c2-\u00f4][^\0-\x7f]")  # what a letter in UTF-8 becomes in a Latin encoding
_LATIN = frozenset({"cp1252", "iso8859-1", "iso8859-15"})
_ESCAPED = '\\"'
_TWO_WAYS = "its quotation marks, with backslashes before them, can be read in two ways"
_SPANS = "a quotation mark is opened in this row or above, and closed in a row below"
_MOST_LINES = 200  # line breaks inside one quoted cell; more is a quote that was never closed


class _NeverClosed(Exception):
    """Raised into the csv module when a quoted cell runs on and on."""


class _Lines:
    """Physical lines for the csv module, remembering those of the record at hand so that they can be read again."""

    def __init__(self, stream: TextIO) -> None:
        self._lines = lines_of(stream)
        self.ahead: deque[str] = deque()
        self.record: list[str] = []
        self.reader: Iterator[list[str]] | None = None
        self.escaped = False  # whether a backslash before a quotation mark makes it part of the cell

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.record) >= _MOST_LINES or not self.more():  # in the middle of a record
            raise _NeverClosed
        line = self.ahead.popleft()
        self.record.append(line)
        return line.replace(_ESCAPED, '""') if self.escaped else line

    def more(self) -> bool:
        """Whether there is a further line."""
        if not self.ahead:
            self.ahead.extend(islice(self._lines, 1))
        return bool(self.ahead)

    def give_back_from(self, first: int) -> None:
        """Let lines of the record be read again."""
        self.ahead.extendleft(reversed(self.record[first:]))


class CsvTable(Grid):
    """A CSV file."""

    def __init__(
        self,
        handle: BinaryIO,
        encoding: Encoding,
        delimiter: str | None = None,
        header_row: int | None = None,
        phone: str | int | None = None,
    ) -> None:
        self._handle = handle
        self._encoding = encoding
        codec = codecs.lookup(encoding.name).name
        self._latin = codec if codec in _LATIN else None
        with opened_as(handle, encoding) as text:
            head = [line for line in islice(lines_of(text), 50) if line.strip()]
        self._delimiter = _spelled(delimiter) if delimiter else _guess(head)
        self.find_headings(header_row, phone)
        apart = _NAMES.get(self._delimiter, f'"{self._delimiter}"')
        columns = f"separated by {apart}" if len(self.columns) > 1 else "one column"
        self.label = f"CSV, {encoding.label}, {columns}{self.label}"

    def records(self, width: int | None) -> Iterator[Record]:
        """Every record; one whose quote is never closed costs its own line and no other."""
        with opened_as(self._handle, self._encoding) as text:
            lines = _Lines(text)
            if lines.more() and _SEP.match(lines.ahead[0]):
                lines.ahead.popleft()
            row = 0
            while lines.more():
                row += 1
                # Titles have any width.
                items = self._record(lines, row, width if row > self._heading_row else None)
                for item in items:
                    data = width is not None
                    yield item if isinstance(item, BrokenRow) else (row, self._content(item[1], data=data))
                row += len(items) - 1

    def _record(self, lines: _Lines, row: int, width: int | None) -> list[Record]:
        """The next record, or the broken rows in its place."""
        cells = self._attempt(lines)
        if _ESCAPED in "".join(lines.record):
            escaped = self._with_backslashes(lines, row, width, cells)
            if escaped is not None:
                return [escaped]
        if cells is not None and len(lines.record) == 1:
            return [(row, cells)]
        if cells is None or len(cells) != (width or len(cells)):
            lines.give_back_from(1)
            return [self._mended(row, lines.record[0])]
        if width and self._swallows(lines.record[0], width):
            # It may be one row or several: nothing of it is sent.
            return [BrokenRow(row + line, _SPANS) for line in range(len(lines.record))]
        return [(row, cells)]

    def _attempt(self, lines: _Lines, *, escaped: bool = False) -> list[str] | None:
        lines.record, lines.escaped = [], escaped
        lines.reader = lines.reader or csv.reader(lines, delimiter=self._delimiter, strict=True)
        try:
            return next(lines.reader)
        except (csv.Error, _NeverClosed):
            lines.reader = None  # it is in the middle of a record
            return None

    def _with_backslashes(
        self, lines: _Lines, row: int, width: int | None, plain: list[str] | None
    ) -> Record | None:
        """A record with backslashes before quotation marks, as MySQL and PHP write them; None when it is plain CSV."""
        used = len(lines.record)
        lines.give_back_from(0)
        other = self._attempt(lines, escaped=True)
        if other is None or len(other) > (width or len(other)):
            lines.give_back_from(0)
            self._attempt(lines)
            return None
        bare = [cell.replace('""', '"') for cell in other]
        if plain is None or len(plain) > (width or len(plain)):
            return row, bare
        if used == len(lines.record) and bare == [cell.replace(_ESCAPED, '"') for cell in plain]:
            return row, bare
        lines.give_back_from(1)
        return BrokenRow(row, _TWO_WAYS)

    def _content(self, cells: list[str], *, data: bool) -> list[str]:
        """What the cells hold: of `="600000001"` the number; letters of another encoding marked, in headings read."""
        content = []
        for cell in cells:
            if "=" in cell and (formula := _FORMULA.fullmatch(cell)):
                cell = formula[1].replace('""', '"')
            if self._latin and _SUSPECT.search(cell) and (read := _as_utf8(cell, self._latin)):
                cell = "\ufffd" if data else read
            content.append(cell)
        return content

    def _swallows(self, line: str, width: int) -> bool:
        """Whether a quoted cell that goes on in the next line holds the rest of a whole row."""
        *before, opened = next(csv.reader([line], delimiter=self._delimiter))
        inside = opened.count(self._delimiter) if opened.strip(f"{self._delimiter}\r\n ") else 0
        return inside > 0 and len(before) + inside + 1 == width

    def _mended(self, row: int, line: str) -> Record:
        if len(line) >= LONGEST_LINE:
            return BrokenRow(row, "the line is too long to be a row")
        if line.count('"') % 2 == 0 and _ESCAPED not in line:
            try:
                return row, next(csv.reader([line], delimiter=self._delimiter))
            except csv.Error:
                return BrokenRow(row, "a cell is too long")
        return BrokenRow(row, "a quotation mark is opened and never closed")


def _as_utf8(cell: str, encoding: str) -> str | None:
    """What a cell says in UTF-8, when that is what its bytes are: nobody would write such a run of symbols."""
    try:
        text = cell.encode(encoding).decode()
    except UnicodeError:
        return None
    return None if any("\u0180" <= letter < "\u0800" for letter in text) else text


def _spelled(delimiter: str) -> str:
    mark = _SPELLED.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0' or mark.isalnum():
        raise InvalidRequest("The delimiter is one character, such as ; or , or tab.")
    return mark


def _guess(head: list[str]) -> str:
    """The delimiter of the first line that splits most of the following lines into as many cells."""
    if head and (named := _SEP.match(head[0])):
        return named[1]

    def fit(delimiter: str) -> tuple[int, int]:
        rows = [row for row in csv.reader(head, delimiter=delimiter) if row]
        first = len(rows[0])
        if first > 1:
            return sum(len(row) == first for row in rows), first
        width, times = Counter(map(len, rows)).most_common(1)[0]  # below a title
        return (times, 0) if width > 1 < times else (0, 0)

    if not head:
        return DELIMITERS[0]
    try:
        return max(DELIMITERS, key=fit)
    except csv.Error:
        return DELIMITERS[0]
