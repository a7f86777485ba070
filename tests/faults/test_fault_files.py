"""The journal's file in trouble: faults 21, 22, 28 and 30."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from mensatek_async import CampaignNotFound, StoreError
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.store import location as places
from tests.faults.scene import Scene
from tests.faults.stage import begin, campaigns_of, settled
from tests.sandbox_calls import phones

as_root = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root can mount a small disk"
)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A disk of its own, in memory."""
    place = folder / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"this machine mounts nothing: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def remount(place: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(place)], check=True)


def test_fault_21_somebody_else_holds_the_file(on_file: Scene) -> None:
    """A transaction of another program holds the file for a while: the campaign waits, and loses nothing."""
    on_file.write(phones(101))
    on_file.sandbox.latency = 0.02
    worker = on_file.start()
    on_file.await_calls(3)
    with closing(sqlite3.connect(on_file.store, timeout=20, isolation_level=None)) as other:
        for _ in range(5):
            other.execute("BEGIN IMMEDIATE")
            time.sleep(0.2)
            other.execute("COMMIT")
    worker.outcome()

    on_file.ends_with(101, 0)


@as_root
def test_fault_21_the_disk_is_full_while_reading(on_file: Scene, tmp_path: Path) -> None:
    """Rows that do not fit are an error with advice; with room made, the campaign goes on where it was."""
    on_file.write(phones(30_000))
    with small_disk(tmp_path, "256k") as place:
        changes: dict[str, Any] = {"store": str(place / "campaigns.db"), "options": {"chunk_size": 500}}
        worker = on_file.start(**changes)
        assert worker.wait() != 0
        assert worker.told()["error"] == "StoreError"
        assert "full" in worker.told()["text"] + worker.told()["trace"]

        remount(place, "size=64m")
        progress = on_file.finish(**changes)
    assert progress["sent"] + progress["unknown"] == 30_000
    assert progress["unknown"] <= 1


@as_root
def test_fault_21_the_disk_is_full_while_sending(on_file: Scene, tmp_path: Path) -> None:
    """What cannot be written down does not leave: with a full disk nothing is sent, and nothing is sent twice."""
    on_file.write(phones(2001))
    on_file.sandbox.latency = 0.02
    with small_disk(tmp_path, "2m") as place:
        changes: dict[str, Any] = {"store": str(place / "campaigns.db")}
        worker = on_file.start(concurrency=1, **changes)
        on_file.await_calls(5)
        filler = place / "filler"
        fill(filler)
        worker.wait()
        filler.unlink()
        remount(place, "size=64m")
        progress = on_file.finish(**changes)
    assert (progress["sent"] + progress["unknown"], progress["state"]) == (2001, "done")
    assert progress["unknown"] <= 1


@as_root
def test_fault_21_a_read_only_disk_is_refused(on_file: Scene, tmp_path: Path) -> None:
    """A journal that cannot be written sends nothing, and says why; what is in it can still be read."""
    on_file.write(phones(31))
    with small_disk(tmp_path, "8m") as place:
        store = str(place / "campaigns.db")
        on_file.killed("finish.committed", store=store)
        remount(place, "ro")
        on_file.refuses("StoreError", store=store)
        remount(place, "rw")
        assert on_file.finish(store=store)["sent"] == 31


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_fault_21_a_read_only_file_is_refused(on_file: Scene) -> None:
    """The same for a file without the right to write."""
    on_file.write(phones(31))
    on_file.killed("finish.committed")
    Path(on_file.store).chmod(0o400)
    on_file.refuses("StoreError")


@pytest.mark.parametrize("point", ["finish.committed", "post.leaving", "chunk.posting"])
def test_fault_21_the_log_was_deleted(on_file: Scene, point: str) -> None:
    """Without its -wal the journal has forgotten its newest part: refused, since it would send that again."""
    on_file.write(phones(31))
    on_file.killed(point, concurrency=1)
    Path(f"{on_file.store}-wal").unlink()
    Path(f"{on_file.store}-shm").unlink(missing_ok=True)
    on_file.refuses("StoreError")


def test_fault_21_an_older_copy_was_put_in_its_place(on_file: Scene) -> None:
    """A restored backup does not know what was sent since: refused as well."""
    on_file.write(phones(61))
    on_file.killed("finish.committed", 2, concurrency=1)
    for end in ("", "-wal"):
        shutil.copy(f"{on_file.store}{end}", f"{on_file.store}.old{end}")
    on_file.run()
    for end in ("-wal", "-shm"):
        Path(f"{on_file.store}{end}").unlink(missing_ok=True)
    for end in ("", "-wal"):
        shutil.copy(f"{on_file.store}.old{end}", f"{on_file.store}{end}")
    on_file.refuses("StoreError")


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
async def test_fault_21_a_networks_file_system_is_refused(
    on_file: Scene, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite cannot trust the locks of a network's file system, so the store is refused before anything is sent."""
    mounts = on_file.folder / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"99 22 0:99 / {on_file.folder.resolve()} rw shared:1 - {kind} server:/export rw\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(places, "MOUNTS", mounts)

    with pytest.raises(StoreError, match=kind):
        async with campaigns_of(on_file) as campaigns:
            await begin(campaigns, on_file, phones(3))
    assert on_file.sandbox.requests == []


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 50, b""])
async def test_fault_21_a_file_that_is_no_journal(on_file: Scene, content: bytes) -> None:
    """A file of something else is left as it is; an empty one becomes a journal."""
    on_file.file.write_bytes(content)
    async with campaigns_of(on_file) as campaigns:
        if not content:
            campaign = await begin(campaigns, on_file, phones(3))
            await campaign.complete()
            assert (await settled(campaign, on_file))["sent"] == 3
            return
        with pytest.raises(StoreError):
            await begin(campaigns, on_file, phones(3))
    assert on_file.file.read_bytes() == content


def test_fault_22_the_journal_is_on_the_disk_before_a_request_leaves(on_file: Scene) -> None:
    """Every commit is forced to the disk (`synchronous=FULL`): a power cut itself cannot be made here.

    What can: at the moment a request leaves, a copy of the files alone already says so.
    """
    on_file.write(phones(31))
    for point in ("post.leaving", "chunk.posting"):
        on_file.killed(point, concurrency=1)
        for end in ("", "-wal"):
            shutil.copy(f"{on_file.store}{end}", f"{on_file.store}.copy{end}")
        with closing(sqlite3.connect(f"{on_file.store}.copy")) as copy:
            states = [
                row[0] for row in copy.execute("SELECT state FROM mensatek_chunk WHERE due_at IS NOT NULL")
            ]
        assert "posting" in states
        for left in on_file.folder.glob("campaigns.db.copy*"):
            left.unlink()
    on_file.finish()


async def test_fault_22_commits_are_synchronous(on_file: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection that writes keeps a write-ahead log and forces every commit."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def remember(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        made.append(connect(*args, **kwargs))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", remember)
    async with campaigns_of(on_file) as campaigns:
        await begin(campaigns, on_file, phones(3))
        assert made
        found = {made[-1].execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
        assert found == {"wal", 2}


async def test_fault_28_journals_of_other_versions(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older one is migrated, and its campaign goes on; a newer one may mean something else: nothing is sent."""
    async with campaigns_of(scene) as campaigns:
        await begin(campaigns, scene, phones(31))
    grown = evolve(CAMPAIGNS, steps=(*CAMPAIGNS.steps, ("ALTER TABLE mensatek_chunk ADD COLUMN later TEXT",)))
    monkeypatch.setattr("mensatek_async.campaigns.session.CAMPAIGNS", grown)
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(31))
        await campaign.complete()
        assert (await settled(campaign, scene))["sent"] == 31
        await campaigns.start("next", "Hola", phones(3))
    assert scene.query("SELECT value FROM mensatek_meta WHERE name = 'schema'") == [(str(len(grown.steps)),)]

    monkeypatch.undo()
    sent = len(scene.sandbox.requests)
    async with campaigns_of(scene) as campaigns:
        with pytest.raises(StoreError, match="version"):
            await campaigns.work(1)
    assert len(scene.sandbox.requests) == sent


def footprint(store: str) -> dict[str, tuple[int, str]]:
    """When each file of a journal was changed, and what is in it; SQLite's own shared memory apart."""
    return {
        path.name: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(Path(store).parent.glob(f"{Path(store).name}*"))
        if not path.name.endswith("-shm")
    }


@pytest.mark.parametrize("state", ["killed", "closed", "running"])
def test_fault_30_a_look_touches_nothing(on_file: Scene, state: str) -> None:
    """A second process that shows the progress leaves no trace: not in the file, not in its log, not in the lock."""
    on_file.write(phones(101))
    if state == "closed":
        on_file.run()
    elif state == "killed":
        on_file.killed("finish.committed", 3, concurrency=1)
    else:
        on_file.stopped("finish.committed", 3, concurrency=1)
    before = footprint(on_file.store)

    told = on_file.run("look")

    assert footprint(on_file.store) == before
    assert (told["total"], told["name"]) == (101, "campaign")
    on_file.workers.stop()
    on_file.finish()


async def test_fault_30_a_look_makes_no_file(on_file: Scene) -> None:
    """Asking for campaigns where there is no journal makes none."""
    async with campaigns_of(on_file) as campaigns:
        assert await campaigns.list() == []
        with pytest.raises(CampaignNotFound):
            await campaigns.get("campaign")
    assert list(on_file.folder.glob("campaigns.db*")) == []


def test_fault_21_many_processes_wait_for_the_file(on_file: Scene) -> None:
    """Four processes on one file, each with requests under way at once: `database is locked` reaches nobody."""
    on_file.write(phones(800))
    on_file.sandbox.latency = 0.005
    running = [on_file.start(concurrency=4) for _ in range(4)]
    for worker in running:
        worker.outcome()

    on_file.ends_with(800, 0)
    assert len(on_file.sandbox.requests) == 81
