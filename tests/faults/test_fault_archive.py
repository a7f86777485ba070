"""The archive of certificates: a kill at each step, two processes on one folder, and a disk that is full."""

from __future__ import annotations

import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import verify_certificates
from mensatek_async.sandbox import Fault
from tests.callbacks import CONTRACT
from tests.faults.scene import Scene
from tests.faults.test_fault_files import as_root, fill, small_disk
from tests.sandbox_calls import calling, phones

FETCH = "GetSMSCERTIFICADO"


@pytest.fixture
def archive(on_file: Scene) -> Scene:
    """A stage with a certified message to three, whose certificates are ready, and an empty folder."""
    on_file.given = phones(3)
    with calling(on_file.sandbox) as call:
        message_id = call.certify(*on_file.given)["Msgid"]
    on_file.sandbox.advance(600)
    changes: dict[str, Any] = {
        "name": str(message_id),
        "store": str(on_file.folder / "archive"),
        "options": {},
    }
    changes["client"] = {**on_file.job.client, "guard": {"read_interval": 0.0}, "limits": {"concurrency": 1}}
    on_file.job = replace(on_file.job, **changes)
    return on_file


def callback(scene: Scene, status: int = 14) -> dict[str, Any]:
    """The report that the first recipient's certificate is ready."""
    return {**CONTRACT, "Resultado": status, "Movil": scene.given[0], "idMensaje": int(scene.job.name)}


def is_whole(scene: Scene, certificates: int, calls: int) -> None:
    """So many certificates are there, intact, after so many calls, and nothing else is left."""
    folder = Path(scene.job.store)
    found = verify_certificates(folder)
    assert (found.intact, found.pending, found.problems) == (certificates, 0, ())
    files = [path.name for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 2 * certificates, files
    assert len(scene.sandbox.calls(FETCH)) == calls


@pytest.mark.parametrize(
    ("how", "point", "nth"),
    [
        *(("archive", f"archive.{point}", 1) for point in ("marked", "collected")),
        *(("archive", f"archive.{point}", 2) for point in ("recorded", "fetching", "fetched", "written")),
        *(
            ("archive-event", f"archive.{point}", 1)
            for point in ("recorded", "fetching", "fetched", "written")
        ),
    ],
)
def test_an_archive_killed_at_each_step(archive: Scene, how: str, point: str, nth: int) -> None:
    """What was recorded is caught up with, and no certificate is fetched twice."""
    archive.killed(point, nth, how=how, options=callback(archive))
    archive.run("catch-up")

    count = 3 if how == "archive" else 1
    is_whole(archive, count, count)


@pytest.mark.parametrize(
    ("point", "calls"), [("recorded", 1), ("fetching", 1), ("fetched", 2), ("written", 2)]
)
def test_an_archive_killed_while_it_collects_a_period(archive: Scene, point: str, calls: int) -> None:
    """It is caught up with; what came before the end of the period is fetched again."""
    moments = {
        "start": archive.sandbox.now - timedelta(days=1),
        "end": archive.sandbox.now + timedelta(days=1),
    }
    options = {name: moment.isoformat() for name, moment in moments.items()}
    archive.killed(f"archive.{point}", 1, how="archive-period", options=options)
    archive.run("catch-up")

    is_whole(archive, 1, calls)


def test_an_archive_killed_in_the_middle_of_a_download(archive: Scene) -> None:
    """Nothing of half a certificate is left, and it is fetched anew."""
    archive.sandbox.fault(Fault.latency(20), operation=FETCH)
    worker = archive.start("archive-event", options=callback(archive))
    archive.await_calls(2)
    worker.signal(signal.SIGKILL)
    worker.wait()
    archive.sandbox.clear_faults()
    archive.run("catch-up")

    is_whole(archive, 1, 2)


def test_two_processes_archive_one_message(archive: Scene) -> None:
    """Each certificate is fetched by one of them; both wait until all is there."""
    archive.sandbox.latency = 0.02
    both = [archive.start("archive") for _ in range(2)]
    ended = [worker.outcome() for worker in both]

    assert sum(one["fetched"] for one in ended) == 3
    assert all(one["pending"] == 0 for one in ended)
    is_whole(archive, 3, 3)


@as_root
def test_an_archive_on_a_full_disk(archive: Scene, tmp_path: Path) -> None:
    """It says so, keeps what it had written down, and goes on when there is room."""
    with small_disk(tmp_path, "1m") as place:
        archive.job = replace(archive.job, store=str(place / "archive"))
        archive.run("archive-event", options=callback(archive, 13))
        fill(place / "filler")
        for how in ("archive", "archive-event"):
            worker = archive.start(how, options=callback(archive))
            assert worker.wait() != 0
            assert worker.told()["error"] in ("OSError", "InvalidFile")
            assert "space" in worker.told()["text"]
        (place / "filler").unlink()
        assert verify_certificates(place / "archive").problems == ()
        archive.run("catch-up")
        assert verify_certificates(place / "archive").intact == 1
