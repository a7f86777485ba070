"""What every test gets: no network, no account from the environment, hypothesis profiles."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from mensatek_async import AsyncMensatek, Campaigns, Retry
from tests.network_guard import no_network
from tests.postgres_server import PostgresMissing, PostgresServer

if TYPE_CHECKING:
    from mensatek_async.sandbox import Sandbox
    from tests.command_line import Command
    from tests.sandbox_calls import Caller
    from tests.sandbox_page import PageCaller

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
    """No test sees, or uses, the account, the directories and the language of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("MENSATEK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("LANGUAGE", "en")


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


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind: the path of a file that is not there yet, or the address of a database."""
    if request.param == "sqlite":
        return str(tmp_path / "campaigns.db")
    url: str = request.getfixturevalue("database")
    return url


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox) -> Sandbox:
    """The sandbox of the shipped plugin; `pytest.mark.mensatek_sandbox` has its options."""
    return mensatek_sandbox


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in this process, and what it prints."""
    from tests.command_line import Command

    return Command(capsys, monkeypatch)


@pytest.fixture
def call(sandbox: Sandbox) -> Iterator[Caller]:
    """A caller of its API with the right credentials, which knows nothing of the client."""
    from tests.sandbox_calls import calling

    with calling(sandbox) as caller:
        yield caller


@pytest.fixture
def page(sandbox: Sandbox) -> Iterator[PageCaller]:
    """A caller of its page."""
    from tests.sandbox_page import visiting

    with visiting(sandbox) as caller:
        yield caller


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AsyncMensatek]:
    """A client of the sandbox that repeats quickly."""
    async with AsyncMensatek(sender="ACME", retry=Retry(wait_initial=0.01, wait_max=0.02)) as opened:
        yield opened


@pytest.fixture
async def campaigns(client: AsyncMensatek, store: str) -> AsyncIterator[Campaigns]:
    """Its campaigns, in a store of each kind."""
    async with Campaigns(client, store, poll=0.05) as opened:
        yield opened
