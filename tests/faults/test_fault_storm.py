"""Short storms of kills on each store; `nox -s faults -- --kills 1000` has the long ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.outbox_storm import OutboxStorm
from tests.faults.processes import Workers
from tests.faults.storm import STORES, Storm
from tests.postgres_server import PostgresServer


@pytest.mark.timeout(120)
@pytest.mark.parametrize("store", STORES)
def test_workers_die_and_nobody_is_lost_or_texted_twice(
    request: pytest.FixtureRequest, workers: Workers, tmp_path: Path, store: str
) -> None:
    """Half a dozen workers killed at named points and at random moments, on one machine and on several."""
    server = request.getfixturevalue("postgres") if store == "postgres" else None

    report = Storm(store, 6, slots=3, seed=2026).run(workers, tmp_path, server)

    assert report.clean, "\n".join([report.line(), *report.trouble[:3]])
    assert report.kills.total() >= 6


WHOLE = os.environ.get("FAULTS") == "all"


@pytest.mark.timeout(3600 if WHOLE else 180)
@pytest.mark.parametrize("store", STORES)
def test_an_outbox_in_a_storm_texts_everybody_once(
    request: pytest.FixtureRequest, workers: Workers, tmp_path: Path, store: str
) -> None:
    """Eight processes put every key three times and send it, and die; what is unknown is settled by its report."""
    server = PostgresServer() if store == "postgres" else None  # of its own: it is restarted
    if server:
        request.addfinalizer(server.close)

    report = OutboxStorm(store, *((10_000, 200) if WHOLE else (120, 6))).run(workers, tmp_path, server)

    assert report.clean, "\n".join([report.line(), *report.trouble[:3]])
    assert report.kills.total() >= 6
    assert report.unknown >= report.settled > 0
