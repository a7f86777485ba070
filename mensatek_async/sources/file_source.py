"""What the sources that are files have in common."""

from __future__ import annotations

import codecs
import hashlib
import logging
import os
import stat
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, ClassVar

from ..errors import InvalidFile, InvalidRequest, MensatekError
from ..models.recipient import Recipient
from .batches import Batches, RecipientSource, ThreadBatches
from .reading import ChosenRows, Fields, Reading, assign_columns, checked_fields, checked_phone
from .rows import BrokenRow, Table
from .sheet_xml import MOST_ROWS
from .text_files import Encoding, detect, is_zip, open_file, reason_of, shown

_log = logging.getLogger("mensatek_async.sources")


class FileSource(RecipientSource):
    """What the sources that are files have in common: each iteration opens the file anew and never holds it whole."""

    _kind: ClassVar[str]

    hidden_rows: int = 0
    """How many rows, hidden in the spreadsheet, the last whole reading left out."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        phone: str | int | None = None,
        fields: Fields = None,
        *,
        delimiter: str | None = None,
        encoding: str | None = None,
        sheet: str | int | None = None,
        header_row: int | None = None,
        include_hidden: bool = False,
        name: str | None = None,
        rows: ChosenRows | None = None,
    ) -> None:
        self._path = Path(path)
        self._name = shown(name or self._path.name)
        self._delimiter = delimiter
        self._sheet = None if sheet is None else str(sheet)
        self._hidden = include_hidden
        self._rows = rows
        self._encoding = None if encoding is None else _checked_encoding(encoding)
        self._phone = checked_phone(phone)
        self._header_row = _checked_row(header_row)
        self._fields = checked_fields(fields)
        self._encoding_of: tuple[tuple[int, int], Encoding] | None = None
        self._hash_of: tuple[tuple[int, int], str] | None = None
        self._open().close()

    def rows(self, needed: Sequence[str] | None = None) -> Iterator[Recipient | BrokenRow]:
        """Read every row in order. Iterating over the source does the same.

        Args:
            needed: the names of the text's fields, which are then all that is read; None when the text is not known.

        Returns:
            For each row a recipient with its fields, or why it is none.

        Raises:
            InvalidRequest: the file cannot be read, is of another kind, or has no such column.
            ConfigurationError: what reads it is not installed.
        """
        with self.reading(needed) as reading, self._named_errors():
            yield from reading
            self.hidden_rows = reading.source.hidden
        if self.hidden_rows:
            hint = "%s: %d hidden rows were left out; include_hidden=True takes them."
            _log.warning(hint, self._name, self.hidden_rows)

    @contextmanager
    def reading(self, needed: Sequence[str] | None) -> Iterator[Reading]:
        """Open the file and assign its columns, for whoever reads the rows more than once."""
        with self._open() as handle:
            with self._named_errors():
                table = self._table(handle)
                reading = assign_columns(table, needed, self._phone, fields=self._fields, rows=self._rows)
            yield reading

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Let errors name the file."""
        try:
            yield
        except OSError as error:
            raise InvalidFile(f"{self._name} cannot be read: {reason_of(error)}.") from None
        except InvalidRequest as error:
            raise InvalidFile(f"{self._name}: {error.args[0]}", advice=error.advice) from None

    def batches(self, needed: Sequence[str] | None = None) -> Batches:
        """Give the rows for a send, read in a worker thread."""
        return ThreadBatches(lambda: self.rows(needed))

    def field_names(self) -> Sequence[str]:
        """Return the names of the fields its recipients can have; none when the file cannot be read."""
        try:
            with self.reading(None) as reading:
                return reading.names
        except (MensatekError, OSError):
            return ()

    def describe(self) -> str:
        """Return what it is, for messages: its kind and name."""
        form = self._kind
        return f"{form} file {self._name}"

    def fingerprint(self) -> str:
        """Return what distinguishes this input from any other: the file's content and the options it is read with.

        It reads the whole file, so an async program calls it in a thread. A copy of the file has the same one.

        Raises:
            InvalidFile: the file cannot be read.
        """
        with self._open() as handle, self._named_errors():
            state = _state(handle)
            if self._hash_of is None or self._hash_of[0] != state:
                content = hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=20))
                self._hash_of = state, content.hexdigest()
        fields = list(self._fields.items()) if isinstance(self._fields, Mapping) else self._fields
        given = (
            *(self._kind, self._phone, fields, self._delimiter, self._encoding and self._encoding.name),
            *(self._sheet, self._header_row, self._hidden),
        )
        options = hashlib.blake2b(repr(given).encode(), digest_size=8).hexdigest()
        rows = "" if self._rows is None else f"-{self._rows.spans}"
        return f"{state[0]}-{self._hash_of[1]}-{options}{rows}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"

    @abstractmethod
    def _table(self, handle: BinaryIO) -> Table:
        """Read the file's headings."""

    def _open(self) -> BufferedReader:
        handle = open_file(self._path)
        try:
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise InvalidFile(
                    f"{self._name} is no plain file.",
                    advice="It is read more than once; write what comes by a pipe to a file first.",
                )
            with self._named_errors():
                first = handle.read(1)
            if not first:
                raise InvalidFile(f"{self._name} is empty.")
            handle.seek(0)
            return handle
        except BaseException:
            handle.close()
            raise

    def _detected(self, handle: BinaryIO) -> Encoding:
        """The encoding of a text file, as given or found out once; to do so the whole file is read."""
        if is_zip(handle):
            advice = "Excel is read by ExcelSource."
            raise InvalidFile("This is an Excel file, or another archive.", advice=advice)
        if self._encoding is not None:
            return self._encoding
        state = _state(handle)
        if self._encoding_of is None or self._encoding_of[0] != state:
            self._encoding_of = state, detect(handle)
        return self._encoding_of[1]


def _state(handle: BinaryIO) -> tuple[int, int]:
    state = os.fstat(handle.fileno())
    return state.st_size, state.st_mtime_ns


def _checked_row(row: int | None) -> int | None:
    if row is None or (isinstance(row, int) and not isinstance(row, bool) and 1 <= row <= MOST_ROWS):
        return row
    raise InvalidRequest(f"The row of headings is a number from 1 to {MOST_ROWS:,}.")


def _checked_encoding(name: str) -> Encoding:
    try:
        codec = TextIOWrapper(BytesIO(), name).encoding
    except LookupError:
        raise InvalidRequest(f"Python knows no encoding of texts called {shown(name, 40)}.") from None
    return Encoding("utf-8-sig" if codecs.lookup(codec).name == "utf-8" else codec, name)
