"""Opens a downloaded ZIP of certificates without trusting it: nothing is unpacked to disk, and sizes are bounded."""

from __future__ import annotations

import csv
import io
import os
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO, Any

from ._wire import scalars
from ._wire.names import CERTIFICATE_ROW
from ._wire.problems import WrongValue
from .codes import DeliveryStatus
from .errors import InvalidFile
from .models.certified import Certificate, CertificateBundle, CertificateRow

MAX_FILES = 10_000
MAX_FILE_SIZE = 50 * 2**20
MAX_TOTAL_SIZE = 500 * 2**20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_DELIMITERS = ";,\t"
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)

_READERS: Mapping[str, Callable[[str], Any]] = {
    "phone": scalars.phone,
    "status": lambda text: DeliveryStatus(scalars.integer(text)),
    "message_id": scalars.integer,
    "reported_at": scalars.madrid_datetime,
    "seconds": scalars.integer,
    "label": str.strip,
}


def open_certificates(
    file: str | os.PathLike[str] | bytes | IO[bytes],
    *,
    max_files: int = MAX_FILES,
    max_file_size: int = MAX_FILE_SIZE,
    max_total_size: int = MAX_TOTAL_SIZE,
) -> CertificateBundle:
    """Read a ZIP that `client.certified.download` fetched: its PDFs, and its CSV's rows.

    Everything is read into memory. Names are given without folders, so that they can be used as file names.

    Args:
        file: a path, the ZIP's bytes, or a binary file.
        max_files: entries taken at most.
        max_file_size: bytes of one entry at most, unpacked.
        max_total_size: bytes of all entries together at most, unpacked.

    Returns:
        The PDFs and the rows. Values of a row that cannot be read are None; `raw` has the row as it stands.

    Raises:
        InvalidFile: it cannot be read, is no ZIP, holds a name that leads out of a folder, a document that is no
            PDF, or more than the limits allow.
    """
    source = io.BytesIO(file) if isinstance(file, bytes | bytearray | memoryview) else file
    try:
        with zipfile.ZipFile(source) as archive:
            entries = _entries(archive, max_files, max_file_size, max_total_size)
            read = [(name, archive.read(info)) for name, info in entries]
    except InvalidFile:
        raise
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or "it is no whole ZIP"
        raise InvalidFile(f"The certificates cannot be read: {reason}.") from error
    certificates = [Certificate(name=name, content=data) for name, data in read if _is(name, ".pdf")]
    if not all(one.content.startswith(b"%PDF-") for one in certificates):
        raise InvalidFile("The ZIP holds a .pdf that is no PDF.")
    rows = [row for name, data in read if _is(name, ".csv") for row in _rows(data)]
    return CertificateBundle(certificates=tuple(certificates), rows=tuple(rows))


def _entries(
    archive: zipfile.ZipFile, max_files: int, max_file_size: int, max_total_size: int
) -> list[tuple[str, zipfile.ZipInfo]]:
    """The PDFs and tables by plain name; sizes are those declared, which zipfile holds each entry to."""
    infos = archive.infolist()
    if len(infos) > max_files:
        raise InvalidFile(f"The ZIP holds {len(infos)} entries; {max_files} are taken at most.")
    entries: dict[str, zipfile.ZipInfo] = {}
    total = 0
    for info in infos:
        name = _plain_name(info.filename)
        if info.is_dir() or not _is(name, ".pdf", ".csv"):
            continue
        total += info.file_size
        if info.file_size > max_file_size or total > max_total_size:
            raise InvalidFile("The ZIP unpacks to more bytes than are taken.")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise InvalidFile("The ZIP is encrypted or packed in an unusual way.")
        if name in entries:
            raise InvalidFile("The ZIP holds one name twice.")
        entries[name] = info
    return list(entries.items())


def _plain_name(name: str) -> str:
    """An entry's name with its folders joined to it, since they may be all that tells two files apart.

    Raises:
        InvalidFile: it leads out of the folder it would be unpacked to.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or not name.isprintable():
        raise InvalidFile("The ZIP holds a name that leads out of its folder.")
    return "-".join(path.parts)


def _is(name: str, *endings: str) -> bool:
    return name.lower().endswith(endings)


def _rows(data: bytes) -> Iterator[CertificateRow]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval=""):
            yield _row({name: value for name, value in row.items() if name is not None})
    except csv.Error as error:
        raise InvalidFile("The ZIP holds a table that cannot be read.") from error


def _row(raw: dict[str, str]) -> CertificateRow:
    folded = {_folded(name): value for name, value in raw.items()}
    found: dict[str, Any] = {}
    for attribute, names in CERTIFICATE_ROW.items():
        value = next((folded[_folded(name)] for name in names if folded.get(_folded(name))), "")
        try:
            found[attribute] = _READERS[attribute](value) if value else None
        except WrongValue:
            found[attribute] = None
    return CertificateRow(**{**found, "phone": found["phone"] or "", "label": found["label"] or ""}, raw=raw)


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return "".join(letter for letter in plain.casefold() if letter.isalnum())
