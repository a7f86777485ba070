"""Recipients from a file: CSV, JSON Lines and Excel."""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, ClassVar

from ..errors import InvalidFile, InvalidRequest, MensatekError
from ..models.recipient import Recipient
from .batches import Batches, RecipientSource, ThreadBatches
from .csv_table import CsvTable
from .excel_table import ExcelTable
from .json_table import JsonTable
from .opening import ZIP, is_json, start_of
from .reading import Fields, assign_columns, checked_fields, checked_phone
from .rows import BrokenRow, Table
from .text_files import BLOCK, Encoding, detect, not_empty, open_file, reason_of, shown


class FileSource(RecipientSource):
    """What the sources that are files have in common: each iteration opens the file anew and never holds it whole."""

    _kind: ClassVar[str]

    def __init__(self, path: str | os.PathLike[str], phone: str | int | None, fields: Fields) -> None:
        self._path = Path(path)
        self._phone = checked_phone(phone)
        self._fields = checked_fields(fields)
        self._encoding_of: tuple[tuple[int, int], Encoding] | None = None
        self._hash_of: tuple[tuple[int, int], str] | None = None
        self._open().close()

    def rows(self, needed: Sequence[str] | None = None) -> Iterator[Recipient | BrokenRow]:
        """Every row in order: a recipient with its fields, or why it is none. Iterating over the source does the same.

        Args:
            needed: the names of the text's fields, which are then all that is read; None when the text is not known.

        Raises:
            InvalidRequest: the file cannot be read, is of another kind, or has no such column.
            ConfigurationError: what reads it is not installed.
        """
        with self._open() as handle:
            try:
                table = self._table(handle)
                yield from assign_columns(table, needed, self._phone, fields=self._fields)
            except OSError as error:
                raise self._unreadable(error) from None
            except InvalidRequest as error:
                raise InvalidFile(f"{self._name}: {error.args[0]}", advice=error.advice) from None

    def batches(self, needed: Sequence[str] | None = None) -> Batches:
        """The rows for a send, from the first one, read in a worker thread.

        Args:
            needed: the names of the text's fields, which are then all that is read; None when the text is not known.
        """
        return ThreadBatches(lambda: self.rows(needed))

    def field_names(self) -> Sequence[str]:
        """The names of the fields its recipients can have; none when the file cannot be read, which `rows` tells."""
        try:
            with self._open() as handle:
                return assign_columns(self._table(handle), None, self._phone, fields=self._fields).names
        except (MensatekError, OSError):
            return ()

    def describe(self) -> str:
        """What it is, for messages: its kind and name."""
        return f"{self._kind} file {self._name}"

    def fingerprint(self) -> str:
        """What tells this input from any other: the file's content, and the options it is read with.

        It reads the whole file, so an async program calls it in a thread. A copy of the file has the same one.

        Raises:
            InvalidFile: the file cannot be read.
        """
        with self._open() as handle:
            state = _state(handle)
            if self._hash_of is None or self._hash_of[0] != state:
                content = hashlib.blake2b(digest_size=20)
                try:
                    while block := handle.read(BLOCK):
                        content.update(block)
                except OSError as error:
                    raise self._unreadable(error) from None
                self._hash_of = state, content.hexdigest()
        fields = list(self._fields.items()) if isinstance(self._fields, Mapping) else self._fields
        options = repr((self._kind, self._phone, fields, *self._options()))
        return f"{state[0]}-{self._hash_of[1]}-{hashlib.blake2b(options.encode(), digest_size=8).hexdigest()}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"

    @property
    def _name(self) -> str:
        return shown(self._path.name)

    @abstractmethod
    def _table(self, handle: BinaryIO) -> Table:
        """Read the file's headings."""

    @abstractmethod
    def _options(self) -> tuple[object, ...]:
        """What else decides which rows are read."""

    def _open(self) -> BinaryIO:
        handle = open_file(self._path)
        try:
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise InvalidFile(
                    f"{self._name} is no plain file.",
                    advice="It is read more than once; write what comes by a pipe to a file first.",
                )
            return not_empty(handle, self._name)
        except BaseException:
            handle.close()
            raise

    def _unreadable(self, error: OSError) -> InvalidFile:
        return InvalidFile(f"{self._name} cannot be read: {reason_of(error)}.")

    def _detected(self, handle: BinaryIO) -> Encoding:
        """The encoding of a text file, found out once; to do so the whole file is read."""
        if start_of(handle).startswith(ZIP):
            raise InvalidFile(
                "This is an Excel file, or another archive.", advice="Excel is read by ExcelSource."
            )
        state = _state(handle)
        if self._encoding_of is None or self._encoding_of[0] != state:
            self._encoding_of = state, detect(handle)
        return self._encoding_of[1]


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

    Raises:
        InvalidFile: the file does not exist, is empty, or may not be read.
        InvalidRequest: an option is none.
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
    ) -> None:
        self._delimiter = delimiter
        self._encoding = None if encoding is None else _checked_encoding(encoding)
        super().__init__(path, phone, fields)

    def _table(self, handle: BinaryIO) -> Table:
        found = self._detected(handle) if self._encoding is None else self._encoding
        if is_json(handle, found):
            raise InvalidFile(
                "This is JSON.", advice="JSON Lines, one object a line, is read by JsonLinesSource."
            )
        return CsvTable(handle, found, self._delimiter)

    def _options(self) -> tuple[object, ...]:
        return self._delimiter, self._encoding and self._encoding.name


class JsonLinesSource(FileSource):
    """Recipients from a JSON Lines file: one object a line, whose keys are the columns.

    Args:
        path: the file.
        phone: the phone's key; None finds it, such as "movil" or "phone".
        fields: the fields of each recipient: keys, or field by field its key; None is every other key.

    Raises:
        InvalidFile: the file does not exist, is empty, or may not be read.
        InvalidRequest: an option is none.
    """

    _kind = "JSON Lines"

    def __init__(
        self, path: str | os.PathLike[str], *, phone: str | int | None = None, fields: Fields = None
    ) -> None:
        super().__init__(path, phone, fields)

    def _table(self, handle: BinaryIO) -> Table:
        return JsonTable(handle, self._detected(handle))

    def _options(self) -> tuple[object, ...]:
        return ()


class ExcelSource(FileSource):
    """Recipients from one sheet of an .xlsx file; it needs `pip install 'mensatek-async[excel]'`.

    Cells read as people see them: a phone kept as a number has no decimal point, a date is `08/01/2027`.

    Args:
        path: the file.
        sheet: the sheet's name, or its number from 1; None is the first.
        phone: the phone's column, by its heading or number from 1; None finds it by its heading.
        fields: the fields of each recipient: the names of columns, or field by field the name or number of its column;
            None is every other column.

    Raises:
        InvalidFile: the file does not exist, is empty, or may not be read.
        InvalidRequest: an option is none.
    """

    _kind = "Excel"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sheet: str | int | None = None,
        phone: str | int | None = None,
        fields: Fields = None,
    ) -> None:
        self._sheet = None if sheet is None else str(sheet)
        super().__init__(path, phone, fields)

    def _table(self, handle: BinaryIO) -> Table:
        start_of(handle)
        return ExcelTable(handle, self._sheet)

    def _options(self) -> tuple[object, ...]:
        return (self._sheet,)


def _state(handle: BinaryIO) -> tuple[int, int]:
    told = os.fstat(handle.fileno())
    return told.st_size, told.st_mtime_ns


def _checked_encoding(name: str) -> Encoding:
    try:
        codec = TextIOWrapper(BytesIO(), name).encoding
    except LookupError:
        raise InvalidRequest(f"Python knows no encoding of texts called {shown(name, 40)}.") from None
    return Encoding("utf-8-sig" if codecs.lookup(codec).name == "utf-8" else codec, name)
