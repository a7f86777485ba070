"""What every test gets: no network, no account from the environment, hypothesis profiles."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.network_guard import no_network
from tests.postgres_server import PostgresMissing, PostgresServer

# A shell that starts the tests in the background has Ctrl-C ignored, in them and in all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

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
def _no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees, or uses, the account and the state directory of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("MENSATEK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def unavailable(reason: str) -> None:
    """Skip the test; where everything has to be tested, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"the tests need PostgreSQL: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, one for all tests of the session."""
    try:
        import psycopg  # noqa: F401

        server = PostgresServer()
    except (PostgresMissing, ImportError) as missing:
        unavailable(str(missing))
        raise
    yield server
    server.close()


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The address of an empty PostgreSQL database of the test's own."""
    url = postgres.create()
    yield url
    postgres.drop(url)
