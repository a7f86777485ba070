"""Opens a downloaded ZIP of certificates without trusting it: nothing is unpacked to disk, and sizes are bounded."""

from __future__ import annotations

import codecs
import csv
import io
import os
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice, zip_longest
from pathlib import PurePosixPath
from typing import IO, Any

from attrs import evolve

from ._wire.structure import structure
from .errors import InvalidCertificates
from .models.certified import Certificate, CertificateBundle, CertificateRow

MAX_FILES = 10_000
MAX_FILE_SIZE = 50 * 2**20
MAX_TOTAL_SIZE = 500 * 2**20
MAX_ROWS = 100_000
_LOOKED_AT = 100  # rows of each table, when the ZIP is opened
_LONGEST_ROW = 1_000_000
_STEP = 2**16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_DELIMITERS = ";,\t"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def open_certificates(
    file: str | os.PathLike[str] | bytes | IO[bytes],
    *,
    max_files: int = MAX_FILES,
    max_file_size: int = MAX_FILE_SIZE,
    max_total_size: int = MAX_TOTAL_SIZE,
    max_rows: int = MAX_ROWS,
) -> CertificateBundle:
    """Read a ZIP that `client.certified.download` fetched: its PDFs, and its CSV's rows.

    The files are read into memory, the rows of a CSV only as they are asked for. Names are given without folders, so
    that they can be used as file names.

    Args:
        file: a path, the ZIP's bytes, or a binary file.
        max_files: entries taken at most.
        max_file_size: bytes of one entry at most, unpacked.
        max_total_size: bytes of all entries together at most, unpacked.
        max_rows: rows of all CSVs together at most; who reads on after them gets `InvalidCertificates`.

    Returns:
        The PDFs and the rows. Values of a row that cannot be read are None; `raw` has the row as it stands.

    Raises:
        InvalidCertificates: it cannot be read, is no ZIP, holds an entry without a name or with one that leads out of
            a folder, a document that is no PDF, or more than the limits allow.
    """
    source = io.BytesIO(file) if isinstance(file, bytes | bytearray | memoryview) else file
    try:
        with zipfile.ZipFile(source) as archive:
            entries = _entries(archive, max_files, max_file_size, max_total_size)
            read = [(name, archive.read(info)) for name, info in entries]
    except InvalidCertificates:
        raise
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or "it is no whole ZIP"
        raise InvalidCertificates(f"The certificates cannot be read: {reason}.") from error
    certificates = [Certificate(name=name, content=data) for name, data in read if _is(name, ".pdf")]
    if not all(one.content.startswith(b"%PDF-") for one in certificates):
        raise InvalidCertificates("The ZIP holds a .pdf that is no PDF.")
    tables = tuple(data for name, data in read if _is(name, ".csv"))
    for table in tables:
        for _ in islice(_records(table), _LOOKED_AT):
            pass
    return CertificateBundle(certificates=tuple(certificates), rows=_Rows(tables, max_rows) if tables else ())


class _Rows(Sequence[CertificateRow]):
    """The rows of tables, read anew each time they are asked for.

    Args:
        tables: the CSV files.
        most: how many rows are given; a further one is an error.
    """

    def __init__(self, tables: tuple[bytes, ...], most: int) -> None:
        self._tables = tables
        self._most = most

    def __iter__(self) -> Iterator[CertificateRow]:
        records = (record for table in self._tables for record in _records(table))
        for number, record in enumerate(records):
            if number >= self._most:
                raise InvalidCertificates(f"The ZIP holds more than {self._most} rows; no more are taken.")
            yield _row(record)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index: Any) -> Any:
        return tuple(self)[index]


def _entries(
    archive: zipfile.ZipFile, max_files: int, max_file_size: int, max_total_size: int
) -> list[tuple[str, zipfile.ZipInfo]]:
    """The PDFs and tables by plain name; sizes are those declared, which zipfile holds each entry to."""
    infos = archive.infolist()
    if len(infos) > max_files:
        raise InvalidCertificates(f"The ZIP holds {len(infos)} entries; {max_files} are taken at most.")
    entries: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in infos:
        if not info.filename:
            raise InvalidCertificates("The ZIP holds an entry without a name.")
        name = _plain_name(info.filename)
        if info.is_dir() or not _is(name, ".pdf", ".csv"):
            continue
        total += info.file_size
        if info.file_size > max_file_size or total > max_total_size:
            raise InvalidCertificates("The ZIP unpacks to more bytes than are taken.")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise InvalidCertificates("The ZIP is encrypted or packed in an unusual way.")
        if name in entries:
            raise InvalidCertificates("The ZIP holds one name twice.")
        entries[name] = info
    return list(entries.items())


def _plain_name(name: str) -> str:
    """An entry's name with its folders joined to it, since they may be all that tells two files apart.

    Raises:
        InvalidCertificates: it leads out of the folder it would be unpacked to.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not name.isprintable():
        raise InvalidCertificates("The ZIP holds a name that leads out of its folder.")
    return "-".join(path.parts)


def _is(name: str, *endings: str) -> bool:
    return name.lower().endswith(endings)


def _records(table: bytes) -> Iterator[dict[str, str]]:
    """The rows of a CSV by its headings, in a memory that does not grow with it."""
    text = io.TextIOWrapper(io.BytesIO(table), _encoding(table), "replace", newline="")
    delimiter = max(_DELIMITERS, key=text.readline(_LONGEST_ROW).count)
    text.seek(0)
    pulled = 0

    def lines() -> Iterator[str]:
        nonlocal pulled
        while line := text.readline(_LONGEST_ROW + 1):
            pulled += len(line)
            if pulled > _LONGEST_ROW:
                raise csv.Error
            yield line

    headings: list[str] = []
    try:
        for row in csv.reader(lines(), delimiter=delimiter):
            pulled = 0
            if headings and row:
                yield dict(zip_longest(headings, row[: len(headings)], fillvalue=""))
            headings = headings or row
    except csv.Error as error:
        raise InvalidCertificates("The ZIP holds a table that cannot be read.") from error


def _encoding(table: bytes) -> str:
    pieces = (table[at : at + _STEP] for at in range(0, len(table), _STEP))
    try:
        for _ in codecs.iterdecode(pieces, "utf-8-sig"):
            pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _row(raw: dict[str, str]) -> CertificateRow:
    return evolve(structure({_folded(name): value for name, value in raw.items()}, CertificateRow), raw=raw)


@cache
def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return "".join(letter for letter in plain.casefold() if letter.isalnum())
