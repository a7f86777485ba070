"""Who uses a SQLite store, by a lock file: it proves that nobody is left who could hold a lease."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

_SHARED, _ALONE, _NONE = "shared", "alone", "none"


class LockFile:
    """`<db>.lock`: everybody who sends holds it shared; whoever gets it alone knows that all others are dead.

    The system lets go of it with the process, however that ends. It also keeps the number of the last commit that
    let a request leave, so that a journal that lost its newest part is noticed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> bool:
        """Take it, alone if possible; then `share` has to follow.

        Returns:
            Whether nobody else has it. False too where the system has no such locks.
        """
        if sys.platform == "win32":
            return False
        import fcntl

        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    def share(self) -> None:
        """Let others in."""
        if sys.platform != "win32" and self._handle is not None:
            import fcntl

            fcntl.flock(self._handle, fcntl.LOCK_SH)

    def drop(self) -> None:
        """Let go of it."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def note(self, commits: int) -> None:
        """Remember the number of a commit, for the file's sake alone: it is not forced to the disk."""
        if self._handle is not None:
            os.pwrite(self._handle, b"%020d\n" % commits, 0)

    def noted(self) -> int:
        """Return the number remembered, 0 for none."""
        number = os.pread(self._handle, 21, 0).strip() if self._handle is not None else b""
        return int(number) if number.isdigit() else 0


_WRITER = re.compile(rb"POSIX\s+ADVISORY\s+WRITE\s+(\d+)\s+\S+:(\d+)\s+120\s+120\b")


def writer_of(path: Path) -> tuple[int, bool]:
    """Return the process that holds a SQLite store's write lock, and whether it is stopped; 0 where none is found.

    It is read from the system's list, on Linux: opening the locked file here would let go of this process's own locks.
    """
    try:
        number = path.with_name(f"{path.name}-shm").stat().st_ino
        locks = _WRITER.finditer(Path("/proc/locks").read_bytes())
        process = next(int(one[1]) for one in locks if int(one[2]) == number)
        state = Path(f"/proc/{process}/stat").read_bytes()
    except (OSError, StopIteration):
        return 0, False
    return process, state.rpartition(b")")[2].split()[0] in b"Tt"
