"""The file library, with its limits and the operations on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ..account.records import LibraryFile, Reply
from ..clock import write_second
from .bodies import BadCall, Params
from .texting import read_base64

if TYPE_CHECKING:
    from ..account.account import Account

_DOCUMENTS = frozenset({"pdf", "xls", "xlsx", "doc", "docx", "vcf"})
_IMAGES = frozenset({"gif", "png", "jpg", "jpeg"})
_OTHER_IMAGES = frozenset({"bmp", "tif", "tiff", "webp", "svg", "heic", "avif", "ico"})
_NAME = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9]+")
_LONGEST_NAME = 15

FULL, BAD_FORMAT, NO_CONTENT, NO_FILE, BAD_IMAGE = -10, -11, -12, -13, -14
BAD_KIND, TOO_LARGE, UNREADABLE, TRIAL_ACCOUNT = -15, -16, -17, -18
NOT_THERE = -2


class Library:
    """The files of an account.

    Args:
        max_files: how many there may be.
        max_bytes: how much they may take together.
        max_file_bytes: how much one may take.
    """

    def __init__(self, max_files: int, max_bytes: int, max_file_bytes: int) -> None:
        self.max_files = max_files
        self.max_bytes = max_bytes
        self._max_file_bytes = max_file_bytes
        self._files: dict[str, LibraryFile] = {}
        self.changed: Callable[[str, LibraryFile | None], None] = lambda name, file: None

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __getitem__(self, name: str) -> LibraryFile:
        return self._files[name]

    def files(self) -> list[LibraryFile]:
        """All files, oldest first."""
        return list(self._files.values())

    def refusal(self, name: str, size: int) -> int:
        """The result code that keeps a file out; 0 when there is none."""
        extension = _extension(name)
        if extension in _OTHER_IMAGES:
            return BAD_IMAGE
        if extension not in _DOCUMENTS | _IMAGES:
            return BAD_FORMAT
        if size > self._max_file_bytes:
            return TOO_LARGE
        others = [file for file in self._files.values() if file.name != name]
        if len(others) >= self.max_files or sum(len(file.content) for file in others) + size > self.max_bytes:
            return FULL
        return 0

    def add(self, name: str, content: bytes, now: datetime, delete_after_certification: bool) -> None:
        """Store a file; one of the same name is replaced."""
        self.restore(
            LibraryFile(
                name=name,
                content=content,
                uploaded_at=now,
                delete_after_certification=delete_after_certification,
            )
        )
        self.changed(name, self._files[name])

    def restore(self, file: LibraryFile) -> None:
        """Put a file where it was."""
        self._files[file.name] = file

    def delete(self, name: str) -> bool:
        """Remove a file; whether there was one."""
        found = self._files.pop(name, None) is not None
        if found:
            self.changed(name, None)
        return found

    def clear(self) -> None:
        """Remove all files."""
        for name in list(self._files):
            self.delete(name)

    def deleted_after_certification(self) -> frozenset[str]:
        """The names of files that go once their message is certified."""
        return frozenset(file.name for file in self._files.values() if file.delete_after_certification)


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _cleaned(filename: str) -> str:
    """A file's own name made to fit the library."""
    stem, _, extension = filename.rpartition(".")
    extension = re.sub(r"[^A-Za-z0-9]", "", extension)
    room = max(_LONGEST_NAME - len(extension) - 1, 1)
    return f"{re.sub(r'[^A-Za-z0-9]', '', stem)[:room] or 'fichero'}.{extension}"


def upload(account: Account, params: Params) -> Reply:
    """CargarFichero: put a file into the library."""
    code, name = _upload(account, params)
    if code:
        return Reply(fields={"Res": code, "Cred": account.credits})
    return Reply(fields={"Res": 1, "Nombre": name, "Cred": account.credits})


def _upload(account: Account, params: Params) -> tuple[int, str]:
    if account.trial:
        return TRIAL_ACCOUNT, ""
    kind = params.text("Tipo").strip().upper()
    if kind not in ("FILES", "BASE64"):
        return BAD_KIND, ""
    name = params.text("Nombre", required=kind == "BASE64")
    if kind == "FILES":
        if not params.uploads:
            return NO_FILE, ""
        content = params.uploads[0].content
        name = name or _cleaned(params.uploads[0].filename)
    else:
        if not params.text("Contenido"):
            return NO_CONTENT, ""
        decoded = read_base64(params.text("Contenido"))
        if decoded is None:
            return UNREADABLE, ""
        content = decoded
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadCall(
            f"Nombre no es correcto: letras y números con extensión, máximo {_LONGEST_NAME} caracteres"
        )
    if code := account.library.refusal(name, len(content)):
        return code, ""
    leaves = params.text("Autoborrado").strip().lower() in ("si", "sí", "1", "true")
    account.library.add(name, content, account.clock.now, leaves)
    return 0, name


def list_files(account: Account, _params: Params) -> Reply:
    """ListarFicheros: what is in the library."""
    account.tidy_library()
    rows = [
        {"Fecha": write_second(file.uploaded_at), "Nombre": file.name, "Ext": _extension(file.name).upper()}
        for file in account.library.files()
    ]
    return Reply(fields={"Res": 1, "Ficheros": rows, "Cred": account.credits})


def delete(account: Account, params: Params) -> Reply:
    """BorrarFichero: remove a file from the library."""
    account.tidy_library()
    deleted = account.library.delete(params.text("Nombre", required=True))
    return Reply(fields={"Res": 1 if deleted else NOT_THERE, "Cred": account.credits})
