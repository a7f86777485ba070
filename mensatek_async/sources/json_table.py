"""JSON Lines: one object a line, its keys are the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from ..errors import InvalidFile
from ..text.segments import nfc
from .rows import BrokenRow, Row, Table
from .text_files import LONGEST_LINE, Encoding, lines_of, opened_as
from .values import as_text

_SAMPLE = 100  # objects whose keys make up the columns


class JsonTable(Table):
    """A JSON Lines file."""

    no_phone = "the line has no phone"

    def __init__(self, handle: BinaryIO, encoding: Encoding) -> None:
        self._handle = handle
        self._encoding = encoding
        self.label = f"JSON Lines, {encoding.label}"
        sample = list(islice(self._objects(), _SAMPLE))
        if not sample:
            raise InvalidFile("The file holds nothing but blank lines.")
        good = [item for item in sample if not isinstance(item, BrokenRow)]
        self.columns = tuple(dict.fromkeys(key for _, keys in good for key in keys))
        if not self.columns:
            raise InvalidFile(
                f"None of the first lines is a JSON object: {sample[0].reason}."
                if isinstance(sample[0], BrokenRow)
                else "The JSON objects are empty."
            )

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every object, its values in the order of the columns."""
        return (item if isinstance(item, BrokenRow) else self._row(*item) for item in self._objects())

    def _row(self, number: int, values: dict[str, object]) -> Row | BrokenRow:
        try:
            return number, [as_text(values[name]) if name in values else None for name in self.columns]
        except (ValueError, RecursionError):
            return BrokenRow(number, "a value in it cannot be written as a text")

    def _objects(self) -> Iterator[tuple[int, dict[str, object]] | BrokenRow]:
        self.blank = 0
        with opened_as(self._handle, self._encoding) as text:
            for number, line in enumerate(lines_of(text), 1):
                if not line.strip():
                    self.blank += 1
                    continue
                yield _parse(number, line)


def _parse(number: int, line: str) -> tuple[int, dict[str, object]] | BrokenRow:
    if len(line) >= LONGEST_LINE:
        return BrokenRow(number, "the line is too long to be a row")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return BrokenRow(number, "the line is not JSON")
    if not isinstance(value, dict):
        return BrokenRow(number, "the line is not a JSON object")
    return number, value if line.isascii() and "\\" not in line else {
        nfc(key): cell for key, cell in value.items()
    }
