"""Where a download goes: a temporary file first, the destination only when all of it is there."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import IO, Any, TypeVar

import anyio
from anyio import to_thread

from ..errors import InvalidFile
from .failures import Cut, NotStored
from .private_file import PrivateFile, write_all

T = TypeVar("T")

PDF, ZIP = "application/pdf", "application/zip"
SUFFIXES = {PDF: ".pdf", ZIP: ".zip"}
_MAGIC = {b"%PDF-": PDF, b"PK\x03\x04": ZIP, b"PK\x05\x06": ZIP}
LONGEST_MAGIC = max(map(len, _MAGIC))
_TAIL = 2048
_BLOCK = 1 << 20


def media_type_of(start: bytes) -> str | None:
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


class Sink:
    """Takes the pieces of one download, from its start again when it is repeated."""

    def __init__(self, file: IO[bytes], path: Path | None = None) -> None:
        self._file = file
        self.path = path  # where it is in the end; None when it went into a file of the user's
        self.size: int = 0  # bytes that came
        self.media_type: str = ""  # what it is

    async def start(self, media_type: str) -> None:
        self.size, self.media_type = 0, media_type
        await _stored(self._empty)

    async def write(self, piece: bytes) -> None:
        await _stored(write_all, self._file, piece)
        self.size += len(piece)

    async def finish(self, *, framed: bool) -> None:
        """Check that the document has its end; `framed`: HTTP said where the answer ends, and it did end there."""
        if not await _stored(self._is_whole, framed):
            raise Cut(f"the {self.media_type.rpartition('/')[2].upper()} has no end")

    def _empty(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    def _is_whole(self, framed: bool) -> bool:
        self._file.flush()
        if self.media_type == ZIP:  # without the directory at its end it cannot be opened
            return zipfile.is_zipfile(self._file)
        if framed:
            return True
        self._file.seek(-min(self.size, _TAIL), os.SEEK_END)
        return b"%%EOF" in self._file.read()


@asynccontextmanager
async def open_sink(destination: str | os.PathLike[str] | IO[bytes]) -> AsyncIterator[Sink]:
    """Open a place for a download; leaving the block without an error puts it where it belongs."""
    if isinstance(destination, str | os.PathLike):
        place = _beside(Path(destination))
    elif not callable(getattr(destination, "write", None)):
        raise InvalidFile(f"A destination is a path or a binary file, not {type(destination).__name__}.")
    elif isinstance(destination, io.TextIOBase) or hasattr(destination, "encoding"):
        raise InvalidFile("The destination was opened as text.", advice='Open it with "wb".')
    else:
        place = _through(destination)
    async with place as sink:
        yield sink


@asynccontextmanager
async def _beside(path: Path) -> AsyncIterator[Sink]:
    if await anyio.Path(path).is_dir():
        raise InvalidFile("The destination is a directory.", advice="Give the file's name too.")
    try:
        file = await to_thread.run_sync(PrivateFile, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InvalidFile(f"The destination cannot be written: {reason}.") from error
    try:
        if file.replaces:
            yield (sink := Sink(file.file, path))
            sink.path = _named(path, sink.media_type)
            await _stored(file.keep, sink.path)
        else:  # a device or a pipe takes no byte back
            async with _through(file.file, path) as sink:
                yield sink
            await _stored(file.keep)
    finally:
        file.close()


def _named(path: Path, media_type: str) -> Path:
    """Return a path whose ending says what came, where the one that was given says otherwise."""
    suffix = SUFFIXES[media_type]
    wrong = path.suffix.lower() in {*SUFFIXES.values()} - {suffix}
    return path.with_suffix(suffix) if wrong else path


@asynccontextmanager
async def _through(destination: IO[bytes], path: Path | None = None) -> AsyncIterator[Sink]:
    with tempfile.TemporaryFile() as file:
        yield Sink(file, path)
        file.seek(0)
        while block := await to_thread.run_sync(file.read, _BLOCK):
            if iscoroutinefunction(destination.write):  # a file of anyio's own
                await destination.write(block)
            else:
                await _stored(write_all, destination, block)


async def _stored(step: Callable[..., T], *arguments: Any) -> T:
    try:
        return await to_thread.run_sync(partial(step, *arguments))
    except (OSError, ValueError) as error:  # a closed file's is a ValueError
        raise NotStored(error) from error
