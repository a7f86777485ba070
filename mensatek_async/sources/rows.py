"""What every kind of recipients file gives: numbered rows of cells, and the rows that cannot be used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from attrs import field, frozen

from ..errors import InvalidFile
from ..text.segments import nfc
from .headings import LOOKED_AT, heading_row, looks_like_phone

Row = tuple[int, Sequence[str | None]]
"""A row's number as a spreadsheet shows it, and its cells by column; None where the row has no such cell."""


@frozen
class BrokenRow:
    """A row that cannot be sent. A bulk send names it among the invalid ones and goes on.

    Attributes:
        row: its number.
        reason: why, in a few words without a full stop and without what the row holds.
        phone: the phone as the row has it, as far as known; for a report only.
    """

    row: int
    reason: str
    phone: str = field(default="", repr=False)


Record = tuple[int, list[str]] | BrokenRow
"""A row as the file has it."""


class Table(ABC):
    """An open file of recipients, read again from its start by each `rows()`.

    Attributes:
        label: what it is taken for, such as "CSV, Windows-1252, separated by ;".
        columns: its headings, in order.
        no_phone: what is said of a row that has no cell for the phone.
        headless: whether it has no headings; columns are then called "1", "2" ...
        blank: blank rows met by the last `rows()`.
        hidden: hidden rows left out by the last `rows()`.
        exact: whether a value that cannot be read is damage, and not something the text has no need of.
    """

    label: str = ""
    no_phone: ClassVar[str] = "the row ends before the phone"
    columns: tuple[str, ...] = ()
    headless: bool = False
    blank: int = 0
    hidden: int = 0
    exact: ClassVar[bool] = True

    @abstractmethod
    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every row of data, in order, blank ones left out."""


class Grid(Table):
    """Rows of cells with the headings in one of the first: CSV and spreadsheets."""

    _heading_row = 0

    @abstractmethod
    def records(self, width: int | None) -> Iterator[Record]:
        """Every row, headings and blank ones included; `width` is how many cells a row should have, if known."""

    def find_headings(self, header_row: int | None, phone: str | int | None) -> None:
        """Find the row of headings: the one the user names, or one of the first that names the phone's column.

        Without either it is the first row that is not blank, unless it holds a phone: the columns are then numbered.
        """
        self._heading_row = header_row or 0
        first = list(self._beginning())
        if not first:
            raise InvalidFile("The file holds nothing but blank rows.")
        good = [item for item in first if not isinstance(item, BrokenRow)]
        number = header_row or heading_row((row for row in good if row[0] <= LOOKED_AT), phone)
        cells = dict(good).get(number or _number(first[0]))
        if cells is None:
            raise self._no_headings(first, number)
        self.headless = number is None and any(looks_like_phone(cell) for cell in cells)
        if self.headless:
            self.columns = tuple(str(position) for position in range(1, len(cells) + 1))
            return
        self._take(number or _number(first[0]), cells, first)

    def _take(self, number: int, cells: list[str], first: list[Record]) -> None:
        if _number(first[-1]) <= number:
            raise InvalidFile("The file has headings and no row below them.")
        self.columns = tuple(nfc(" ".join(cell.split())) for cell in _without_empty_end(cells))
        self._heading_row = number
        if number > _number(first[0]):
            self.label += f", headings in row {number}"
        if any("\0" in heading for heading in self.columns):
            raise InvalidFile(
                "The headings hold NUL bytes: this is no text file, or it is UTF-16 without its mark.",
                advice="Save it as CSV UTF-8 and try again.",
            )

    def _no_headings(self, first: list[Record], number: int | None) -> InvalidFile:
        wanted = number or _number(first[0])
        broken = next((item for item in first if isinstance(item, BrokenRow) and item.row == wanted), None)
        if broken is None:
            return InvalidFile(
                f"Row {wanted}, where the headings should be, is blank, or the file ends above it."
            )
        which = "The first row" if number is None else f"Row {number}"
        return InvalidFile(f"{which} cannot be read: {broken.reason}.")

    def _beginning(self) -> Iterator[Record]:
        """The rows that are not blank among those that may hold the headings, and one more."""
        for item in self.records(None):
            if isinstance(item, BrokenRow) or any(cell.strip() for cell in item[1]):
                yield item
                if _number(item) > max(LOOKED_AT, self._heading_row):
                    return

    def rows(self) -> Iterator[Row | BrokenRow]:
        """Every row of data, as `Table` describes it."""
        self.blank = 0
        width = len(self.columns)
        for item in self.records(width):
            if (row := self._row(item, width)) is not None:
                yield row

    def _row(self, item: Record, width: int) -> Row | BrokenRow | None:
        if _number(item) <= self._heading_row:
            return None
        if isinstance(item, BrokenRow):
            return item
        number, cells = item
        if not (cells and cells[0].strip()) and not any(cell.strip() for cell in cells):
            self.blank += 1
            return None
        if len(cells) == width:
            return item
        if len(cells) < width:
            return number, [*cells, *[None] * (width - len(cells))]
        if any(cell.strip() for cell in cells[width:]):
            return BrokenRow(number, f"it has {len(cells)} cells and there are {width} columns")
        return number, cells[:width]


def _number(item: Record) -> int:
    return item.row if isinstance(item, BrokenRow) else item[0]


def _without_empty_end(cells: list[str]) -> list[str]:
    end = len(cells)
    while end > 1 and not cells[end - 1].strip():
        end -= 1
    return cells[:end]
