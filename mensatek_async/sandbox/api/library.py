"""The operations on the file library."""

from __future__ import annotations

import re

from ..account.account import Account
from ..account.records import LibraryFile, OperationResult
from ..clock import write_second
from .bodies import BadCall, Params
from .texting import read_base64

_NAME = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9]+")
_LONGEST_NAME = 15
_HELD = frozenset({"pdf", "xls", "xlsx", "doc", "docx", "vcf", "gif", "png", "jpg", "jpeg"})
_OTHER_IMAGES = frozenset({"bmp", "tif", "tiff", "webp", "svg", "heic", "avif", "ico"})

FULL, BAD_FORMAT, NO_CONTENT, NO_FILE, BAD_IMAGE, BAD_KIND = -10, -11, -12, -13, -14, -15
TOO_LARGE, UNREADABLE, TRIAL_ACCOUNT = -16, -17, -18
NOT_THERE = -2


def upload(account: Account, params: Params) -> OperationResult:
    """CargarFichero: put a file into the library."""
    if account.trial:
        return _answer(account, TRIAL_ACCOUNT)
    kind = params.text("Tipo").strip().upper()
    if kind not in ("FILES", "BASE64"):
        return _answer(account, BAD_KIND)
    name = params.text("Nombre", required=kind == "BASE64")
    if kind == "FILES":
        if not params.uploads:
            return _answer(account, NO_FILE)
        filename, content = params.uploads[0]
        name = name or _fitting_name(filename)
    else:
        if not params.text("Contenido"):
            return _answer(account, NO_CONTENT)
        decoded = read_base64(params.text("Contenido"))
        if decoded is None:
            return _answer(account, UNREADABLE)
        content = decoded
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadCall(
            f"Nombre no es correcto: letras y números con extensión, máximo {_LONGEST_NAME} caracteres"
        )
    if code := _refusal(account, name, len(content)):
        return _answer(account, code)
    leaves = params.text("Autoborrado").strip().lower() in ("si", "sí", "1", "true")
    account.put_file(
        LibraryFile(
            name=name, content=content, uploaded_at=account.clock.now, delete_after_certification=leaves
        )
    )
    return _answer(account, 1, Nombre=name)


def _answer(account: Account, code: int, **fields: object) -> OperationResult:
    return OperationResult(fields={"Res": code, **fields, "Cred": account.credits})


def _refusal(account: Account, name: str, size: int) -> int:
    """The result code that keeps a file out; 0 when there is none."""
    extension = _extension(name)
    if extension in _OTHER_IMAGES:
        return BAD_IMAGE
    if extension not in _HELD:
        return BAD_FORMAT
    if size > account.max_file_bytes:
        return TOO_LARGE
    others = [file for file in account.files.values() if file.name != name]
    used = sum(len(file.content) for file in others)
    return FULL if len(others) >= account.max_files or used + size > account.library_bytes else 0


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _fitting_name(filename: str) -> str:
    """A file's own name made to fit the library."""
    stem, _, extension = filename.rpartition(".")
    extension = re.sub(r"[^A-Za-z0-9]", "", extension)
    room = max(_LONGEST_NAME - len(extension) - 1, 1)
    return f"{re.sub(r'[^A-Za-z0-9]', '', stem)[:room] or 'fichero'}.{extension}"


def list_files(account: Account, _params: Params) -> OperationResult:
    """ListarFicheros: what is in the library."""
    account.tidy_library()
    rows = [
        {"Fecha": write_second(file.uploaded_at), "Nombre": file.name, "Ext": _extension(file.name).upper()}
        for file in account.files.values()
    ]
    return _answer(account, 1, Ficheros=rows)


def delete(account: Account, params: Params) -> OperationResult:
    """BorrarFichero: remove a file from the library."""
    account.tidy_library()
    deleted = account.delete_file(params.text("Nombre", required=True))
    return _answer(account, 1 if deleted else NOT_THERE)
