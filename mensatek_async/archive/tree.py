"""The folders of an archive: where each certificate is, what waits for one, and the record beside each.

    88/3f/1283876988-3f0a5c....pdf       a certificate, and its record: the same name, .json
    periods/20270101T0000-20270201T0000.zip
    pending/3f/1283876988-3f0a5c....jsonl    a recipient whose certificate is awaited, a status to a line; or a period
    pending/88/1283876988.json               a message whose certificates are being collected

A place follows from the message and the phone alone, so nobody has to search, and two processes agree. The last two
digits of the message and two of a digest spread any number evenly: 100,000 certificates are 4 to 400 files a folder.
The digest keeps phones out of names.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from time import time
from typing import TypeVar

from attrs import evolve, frozen

from .._core.private_file import PrivateFile, try_lock
from .._core.sink import SUFFIXES
from .._wire.structure import dumps, loads
from ..models.archive import ArchivedCertificate, CertificateStatus

T = TypeVar("T", ArchivedCertificate, "Seen")

PENDING, PERIODS = "pending", "periods"
_REFUSED_FOR = 7 * 86_400.0  # seconds before a message is asked for again that the provider refused
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@frozen
class Seen:
    """A status of one recipient as it was recorded, with what else that report told; or a period that is asked for."""

    message_id: int = 0
    phone: str = ""
    status: CertificateStatus | None = None
    reference: str = ""
    verification_code: str = ""
    start: datetime | None = None
    end: datetime | None = None


class Tree:
    """The files of an archive. Its methods block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_there(self) -> bool:
        """Return whether an archive has been begun here."""
        return (self.folder / PENDING).is_dir()

    def base(self, message_id: int, phone: str) -> Path:
        """Return a certificate's path without its ending."""
        name = name_of(message_id, phone)
        return self.folder / f"{message_id % 100:02}" / name.rpartition("-")[2][:2] / name

    def base_of_period(self, start: datetime, end: datetime) -> Path:
        """Return the path of a period's ZIP without its ending."""
        return self.folder / PERIODS / f"{start:%Y%m%dT%H%M}-{end:%Y%m%dT%H%M}"

    def pending(self, name: str) -> Path:
        """Return where the statuses are of who waits for the certificate of a name."""
        return self.folder / PENDING / name.rpartition("-")[2][:2] / f"{name}.jsonl"

    def marker(self, message_id: int) -> Path:
        """Return what says that a message is being collected."""
        return self.folder / PENDING / f"{message_id % 100:02}" / f"{message_id}.json"

    def waiting(self) -> Iterator[Path]:
        """Give all that is pending: recipients and messages."""
        for bucket in inside(self.folder / PENDING):
            yield from (path for path in inside(bucket) if path.suffix in (".jsonl", ".json"))

    def mark(self, message_id: int, reference: str) -> bool:
        """Note that a message is being collected; return whether that is new."""
        path = self.marker(message_id)
        if path.exists():
            return False
        write(path, json.dumps({"message_id": message_id, "reference": reference}))
        return True

    def was_refused(self, message_id: int) -> bool:
        """Return whether the provider refused a message's report within the last days."""
        return abs(time() - refused_at(self.marker(message_id))) < _REFUSED_FOR

    def record_of(self, base: Path) -> ArchivedCertificate | None:
        """Return the record of a certificate that is there; None where it or its file is not, or cannot be read."""
        record = read_record(base.with_name(f"{base.name}.json"))
        return record if record is not None and find(base) is not None else None

    def is_complete(self, base: Path, end: datetime | None) -> bool:
        """Return whether a certificate is there; a ZIP of a period that was fetched before its end is not complete."""
        file, record = find(base), read_record(base.with_name(f"{base.name}.json"))
        if file is None or end is None:
            return file is not None
        return (_written_at(file) if record is None else record.fetched_at) >= end

    def write_record(self, base: Path, seen: list[Seen], *, anew: bool) -> None:
        """Write the record of a certificate, or add to it; `anew` for one that has just come.

        Raises:
            FileNotFoundError: the certificate is gone.
            OSError: it cannot be written.
        """
        path = base.with_name(f"{base.name}.json")
        before, file = read_record(path), find(base)
        if file is None:
            raise FileNotFoundError(f"the certificate {base.name} is gone")
        record = before if before is not None and not anew else self._new_record(file, seen[0])
        known = before or record
        told: list[ArchivedCertificate | Seen] = [known, *seen]
        statuses = {*known.statuses, *(one.status for one in seen if one.status is not None)}
        record = evolve(
            record,
            reference=next((one.reference for one in told if one.reference), ""),
            verification_code=next((one.verification_code for one in told if one.verification_code), ""),
            statuses=tuple(sorted(statuses, key=lambda one: (one.reported_at or _LONG_AGO, one.code))),
        )
        write(path, dumps(record, indent=1) + "\n")

    def _new_record(self, file: Path, first: Seen) -> ArchivedCertificate:
        with file.open("rb") as opened:
            digest = file_digest(opened, "sha256").hexdigest()
        return ArchivedCertificate(
            file=file.relative_to(self.folder).as_posix(),
            media_type=next(kind for kind, suffix in SUFFIXES.items() if suffix == file.suffix),
            size=file.stat().st_size,
            sha256=digest,
            fetched_at=_written_at(file),
            message_id=first.message_id or None,
            phone=first.phone,
            start=first.start,
            end=first.end,
        )


class Held:
    """What waits for the certificate of one recipient, held by one process alone: its file is locked while it is used.

    Attributes:
        path: the file.
        seen: what was recorded of the recipient, oldest first.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle
        lines = os.read(handle, os.fstat(handle).st_size).split(b"\n")
        # A line that a power cut has cut says nothing.
        self.seen: list[Seen] = [one for line in lines if (one := _read(line, Seen)) is not None]

    @classmethod
    def take(cls, path: Path, *, new: bool) -> Held | None:
        """Take a recipient's file, and make it when it is new; None when another has it, or there is none."""
        if new:
            make_folder(path.parent)
        flags = os.O_RDWR | os.O_APPEND | (os.O_CREAT if new else 0)
        flags |= sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))
        try:
            handle = os.open(path, flags, 0o600)
        except FileNotFoundError:
            return None
        held = None
        try:
            if try_lock(path, handle):
                held = cls(path, handle)
        finally:
            if held is None:
                os.close(handle)
        return held

    def add(self, seen: Seen) -> None:
        """Write down what is known of the recipient now; nothing is written twice."""
        if seen in self.seen:
            return
        line = b"\n" + dumps(seen).encode()  # whatever the one before has come to
        is_new = not os.fstat(self._handle).st_size
        if os.write(self._handle, line) != len(line):
            raise OSError("the file takes nothing more")
        os.fsync(self._handle)
        if is_new:
            sync_folder(self.path.parent)
        self.seen.append(seen)

    def close(self) -> None:
        """Let go of it; what holds nothing is removed."""
        if not self.seen:
            _refusal(self.path).unlink(missing_ok=True)
        if not self.seen and sys.platform != "win32":
            self.path.unlink(missing_ok=True)
        os.close(self._handle)
        if not self.seen and sys.platform == "win32":  # where no open file can be
            self.path.unlink(missing_ok=True)


def name_of(message_id: int, phone: str) -> str:
    """Return the name of a recipient's certificate, without an ending and without the phone."""
    return f"{message_id}-{sha256(f'{message_id}:{phone}'.encode()).hexdigest()[:16]}"


def refused_at(path: Path) -> float:
    """Return when the provider last refused what waits here, in seconds since 1970; 0.0 for never."""
    try:
        return _refusal(path).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def note_refusal(path: Path) -> None:
    """Note that the provider refused what waits here, a message's report or a certificate."""
    write(_refusal(path), "")


def find(base: Path) -> Path | None:
    """Return the file of a certificate, whichever kind it is; None where it is not there."""
    paths = (base.with_name(base.name + suffix) for suffix in SUFFIXES.values())
    return next((path for path in paths if path.is_file()), None)


def read_record(path: Path) -> ArchivedCertificate | None:
    """Return a record; None where it is not there, or cannot be read."""
    try:
        return _read(path.read_bytes(), ArchivedCertificate)
    except OSError:
        return None


def reference_of(marker: Path) -> str:
    """Return the reference that a message is collected with; "" where nobody can tell."""
    try:
        return str(json.loads(marker.read_text(encoding="utf-8"))["reference"])
    except (OSError, ValueError, KeyError):
        return ""


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all, so that it outlives a power cut."""
    make_folder(path.parent)
    with PrivateFile(path) as file:
        file.write(text.encode())
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, for its owner's eyes, and those above it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(0o700)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlive a power cut, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def inside(folder: Path) -> list[Path]:
    """Return what is in a folder, in order, nothing where it is none; one that cannot be read is an OSError."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _refusal(path: Path) -> Path:
    return path.with_suffix(".refused")


def _written_at(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _read(text: bytes, cls: type[T]) -> T | None:
    try:
        return loads(text.decode(), cls)
    except (ValueError, TypeError, KeyError, ExceptionGroup):
        return None
