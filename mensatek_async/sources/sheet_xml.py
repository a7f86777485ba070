"""The XML inside an .xlsx file, read as it is unpacked: nothing of it is held but the row or text at hand."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator
from itertools import islice
from string import ascii_uppercase
from typing import IO, Any, NamedTuple
from xml.etree.ElementTree import XMLParser

from ..errors import InvalidFile

MOST_COLUMNS = 256
MOST_ROWS = 1_048_576
_MOST_TEXT = 128 << 20  # bytes of the texts that all sheets share, which have to be held
_MOST_TEXTS = 2_000_000
_MOST_OF_A_PART = 16 << 20  # bytes of styles and the like
_MOST_SECONDS = 30.0  # until the first row, or from one row to the next
_LONGEST_CELL = 1 << 17  # letters; a spreadsheet allows 32,767
_PIECE = 1 << 16

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _CELL, _VALUE, _FORMULA, _TEXT = (_NS + name for name in ("row", "c", "v", "f", "t"))
_ITEM, _PHONETIC = _NS + "si", _NS + "rPh"
# A program wrote the formula, and no spreadsheet has opened the file since.
_NOT_CALCULATED = ("e", "0", "#CALC!")
_NAMES = (first + second for first in ("", *ascii_uppercase) for second in ascii_uppercase)
_COLUMNS = {name: number for number, name in enumerate(islice(_NAMES, MOST_COLUMNS), 1)}
_LITERAL = re.compile(r'"(?P<text>(?:[^"]|"")*)"|[+-]?[0-9]+(?:\.[0-9]+)?')
_EMPTY_CELLS = re.compile(rb'<c r="[A-Z]+[0-9]+"[^<>]*(?:/>|></c>)')
_EMPTY_ROWS = re.compile(rb'<row r="[0-9]+"[^<>]*(?:/>|></row>)')
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
CSV_INSTEAD = "Save the sheet as CSV."


class SheetRow(NamedTuple):
    """A row with something in it; its cells by column: type, style and content as the file has them."""

    number: int
    hidden: bool
    cells: dict[int, tuple[str, str, str]]


class Archive(zipfile.ZipFile):
    """An .xlsx file whose parts are read up to a size and a time."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        """Read a part that is held whole, if it is not too large for that."""
        self._limit(name, _MOST_OF_A_PART)
        return super().read(name, pwd)

    def shared_texts(self, name: str) -> list[str]:
        """Read the texts that cells refer to by number, unless they are too many, too long, or take too long."""
        self._limit(name, _MOST_TEXT)
        texts: list[str] = []
        for found in self._parsed(name):
            texts += found.texts
            found.texts.clear()
            if len(texts) > _MOST_TEXTS:
                raise InvalidFile(
                    f"The spreadsheet has more than {_MOST_TEXTS:,} texts, too many to be held.",
                    advice=CSV_INSTEAD,
                )
        return texts

    def rows(self, name: str) -> Iterator[SheetRow]:
        """The rows of a sheet that have something in them, unless it takes too long from one to the next."""
        for found in self._parsed(name):
            yield from found.rows
            found.rows.clear()

    def _parsed(self, name: str) -> Iterator[_Content]:
        """What a part holds: the same object again and again, with what has come since."""
        content = _Content()
        parser = XMLParser(target=content)  # noqa: S314 (entities are refused)
        with self.open(name) as part:
            ends = time.monotonic() + _MOST_SECONDS
            for piece in _without_empty_cells(part):
                parser.feed(piece)
                further = bool(content.rows)
                yield content
                if further:
                    ends = time.monotonic() + _MOST_SECONDS
                elif time.monotonic() > ends:
                    raise InvalidFile(
                        f"The spreadsheet takes more than {_MOST_SECONDS:.0f} s to read.", advice=CSV_INSTEAD
                    )
        parser.close()
        yield content

    def _limit(self, name: Any, most: int) -> None:
        size = (name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)).file_size
        if size > most:
            raise InvalidFile(
                f"The spreadsheet is too large: a part of it unpacks to {size / (1 << 20):,.0f} MB "
                f"and {most >> 20} MB can be held.",
                advice=CSV_INSTEAD,
            )


def _without_empty_cells(part: IO[bytes]) -> Iterator[bytes]:
    """A sheet's XML, without the cells and rows that only have a style: there may be one for every row there can be."""
    rest = b""
    while piece := part.read(_PIECE):
        piece = _EMPTY_ROWS.sub(b"", _EMPTY_CELLS.sub(b"", rest + piece))
        end = piece.rfind(b"<row ")
        if end < 0 or len(piece) - end > _PIECE:
            end = piece.rfind(b"<")
        if end < 0 or len(piece) - end > 2 * _PIECE:
            end = len(piece)
        yield piece[:end]
        rest = piece[end:]
    yield rest


def unescaped(text: str) -> str:
    """A cell's text with its line breaks and other characters that XML cannot hold."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _calculated(formula: str, style: str) -> tuple[str, str, str]:
    """A formula's cell that nobody has calculated: `="600000001"` is its content, anything else an error."""
    if (literal := _LITERAL.fullmatch(formula)) is None:
        return _NOT_CALCULATED
    text = literal["text"]
    return ("n", style, literal[0]) if text is None else ("str", style, text.replace('""', '"'))


class _Content:
    """The rows of a sheet that have cells with content, or the texts that all sheets share."""

    def __init__(self) -> None:
        self.rows: list[SheetRow] = []
        self.texts: list[str] = []
        self._text: list[str] = []  # of the element at hand
        self._length = 0
        self._open = False
        self._phonetic = False  # how a Japanese text is pronounced is no part of it
        self._number = 0
        self._hidden = False
        self._formula: str | None = None
        self._column = 0
        self._cell: dict[str, str] = {}
        self._cells: dict[int, tuple[str, str, str]] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == _CELL:
            self._cell = attributes
            place = attributes.get("r")
            self._column = _COLUMNS.get(place.rstrip("0123456789"), 0) if place else self._column + 1
            self._formula = None
            self._text, self._length = [], 0
        elif tag in (_VALUE, _TEXT, _FORMULA):
            self._open = not self._phonetic
        elif tag == _ROW:
            place = attributes.get("r")
            self._number = int(float(place)) if place else self._number + 1
            self._hidden = attributes.get("hidden") in ("1", "true") or attributes.get("ht") in ("0", "0.0")
            self._cells, self._column = {}, 0
        elif tag == _ITEM:
            self._text, self._length = [], 0
        elif tag == _PHONETIC:
            self._phonetic = True

    def data(self, data: str) -> None:
        if self._open:
            self._length += len(data)
            self._text.append(data if self._length <= _LONGEST_CELL else "\ufffd")

    def end(self, tag: str) -> None:
        if tag in (_VALUE, _TEXT):
            self._open = False
        elif tag == _FORMULA:
            self._open, self._formula = False, "".join(self._text)
            self._text, self._length = [], 0
        elif tag == _CELL:
            kind, style = self._cell.get("t", "n"), self._cell.get("s", "0")
            if not 0 < self._column <= MOST_COLUMNS:
                return
            if self._text:
                self._cells[self._column] = kind, style, "".join(self._text)
            elif self._formula is not None and kind == "n":
                self._cells[self._column] = _calculated(self._formula.strip(), style)
        elif tag == _ROW:
            if self._cells and self._number <= MOST_ROWS:
                self.rows.append(SheetRow(self._number, self._hidden, self._cells))
        elif tag == _ITEM:
            self.texts.append(unescaped("".join(self._text)))
        elif tag == _PHONETIC:
            self._phonetic = False

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise ValueError("a document type, which no spreadsheet has")  # it could define entities without end

    def close(self) -> None:
        return
