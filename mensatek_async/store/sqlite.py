"""A store in one SQLite file."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StoreError
from .database import Database
from .location import check_place, tighten
from .lock_file import LockFile, writer_of
from .owner import boot
from .schema import Schema, create_tables
from .transaction import Tx

T = TypeVar("T")

_BUSY = 30.0  # seconds to wait for somebody else's transaction
_LARGE = 1 << 28  # bytes from which a file is not written anew: that would hold up everybody for long
_SLICE = 5.0  # seconds after which who waits says for whom
# Tables of the user's own: writing the file anew would give their rows other rowids.
_OTHERS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'mensatek_*' AND name NOT GLOB 'sqlite_*'"
_log = logging.getLogger("mensatek_async.store")
_DIALECT = {"serial": "INTEGER PRIMARY KEY", "real": "REAL", "bytes": "BLOB", "rowless": " WITHOUT ROWID"}


class _Tx(Tx):
    among = " IN (SELECT value FROM json_each(?))"

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self.now = _clock()
        self.wall = time.time()
        self.commits: int | None = None

    def all(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)

    def listed(self, texts: Sequence[str]) -> str:
        return json.dumps(texts)

    def stopped_writer(self) -> int:
        process, stopped = writer_of(self._path)
        return process if stopped else 0

    def leaves(self) -> None:
        if self.commits is None:
            self.commits = int(_kept(self, "commits")) + 1
            self.run("UPDATE mensatek_meta SET value = ? WHERE name = 'commits'", str(self.commits))


class SqliteDatabase(Database):
    """One file, write-ahead log, every commit forced to the disk."""

    clock = "(julianday('now') - 2440587.5) * 86400.0"

    def __init__(self, path: Path, *schemas: Schema) -> None:
        super().__init__(*schemas)
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._connection: sqlite3.Connection | None = None
        self._writes = False
        self._file: tuple[int, int] | None = None
        # Who claims nothing of these tables holds no lease of them, whatever else it does with the store.
        suffix = schemas[0].suffix if schemas else ""
        self._lock_name = f"{path.name}{suffix.replace(':', '.')}.lock"
        self._file_lock = LockFile(path.with_name(self._lock_name))

    @property
    def shown(self) -> str:
        """Return the file's path."""
        return repr(str(self._path))

    def is_there(self) -> bool:
        """Return whether the file is there."""
        return self._path.exists()

    def attempt(self, work: Callable[[Tx], T], *, write: bool) -> T:
        """Run work in one transaction and commit it."""
        try:
            if not write and self._connection is None and not self._log.exists():
                # A look at a store that nobody has open: not even the files beside it are made.
                with closing(self._connection_to("mode=ro&immutable=1", _BUSY)) as connection:
                    return self._run(connection, work, write=False)
            return self._run(self._open(write), work, write=write)
        except sqlite3.Error as error:
            raise self._error_of(error) from error

    def _run(self, connection: sqlite3.Connection, work: Callable[[Tx], T], *, write: bool) -> T:
        self._begin_writing(connection) if write else connection.execute("BEGIN")
        try:
            tx = _Tx(connection, self._path)
            done = work(tx)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if tx.commits is not None:
            self._file_lock.note(tx.commits)
        return done

    def _begin_writing(self, connection: sqlite3.Connection) -> None:
        """Begin once nobody else writes; who waits for long says for whom."""
        waited = 0.0
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                waited += _SLICE
                if "locked" not in str(error) or waited >= _BUSY:
                    raise
                _log.warning("The store %s is held by %s; waiting.", self.shown, self._holder())

    def _holder(self) -> str:
        process, stopped = writer_of(self._path)
        if not process:
            return "another process"
        return f"process {process}, which is stopped" if stopped else f"process {process}"

    def prepare(self) -> None:
        """Create or migrate the tables, and free what processes that are gone had claimed."""
        check_place(self._path)
        if not (self.claims and any(schema.recover for schema in self.schemas)):
            self._create()
            return
        try:
            alone = self._file_lock.take()
            try:
                self._create()
                if alone:
                    self.attempt(self._recover, write=True)
            finally:
                self._file_lock.share()
        except OSError as error:
            raise StoreError(
                f"The store {self.shown} cannot be locked: {error.strerror or error}."
            ) from error
        except BaseException:
            self._file_lock.drop()
            raise

    def wipe(self) -> bool:
        """Write the file anew, unless it is large or others' too, and empty its log, once nobody reads from that.

        Freed pages are overwritten at once (`secure_delete`), but what was moved may be left on a page in use.
        """
        with self._lock:
            try:
                connection = self._open(True)
                if self._path.stat().st_size < _LARGE and not connection.execute(_OTHERS).fetchall():
                    connection.execute("VACUUM")
                busy = bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
            except sqlite3.Error as error:
                if not (busy := "locked" in str(error)):
                    raise self._error_of(error) from error
        if busy:
            _log.warning(
                "The store %s is in use: what was purged may still be read in its free pages and -wal file. The next "
                "purge clears them.",
                self.shown,
            )
        return not busy

    def close(self) -> None:
        """Close the file; what is in its log goes into it."""
        with self._lock:
            connection, self._connection = self._connection, None
            self._ready = False
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()
            self._file_lock.drop()

    def owns(self, path: Path) -> bool:
        """Return whether a file is the store, or one of those beside it."""
        return path.resolve() in self._files(self._path.resolve())

    def _files(self, path: Path) -> list[Path]:
        names = (path.name, f"{path.name}-wal", f"{path.name}-shm", self._lock_name)
        return [path.with_name(name) for name in names]

    def abandon(self) -> object:
        """Forget what a parent process had open; closing it here would write into its file."""
        connection, self._connection = self._connection, None
        self._file_lock.drop()
        return connection

    # --- opening --------------------------------------------------------------------------------------------

    def _open(self, write: bool) -> sqlite3.Connection:
        if self._connection is not None and (self._writes or not write):
            if self._file != self._identity():
                raise StoreError(
                    f"The store {self.shown} was removed or replaced while it was in use.",
                    advice="Nothing is sent that would be written into a file that is gone. Restore it.",
                )
            return self._connection
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._connection = self._connect(write)
        self._writes, self._file = write, self._identity()
        return self._connection

    def _identity(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _connection_to(self, mode: str, timeout: float) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{self._path.absolute().as_uri()}?{mode}",
            uri=True,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
        )

    def _connect(self, write: bool) -> sqlite3.Connection:
        if not write:
            return self._connection_to("mode=ro", _BUSY)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))  # it will hold phones and texts
        tighten(self._files(self._path), self.shown)
        connection = self._connection_to("mode=rwc", _SLICE)
        try:
            if _use_write_ahead_log(connection) != "wal":
                raise StoreError(f"The store {self.shown} cannot keep a write-ahead log.")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -8000")
            connection.execute("PRAGMA secure_delete = ON")  # what is purged is not left in free pages
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self) -> None:
        def create(tx: Tx) -> bool:
            created = create_tables(tx, self.schemas, _DIALECT, self.shown)
            if created:
                tx.run("INSERT OR IGNORE INTO mensatek_meta VALUES ('commits', '0')")
            return created

        if self.attempt(create, write=True):
            # Into the file itself, so that a log that gets lost does not take the tables along.
            self._open(True).execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _recover(self, tx: Tx) -> None:
        if int(_kept(tx, "commits")) < self._file_lock.noted():
            raise StoreError(
                f"The store {self.shown} has lost its newest entries: was its -wal file deleted, or an older copy put "
                "in its place? Nobody can tell from it what was sent since.",
                advice="Restore the newest copy. To go on with this one all the same, delete its .lock file: what was "
                "sent since may then be sent again.",
            )
        for schema in self.schemas:
            if schema.recover is not None:
                name, now = f"boot{schema.suffix}", boot()
                schema.recover(tx, _kept(tx, name) not in ("", now))
                tx.run("INSERT OR REPLACE INTO mensatek_meta VALUES (?, ?)", name, now)

    def _error_of(self, error: sqlite3.Error) -> StoreError:
        text = str(error)
        advice = "Nothing is sent that cannot be written down."
        if "locked" in text:
            advice = f"For more than {_BUSY:.0f} s it was held by {self._holder()}: let that go on, or end it. {advice}"
        elif "full" in text:
            advice = f"The disk is full; make room, then start again. {advice}"
        elif "readonly" in text or "unable to open" in text:
            advice = f"Look at its path and permissions. {advice}"
        elif "not a database" in text or "malformed" in text:
            advice = "It is no store of mensatek-async, or damaged: restore a copy."
        elif "no such table" in text or "no such column" in text:
            advice = "It is a SQLite file, but no store of mensatek-async."
        return StoreError(f"The store {self.shown} does not work: {text}.", advice=advice)


def _kept(tx: Tx, name: str) -> str:
    """Return what the store keeps about itself under a name."""
    row = tx.one("SELECT value FROM mensatek_meta WHERE name = ?", name)
    return str(row[0]) if row else ""


def _use_write_ahead_log(connection: sqlite3.Connection) -> str:
    """Switch to a write-ahead log; who meets another one doing it is refused at once, whatever its patience."""
    deadline = time.monotonic() + _BUSY
    while True:
        try:
            if (mode := str(connection.execute("PRAGMA journal_mode").fetchone()[0])) != "wal":
                mode = str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
            return mode
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _clock() -> float:
    """Return the seconds since the machine started, sleep included: one clock for all, which nobody can set."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time()
