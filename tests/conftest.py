"""What every test gets: no network, no account from the environment, hypothesis profiles."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.network_guard import no_network
from tests.postgres_server import database, postgres

__all__ = ["database", "postgres"]  # fixtures for all tests

# HYPOTHESIS_PROFILE=ci looks further.
settings.register_profile("fast", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """Fails a test that leaves the machine, whoever swallows the error."""
    with no_network() as tried:
        yield
    assert not tried, f"the test used the network: {tried}"


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees, or uses, the account of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("MENSATEK_")]:
        monkeypatch.delenv(name)
