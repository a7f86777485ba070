"""`client.files`: the library of files that messages can carry."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from inspect import iscoroutinefunction
from pathlib import PurePath
from typing import IO, Literal

import anyio

from .._core.context import Context
from .._core.transport import multipart
from .._wire.encode import Params, multipart_fields, to_wire
from .._wire.names import FileList, UploadReply
from ..errors import InvalidFile
from ..models.results import StoredFile
from ..text.segments import is_writable
from ..tracebacks import private

# PDF, Word, Excel and VCF by the manual, images by its older edition.
_TYPES = frozenset({"pdf", "doc", "docx", "xls", "xlsx", "vcf", "gif", "png", "jpg", "jpeg"})
_NAME = re.compile(r"[A-Za-z0-9]+\.[A-Za-z0-9]+")
_LONGEST_NAME = 15


@private
class FilesResource:
    """Uploads, lists and deletes files. Reached as `client.files`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def upload(
        self,
        file: str | os.PathLike[str] | bytes | IO[bytes],
        *,
        name: str | None = None,
        delete_after_certification: bool = False,
        encoding: Literal["multipart", "base64"] = "multipart",
    ) -> StoredFile:
        """Put a file into the library.

        Operation of the API: CargarFichero. Repeated safely: the same name holds the same file.

        Args:
            file: a path, the content itself, or a binary file, which is read to its end.
            name: its name in the library: letters and digits with an extension, 15 characters at most. Default: the
                file keeps its own, which the provider may change (encoding "base64" takes one of the form above
                only). Needed for bytes.
            delete_after_certification: have the provider delete it once the one certified message that uses it is
                certified.
            encoding: how it travels: "multipart", as the provider recommends, or "base64".

        Returns:
            The file as it is named in the library.

        Raises:
            InvalidFile: empty, not readable, or of a name or type the library does not take; nothing left.
            FileRejected: the provider does not take it: one of `StorageFull`, `FormatNotAllowed`, `FileTooLarge`,
                `UploadFailed`, `FilesNotAllowed`, `ContentMissing`.
            OutcomeUnknown: no readable answer came; look into `list()`.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        if encoding not in ("multipart", "base64"):
            raise InvalidFile(f"encoding is 'multipart' or 'base64', not {encoding!r}.")
        content, original = await _read(file)
        own = not name and encoding == "multipart"
        stored = _checked_name(name or original, own=own)
        if not content:
            raise InvalidFile(f"The file {stored} is empty.")
        operation = self._context.operations["CargarFichero"]
        params = to_wire(delete_after_certification=delete_after_certification)
        if not own:
            params |= to_wire(name=stored)
        body = None
        if encoding == "base64":
            params |= to_wire(upload_kind="BASE64", content=b64encode(content).decode("ascii"))
        else:
            params |= to_wire(upload_kind="FILES")
            body = multipart(multipart_fields({**params, **to_wire(response="JSON")}), stored, content)
        reply: UploadReply = await self._context.caller.ask(operation, params, body=body)
        given = reply.name or stored
        return StoredFile(name=given, extension=PurePath(given).suffix.removeprefix(".").upper())

    async def list(self) -> list[StoredFile]:
        """Return what the library holds.

        Operation of the API: ListarFicheros. The same question never goes out twice within five seconds: it is
        answered from memory, or waits when the library was changed from here meanwhile.

        Returns:
            The files, in the provider's order.

        Raises:
            UnexpectedReply: an answer nobody can read.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        reply: FileList = await self._context.caller.ask(self._context.operations["ListarFicheros"], Params())
        return [*reply.files]

    async def delete(self, name: str) -> None:
        """Delete a file from the library. A message that carries it must have been certified before.

        Operation of the API: BorrarFichero. Repeated safely: when an earlier try's answer was lost and the provider
        then says "no such file", that is success.

        Args:
            name: its name in the library.

        Raises:
            FileNotFound: there is no such file.
            InvalidFile: the name is empty; nothing left.
            MensatekError: any other of the family; its words say whether anything was sent.
        """
        if not isinstance(name, str) or not name.strip():
            raise InvalidFile("A file is deleted by its name in the library.")
        await self._context.caller.ask(self._context.operations["BorrarFichero"], to_wire(name=name.strip()))


async def _read(file: str | os.PathLike[str] | bytes | IO[bytes]) -> tuple[bytes, str]:
    """Return the content and the name a file brings along."""
    if isinstance(file, bytes | bytearray | memoryview):
        return bytes(file), ""
    if isinstance(file, str | os.PathLike):
        path = anyio.Path(file)
        try:
            return await path.read_bytes(), path.name
        except (OSError, ValueError) as error:  # a path that cannot be is a ValueError
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise InvalidFile(f"The file cannot be read: {reason}.") from error
    read = getattr(file, "read", None)
    if read is None:
        raise InvalidFile(f"A file is a path, bytes or a binary file, not {type(file).__name__}.")
    try:
        # A file of anyio's own is awaited.
        content = await (read() if iscoroutinefunction(read) else anyio.to_thread.run_sync(read))
    except (OSError, ValueError) as error:  # a closed file's is a ValueError
        raise InvalidFile(f"The file cannot be read: {type(error).__name__}.") from error
    if not isinstance(content, bytes):
        raise InvalidFile("The file was opened as text.", advice='Open it with "rb".')
    original = getattr(file, "name", "")
    return content, PurePath(original).name if isinstance(original, str) else ""


def _checked_name(name: str, *, own: bool) -> str:
    """Return a name for the library; the provider fits one that the file has of its own into it."""
    if not isinstance(name, str):
        raise InvalidFile(f"A file's name is a text, not {type(name).__name__}.")
    if not name:
        raise InvalidFile("Bytes have no name.", advice='Give one, such as name="contrato.pdf".')
    if not own and not (_NAME.fullmatch(name) and len(name) <= _LONGEST_NAME):
        raise InvalidFile(
            f"The library takes names of letters and digits with an extension, {_LONGEST_NAME} characters at most.",
            advice='Give a shorter one with name=, such as name="contrato.pdf".',
        )
    extension = PurePath(name).suffix.removeprefix(".")
    if extension.lower() not in _TYPES or not is_writable(name):
        raise InvalidFile(
            f"The library does not take .{extension} files; it takes {', '.join(sorted(_TYPES))}."
            if extension
            else "The file's name has no extension."
        )
    return name
