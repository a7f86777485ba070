"""The file library: what it holds, and how much it may."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from .events import Event, Filed
from .records import LibraryFile

_DOCUMENTS = frozenset({"pdf", "xls", "xlsx", "doc", "docx", "vcf"})
_IMAGES = frozenset({"gif", "png", "jpg", "jpeg"})
_OTHER_IMAGES = frozenset({"bmp", "tif", "tiff", "webp", "svg", "heic", "avif", "ico"})
LONGEST_NAME = 15

FULL, BAD_FORMAT, BAD_IMAGE, TOO_LARGE = -10, -11, -14, -16


@dataclass(eq=False, repr=False)
class Library:
    """The files of an account, and how many (`max_files`) and how large they may be."""

    max_files: int
    max_bytes: int
    max_file_bytes: int
    events: list[Event] = field(default_factory=list)
    _files: dict[str, LibraryFile] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __getitem__(self, name: str) -> LibraryFile:
        return self._files[name]

    def files(self) -> list[LibraryFile]:
        """All files, oldest first."""
        return list(self._files.values())

    def refusal(self, name: str, size: int) -> int:
        """The result code that keeps a file out; 0 when there is none."""
        extension = extension_of(name)
        if extension in _OTHER_IMAGES:
            return BAD_IMAGE
        if extension not in _DOCUMENTS | _IMAGES:
            return BAD_FORMAT
        if size > self.max_file_bytes:
            return TOO_LARGE
        others = [file for file in self._files.values() if file.name != name]
        if len(others) >= self.max_files or sum(len(file.content) for file in others) + size > self.max_bytes:
            return FULL
        return 0

    def add(self, name: str, content: bytes, now: datetime, delete_after_certification: bool) -> None:
        """Store a file; one of the same name is replaced."""
        file = LibraryFile(
            name=name, content=content, uploaded_at=now, delete_after_certification=delete_after_certification
        )
        self.restore(file)
        self.events.append(Filed(name, file))

    def restore(self, file: LibraryFile) -> None:
        """Put a file where it was."""
        self._files[file.name] = file

    def delete(self, name: str) -> bool:
        """Remove a file; whether there was one."""
        was_there = self._files.pop(name, None) is not None
        if was_there:
            self.events.append(Filed(name, None))
        return was_there

    def clear(self) -> None:
        """Remove all files."""
        for name in list(self._files):
            self.delete(name)


def extension_of(name: str) -> str:
    """What stands behind the last dot, in lower case; "" when there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def fitting_name(filename: str) -> str:
    """A file's own name made to fit the library."""
    stem, _, extension = filename.rpartition(".")
    extension = re.sub(r"[^A-Za-z0-9]", "", extension)
    room = max(LONGEST_NAME - len(extension) - 1, 1)
    return f"{re.sub(r'[^A-Za-z0-9]', '', stem)[:room] or 'fichero'}.{extension}"
