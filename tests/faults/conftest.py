"""Fixtures of the fault suite: a scene on each store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mensatek_async.sandbox import Sandbox
from tests.faults.processes import Workers
from tests.faults.scene import Scene

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # they kill, stop and fork as POSIX has it


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """The worker processes of the session."""
    running = Workers()
    yield running
    running.close()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A provider of the test's own."""
    with Sandbox(credits=Decimal(1_000_000), strict=False) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new journal, on each store in turn."""
    if request.param == "postgres":
        address: str = request.getfixturevalue("database")
        return address
    return str(tmp_path / "campaigns.db")


@pytest.fixture
def scene(sandbox: Sandbox, store: str, workers: Workers, tmp_path: Path) -> Iterator[Scene]:
    """A campaign's stage on each store."""
    yield Scene(sandbox, store, workers, tmp_path)
    workers.stop()


@pytest.fixture
def on_file(sandbox: Sandbox, workers: Workers, tmp_path: Path) -> Iterator[Scene]:
    """A campaign's stage on SQLite."""
    yield Scene(sandbox, str(tmp_path / "campaigns.db"), workers, tmp_path)
    workers.stop()


@pytest.fixture
def on_server(sandbox: Sandbox, database: str, workers: Workers, tmp_path: Path) -> Iterator[Scene]:
    """A campaign's stage on PostgreSQL."""
    yield Scene(sandbox, database, workers, tmp_path)
    workers.stop()
