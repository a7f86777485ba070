"""Durable campaigns as people meet them: the same name twice, odd addresses, full disks, waiting (issue "field")."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import anyio
import anyio.to_thread
import pytest

from mensatek_async import AsyncMensatek, Campaign, CampaignConflict, Campaigns, Issuer, Retry, StoreError
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.testing import forget_accounts
from tests.command_line import Command
from tests.sandbox_calls import phones

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for rows that come slowly, or for another reader."""
    monkeypatch.setattr("mensatek_async.campaigns.session._SOON", 0.1)
    monkeypatch.setattr("mensatek_async.campaigns.ingest._LOOK", 0.05)
    monkeypatch.setattr("mensatek_async.bulk.reader._SOON", 0.02)


@pytest.fixture(autouse=True)
def sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's."""
    monkeypatch.setenv("MENSATEK_SENDER", "ACME")


def sale(folder: Path, store: str, people: list[str]) -> tuple[str, ...]:
    """The words that start a campaign of these people."""
    file = folder / "people.csv"
    file.write_text("phone\n" + "\n".join(people))
    return ("campaign", "start", "sale", str(file), "--text", "Hello", "--yes", "--store", store)


# What is the same on both kinds of store is tried on one.
on_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("store", ["postgres"], indirect=True)


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


async def being_read(campaigns: Campaigns, rows: Slowly, **options: Any) -> Campaign:
    """A campaign of which all rows but the last are in the journal."""
    campaign = await campaigns.start("sale", "Hello", rows, **options)
    for _ in range(1000):
        if (await campaign.progress()).total == len(rows.rows) - 1:
            return campaign
        await anyio.sleep(0.02)
    raise TimeoutError


A = phones(20)


@pytest.mark.parametrize(
    ("others", "end", "store"),
    [
        pytest.param(phones(20, 34_610_000_000), "complete", "sqlite", id="all other"),
        pytest.param(A[:3], "drive", "postgres", id="fewer"),
        pytest.param(A[:-1], "complete", "sqlite", id="one fewer"),
        pytest.param([*A, "34619999999"], "drive", "postgres", id="one more"),
        pytest.param([*A[:-1], "34619999999"], "block", "sqlite", id="another last"),
        pytest.param([*reversed(A)], "block", "postgres", id="another order"),
        pytest.param([], "complete", "sqlite", id="nobody"),
    ],
    indirect=["store"],
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
        reading = await being_read(first, rows, chunk_size=5)
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
        await being_read(first, rows)
        campaign = await second.start("sale", "Hello", A)
        rows.go_on.set()
        assert (await campaign.complete()).sent == 20
    assert sandbox.counts == dict.fromkeys(A, 1)


@on_sqlite
async def test_a_cancelled_campaign_still_tells_other_recipients(client: AsyncMensatek, store: str) -> None:
    """It was cancelled before all was read: its own rows start in peace, others are refused."""
    async with Campaigns(client, store) as first:
        rows = Slowly(A)
        await (await being_read(first, rows)).cancel()
        rows.go_on.set()
    async with Campaigns(client, store) as second:
        await second.start("sale", "Hello", A)
        with pytest.raises(CampaignConflict, match="other recipients"):
            await second.start("sale", "Hello", phones(20, 34_610_000_000))


@on_sqlite
async def test_what_ends_a_reading_in_the_background_is_raised_at_the_end_of_the_block(
    client: AsyncMensatek, store: str
) -> None:
    """A source that breaks after `start` has returned: leaving the block says so."""

    async def breaking() -> AsyncIterator[str]:
        yield "34600000000"
        await anyio.sleep(0.3)
        raise RuntimeError("the line was cut")

    with pytest.raises(RuntimeError, match="the line was cut"):
        async with Campaigns(client, store) as campaigns:
            await campaigns.start("sale", "Hello", breaking())


@on_postgres
def test_the_command_refuses_other_recipients_while_somebody_reads(
    sandbox: Sandbox, store: str, tmp_path: Path, command: Command
) -> None:
    """Exit code 2 and the reason; nobody of the second file is texted."""
    begun, go_on = threading.Event(), threading.Event()

    async def rows() -> AsyncIterator[str]:
        for phone in A[:-1]:
            yield phone
        await anyio.sleep(0.2)  # so that what was read by now is written down
        begun.set()
        await anyio.to_thread.run_sync(go_on.wait, 20)
        yield A[-1]

    async def read() -> None:
        async with AsyncMensatek() as client, Campaigns(client, store) as campaigns:
            await campaigns.start("sale", "Hello", rows())

    reader = threading.Thread(target=anyio.run, args=(read,))
    reader.start()
    begun.wait(20)
    threading.Timer(0.4, go_on.set).start()
    try:
        said = command(*sale(tmp_path, store, phones(5, 34_610_000_000)))
    finally:
        reader.join()
    assert (said.code, sandbox.texts) == (2, [])
    assert "other recipients" in said.err


# --- 23: a scheduled campaign is cancelled at the provider as well ------------------------------------------------


@pytest.mark.parametrize("product", ["sms", "certified"])
async def test_cancelling_a_scheduled_campaign_cancels_what_the_provider_holds(
    campaigns: Campaigns, sandbox: Sandbox, tmp_path: Path, product: Literal["sms", "certified"]
) -> None:
    """Openers' messages among it; how many is told and kept, the export says so, and cancelling again is calm."""
    options: dict[str, Any] = {"product": product, "scheduled_at": datetime.now(UTC) + timedelta(days=2)}
    if product == "certified":
        options["issuer"] = Issuer("ACME", "900000000", "B00000000")
    sandbox.fault(Fault.drop_after_accept(), times=1)
    campaign = await campaigns.start("sale", "Hello", A, **options)
    before = await campaign.complete()
    await campaign.export(tmp_path / "before.csv")
    assert (before.state, before.sent, before.unknown) == ("done", 19, 1)

    after = await campaign.cancel()
    assert (after.state, after.sent, after.cancelled, after.unknown) == ("cancelled", 0, 19, 1)
    assert "cancelled 19 recipients" in after.note
    again = await campaign.cancel()
    assert (again.cancelled, again.unknown, again.note) == (19, 1, after.note)
    await campaign.export(tmp_path / "after.csv")
    assert (tmp_path / "after.csv").read_text().count(",cancelled,") == 19


@on_postgres
async def test_what_has_left_already_stays_sent(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """The provider says that it is too late: nobody is counted as cancelled."""
    soon = datetime.now(UTC) + timedelta(hours=2)
    campaign = await campaigns.start("sale", "Hello", A, scheduled_at=soon)
    await campaign.complete()
    sandbox.advance(3 * 3600)
    after = await campaign.cancel()
    assert (after.sent, after.cancelled) == (20, 0)


@on_sqlite
def test_the_command_cancels_a_scheduled_campaign(store: str, tmp_path: Path, command: Command) -> None:
    """It says for when it was, and how many the provider cancelled; without an account it cannot."""
    when = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d} 10:00"
    said = command(*sale(tmp_path, store, A), "--at", when)
    assert said.code == 0
    assert f"scheduled for {when}" in said.out

    said = command("campaign", "cancel", "sale", "--yes", "--store", store)
    assert said.code == 0
    assert "cancelled 20 recipients" in said.out
    assert "20 cancelled" in said.out


# --- 26: whatever waits says for what, and until when -------------------------------------------------------------


async def started(campaigns: Campaigns, **options: Any) -> Campaign:
    """A campaign of many requests."""
    return await campaigns.start("sale", "Hello", A, chunk_size=2, **options)


@on_postgres
async def test_quiet_hours_say_until_when(campaigns: Campaigns) -> None:
    """Spanish hours that begin in three hours."""
    now = datetime.now(ZoneInfo("Europe/Madrid"))
    begin, end = (now + timedelta(hours=3)).time(), (now + timedelta(hours=4)).time()
    begin, end = begin.replace(microsecond=0), end.replace(microsecond=0)
    campaign = await started(campaigns, send_between=(begin, end))
    stands = await campaigns.drive("sale", 0.2)
    assert (stands.state, stands.pending) == ("running", 20)
    assert stands.waiting_until is not None
    assert abs(stands.waiting_until - now - timedelta(hours=3)) < timedelta(seconds=5)
    assert "outside its hours" in stands.note
    assert f"{begin:%H:%M}" in stands.note
    assert (await campaign.pause()).waiting_until is None
    assert "somebody paused it; it waits until it is resumed" in (await campaign.progress()).note


@on_sqlite
async def test_a_provider_that_says_slow_down_is_told(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """With Retry-After; and where nobody answers at all, what happened, and the next try."""
    async with Campaigns(client, store, poll=0.05) as campaigns:
        await started(campaigns)
        sandbox.fault(Fault.status_429(30), after=1)
        stands = await campaigns.drive("sale", 0.6, concurrency=1)
        assert stands.waiting_until is not None
        assert timedelta(seconds=5) < stands.waiting_until - datetime.now(UTC) < timedelta(seconds=31)
        assert "slow down" in stands.note
    sandbox.stop()
    forget_accounts()
    other = f"{store}.other.db"
    once = AsyncMensatek(sender="ACME", retry=Retry(attempts=1))
    async with once, Campaigns(once, other, poll=0.05) as campaigns:
        await started(campaigns)
        with anyio.fail_after(20):
            while not (stands := await campaigns.drive("sale", 0.3, concurrency=1)).waiting_until:
                pass
    assert re.search("tried again|tried [0-9]+ times", stands.note)


@on_postgres
async def test_a_shared_rate_is_told(campaigns: Campaigns) -> None:
    """A recipient in twenty seconds."""
    await started(campaigns, rate=0.05)
    stands = await campaigns.drive("sale", 0.4)
    assert "the shared rate, 0.05 recipients a second" in stands.note
    assert stands.waiting_until is not None
    assert stands.waiting_until > datetime.now(UTC) + timedelta(seconds=10)


@on_postgres
async def test_a_campaign_that_nobody_sends_says_so(
    campaigns: Campaigns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started only, or left by whoever sent it."""
    monkeypatch.setattr("mensatek_async.campaigns.journal.waiting._QUIET", 0.2)
    campaign = await started(campaigns)
    await anyio.sleep(0.3)
    assert "nobody has sent anything" in (await campaign.progress()).note
    assert (await campaign.complete()).note == ""


@on_sqlite
def test_the_command_says_what_it_waits_for(store: str, tmp_path: Path, command: Command) -> None:
    """`status`, in words and as JSON."""
    now = datetime.now(ZoneInfo("Europe/Madrid"))
    hours = f"{now + timedelta(hours=3):%H:%M}-{now + timedelta(hours=4):%H:%M}"
    assert command(*sale(tmp_path, store, A), "--no-run", "--send-between", hours).code == 0

    out = command("campaign", "status", "sale", "--store", store).out
    assert "waits until" in out
    assert "outside its hours" in out
    told = command("campaign", "status", "sale", "--store", store, "--json").json
    assert datetime.fromisoformat(told["waiting_until"]) > now + timedelta(hours=2)


# --- A process that is stopped while it writes -------------------------------------------------------------------

HOLDER = """
import os, signal, sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
os.kill(os.getpid(), signal.SIGSTOP)
held.execute("COMMIT")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system's list of locks is Linux's")
@pytest.mark.parametrize("end", [signal.SIGCONT, signal.SIGKILL])
async def test_whoever_waits_for_a_stopped_process_says_so_and_goes_on(
    client: AsyncMensatek,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    end: signal.Signals,
) -> None:
    """As after Ctrl-Z in the middle of a transaction: which process, that it is stopped, and on when it ends."""
    monkeypatch.setattr("mensatek_async.store.sqlite._SLICE", 0.1)
    store = tmp_path / "c.db"
    async with Campaigns(client, store) as campaigns:
        campaign = await started(campaigns)
        async with await anyio.open_process([sys.executable, "-c", HOLDER, str(store)]) as holder:
            await anyio.to_thread.run_sync(os.waitid, os.P_PID, holder.pid, os.WSTOPPED | os.WNOWAIT)
            note = (await campaign.progress()).note
            assert f"process {holder.pid} holds the store and is stopped" in note
            monkeypatch.setattr("mensatek_async.store.sqlite._BUSY", 0.2)
            with pytest.raises(StoreError, match=f"process {holder.pid}, which is stopped"):
                await campaign.pause()
            monkeypatch.setattr("mensatek_async.store.sqlite._BUSY", 30.0)
            async with anyio.create_task_group() as group:
                group.start_soon(campaign.complete)
                await anyio.sleep(0.3)
                holder.send_signal(end)
        assert (await campaign.progress()).sent == 20
    assert f"is held by process {holder.pid}, which is stopped; waiting" in caplog.text
