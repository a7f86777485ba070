"""What a sandbox keeps: nothing beyond its memory, or everything in a file that survives a kill."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .account import Account
from .events import (
    Accepted,
    Acted,
    Called,
    Cleared,
    Documented,
    Event,
    Filed,
    Followed,
    Moved,
    Posted,
    Received,
)
from .records import LibraryFile
from .state_rows import Figures, pack

KEPT_CALLS = 2_000
KEPT_BODY_BYTES = 256_000
KEPT_POSTS = 2_000
_TIDY_EVERY = 200
_VERSION = 2
_AHEAD = timedelta(seconds=1)
_SCHEMA = """
CREATE TABLE figures (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE batch (number INTEGER PRIMARY KEY, data TEXT NOT NULL, phones TEXT NOT NULL);
CREATE TABLE act (number INTEGER PRIMARY KEY, message_id INTEGER NOT NULL, phone TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE incoming (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE file (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, data TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE document (digest TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE call (number INTEGER PRIMARY KEY, data TEXT NOT NULL, body BLOB NOT NULL, answer BLOB NOT NULL);
CREATE TABLE journey (target TEXT, batch INTEGER, data TEXT NOT NULL, PRIMARY KEY (target, batch)) WITHOUT ROWID;
CREATE TABLE post (
    target TEXT, number INTEGER, ended INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (target, number)
) WITHOUT ROWID;
"""
_FILE = (
    "INSERT INTO file (name, data, content) VALUES (?, ?, ?)"
    " ON CONFLICT (name) DO UPDATE SET data = excluded.data, content = excluded.content"
)
TABLES = ("figures", "batch", "act", "incoming", "file", "document", "call", "journey", "post")


class Store:
    """Keeps everything in an SQLite file.

    Args:
        path: the file; made when it is not there, readable by its owner only.
        account: whose state it is.

    Raises:
        ValueError: the file is in use, or is no state of a sandbox.
        OSError: it cannot be made or read.
    """

    def __init__(self, path: Path, account: Account) -> None:
        self._path = path
        self._account = account
        self._figures = ""
        self._rows: sqlite3.Connection | None = None
        self._is_held = True
        self._has_failed = False
        self._open()

    def hold(self) -> None:
        """Keep the file from now on, until it is released."""
        self._is_held = True
        self._open()

    def release(self) -> None:
        """Write what is left and let the file go; what comes later takes it for a moment."""
        self._is_held = False
        if self._has_failed:
            self._close()
        else:
            self._open()
            self.commit()

    def select(self, statement: str, *values: object) -> Iterator[Any]:
        """Rows of the file."""
        return self._open().execute(statement, values)

    def _open(self) -> sqlite3.Connection:
        if self._rows is not None:
            return self._rows
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        rows = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            _prepare(rows, self._path)
        except BaseException:
            rows.close()
            raise
        self._rows = rows
        return rows

    def keep(self, event: Event) -> None:
        """Write what an event says, under the account's lock; it lasts from the next `commit` on."""
        match event:
            case Accepted(batch, phones):
                self._write("INSERT INTO batch VALUES (?, ?, ?)", batch.number, pack(batch), pack(phones))
            case Moved(batch):
                self._write("UPDATE batch SET data = ? WHERE number = ?", pack(batch), batch.number)
            case Acted(batch, phone, act):
                values = batch.message_id, phone, pack(act)
                self._write("INSERT INTO act (message_id, phone, data) VALUES (?, ?, ?)", *values)
            case Received(incoming):
                self._write("INSERT INTO incoming (data) VALUES (?)", pack(incoming))
            case Filed(name, None):
                self._write("DELETE FROM file WHERE name = ?", name)
            case Filed(name, LibraryFile() as file):
                self._write(_FILE, name, pack(file), file.content)
            case Documented(digest, content):
                self._write("INSERT OR IGNORE INTO document VALUES (?, ?)", digest, content)
            case Called(number, call):
                row = number, pack(call), call.body, call.answer
                self._write("INSERT OR REPLACE INTO call VALUES (?, ?, ?, ?)", *row)
                if number % _TIDY_EVERY == 0:
                    self._write("DELETE FROM call WHERE number <= ?", number - KEPT_CALLS)
            case Followed(target, batch, None):
                self._write("DELETE FROM journey WHERE target = ? AND batch = ?", target, batch.number)
            case Followed(target, batch, progress):
                self._write(
                    "INSERT OR REPLACE INTO journey VALUES (?, ?, ?)", target, batch.number, pack(progress)
                )
            case Posted(target, number, ended, content):
                post = target, number, int(ended), pack(content)
                self._write("INSERT OR REPLACE INTO post VALUES (?, ?, ?, ?)", *post)
                if number % _TIDY_EVERY == 0:
                    oldest = number - KEPT_POSTS
                    self._write("DELETE FROM post WHERE target = ? AND number <= ? AND ended", target, oldest)
            case Cleared():
                for table in TABLES:
                    self._write(f"DELETE FROM {table}")  # noqa: S608  our own names
                self._figures = ""

    def commit(self) -> None:
        """Write it to the disk."""
        figures = pack(_figures(self._account))
        if self._figures != figures:
            self._write("INSERT OR REPLACE INTO figures VALUES (1, ?)", figures)
            self._figures = figures
        if self._rows is not None and self._rows.in_transaction:
            self._try("COMMIT")
        if not self._is_held:
            self._close()

    def _close(self) -> None:
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def _write(self, statement: str, *values: object) -> None:
        if not self._open().in_transaction:
            self._try("BEGIN IMMEDIATE")
        self._try(statement, *values)

    def _try(self, statement: str, *values: object) -> None:
        # What one failed write has lost, later ones would build upon: from then on nothing is answered any more.
        if self._has_failed:
            raise OSError("The sandbox's state could not be written, see its first failure")
        try:
            self._open().execute(statement, values)
        except sqlite3.Error as error:
            self._has_failed = True
            raise OSError(f"The sandbox's state cannot be written: {error}") from None


def _prepare(rows: sqlite3.Connection, path: Path) -> None:
    """Take the file for this sandbox alone, and make its tables when it is new."""
    try:
        # Held until it is released: two sandboxes on one file would not know of each other's texts.
        rows.execute("PRAGMA locking_mode = EXCLUSIVE")
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("PRAGMA synchronous = FULL")
        rows.execute("BEGIN IMMEDIATE")
        (version,) = rows.execute("PRAGMA user_version").fetchone()
        (tables,) = rows.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            for statement in _SCHEMA.split(";"):
                rows.execute(statement)
            rows.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise ValueError(f"{path} is not the state of a sandbox of this version")
        rows.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise ValueError(f"{path} is in use by another sandbox") from None
        raise OSError(f"{path}: {error}") from None
    except sqlite3.DatabaseError:
        raise ValueError(f"{path} is not the state of a sandbox") from None


def _figures(account: Account) -> Figures:
    now = account.clock.now
    is_ahead = account.clock.standing or now - datetime.now(UTC) > _AHEAD
    return Figures(
        credits=account.credits,
        used=account.used,
        next_message=account.next_message,
        last_batch=account.last_batch,
        choices=account.delivery.choices,
        absences=account.delivery.absences,
        contracts_by_themselves=account.delivery.contracts_by_themselves,
        clock=now if is_ahead else None,
    )
