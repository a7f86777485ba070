"""PostgreSQL going away under a campaign, at the worst moments: fault 20."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.faults.cutting_proxy import CuttingProxy
from tests.faults.scene import Scene
from tests.postgres_server import PostgresServer
from tests.sandbox_calls import phones


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, 15))
def test_fault_20_the_connection_ends_at_a_commit(on_server: Scene, nth: int, carried_out: bool) -> None:
    """Whether the n-th COMMIT took effect cannot be known: the campaign finds out and goes on, by itself."""
    on_server.write(phones(41))
    with CuttingProxy(on_server.store, nth, carried_out=carried_out) as proxy:
        progress = on_server.run(store=proxy.url, concurrency=1)
        assert proxy.cut == 1

    assert progress["state"] == "done"
    on_server.ends_with(41, 0)


def test_fault_20_sessions_are_terminated_again_and_again(on_server: Scene, postgres: PostgresServer) -> None:
    """`pg_terminate_backend` every few moments, with two workers: all is sent, once."""
    on_server.write(phones(401))
    on_server.sandbox.latency = 0.1
    over = threading.Event()
    dropped = 0
    end_all = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{on_server.store.rpartition('/')[2]}' AND application_name LIKE 'mensatek%'"
    )

    def storm() -> None:
        nonlocal dropped
        moment = random.Random(1)
        while not over.wait(moment.uniform(0.02, 0.12)):
            dropped += len(postgres.execute(end_all))

    thread = threading.Thread(target=storm)
    running = [on_server.start(concurrency=2) for _ in range(2)]
    thread.start()
    time.sleep(2)
    over.set()
    thread.join()
    for worker in running:
        worker.wait()

    progress = on_server.finish()
    assert dropped >= 5
    assert progress["unknown"] <= 2


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_fault_20_the_server_restarts(on_server: Scene, postgres: PostgresServer, how: str) -> None:
    """A restart in the middle, and a crash of the server, cost a moment."""
    on_server.write(phones(201))
    on_server.sandbox.latency = 0.05
    worker = on_server.start(concurrency=1)
    on_server.await_calls(4)
    postgres.restart(how, away=0.5)

    progress = worker.outcome()
    assert progress["state"] == "done"
    assert on_server.finish()["sent"] == 201


def test_fault_20_a_replica_that_lost_the_last_claims(on_server: Scene, postgres: PostgresServer) -> None:
    """An older copy of the journal, as an asynchronous replica is, sends chunks again: under their message, in vain."""
    on_server.write(phones(61))
    on_server.killed("finish.committed", 2, concurrency=1)
    copy = f"{on_server.store}_copy"
    name = on_server.store.rpartition("/")[2]
    postgres.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}"')
    try:
        assert on_server.run()["sent"] == 61

        # The copy cannot know of the first time, so it takes the provider's word: all of them repeated.
        progress = on_server.run(store=copy, export=str(on_server.folder / "export.csv"))
        verdict = on_server.judge()
        assert (verdict.doubled, verdict.lost) == ([], [])
        assert (progress["unknown"], progress["state"]) == (0, "done")
        assert progress["sent"] + progress["rejected"] == 61
    finally:
        postgres.drop(copy)
