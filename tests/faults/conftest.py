"""Fixtures of the fault suite: a scene on each store. FAULTS=all runs every case, else a few of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zlib import crc32

import pytest

from mensatek_async.sandbox import Sandbox
from tests.faults.processes import Workers
from tests.faults.scene import Scene

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # they kill, stop and fork as POSIX has it

# In the short form: what takes long and has a shorter relative; what runs on PostgreSQL, where a dead worker's lease
# has to end first, all others on SQLite; and what runs on both.
_LONG = {
    "test_fault_07_a_dead_reader_is_replaced",
    "test_fault_08_stopped_past_the_lease_in_the_opener",
    "test_fault_10_repeated_parking_ends",
    "test_fault_12_a_429_slows_every_process",
    "test_fault_12_a_slow_pace_outlasts_short_leases",
    "test_fault_16_nobody_is_left_to_open",
    "test_fault_20_sessions_are_terminated_again_and_again",
    "test_fault_21_many_processes_wait_for_the_file",
    "test_fault_21_the_disk_is_full_while_sending",
    "test_fault_23_a_laptop_that_slept",
    "test_fault_24_three_processes_keep_one_rate",
    "test_fault_25_two_campaigns_share_the_work",
    "test_fault_29_two_posts_of_one_chunk_at_one_instant",
}
_ON_POSTGRES = {
    "test_fault_02_killed_between_posting_and_the_bytes",
    "test_fault_05_killed_around_a_grouped_chunk",
    "test_fault_07_two_processes_read_at_once",
    "test_fault_12_a_storm_of_429_loses_nothing",
    "test_fault_13_a_report_settles_an_unknown_opener",
    "test_fault_18_credit_runs_out_and_comes_back",
    "test_fault_27_two_event_loops",
    "test_fault_28_journals_of_other_versions",
}
_ON_BOTH = {
    "test_workers_die_and_nobody_is_lost_or_texted_twice",
    "test_an_outbox_in_a_storm_texts_everybody_once",
}


def _chosen(name: str, cases: list[pytest.Item]) -> list[pytest.Item]:
    """The cases of a test that the short form runs, always the same."""
    if name in _LONG:
        return []
    if name in _ON_BOTH:
        return cases
    other = "sqlite" if name in _ON_POSTGRES else "postgres"
    cases = [item for item in cases if other not in item.name] or cases
    return [cases[crc32(name.encode()) % len(cases)]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Unless all are asked for, or some by name: one case of each test."""
    if os.environ.get("FAULTS") or config.option.keyword or any("::" in one for one in config.args):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.path.parent == Path(__file__).parent:
            cases.setdefault(getattr(item, "originalname", item.name), []).append(item)
    chosen = {id(item) for name, found in cases.items() for item in _chosen(name, found)}
    left_out = {id(item): item for found in cases.values() for item in found if id(item) not in chosen}
    items[:] = [item for item in items if id(item) not in left_out]
    config.hook.pytest_deselected(items=list(left_out.values()))


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    """The worker processes of the session."""
    running = Workers()
    yield running
    running.stop()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A provider of the test's own."""
    with Sandbox(credits=Decimal(1_000_000), strict=False) as running:
        yield running


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
