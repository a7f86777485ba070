"""Recipients from a file: CSV, JSON Lines and Excel."""

from __future__ import annotations

import os
from typing import BinaryIO

from ..errors import InvalidFile, InvalidRequest
from .csv_table import CsvTable
from .excel_table import ExcelTable
from .file_source import FileSource
from .json_table import JsonTable
from .reading import Fields
from .rows import Table
from .text_files import first_line, is_zip


class CsvSource(FileSource):
    """Recipients from a CSV file, one a row below the headings.

    The delimiter (`;`, `,`, tab or `|`), Excel's first line `sep=;` and the encoding (UTF-8 or UTF-16 by its mark,
    UTF-8, else Windows-1252) are found out. A file without headings has columns called "1", "2" and so on. Rows
    that cannot be used, such as one whose quotation mark is never closed, come out as a `BrokenRow`.

    Args:
        path: the file.
        phone: the phone's column, by its heading (upper and lower case do not matter) or number from 1; None finds it
            by its heading, such as "móvil" or "Phone number".
        fields: the fields of each recipient: the names of columns, or field by field the name or number of its column;
            None is every other column.
        delimiter: what separates the cells, such as ";" or "tab"; None finds out.
        encoding: one of Python's names, such as "cp1252"; None finds out.
        header_row: the number of the row of headings, if a title is above it; None finds it among the first 20.

    Raises:
        InvalidFile: the file does not exist, is empty, or may not be read.
        InvalidRequest: an option is not valid.
    """

    _kind = "CSV"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        phone: str | int | None = None,
        fields: Fields = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        header_row: int | None = None,
    ) -> None:
        super().__init__(path, phone, fields, delimiter=delimiter, encoding=encoding, header_row=header_row)

    def _table(self, handle: BinaryIO) -> Table:
        encoding = self._detected(handle)
        if first_line(handle, encoding).startswith(("{", "[")):
            advice = "JSON Lines, one object a line, is read by JsonLinesSource."
            raise InvalidFile("This is JSON.", advice=advice)
        return CsvTable(handle, encoding, self._delimiter, self._header_row, self._phone)


class JsonLinesSource(FileSource):
    """Recipients from a JSON Lines file: one object a line, whose keys are the columns.

    Args:
        path: the file.
        phone: the phone's key; None finds it, such as "movil" or "phone".
        fields: the fields of each recipient: keys, or field by field its key; None is every other key.
        encoding: one of Python's names, such as "cp1252"; None finds out.

    Raises:
        InvalidFile: the file does not exist, is empty, or may not be read.
        InvalidRequest: an option is not valid.
    """

    _kind = "JSON Lines"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        phone: str | int | None = None,
        fields: Fields = None,
        encoding: str | None = None,
    ) -> None:
        super().__init__(path, phone, fields, encoding=encoding)

    def _table(self, handle: BinaryIO) -> Table:
        return JsonTable(handle, self._detected(handle))


class ExcelSource(FileSource):
    """Recipients from one sheet of an .xlsx file; it needs `pip install 'mensatek-async[excel]'`.

    Cells read as people see them: a phone kept as a number has no decimal point, a date is `08/01/2027`, a duration
    is `26:30:00`. Rows that a filter or somebody has hidden are left out; `hidden_rows` counts them.

    Args:
        path: the file.
        sheet: the sheet's name, or its number from 1 among those that are visible; None is the first visible one.
        phone: the phone's column, by its heading or number from 1; None finds it by its heading.
        fields: the fields of each recipient: the names of columns, or field by field the name or number of its column;
            None is every other column.
        header_row: the number of the row of headings, if a title is above it; None finds it among the first 20.
        include_hidden: whether hidden rows are read too.

    Raises:
        InvalidFile: the file does not exist, is empty, or may not be read.
        InvalidRequest: an option is not valid.
    """

    _kind = "Excel"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sheet: str | int | None = None,
        phone: str | int | None = None,
        fields: Fields = None,
        header_row: int | None = None,
        include_hidden: bool = False,
    ) -> None:
        super().__init__(
            path, phone, fields, sheet=sheet, header_row=header_row, include_hidden=include_hidden
        )

    def _table(self, handle: BinaryIO) -> Table:
        is_zip(handle)  # refuses an old .xls file
        return ExcelTable(handle, self._sheet, self._header_row, self._phone, self._hidden)


class AnyFileSource(FileSource):
    """Recipients from a file of whatever kind its content is, as the command takes them."""

    _kind = "any"

    def describe(self) -> str:
        """Return what it is, for messages: its name."""
        return f"file {self._name}"

    def _table(self, handle: BinaryIO) -> Table:
        if is_zip(handle):
            return ExcelTable(handle, self._sheet, self._header_row, self._phone, self._hidden)
        if self._sheet is not None:
            raise InvalidRequest("sheet is for Excel files.")
        encoding = self._detected(handle)
        first, ending = first_line(handle, encoding), self._path.suffix.lower()
        if first.startswith("[") and ending == ".json":
            raise InvalidFile("This is one JSON array. Write one object a line (JSON Lines) instead.")
        if not first.startswith("{") and ending not in (".jsonl", ".ndjson"):
            return CsvTable(handle, encoding, self._delimiter, self._header_row, self._phone)
        if self._header_row is not None:
            raise InvalidRequest("header_row is for CSV and Excel files.")
        return JsonTable(handle, encoding)
