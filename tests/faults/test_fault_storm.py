"""A short storm of kills on each store; `nox -s faults -- --kills 1000` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.processes import Workers
from tests.faults.storm import STORES, Storm


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
