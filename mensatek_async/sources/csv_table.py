"""CSV as people export it: any usual delimiter and encoding, stray quotes, ragged rows."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Generator, Iterator
from itertools import islice
from typing import BinaryIO, TextIO

from ..errors import InvalidRequest
from .rows import BrokenRow, Grid, Record
from .text_files import LONGEST_LINE, Encoding, line_blocks, lines_of, opened_as

DELIMITERS = (";", "\t", ",", "|")
_NAMES = {"\t": "tabs"}
_SPELLED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_SEP = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)
_SPANS = "a quotation mark is opened in this row or above, and closed in a row below"
_MOST_LINES = 200  # line breaks inside one quoted cell; more is a quote that was never closed


class _NeverClosed(Exception):
    """Raised into the csv module when a quoted cell runs on and on."""


class _Lines:
    """Physical lines for the csv module, remembering those of the record at hand so that they can be read again."""

    def __init__(self, stream: TextIO) -> None:
        self._blocks = line_blocks(stream)
        self._ahead: deque[str] = deque()
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next() if len(self.record) < _MOST_LINES else ""
        if not line:  # in the middle of a record, since none is begun without a line
            raise _NeverClosed
        self.record.append(line)
        return line

    def _next(self) -> str:
        if not self._ahead:
            self._ahead.extend(next(self._blocks, ()))
        return self._ahead.popleft() if self._ahead else ""

    def give_back_all_but_first(self) -> None:
        self._ahead.extendleft(reversed(self.record[1:]))

    def skip_sep(self) -> None:
        """Leave out Excel's own first line, `sep=;`."""
        line = self._next()
        if line and not _SEP.match(line):
            self._ahead.appendleft(line)

    def block(self) -> list[str]:
        """The next lines as far as they have been read; none at the end."""
        if not self._ahead:
            return next(self._blocks, [])
        lines = list(self._ahead)
        self._ahead.clear()
        return lines

    def give_back(self, lines: list[str]) -> None:
        self._ahead.extend(lines)

    @property
    def between_blocks(self) -> bool:
        """Whether all lines that were read have been used."""
        return not self._ahead


class CsvTable(Grid):
    """A CSV file."""

    def __init__(self, handle: BinaryIO, encoding: Encoding, delimiter: str | None = None) -> None:
        self._handle = handle
        self._encoding = encoding
        with opened_as(handle, encoding) as text:
            head = [line for line in islice(lines_of(text), 50) if line.strip()]
        self._delimiter = _spelled(delimiter) if delimiter else _guess(head)
        self.find_headings()
        apart = _NAMES.get(self._delimiter, f'"{self._delimiter}"')
        self.label = f"CSV, {encoding.label}, " + (
            f"separated by {apart}" if len(self.columns) > 1 else "one column"
        )

    def records(self, width: int | None) -> Iterator[list[Record]]:
        """Every record; one whose quote is never closed costs its own line and no other."""
        with opened_as(self._handle, self._encoding) as text:
            lines = _Lines(text)
            lines.skip_sep()
            row = 0
            while block := lines.block():
                cells = self._at_once(block)
                if cells is not None:
                    yield list(enumerate(cells, row + 1))
                    row += len(block)
                else:
                    lines.give_back(block)
                    row = yield from self._one_by_one(lines, row, width)

    def _at_once(self, block: list[str]) -> list[list[str]] | None:
        """The cells of some lines, or None unless each line is clearly a record of its own."""
        try:
            records = list(self._reader(iter(block)))
        except csv.Error:
            return None
        return records if len(records) == len(block) else None

    def _one_by_one(self, lines: _Lines, row: int, width: int | None) -> Generator[list[Record], None, int]:
        """Records until the lines read ahead are used up; gives the number of the last row."""
        reader = self._reader(lines)
        while True:
            lines.record = []
            row += 1
            try:
                cells: list[str] | None = next(reader)
            except (csv.Error, _NeverClosed):
                cells = None
                reader = self._reader(lines)
            if cells is not None and len(lines.record) == 1:
                yield [(row, cells)]
            elif cells is None or len(cells) != (width or len(cells)):
                lines.give_back_all_but_first()
                yield [self._mended(row, lines.record[0])]
            elif width and self._swallows(lines.record[0], width):
                # It may be one row or several: nothing of it is sent.
                yield [BrokenRow(row + line, _SPANS) for line in range(len(lines.record))]
                row += len(lines.record) - 1
            else:
                yield [(row, cells)]
            if lines.between_blocks:
                return row

    def _swallows(self, line: str, width: int) -> bool:
        """Whether a quoted cell that goes on in the next line holds the rest of a whole row."""
        *before, opened = next(csv.reader([line], delimiter=self._delimiter))
        inside = opened.count(self._delimiter)
        return inside > 0 and len(before) + inside + 1 == width

    def _reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

    def _mended(self, row: int, line: str) -> Record:
        if len(line) >= LONGEST_LINE:
            return BrokenRow(row, "the line is too long to be a row")
        if line.count('"') % 2 == 0:
            try:
                return row, next(csv.reader([line], delimiter=self._delimiter))
            except csv.Error:
                return BrokenRow(row, "a cell is too long")
        return BrokenRow(row, "a quotation mark is opened and never closed")


def _spelled(delimiter: str) -> str:
    found = _SPELLED.get(delimiter.lower(), delimiter)
    if len(found) != 1 or found in '"\r\n\0' or found.isalnum():
        raise InvalidRequest("The delimiter is one character, such as ; or , or tab.")
    return found


def _guess(head: list[str]) -> str:
    """The delimiter of the first line that splits most of the following lines into as many cells."""
    if head and (told := _SEP.match(head[0])):
        return told[1]

    def fit(delimiter: str) -> tuple[int, int]:
        rows = [row for row in csv.reader(head, delimiter=delimiter) if row]
        width = len(rows[0])
        return sum(len(row) == width for row in rows) if width > 1 else 0, width

    if not head:
        return DELIMITERS[0]
    try:
        return max(DELIMITERS, key=fit)
    except csv.Error:
        return DELIMITERS[0]
