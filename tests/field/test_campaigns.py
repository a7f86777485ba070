"""Durable campaigns as people meet them: the same name twice, odd addresses, full disks, waiting (issue "field")."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from mensatek_async import AsyncMensatek, CampaignConflict, Campaigns
from mensatek_async.cli.app import run as main
from mensatek_async.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox of its own for each test."""
    with Sandbox(credits=Decimal(100_000), strict=True) as running:
        yield running


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AsyncMensatek]:
    """A client of that sandbox."""
    async with AsyncMensatek(sandbox.user, sandbox.token, base_url=sandbox.base_url, sender="ACME") as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind."""
    if request.param == "sqlite":
        return str(tmp_path / "campaigns.db")
    url: str = request.getfixturevalue("database")
    return url


def phones(count: int, first: int = 34_600_000_000) -> list[str]:
    """So many different mobiles."""
    return [str(first + number) for number in range(count)]


# --- 31: the same name with other recipients, while somebody still reads ----------------------------------------


class Slowly:
    """Rows of which the last one comes when it is let."""

    def __init__(self, rows: list[str]) -> None:
        self.rows = rows
        self.go_on = anyio.Event()

    async def __aiter__(self) -> AsyncIterator[str]:
        for row in self.rows[:-1]:
            yield row
        await self.go_on.wait()
        yield self.rows[-1]


A = phones(20)


@pytest.mark.parametrize(
    ("others", "end"),
    [
        pytest.param(phones(20, 34_700_000_000), "complete", id="all other"),
        pytest.param(A[:3], "drive", id="fewer"),
        pytest.param(A[:-1], "complete", id="one fewer"),
        pytest.param([*A, "34799999999"], "drive", id="one more"),
        pytest.param([*A[:-1], "34799999999"], "block", id="another last"),
        pytest.param([*reversed(A)], "block", id="another order"),
        pytest.param([], "complete", id="nobody"),
    ],
)
async def test_other_recipients_while_somebody_reads_are_a_conflict(
    client: AsyncMensatek, sandbox: Sandbox, store: str, others: list[str], end: str
) -> None:
    """However B goes on, it has read these rows or it raises; nobody is dropped in silence, and A loses nobody."""
    rows = Slowly(A)

    async def bring() -> None:
        async with Campaigns(client, store, poll=0.05) as second:
            campaign = await second.start("sale", "Hello", others, chunk_size=5)
            rows.go_on.set()
            if end == "complete":
                await campaign.complete()
            elif end == "drive":
                await second.drive("sale", 60)

    async with Campaigns(client, store, poll=0.05) as first:
        reading = await first.start("sale", "Hello", rows, chunk_size=5)
        with pytest.raises(CampaignConflict, match="other recipients"):
            await bring()
        rows.go_on.set()
        assert (await reading.complete()).sent == 20
    assert sorted(sandbox.counts) == A


async def test_the_same_recipients_while_somebody_reads_are_welcome(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """B brings what A reads: both end well, and everybody is texted once."""
    rows = Slowly(A)
    async with Campaigns(client, store, poll=0.05) as first, Campaigns(client, store, poll=0.05) as second:
        await first.start("sale", "Hello", rows)
        campaign = await second.start("sale", "Hello", A)
        rows.go_on.set()
        assert (await campaign.complete()).sent == 20
    assert sandbox.counts == dict.fromkeys(A, 1)


async def test_a_cancelled_campaign_still_tells_other_recipients(client: AsyncMensatek, store: str) -> None:
    """It was cancelled before all was read: its own rows start in peace, others are refused."""
    async with Campaigns(client, store) as first:
        rows = Slowly(A)
        await (await first.start("sale", "Hello", rows)).cancel()
        rows.go_on.set()
    async with Campaigns(client, store) as second:
        await second.start("sale", "Hello", A)
        with pytest.raises(CampaignConflict, match="other recipients"):
            await second.start("sale", "Hello", phones(20, 34_700_000_000))


async def test_what_ends_a_reading_in_the_background_is_raised_at_the_end_of_the_block(
    client: AsyncMensatek, store: str
) -> None:
    """A source that breaks after `start` has returned: leaving the block says so."""

    async def breaking() -> AsyncIterator[str]:
        yield "34600000000"
        await anyio.sleep(1.3)
        raise RuntimeError("the line was cut")

    with pytest.raises(RuntimeError, match="the line was cut"):
        async with Campaigns(client, store) as campaigns:
            await campaigns.start("sale", "Hello", breaking())


def test_the_command_refuses_other_recipients_while_somebody_reads(
    sandbox: Sandbox,
    store: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and the reason; nobody of the second file is texted."""
    file = tmp_path / "people.csv"
    file.write_text("phone\n" + "\n".join(phones(5, 34_700_000_000)))
    for name, value in (
        ("BASE_URL", sandbox.base_url),
        ("API_USER", sandbox.user),
        ("API_TOKEN", sandbox.token),
    ):
        monkeypatch.setenv(f"MENSATEK_{name}", value)
    begun, go_on = threading.Event(), threading.Event()

    async def rows() -> AsyncIterator[str]:
        for phone in A[:-1]:
            yield phone
        await anyio.sleep(0.5)  # so that what was read by now is written down
        begun.set()
        await anyio.to_thread.run_sync(go_on.wait, 20)
        yield A[-1]

    async def read() -> None:
        async with AsyncMensatek() as client, Campaigns(client, store) as campaigns:
            await campaigns.start("sale", "Hello", rows())

    reader = threading.Thread(target=anyio.run, args=(read,))
    reader.start()
    begun.wait(20)
    threading.Timer(1.0, go_on.set).start()
    try:
        code = main(["campaign", "start", "sale", str(file), "--text", "Hello", "--yes", "--store", store])
    finally:
        reader.join()
    assert (code, sandbox.texts) == (2, [])
    assert "other recipients" in capsys.readouterr().err
