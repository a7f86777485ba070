"""The rate that everybody shares, and fairness: faults 24 and 25."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import timedelta

import pytest

from mensatek_async.sandbox import Call
from tests.faults.scene import Scene
from tests.postgres_server import execute
from tests.sandbox_calls import phones


def change(scene: Scene, statement: str) -> None:
    """Change the journal behind the campaign's back."""
    if not scene.is_sqlite:
        execute(statement, scene.store)
        return
    with closing(sqlite3.connect(scene.store, timeout=10)) as connection, connection:
        connection.execute(statement)


def worst_second(calls: list[Call]) -> int:
    """The most recipients that came within any one second."""
    sizes = [(call.at, len(call.params["Destinatarios"])) for call in calls]
    return max(
        sum(size for at, size in sizes if start <= at < start + timedelta(seconds=1)) for start, _ in sizes
    )


def test_fault_24_three_processes_keep_one_rate(scene: Scene) -> None:
    """Measured where it arrives, together they are no faster than one would be."""
    scene.write(phones(301))
    options = {"rate": 100, "chunk_size": 10}
    started = time.monotonic()
    running = [scene.start(options=options) for _ in range(3)]
    for worker in running:
        worker.outcome()
    took = time.monotonic() - started

    assert scene.finish(options=options)["sent"] == 301
    # On an idle machine 110 to 130: a chunk is one piece. A process that was held up sends what it had booked late.
    assert worst_second(scene.sandbox.requests) <= 200
    assert took > 2.0


def test_fault_24_killed_after_booking(scene: Scene) -> None:
    """A place in the rate that nobody uses delays the others by itself, and no further."""
    scene.write(phones(61))
    options = {"rate": 40}
    for _ in range(3):
        scene.killed("chunk.posting", options=options, concurrency=1)

    scene.ends_with(61, 0, options=options)


def test_fault_24_a_chunk_larger_than_the_rate(scene: Scene) -> None:
    """Twenty recipients at ten a second: the chunk goes, and the next waits its two seconds."""
    scene.write(phones(41))
    options = {"rate": 10, "chunk_size": 20}
    started = time.monotonic()

    assert scene.finish(options=options)["sent"] == 41
    assert time.monotonic() - started >= 2.0


def test_fault_24_the_rate_is_changed_while_it_runs(scene: Scene) -> None:
    """Started again with another rate, the campaign goes on with that one."""
    scene.write(phones(41))
    scene.killed("finish.committed", 2, options={"rate": 10}, concurrency=1)
    started = time.monotonic()

    progress = scene.finish(options={"rate": 5000})

    assert progress["sent"] == 41
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("column", ["tat", "hold_until"])
def test_fault_24_a_place_far_in_the_future(scene: Scene, column: str) -> None:
    """A clock that was once years ahead must not hold everybody up for years."""
    scene.write(phones(31))
    options = {"rate": 1000}
    scene.killed("finish.committed", options=options, concurrency=1)
    change(scene, f"UPDATE mensatek_rate SET {column} = {column} + 1e9, seen_at = seen_at + 1e9")

    assert scene.finish(options=options)["sent"] == 31


def test_fault_25_two_campaigns_share_the_work(scene: Scene) -> None:
    """A small campaign started beside a large one does not wait for its end."""
    scene.write(phones(401))
    scene.write(phones(40, 34_610_000_000), "small.csv")
    options = {"rate": 200}
    scene.run("ingest", options=options)
    small = str(scene.folder / "small.csv")
    scene.run("ingest", name="small", source=small, options=options)

    scene.run("work", budget=30.0, concurrency=1)

    order = [call.params["Destinatarios"][0]["Movil"][:4] for call in scene.sandbox.requests]
    last_small = max(number for number, start in enumerate(order) if start == "3461")
    assert order.count("3461") == 5
    assert last_small < len(order) * 3 / 4
    assert scene.finish("get")["sent"] == 401
    assert scene.run("get", name="small")["sent"] == 40


def test_fault_25_a_waiting_campaign_holds_nobody_up(scene: Scene) -> None:
    """One campaign may not send now: the other one, in the same store and worker, sends on."""
    scene.write(phones(31))
    scene.write(phones(30, 34_610_000_000), "other.csv")
    scene.run("ingest")
    other = str(scene.folder / "other.csv")
    scene.run("ingest", name="other", source=other)
    change(scene, "UPDATE mensatek_chunk SET due_at = due_at + 1e11 WHERE campaign_id = 1")

    scene.run("work", budget=3.0)

    assert scene.run("look", name="other")["state"] == "done"
    assert scene.sizes() == [1, 9, 10, 10]
