"""Opens the file of recipients a command is given, or standard input, so that it can be read twice."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from ..errors import InvalidFile
from ..sources.text_files import BLOCK, not_empty, open_file, reason_of, shown
from .stop import Stop, stop_at


@contextmanager
def open_input(path: str) -> Iterator[BinaryIO]:
    """Open the file, or standard input for `-`; what cannot be read twice is first copied to a temporary file.

    Raises:
        Stop: it does not exist, is a directory, may not be read, or is empty.
    """
    if path == "-" and sys.stdin is None:
        raise Stop("Standard input is closed; there are no recipients to read.")
    if path == "-":
        with _spooled(sys.stdin.buffer) as copy:
            yield _not_empty(copy, "Standard input")
        return
    try:
        handle = open_file(path)
    except InvalidFile as error:
        raise stop_at(error) from None
    name = shown(path)
    with handle:
        if stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
            yield _not_empty(handle, name)
            return
        with _spooled(handle) as copy:
            yield _not_empty(copy, name)


@contextmanager
def _spooled(stream: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        try:
            shutil.copyfileobj(stream, copy, BLOCK)
        except OSError as error:
            raise Stop(f"The recipients cannot be read: {reason_of(error)}.") from None
        copy.seek(0)
        yield copy


def _not_empty(handle: BinaryIO, name: str) -> BinaryIO:
    try:
        return not_empty(handle, name)
    except InvalidFile as error:
        raise stop_at(error) from None
