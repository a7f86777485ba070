"""The store by itself: whose tables it holds, and where it may lie."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import Mock

import pytest

from mensatek_async import AsyncMensatek, Campaigns, Outbox, StoreError
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.outbox.schema import OUTBOX
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.store import location
from mensatek_async.store.database import note_deletion
from mensatek_async.store.location import check_place, file_system
from mensatek_async.store.opening import open_database
from mensatek_async.store.owner import has_ended, this_process
from mensatek_async.store.schema import Schema
from mensatek_async.store.sqlite import SqliteDatabase
from mensatek_async.store.transaction import Tx
from mensatek_async.testing import forget_accounts
from tests.postgres_server import execute

# --- Tables ------------------------------------------------------------------------------------------------------

OLD = Path(__file__).parents[1] / "field" / "data" / "store_of_release_1.db"


async def test_a_campaign_of_the_first_release_goes_on(tmp_path: Path) -> None:
    """Its process was killed with the first request on its way: who was in it is unknown, and all others are sent."""
    path = tmp_path / "c.db"
    shutil.copyfile(OLD, path)
    with Sandbox(token="demo", strict=True) as sandbox:
        client = AsyncMensatek("demo", "demo", base_url=sandbox.base_url, sender="ACME")
        async with client, Campaigns(client, path, poll=0.05) as campaigns:
            done, begun = await campaigns.list()
            assert (done.state, done.sent, done.invalid, done.credits_used) == ("done", 6, 1, 6)
            assert (begun.state, begun.pending, begun.invalid) == ("running", 12, 1)
            campaign = await campaigns.start(
                "begun", "Hola", [*(str(34600000100 + n) for n in range(12)), "12"], chunk_size=5
            )
            ended = await campaign.complete()
            assert (ended.state, ended.sent, ended.unknown, ended.invalid) == ("done", 11, 1, 1)
            assert [one.phone for one in await campaign.unknown()] == ["34600000100"]
        assert sandbox.counts == {str(34600000101 + n): 1 for n in range(11)}


def test_what_was_deleted_leaves_no_trace(tmp_path: Path) -> None:
    """Also where SQLite itself has left copies, on pages that it has split and still uses."""
    table = "CREATE TABLE mensatek_t (c BIGINT, phone TEXT, PRIMARY KEY (c, phone)){rowless}"
    store = SqliteDatabase(tmp_path / "s.db", Schema("", ((table,),)))
    order = Random(4)
    numbers = {order.randrange(10**8) for _ in range(6000)}
    rows = [(at, f"{word}{number}") for at, word in enumerate(("gone", "kept")) for number in numbers]
    store.write(lambda tx: tx.many("INSERT INTO mensatek_t VALUES (?, ?)", rows))
    store.compact()  # nothing is noted, so nothing is done

    def delete(tx: Tx) -> None:
        tx.run("DELETE FROM mensatek_t WHERE c = 0")
        note_deletion(tx)

    store.write(delete)
    store.compact()
    left = b"".join(file.read_bytes() for file in tmp_path.glob("s.db*"))
    assert re.findall(rb"gone\d+", left) == []
    assert len(set(re.findall(rb"kept\d+", left))) == len(numbers)
    store.close()


def test_tables_are_vacuumed_while_other_threads_write(database: str) -> None:
    """Not inside of somebody's transaction, which would fail with it."""
    store, ended = open_database(database, OUTBOX), threading.Event()

    def write() -> int:
        written = 0
        while not ended.is_set():
            store.write(lambda tx: tx.all("SELECT pg_sleep(0.01)"))
            written += 1
        return written

    with closing(store), ThreadPoolExecutor(1) as pool:
        store.write(note_deletion)
        writing = pool.submit(write)
        wiped = [store.wipe() for _ in range(5)]
        ended.set()
        assert writing.result() > 0
    assert all(wiped)


@pytest.mark.skipif(sys.platform == "win32", reason="forks are POSIX's")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_leaves_the_connection_of_its_parent_alone(database: str) -> None:
    """Also where all that it asks is whether there is a store."""
    with closing(open_database(database, OUTBOX)) as store:
        store.write(lambda tx: None)
        backend = store.read(lambda tx: tx.one("SELECT pg_backend_pid()")[0])
        asked = f"SELECT query_start FROM pg_stat_activity WHERE pid = {backend}"
        before = execute(asked, database)
        if not (pid := os.fork()):
            try:
                os._exit(0 if store.exists() else 3)
            finally:
                os._exit(4)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert execute(asked, database) == before
        assert store.exists()


def _note(tx: Tx, restarted: bool) -> None:
    tx.run("INSERT INTO outbox (text) VALUES (?)", f"recovered {restarted}")


OTHERS = Schema(":outbox", (("CREATE TABLE outbox (text TEXT)",),), _note)
LATER = Schema(":outbox", (*OTHERS.steps, ("ALTER TABLE outbox ADD due {real}",)), OTHERS.recover)


def test_each_user_of_a_store_has_tables_and_versions_of_its_own(store: str) -> None:
    """In one file, opened together or apart, migrated by itself; what others hold is none of theirs."""
    first = open_database(store, OTHERS)
    assert not first.exists()
    first.write(lambda tx: tx.run("INSERT INTO outbox VALUES ('a')"))
    first.close()
    both = open_database(store, CAMPAIGNS, LATER)
    assert (first.exists(), both.exists()) == (True, False)
    both.write(lambda tx: tx.run("UPDATE outbox SET due = 7 WHERE text = 'a'"))
    assert both.read(lambda tx: tx.all("SELECT * FROM outbox WHERE text = 'a'")) == [("a", 7.0)]
    assert both.read(lambda tx: tx.all("SELECT * FROM mensatek_campaign")) == []
    both.close()
    first.close()
    for order in ("read", "write"):
        old = open_database(store, OTHERS)
        with pytest.raises(StoreError, match="is of version 2; this version of mensatek-async knows 1"):
            getattr(old, order)(lambda tx: None)
        old.close()


def test_what_the_dead_left_is_recovered_once_nobody_else_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By each user of the store for itself, and each learns of a restart of the machine."""

    def opened(*schemas: Schema) -> SqliteDatabase:
        database = SqliteDatabase(tmp_path / "c.db", *schemas)
        database.write(lambda tx: None)
        return database

    first = opened(OTHERS, CAMPAIGNS)
    opened(OTHERS).close()  # beside somebody else
    first.close()
    monkeypatch.setattr("mensatek_async.store.sqlite.boot", lambda: "another")
    opened(CAMPAIGNS).close()
    opened(OTHERS).close()
    last = opened(OTHERS)
    assert last.read(lambda tx: tx.all("SELECT text FROM outbox")) == [
        ("recovered False",),
        ("recovered True",),
        ("recovered False",),
    ]
    last.close()


async def test_after_a_restart_of_the_machine_what_waits_is_due(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock begins anew, so no wait of before means anything."""
    sandbox.fault(Fault.status_429(600), times=1)
    for sent in (0, 1):
        client = AsyncMensatek(sandbox.user, sandbox.token, base_url=sandbox.base_url, sender="ACME")
        async with client, Outbox(client, tmp_path / "outbox.db") as outbox:
            await outbox.put("k", "600000000", "Hola")
            assert (await outbox.drain(budget=1))["sent"] == sent
        forget_accounts()
        monkeypatch.setattr("mensatek_async.store.sqlite.boot", lambda: "another")


@pytest.mark.skipif(sys.platform == "win32", reason="nobody can tell there")
def test_whether_a_process_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where another has its number since, and on a system that tells less; of another machine's nobody knows."""
    machine, number, began = this_process().split(" ")
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass
    processes = [f"{machine} {number} {began}", f"{machine} {number} 1", f"{machine} {child.pid} {began}"]

    assert [has_ended(one) for one in (*processes, f"else {number} 1")] == [False, True, True, False]
    monkeypatch.setattr("mensatek_async.store.owner._BOOT", Path("/nowhere"))
    monkeypatch.setattr(os, "readlink", Mock(side_effect=OSError))
    assert has_ended(f"{socket.gethostname()} {child.pid} {began}")


# --- Where a file may lie ---------------------------------------------------------------------------------------

LINE = "36 35 98:0 / {point} rw,noatime shared:1 - {kind} /dev/x rw\n"


def test_a_server_that_starts_up_is_waited_for(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address is right, also for a program that begins meanwhile; one where nobody answers is told at once."""
    import psycopg

    connect, refusals = (
        psycopg.connect,
        iter(["FATAL:  the database system is starting up", "server closed the connection"]),
    )

    def refused(*given: Any, **more: Any) -> Any:
        for refusal in refusals:
            raise psycopg.OperationalError(f"connection failed: {refusal}")
        return connect(*given, **more)

    monkeypatch.setattr(psycopg, "connect", refused)
    with closing(open_database(database, OUTBOX)) as found:
        assert not found.exists()
    refusals = iter(["Connection refused"])
    with pytest.raises(StoreError, match="nobody answers"):
        open_database(database, OUTBOX).exists()


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system would say of its mounts."""
    path = tmp_path / "mountinfo"
    monkeypatch.setattr(location, "MOUNTS", path)
    return path


NETWORKS = ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "fuse.sshfs", "fuse.s3fs", "drvfs", "gpfs"]


def test_networks_are_refused(mounts: Path, tmp_path: Path) -> None:
    """By name, with what to do instead; local disks are taken, and whatever looks like one; where the system does not
    say, as Windows and macOS, nobody is kept from working."""
    assert file_system(tmp_path) == ""
    check_place(tmp_path / "c.db")
    for kind in ("ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "apfs", "fuse.lxcfs"):
        mounts.write_text(LINE.format(point="/", kind=kind))
        check_place(tmp_path / "c.db")
    assert not (tmp_path / "c.db").exists()
    for kind in NETWORKS:
        mounts.write_text(LINE.format(point="/", kind="ext4") + LINE.format(point=tmp_path, kind=kind))
        with pytest.raises(StoreError, match=f"network.*{kind}") as raised:
            check_place(tmp_path / "c.db")
        assert "PostgreSQL" in raised.value.advice


def test_the_nearest_and_newest_mount_counts(mounts: Path, tmp_path: Path) -> None:
    """A disk inside a network, a mount over another, a folder whose name only begins the same, one with a space, which
    the system writes in octal, and a link to a network, which is one."""
    inner, spaced, link = tmp_path / "inner", tmp_path / "mis datos", tmp_path / "link"
    for folder in (inner, spaced, tmp_path / "inner-too"):
        folder.mkdir()
    link.symlink_to(spaced)
    points = [("/", "nfs4"), (inner, "cifs"), (inner, "ext4"), (str(spaced).replace(" ", "\\040"), "nfs")]
    mounts.write_text("".join(LINE.format(point=point, kind=kind) for point, kind in points))

    found = [file_system(folder) for folder in (inner, tmp_path / "inner-too", spaced)]
    assert found == ["ext4", "nfs4", "nfs"]
    with pytest.raises(StoreError, match="network"):
        check_place(link / "c.db")


def test_a_folder_that_is_not_there_and_a_store_that_is_one(tmp_path: Path) -> None:
    """Said before SQLite says "unable to open database file"."""
    with pytest.raises(StoreError, match="no folder"):
        check_place(tmp_path / "nowhere" / "c.db")
    with pytest.raises(StoreError, match="is a folder"):
        check_place(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes anywhere")
def test_read_only_places(tmp_path: Path) -> None:
    """Nothing can be sent that cannot be written down."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="read-only"):
            check_place(tmp_path / "c.db")
    finally:
        tmp_path.chmod(0o700)
