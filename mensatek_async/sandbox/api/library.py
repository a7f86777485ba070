"""The operations on the file library."""

from __future__ import annotations

import re

from ..account.account import Account
from ..account.library import LONGEST_NAME, extension_of, fitting_name
from ..account.records import OperationResult
from ..clock import write_second
from .bodies import BadCall, Params
from .texting import read_base64

_NAME = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9]+")

NO_CONTENT, NO_FILE, BAD_KIND, UNREADABLE, TRIAL_ACCOUNT = -12, -13, -15, -17, -18
NOT_THERE = -2


def upload(account: Account, params: Params) -> OperationResult:
    """CargarFichero: put a file into the library."""
    if account.trial:
        return _refused(account, TRIAL_ACCOUNT)
    kind = params.text("Tipo").strip().upper()
    if kind not in ("FILES", "BASE64"):
        return _refused(account, BAD_KIND)
    name = params.text("Nombre", required=kind == "BASE64")
    if kind == "FILES":
        if not params.uploads:
            return _refused(account, NO_FILE)
        content = params.uploads[0].content
        name = name or fitting_name(params.uploads[0].filename)
    else:
        if not params.text("Contenido"):
            return _refused(account, NO_CONTENT)
        decoded = read_base64(params.text("Contenido"))
        if decoded is None:
            return _refused(account, UNREADABLE)
        content = decoded
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise BadCall(
            f"Nombre no es correcto: letras y números con extensión, máximo {LONGEST_NAME} caracteres"
        )
    if code := account.library.refusal(name, len(content)):
        return _refused(account, code)
    leaves = params.text("Autoborrado").strip().lower() in ("si", "sí", "1", "true")
    account.library.add(name, content, account.clock.now, leaves)
    return OperationResult(fields={"Res": 1, "Nombre": name, "Cred": account.credits})


def _refused(account: Account, code: int) -> OperationResult:
    return OperationResult(fields={"Res": code, "Cred": account.credits})


def list_files(account: Account, _params: Params) -> OperationResult:
    """ListarFicheros: what is in the library."""
    account.tidy_library()
    rows = [
        {"Fecha": write_second(file.uploaded_at), "Nombre": file.name, "Ext": extension_of(file.name).upper()}
        for file in account.library.files()
    ]
    return OperationResult(fields={"Res": 1, "Ficheros": rows, "Cred": account.credits})


def delete(account: Account, params: Params) -> OperationResult:
    """BorrarFichero: remove a file from the library."""
    account.tidy_library()
    deleted = account.library.delete(params.text("Nombre", required=True))
    return OperationResult(fields={"Res": 1 if deleted else NOT_THERE, "Cred": account.credits})
