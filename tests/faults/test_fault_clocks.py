"""Clocks that are wrong, and machines that sleep: fault 23."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mensatek_async.store.lock_file import writer_of
from tests.faults.processes import run_alone
from tests.faults.scene import SHORT, Scene
from tests.postgres_server import execute
from tests.sandbox_calls import phones


@pytest.mark.parametrize("hours", [1, -1])
def test_fault_23_a_worker_whose_clock_is_wrong_resumes(scene: Scene, hours: int) -> None:
    """An hour ahead or behind, it takes over what a dead one left, at once or when the lease ends."""
    scene.write(phones(41))
    scene.killed("chunk.posting", concurrency=1)

    told = run_alone(replace(scene.job, how="start", clock=3600.0 * hours))

    assert told["state"] == "done"
    scene.ends_with(41, 0)


@pytest.mark.parametrize("hours", [1, -1])
def test_fault_23_a_wrong_clock_steals_no_lease(scene: Scene, hours: int) -> None:
    """Beside a worker who is at it, one whose clock is an hour off takes nothing that is not free."""
    scene.write(phones(60))
    scene.sandbox.latency = 0.1
    first = scene.start(concurrency=1, store_options={"lease": 10.0})
    told = run_alone(
        replace(scene.job, how="start", clock=3600.0 * hours, store_options={"lease": 10.0, "poll": 0.05})
    )
    first.outcome()

    assert told["state"] == "done"
    scene.ends_with(60, 0)
    assert sorted(scene.sizes()) == [1, 9, *[10] * 5]


_STEPPED = """
CREATE SCHEMA stepped;
CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT pg_catalog.clock_timestamp() + interval '{seconds} seconds' $$;
CREATE FUNCTION stepped.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT pg_catalog.now() + interval '{seconds} seconds' $$;
"""


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("point", ["post.leaving", "chunk.posting", "finish.committed"])
def test_fault_23_the_databases_clock_is_set(on_server: Scene, hours: int, point: str) -> None:
    """Set an hour ahead, leases end early; set back and right again, they end late. Nobody is texted twice."""
    on_server.write(phones(41))
    on_server.killed(point, concurrency=1)
    name = on_server.store.rpartition("/")[2]
    for statement in _STEPPED.format(seconds=3600 * hours).split(";\n"):
        if statement.strip():
            execute(statement, on_server.store)
    execute(f'ALTER DATABASE "{name}" SET search_path = public, stepped, pg_catalog', on_server.store)
    if hours < 0:
        # What was due an hour ago is due in an hour: a slice of work finds little to do, and breaks nothing.
        on_server.run("drive", budget=1.0)
        execute(f'ALTER DATABASE "{name}" RESET search_path', on_server.store)

    progress = on_server.finish()

    unknown = int(point == "post.leaving")
    assert (progress["sent"], progress["unknown"]) == (41 - unknown, unknown)


def test_fault_23_a_laptop_that_slept(scene: Scene) -> None:
    """Asleep for longer than its lease while another goes on: what it does on waking is late, and harmless."""
    scene.write(phones(61))
    scene.sandbox.latency = 0.02
    sleeper = scene.stopped("*", 12, concurrency=2, store_options={"lease": SHORT})
    # Another thread of it may be writing: then everybody waits for it, which tests/field/test_campaigns.py looks at.
    while scene.is_sqlite and writer_of(Path(scene.store))[0] == sleeper.pid:
        sleeper.signal(signal.SIGCONT)
        time.sleep(0.005)
        sleeper.signal(signal.SIGSTOP)
        sleeper.await_stop()
    assert scene.run("get")["state"] == "done"

    sleeper.wake()

    progress = scene.finish()
    assert progress["sent"] + progress["unknown"] == 61
    assert progress["unknown"] <= 1
