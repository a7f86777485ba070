"""A store in a file: what else SQLite, the lock beside it and other processes do to it."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from mensatek_async import StoreError
from mensatek_async.store import sqlite
from mensatek_async.store.database import note_deletion
from mensatek_async.store.lock_file import LockFile, writer_of
from mensatek_async.store.schema import Schema
from mensatek_async.store.sqlite import SqliteDatabase
from mensatek_async.store.transaction import Tx

TABLES = Schema("", (("CREATE TABLE mensatek_t (name TEXT)",),), lambda tx, restarted: None)
ENTRIES = Schema(":entries", TABLES.steps)
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX's locks")


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_SLICE", 0.02)
    monkeypatch.setattr(sqlite, "_BUSY", 0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store lies."""
    return tmp_path / "s.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteDatabase]:
    """A store."""
    with closing(SqliteDatabase(path, TABLES)) as found:
        yield found


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection to it."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as found:
        yield found


def put(tx: Tx) -> int:
    """Add a row, and say that a request may leave."""
    tx.leaves()
    tx.leaves()
    return tx.run("INSERT INTO mensatek_t VALUES ('x')")


def is_free(path: Path) -> bool:
    """Whether nobody holds a store's lock."""
    lock = LockFile(path.with_name("s.db.lock"))
    free = lock.take() or sys.platform == "win32"
    lock.drop()
    return free


def size(tx: Tx) -> int:
    return int(tx.one("SELECT count(*) FROM mensatek_t")[0])


# --- Trouble -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (
            "database is locked",
            "For more than 0 s it was held by process 7, which is stopped: let that go on",
        ),
        ("database or disk is full", "The disk is full; make room, then start again. Nothing is sent"),
        ("attempt to write a readonly database", "Look at its path and permissions. Nothing is sent"),
        ("unable to open database file", "Look at its path and permissions. Nothing is sent"),
        ("file is not a database", "It is no store of mensatek-async, or damaged: restore a copy."),
        ("database disk image is malformed", "It is no store of mensatek-async, or damaged: restore a copy."),
        ("no such table: x", "It is a SQLite file, but no store of mensatek-async."),
        ("no such column: x", "It is a SQLite file, but no store of mensatek-async."),
        ("disk I/O error", "Nothing is sent that cannot be written down."),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    store: SqliteDatabase, said: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In SQLite's words; nothing of the transaction is left."""
    monkeypatch.setattr(sqlite, "writer_of", lambda path: (7, True))

    def fail(tx: Tx) -> None:
        put(tx)
        raise sqlite3.OperationalError(said)

    with pytest.raises(StoreError) as caught:
        store.write(fail)
    assert str(caught.value).startswith(f"The store {store.shown} does not work: {said}.")
    assert caught.value.advice.startswith(advice)
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert store.read(size) == 0


@pytest.mark.parametrize(
    ("writer", "name"),
    [((0, False), "another process"), ((7, False), "process 7"), ((7, True), "process 7, which is stopped")],
)
def test_whoever_waits_for_a_writer_says_for_whom(
    store: SqliteDatabase,
    other: sqlite3.Connection,
    path: Path,
    writer: tuple[int, bool],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After each slice of the time; it goes on once that one ends, or gives up."""
    monkeypatch.setattr(sqlite, "writer_of", {path: writer}.get)
    store.write(put)
    other.execute("BEGIN IMMEDIATE")
    told = Mock()
    monkeypatch.setattr(sqlite._log, "warning", told)
    with pytest.raises(StoreError, match=f"held by {name}:") as caught:
        store.write(put)
    assert "does not work: database is locked." in str(caught.value)
    assert [one.args for one in told.call_args_list] == [
        ("The store %s is held by %s; waiting.", store.shown, name)
    ] * 2
    told.side_effect = lambda *given: other.execute("ROLLBACK")
    store.write(put)
    assert told.call_count == 3
    assert store.read(lambda tx: (size(tx), tx.stopped_writer())) == (2, writer[0] if writer[1] else 0)


def test_an_error_of_the_work_is_its_own(store: SqliteDatabase) -> None:
    """Rolled back, and told as it is; also where SQLite has ended the transaction itself."""

    def fail(tx: Tx, *sql: str) -> None:
        put(tx)
        for one in sql:
            tx.run(one)
        raise KeyError("mine")

    for sql in ((), ("ROLLBACK",)):
        with pytest.raises(KeyError, match="mine"):
            store.write(lambda tx, sql=sql: fail(tx, *sql))  # type: ignore[misc]
    assert store.read(size) == 0


@pytest.mark.parametrize("gone", ["removed", "replaced"])
def test_a_file_that_is_gone_while_it_is_in_use(store: SqliteDatabase, path: Path, gone: str) -> None:
    """Is said before anything is written into it; opened anew it is another store."""
    store.write(put)
    if gone == "replaced":
        shutil.copy(path, path.with_name("copy"))
        path.with_name("copy").replace(path)
    else:
        path.unlink()
    for attempt in (store.write, store.read):
        with pytest.raises(StoreError, match="was removed or replaced while it was in use") as caught:
            attempt(put)
        assert "Restore it" in caught.value.advice
    store.close()
    for file in path.parent.glob("s.db*"):
        file.unlink()
    assert store.write(put) == 1


def test_a_log_that_cannot_be_kept(
    store: SqliteDatabase, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_use_write_ahead_log", lambda connection: "delete")
    with pytest.raises(StoreError, match="cannot keep a write-ahead log"):
        store.write(put)
    assert is_free(path)


def test_whoever_meets_another_one_who_switches_the_log_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as for a writer; what else is wrong is told at once."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    locked, broken = (
        sqlite3.OperationalError("database is locked"),
        sqlite3.OperationalError("disk I/O error"),
    )

    def switched(*answers: Any) -> str:
        cursor = Mock()
        cursor.fetchone.side_effect = answers
        connection = Mock()
        connection.execute.return_value = cursor
        return sqlite._use_write_ahead_log(connection)

    assert switched(locked, ("delete",), locked, ("delete",), ("wal",)) == "wal"
    assert slept == [0.05, 0.05]
    assert switched(("wal",)) == "wal"
    with pytest.raises(sqlite3.OperationalError, match="I/O"):
        switched(broken, ("wal",))
    with monkeypatch.context() as clock:
        clock.setattr(time, "monotonic", iter([0.0, 0.05, 0.06]).__next__)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            switched(locked, locked, ("wal",))
    assert len(slept) == 3


# --- Opening and closing -----------------------------------------------------------------------------------------


def test_how_a_store_is_kept(store: SqliteDatabase, path: Path) -> None:
    """Every commit is forced to the disk, what is deleted is overwritten, and only its owner reads any of its files;
    its tables stand in the file itself."""
    names = ("journal_mode", "synchronous", "cache_size", "secure_delete")
    path.touch()
    path.chmod(0o644)
    found = store.write(lambda tx: [tx.one(f"PRAGMA {name}")[0] for name in names])
    assert found == ["wal", 2, -8000, 1]
    files = {one.name: one.stat().st_mode & 0o777 for one in path.parent.glob("s.db*")}
    expected = dict.fromkeys(("s.db", "s.db-wal", "s.db-shm", "s.db.lock"), 0o600)
    assert (files == expected) or sys.platform == "win32"
    shutil.copy(path, path.with_name("alone.db"))
    with closing(SqliteDatabase(path.with_name("alone.db"), TABLES)) as alone:
        assert alone.exists()


def test_a_look_leaves_nothing_behind(store: SqliteDatabase, path: Path) -> None:
    """No file, no lock; where nobody else has it open it is not even opened for long. A look writes nothing."""
    with pytest.raises(StoreError, match="unable to open database file"):
        store.read(size)
    assert not path.exists()
    store.write(put)
    store.close()
    assert [one.name for one in sorted(path.parent.glob("s.db*"))] == ["s.db", "s.db.lock"]
    assert store.read(size) == 1
    assert [one.name for one in sorted(path.parent.glob("s.db*"))] == ["s.db", "s.db.lock"]
    with closing(SqliteDatabase(path, TABLES)) as writer:
        writer.write(put)
        assert store.read(size) == 2
        writer.write(put)
        assert store.read(size) == 3
        with pytest.raises(StoreError, match="readonly"):
            store.read(put)
        store.write(put)
        assert store.read(size) == writer.read(size) == 4


@posix
def test_a_lock_that_cannot_be_had(store: SqliteDatabase, path: Path) -> None:
    """Or leads to somebody's file: nothing is written."""
    path.with_name("s.db.lock").symlink_to(path.with_name("elsewhere"))
    with pytest.raises(StoreError, match=r"cannot be locked: Too many levels of symbolic links\."):
        store.write(put)
    assert not path.exists()


@posix
def test_tables_that_cannot_be_made_leave_no_lock(path: Path) -> None:
    newer = Schema("", (*TABLES.steps, ("CREATE TABLE mensatek_u (name TEXT)",)), TABLES.recover)
    with closing(SqliteDatabase(path, newer)) as store:
        store.write(put)
    old = SqliteDatabase(path, TABLES)
    with pytest.raises(StoreError, match=f"{re.escape(old.shown)} is of version 2"):
        old.write(put)
    assert is_free(path)
    old.close()


@pytest.mark.parametrize(
    ("claims", "tables", "locked"), [(True, TABLES, 1), (False, TABLES, 0), (True, ENTRIES, 0)]
)
def test_only_who_makes_claims_is_looked_for(path: Path, claims: bool, tables: Schema, locked: int) -> None:
    """Entries hold no lease, and neither does who only makes them."""
    with closing(SqliteDatabase(path, tables)) as store:
        store.claims = claims
        store.write(put)
        assert len(list(path.parent.glob("*.lock"))) == locked


def test_which_files_are_its_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whatever way they are named; of each user of a store another lock."""
    path.with_name("link").symlink_to(path)
    monkeypatch.chdir(path.parent)
    names = [
        "s.db",
        "s.db-wal",
        "s.db-shm",
        "s.db.lock",
        "s.db.entries.lock",
        "link",
        "s.db-journal",
        "other",
    ]
    for schemas, lock, foreign in (((TABLES,), True, False), ((), True, False), ((ENTRIES,), False, True)):
        store = SqliteDatabase(path, *schemas)
        owned = [store.owns(Path(name)) for name in names]
        assert owned == [True, True, True, lock, foreign, True, False, False]


def test_a_store_without_anybody_is_left_as_it_is_in_a_fork(store: SqliteDatabase, path: Path) -> None:
    """The parent's connection is handed out unclosed, its lock is let go of here, and the store opens anew."""
    store.write(put)
    connection = store.abandon()
    assert isinstance(connection, sqlite3.Connection)
    assert store.abandon() is None
    assert is_free(path)
    assert store.write(put) == 1
    assert connection.execute("SELECT count(*) FROM mensatek_t").fetchone() == (2,)
    connection.close()


def test_the_clock_is_the_machines(store: SqliteDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since it started, sleep included, which nobody can set; the civil one where a system has no such."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        booted = time.clock_gettime(time.CLOCK_BOOTTIME)
        assert store.write(lambda tx: tx.now) == pytest.approx(booted, abs=5)
        monkeypatch.delattr(time, "CLOCK_BOOTTIME")
    now, wall = store.write(lambda tx: (tx.now, tx.wall))
    assert (now, wall) == (pytest.approx(time.time(), abs=5),) * 2


# --- The lock and the newest commit ------------------------------------------------------------------------------


@posix
def test_a_lock_file(path: Path) -> None:
    """Alone only for the first, shared by those who come; the number it keeps is overwritten; without it there is
    none."""
    first, second, third = (LockFile(path) for _ in range(3))
    first.note(3)
    first.share()
    assert first.noted() == 0
    assert first.take()
    assert path.stat().st_mode & 0o777 == 0o600
    assert not second.take()
    first.share()
    second.share()
    assert not third.take()
    third.share()
    assert first.noted() == 0
    for number in (123, 45):
        first.note(number)
        assert (third.noted(), path.read_bytes()) == (number, b"%020d\n" % number)
    path.write_bytes(b"no number, but a longer text\n")
    assert first.noted() == 0
    for one in (first, second, third, third):
        one.drop()
    assert first.noted() == 0
    assert second.take()
    second.drop()


@posix
def test_an_older_copy_in_its_place_is_noticed(store: SqliteDatabase, path: Path) -> None:
    """By the number of commits that let requests leave, where they are more than it knows of; a commit that failed, or
    let nothing leave, is none."""
    copy, lock = path.with_name("copy"), path.with_name("s.db.lock")
    store.write(put)
    store.close()
    shutil.copy(path, copy)
    store.write(lambda tx: tx.run("INSERT INTO mensatek_t VALUES ('y')"))

    def fail(tx: Tx) -> None:
        put(tx)
        raise KeyError

    with pytest.raises(KeyError):
        store.write(fail)
    store.close()
    shutil.copy(copy, path)
    assert store.read(size) == 1
    store.write(put)
    assert lock.read_bytes() == b"%020d\n" % 2
    store.close()
    shutil.copy(copy, path)
    with pytest.raises(StoreError, match="has lost its newest entries") as caught:
        store.write(put)
    assert "delete its .lock file" in caught.value.advice
    assert store.read(size) == 1
    lock.unlink()
    assert store.write(put) == 1


HOLDER = """if True:
    import sqlite3, sys
    open("/proc/self/comm", "w").write("a) S (b")
    sqlite3.connect(sys.argv[1], isolation_level=None).execute("BEGIN IMMEDIATE")
    print(flush=True)
    input()
"""


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="the system does not list its locks")
def test_who_writes_into_a_store(store: SqliteDatabase, other: sqlite3.Connection, path: Path) -> None:
    """By the system's list of locks, and whether they are stopped; nobody where there is no store."""
    assert writer_of(path) == (0, False)
    store.write(put)
    assert writer_of(path) == (0, False)
    other.execute("BEGIN IMMEDIATE")
    assert writer_of(path) == (os.getpid(), False)
    other.execute("ROLLBACK")
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=-1, stdout=-1) as holder:
        assert holder.stdout
        holder.stdout.readline()
        running = writer_of(path)
        holder.send_signal(signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)
        stopped = writer_of(path)
        holder.kill()
    assert (running, stopped) == ((holder.pid, False), (holder.pid, True))


# --- Leaving no trace --------------------------------------------------------------------------------------------


def grown(store: SqliteDatabase, *sql: str) -> None:
    """A store with pages that were freed."""
    store.write(lambda tx: tx.many("INSERT INTO mensatek_t VALUES (?)", [("x" * 3000,)] * 20))
    for one in (*sql, "DELETE FROM mensatek_t"):
        store.write(lambda tx, one=one: tx.run(one))  # type: ignore[misc]
    store.write(note_deletion)


def free(store: SqliteDatabase) -> int:
    """How many pages are free."""
    return store.write(lambda tx: int(tx.one("PRAGMA freelist_count")[0]))


@pytest.mark.parametrize(
    ("sql", "large", "left"),
    [((), 1 << 28, False), ((), 1, True), (("CREATE TABLE mine (x)",), 1 << 28, True)],
    ids=["its own", "a large one", "with tables of others"],
)
def test_freed_pages_are_left_out(
    store: SqliteDatabase,
    path: Path,
    sql: tuple[str, ...],
    large: int,
    left: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a file that is not large and holds no tables of somebody's own, whose rows would be numbered anew; its log is
    emptied in any case."""
    monkeypatch.setattr(sqlite, "_LARGE", large)
    grown(store, *sql)
    assert free(store) > 5
    store.close()
    assert store.wipe()
    assert path.with_name("s.db-wal").stat().st_size == 0
    assert (free(store) > 5) == left


@pytest.mark.parametrize("how", ["BEGIN", "BEGIN IMMEDIATE"], ids=["reads", "writes"])
def test_what_is_in_use_is_wiped_later(
    store: SqliteDatabase, other: sqlite3.Connection, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Said in the log, and done by the next purge."""
    grown(store)
    other.execute(how)
    other.execute("SELECT * FROM mensatek_t").fetchall()
    with caplog.at_level(logging.WARNING, "mensatek_async.store"):
        store.compact()
    assert f"The store {store.shown} is in use: what was purged may still be read" in caplog.text
    other.execute("ROLLBACK")
    noted = "SELECT count(*) FROM mensatek_meta WHERE name = 'deleted'"
    assert store.read(lambda tx: tx.one(noted)) == (1,)
    caplog.clear()
    store.compact()
    assert (store.read(lambda tx: tx.one(noted)), caplog.text) == ((0,), "")


def test_what_is_damaged_is_not_wiped(store: SqliteDatabase, path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be one" * 50)
    with pytest.raises(StoreError, match="not a database"):
        store.wipe()
