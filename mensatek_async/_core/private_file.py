"""Files that hold phones or certificates: readable by their owner alone, and under their name whole or not at all.

An export or a report takes the place of an earlier one of its kind, and of nothing else.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import IO, TextIO

from attrs import frozen

from ..errors import InvalidRequest

_PART = re.compile(r"\..*\.[0-9a-f]{16}\.part")
_LOOKED_AT = 20_000  # files of a folder among which those of dead processes are looked for
_PATIENCE = 3.0  # seconds that a pipe without a reader is waited for
_STREAM = re.compile(r"/dev/(?:fd/(\d+)|std(out|err))|/proc/self/fd/(\d+)")


class PrivateFile:
    """A file that is written under a random name beside its own, and gets its own when it is whole.

    As a context manager it gives the open file, and keeps what is written unless an error leaves the block. A device or
    a pipe is written into as it is, and never replaced. What processes left that are dead is removed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part: Path | None = None
        if is_stream(path):
            self.file: IO[bytes] = _open_stream(path)
            return
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
        _clear(path.parent)
        self._part, self.file = _create(path)

    @property
    def replaces(self) -> bool:
        """Whether it takes the place of what stands there, which no device or pipe does."""
        return self._part is not None

    def keep(self, path: Path | None = None) -> None:
        """Put it in its place, or in another one of the same folder; nothing is written any more."""
        self.file.flush()
        if self._part is not None:
            os.fsync(self.file.fileno())
            if sys.platform == "win32":  # which renames no open file
                self.file.close()
            self._part.replace(path or self._path)
            self._part = None

    def close(self) -> None:
        with suppress(OSError):
            self.file.close()
        if self._part is not None:
            with suppress(OSError):
                self._part.unlink()

    def __enter__(self) -> IO[bytes]:
        return self.file

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.keep()
        finally:
            self.close()


@frozen
class Kind:
    """What a file is, by which an earlier one is known."""

    name: str  # what it is called, such as "export of a campaign"
    is_one: Callable[[bytes], bool]  # whether a file that begins with these bytes is one
    # endings of names that promise something else, as "-" promises standard output
    wrong: tuple[str, ...] = ()
    advice: str = ""  # what to call it instead

    def check(self, target: Path, *, force: bool) -> None:
        """Refuse to write over what is none, and names that promise something else.

        Args:
            target: the file to be written.
            force: whether to overwrite a file that is none; a database never is.
        """
        start = b""
        if target.is_file() and not is_stream(target):
            with target.open("rb") as file:
                start = file.read(4096)
        if start.startswith(b"SQLite format 3"):
            raise InvalidRequest(f"{str(target)!r} is a database: the {self.name} needs another name.")
        if target.name == "-" or target.suffix.lower() in self.wrong:
            raise InvalidRequest(f"{target.name!r} is no name for the {self.name}.", advice=self.advice)
        if start and not force and not self.is_one(start):
            raise InvalidRequest(
                f"{str(target)!r} is there, and is no {self.name}.",
                advice="Give another name, or force=True to overwrite it.",
            )

    @contextmanager
    def write(self, path: str | os.PathLike[str], *, force: bool) -> Iterator[TextIO]:
        """Write one in UTF-8, whole or not at all."""
        target = Path(path)
        try:
            self.check(target, force=force)
            with (
                PrivateFile(target) as file,
                open(
                    file.fileno(), "w", encoding="utf-8", errors="replace", newline="", closefd=False
                ) as out,
            ):
                yield out
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise InvalidRequest(
                f"{str(target)!r} cannot be written: {why}.",
                advice="Nothing is left of it; try another place.",
            ) from error


def write_all(file: IO[bytes], piece: bytes) -> None:
    """Write to a file that may take less than all at once."""
    view = memoryview(piece)
    while view:
        taken = file.write(view)
        if taken == 0:
            raise OSError("the file takes nothing more")
        view = view[len(view) if taken is None else taken :]


def is_stream(path: Path) -> bool:
    """Return whether a path is a device, a pipe or a stream of this process: written into, and never replaced."""
    if _STREAM.fullmatch(str(path)):
        return True
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _open_stream(path: Path) -> IO[bytes]:
    if own := _STREAM.fullmatch(str(path)):
        number = {"out": 1, "err": 2}.get(own[2]) or int(own[1] or own[3])
        return open(os.dup(number), "wb", buffering=0)
    mode = path.stat().st_mode
    if not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
        raise OSError(errno.EINVAL, "it is no file, pipe or character device")
    deadline, flags = time.monotonic() + _PATIENCE, _flags(os.O_WRONLY, "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC")
    while True:
        try:
            handle = os.open(path, flags)
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise OSError(errno.ENXIO, "nobody reads from the pipe") from None
            time.sleep(0.02)
    os.set_blocking(handle, True)
    return open(handle, "wb", buffering=0)


def _flags(flags: int, *more: str) -> int:
    return flags | sum(getattr(os, name, 0) for name in more)  # not every system has all


def _create(path: Path) -> tuple[Path, IO[bytes]]:
    flags = _flags(os.O_RDWR | os.O_CREAT | os.O_EXCL, "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY")
    while True:
        part = path.with_name(f".{path.name[:40]}.{token_hex(8)}.part")
        handle = os.open(part, flags, 0o600)
        if try_lock(part, handle):
            return part, open(handle, "w+b", buffering=0)
        os.close(handle)  # somebody who clears up was quicker, and took it for a dead one's


def _clear(folder: Path) -> None:
    """Remove what processes left that died while they wrote: nobody holds it any more."""
    if sys.platform == "win32":  # where nobody can tell
        return
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as entries:
        for one in islice(entries, _LOOKED_AT):
            if _PART.fullmatch(one.name):
                with suppress(OSError):
                    _remove_if_dead(Path(one.path))


def _remove_if_dead(part: Path) -> None:
    handle = os.open(part, _flags(os.O_RDWR, "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"))
    try:
        state = os.fstat(handle)
        if stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid() and _hold(handle):
            part.unlink()
    finally:
        os.close(handle)


def _hold(handle: int) -> bool | None:
    """Hold a file until this process closes it or ends; return whether. None: a system, or a disk, without locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def try_lock(path: Path, handle: int) -> bool:
    """Hold an open file until it is closed, or this process ends; return whether, and whether it still has its name."""
    try:
        return _hold(handle) is not False and os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
