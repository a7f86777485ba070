"""Durable campaigns through the sandbox: what their options promise, on SQLite and PostgreSQL."""

from __future__ import annotations

import csv
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    CampaignConflict,
    CampaignNotFound,
    Campaigns,
    DeliveryReport,
    InvalidDate,
    InvalidRequest,
    Issuer,
    Limits,
    Progress,
    Recipient,
    SourceMissing,
    StoreError,
    Template,
)
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.store.sqlite import SqliteDatabase
from tests.callbacks import report
from tests.sandbox_calls import phones

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)

FIRST = 34_600_000_000


def balanced(progress: Progress) -> bool:
    """Whether every row is in one place."""
    told = progress.failed - progress.undelivered
    parts = (progress.sent, progress.rejected, progress.invalid, progress.pending, progress.unknown)
    return progress.total == sum(parts) + told + progress.cancelled


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def remove(store: Path) -> None:
    for file in store.parent.glob(f"{store.name}*"):
        file.unlink()


def report_of(sandbox: Sandbox, phone: str, code: int, **changes: Any) -> DeliveryReport:
    """What the webhook would bring about a text that the sandbox took, read as a webhook reads it."""
    text = next(one for one in sandbox.texts if one.phone == phone)
    told = {"Resultado": code, "Movil": phone, "idMensaje": text.message_id, "Referencia": text.reference}
    return report(**{**told, **changes})


async def test_a_campaign_is_sent_and_told_row_by_row(
    campaigns: Campaigns, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Every row ends in one place, repeats and broken rows with their reason, and the export names each once."""
    recipients: list[str | Recipient] = [Recipient(phone, {"n": f"Ana {phone[-2:]}"}) for phone in phones(60)]
    recipients[5] = Recipient("12", {"n": "x"})
    recipients[9] = Recipient("+34 600 00 00 03", {"n": "again"})
    recipients[11] = Recipient("600000900", {})
    campaign = await campaigns.start("spring", Template("Hola {n}"), recipients, chunk_size=10)
    seen = []
    async with campaign.run(concurrency=4, interval=0.02) as progress:
        async for one in progress:
            seen.append(one)
            assert balanced(one)
    written = await campaign.export(tmp_path / "out.csv")
    last = seen[-1]
    assert (last.state, last.done, last.total) == ("done", True, 60)
    assert (last.sent, last.invalid, last.pending) == (57, 3, 0)
    assert last.credits_used == 57
    assert last.message_id
    assert max(sandbox.counts.values()) == 1
    rows = rows_of(tmp_path / "out.csv")
    assert written == len(rows) == 60
    assert [int(row["row"]) for row in rows] == list(range(1, 61))
    assert {row["row"] for row in rows if row["outcome"] == "invalid"} == {"6", "10", "12"}
    assert "repeats" in rows[9]["reason"]
    assert rows[0]["message_id"] == str(last.message_id)


async def test_the_same_start_goes_on_and_another_is_refused(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """Same name and content: the campaign as it is, and nobody texted again; other content: an error, nothing sent."""
    await (await campaigns.start("one", "Hola", phones(20))).complete()
    again = await campaigns.start("one", "Hola", iter(phones(20)), rate=100, chunk_size=3)
    assert (await again.complete()).sent == 20
    for text, recipients, options in (
        ("Adiós", phones(20), {}),
        ("Hola", phones(19), {}),
        ("Hola", phones(21), {}),
        ("Hola", list(reversed(phones(20))), {}),
        ("Hola", phones(20), {"sender": "OTHER"}),
        ("Hola", phones(20), {"reference": "r"}),
    ):
        with pytest.raises(CampaignConflict):
            await campaigns.start("one", text, recipients, **options)  # type: ignore[arg-type]
    with pytest.raises(CampaignNotFound):
        await campaigns.get("two")
    assert [one.name for one in await campaigns.list()] == ["one"]
    assert sandbox.counts.total() == 20


async def test_reading_and_sending_overlap(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """What was read is sent while the rest is still to come."""
    go_on = anyio.Event()

    async def rows() -> AsyncIterator[str]:
        for phone in phones(30):
            yield phone
        await go_on.wait()
        for phone in phones(30, FIRST + 1000):
            yield phone

    campaign = await campaigns.start("slow", "Hola", rows(), chunk_size=10)
    async with campaign.run(interval=0.02) as progress:
        async for one in progress:
            if one.sent == 30 and not go_on.is_set():
                assert one.reading
                go_on.set()
    assert one.sent == 60
    assert not one.reading
    assert sandbox.counts.total() == 60


async def test_leaving_the_block_finishes_reading(client: AsyncMensatek, store: str) -> None:
    """A campaign that was only started is whole in the journal: somebody else can send it."""

    async def rows() -> AsyncIterator[str]:
        for phone in phones(8):
            await anyio.sleep(0.2)
            yield phone

    async with Campaigns(client, store) as campaigns:
        campaign = await campaigns.start("later", "Hola", rows())
        assert (await campaign.progress()).reading
    async with Campaigns(client, store) as campaigns:
        (done,) = await campaigns.work()
        assert (done.name, done.sent, done.state) == ("later", 8, "done")


async def test_slices_and_workers(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """`drive` sends within its budget and tells whether it is done; `work` takes every campaign that runs."""
    sandbox.latency = 0.1
    await campaigns.start("a", "Hola", phones(12), chunk_size=1)
    await campaigns.start("b", "Hola", phones(12), chunk_size=4)
    slices = [await campaigns.drive("a", 0.35, concurrency=1)]
    assert not slices[0].done
    assert 0 < slices[0].sent < 12
    both = await campaigns.work(timedelta(minutes=1))
    assert {(one.name, one.sent, one.done) for one in both} == {("a", 12, True), ("b", 12, True)}
    assert set(sandbox.counts.values()) == {2}


async def test_pause_resume_and_cancel(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """Paused it sends nothing, resumed it goes on, cancelled it never does; every row stays in one place."""
    sandbox.latency = 0.02
    campaign = await campaigns.start("p", "Hola", phones(30), chunk_size=5)
    paused = await campaign.pause()
    assert (paused.state, paused.reason) == ("paused", "user")
    assert (await campaign.complete()).sent == 0
    await campaign.resume()
    async with campaign.run(concurrency=1, interval=0.001) as progress:
        async for one in progress:
            if one.sent >= 6:
                await campaign.cancel()
    last = await campaign.progress()
    assert last.state == "cancelled"
    assert balanced(last)
    assert last.cancelled > 0
    assert last.sent == sandbox.counts.total()
    assert (await campaign.resume()).state == "cancelled"


@pytest.mark.parametrize("cap", [2, 20], ids=["in the first chunk", "in a later one"])
async def test_max_credits_is_never_exceeded(campaigns: Campaigns, sandbox: Sandbox, cap: int) -> None:
    """The cap is used up and not passed; raised, the campaign goes on."""
    campaign = await campaigns.start("cap", "Hola", phones(50), chunk_size=8, max_credits=cap)
    stopped = await campaign.complete()
    assert (stopped.state, stopped.reason, stopped.credits_used) == ("paused", "max_credits", cap)
    assert sandbox.counts.total() == cap
    campaign = await campaigns.start("cap", "Hola", phones(50), chunk_size=8, max_credits=Decimal("50"))
    await campaign.resume()
    assert (await campaign.complete()).sent == 50


async def test_nothing_leaves_outside_its_hours(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """Closed hours send nothing and end a slice at once; opened by starting again, everything goes."""
    now = datetime.now(ZoneInfo("Europe/Madrid"))
    closed = ((now + timedelta(hours=2)).time(), (now + timedelta(hours=3)).time())
    opened = ((now - timedelta(hours=1)).time(), (now + timedelta(hours=1)).time())
    for local in ("spanish", "recipient"):
        await campaigns.start(local, "Hola", phones(5), send_between=closed, local_time=local)  # type: ignore[arg-type]
        with anyio.fail_after(20):
            assert (await campaigns.drive(local, 3600)).sent == 0
        await campaigns.start(local, "Hola", phones(5), send_between=opened, local_time=local)  # type: ignore[arg-type]
        assert (await campaigns.drive(local)).sent == 5


async def test_the_users_reference_arrives_as_given(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """The journal's mark is on the wire of openers alone, and gone from what a webhook hands over."""
    campaign = await campaigns.start("ref", "Hola", phones(5), reference="order 7 #x")
    await campaign.complete()
    references = {text.reference for text in sandbox.texts}
    events = [report_of(sandbox, phone, 11) for phone in phones(5)]
    assert {event.reference for event in events} == {"order 7 #x"}
    assert len(references) == 2
    for event in (*events, *events):
        assert await campaigns.record(event)
    assert not await campaigns.record(
        report_of(sandbox, str(FIRST), 11, idMensaje=1, Referencia="order 7 #x")
    )
    told = await campaign.progress()
    assert (told.delivered, told.failed, told.sent) == (5, 0, 5)


@pytest.mark.parametrize(
    ("policy", "sent", "times"),
    [("keep", 11, 1), ("assume_sent", 12, 1), ("resend", 12, 2), ("after half a second", 12, 1)],
)
async def test_the_user_decides_about_unknown_recipients(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path, policy: Any, sent: int, times: int
) -> None:
    """Kept they stay, assumed sent they count, sent again they may get it twice: only ever by decision, which may be
    the campaign's own for what is unknown after a time; only then it is done."""
    sandbox.fault(Fault.drop_after_accept(), times=1)
    later = policy == "after half a second"
    own: dict[str, Any] = {"unknown_after": 0.5, "unknown_policy": "assume_sent"} if later else {}
    async with Campaigns(client, tmp_path / "c.db", poll=0.05) as campaigns:
        campaign = await campaigns.start("u", "Hola", phones(12), chunk_size=5, **own)
        done = await campaign.complete()
        if not later:
            (unknown,) = await campaign.unknown()
            assert (unknown.row, unknown.phone) == (1, str(FIRST))
            assert unknown.since <= datetime.now(UTC)
            assert str(FIRST) not in repr(unknown)
            assert await campaign.resolve(policy) == (0 if policy == "keep" else 1)
            done = await campaign.complete()
    assert (done.sent, done.unknown, done.state) == (sent, 12 - sent, "done")
    assert sandbox.count(str(FIRST)) == times
    with pytest.raises(InvalidRequest):
        await campaign.resolve("guess")  # type: ignore[arg-type]


async def test_reconcile_asks_once_and_tells_who_was_refused(
    campaigns: Campaigns, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The report fills the counts, and whoever it does not name was rejected."""
    campaign = await campaigns.start("q", "Hola", phones(6))
    await campaign.complete()
    told = await campaign.reconcile()
    again = await campaign.reconcile()
    assert told.sent == again.sent == 6
    assert len(sandbox.calls("GetReportSMS")) == 1
    await campaign.export(tmp_path / "out.jsonl")
    assert len((tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()) == 6


async def test_an_anchor_takes_the_doubt(client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path) -> None:
    """The first text goes to a phone of the sender's own, which is no row; all others join its message."""
    own = "34699999999"
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        campaign = await campaigns.start("a", "Hola", [*phones(6), own], anchor="+34 699 999 999")
        done = await campaign.complete()
        written = await campaign.export(tmp_path / "out.csv")
    assert (done.total, done.sent, done.invalid) == (7, 6, 1)
    assert (written, sandbox.count(own)) == (7, 1)
    assert len({text.message_id for text in sandbox.texts}) == 1
    assert sandbox.texts[0].phone == own


async def test_certified_campaigns(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """Certified texts are sent the same way, in their own requests, with their issuer."""
    issuer = Issuer("EMPRESA S.L.", "900000000", "B00000000")
    with pytest.raises(InvalidRequest, match="issuer"):
        await campaigns.start("none", "Le notificamos", phones(3), product="certified")
    campaign = await campaigns.start(
        "cert",
        "Le notificamos",
        phones(120),
        product="certified",
        issuer=issuer,
        validity=timedelta(days=2),
    )
    done = await campaign.complete()
    assert (done.sent, done.state) == (120, "done")
    assert [one.name for one in await campaigns.list()] == ["cert"]
    await campaign.reconcile()
    assert len(sandbox.calls("EnviarSMSCERTIFICADO")) == 4
    assert len(sandbox.calls("GetReportSMSCERTIFICADO")) == 1


async def test_another_account_cannot_go_on(client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path) -> None:
    """A campaign's message belongs to the account that started it."""
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        await campaigns.start("mine", "Hola", phones(3))
    other = AsyncMensatek("SOMEBODY", "ELSE", base_url=sandbox.base_url)
    async with other, Campaigns(other, tmp_path / "c.db") as campaigns:
        assert await campaigns.work() == []
        for attempt in (
            campaigns.drive("mine"),
            (await campaigns.get("mine")).complete(),
            campaigns.start("mine", "Hola", phones(3)),
        ):
            with pytest.raises(CampaignConflict):
                await attempt
    assert not sandbox.texts


async def test_a_scheduled_campaign_goes_on_after_its_date(client: AsyncMensatek, tmp_path: Path) -> None:
    """A new campaign for yesterday is refused, the same program started again after the date is not; no bad option
    comes as far as a store."""
    when = datetime.now(UTC) + timedelta(days=1)
    now = datetime.now(ZoneInfo("Europe/Madrid"))
    hours = ((now + timedelta(hours=2)).time(), (now + timedelta(hours=3)).time())
    bad: list[dict[str, Any]] = [{"rate": 0}, {"chunk_size": 0}, {"report_email": "a@example.com"}]
    bad += [{"anchor": "12"}, {"sender": "much too long a sender"}]
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        for options in (*bad, {"scheduled_at": when, "send_between": hours}):
            with pytest.raises(InvalidRequest):
                await campaigns.start("bad", "Hola", phones(2), **options)
        assert not (tmp_path / "c.db").exists()
        with pytest.raises(InvalidDate):
            await campaigns.start("late", "Hola", phones(2), scheduled_at=when - timedelta(days=3))
        campaign = await campaigns.start("soon", "Hola", phones(2), scheduled_at=when)
        assert (await campaign.complete()).sent == 2


async def test_what_is_cancelled_without_an_answer_stays_unknown(
    campaigns: Campaigns, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Cancelled chunks that were tried are not told as unsent: some of them may have been texted."""
    campaign = await campaigns.start("c", "Hola", phones(21), chunk_size=10)
    sandbox.fault(Fault.drop_after_accept(), after=1, times=50)
    async with campaign.run(concurrency=1, interval=0.01) as progress:
        async for _ in progress:
            if len(sandbox.texts) > 1:
                break
    done = await campaign.cancel()
    await campaign.export(tmp_path / "out.csv")
    assert (done.state, done.sent) == ("cancelled", 1)
    assert balanced(done)
    told = {row["phone"]: row["outcome"] for row in rows_of(tmp_path / "out.csv")}
    texted = set(sandbox.counts) - {str(FIRST)}
    assert len(texted) >= 9
    assert texted == {phone for phone, outcome in told.items() if outcome == "unknown"}


async def test_a_provider_that_answers_nobody_costs_few_recipients(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lost openers make the next one wait, and after eight in a row the campaign pauses instead of using people up."""
    monkeypatch.setattr("mensatek_async.campaigns.journal.outcomes.backoff", lambda failures: 0.01 * failures)
    sandbox.fault(Fault.http_status(500), times=9)
    async with Campaigns(client, tmp_path / "c.db", poll=0.05) as campaigns:
        campaign = await campaigns.start("down", "Hola", phones(60), chunk_size=10)
        stopped = await campaign.complete()
        assert (stopped.state, stopped.reason, stopped.unknown, stopped.sent) == ("paused", "no_answer", 8, 0)
        await campaign.resume()
        done = await campaign.complete()
    assert (done.state, done.unknown, done.sent) == ("done", 9, 51)


async def test_a_refused_opener_lets_another_one_open(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """One recipient whom the provider refuses alone does not stop the others, and is told as failed in the end."""
    sandbox.fault(Fault.refuse(-3, "no"), times=1)
    campaign = await campaigns.start("one", "Hola", phones(12), chunk_size=5)
    done = await campaign.complete()
    assert (done.state, done.sent, done.unknown, done.failed) == ("done", 12, 0, 0)
    sandbox.fault(Fault.refuse(-3, "no"), times=50)
    campaign = await campaigns.start("all", "Hola", phones(12), chunk_size=5)
    stopped = await campaign.complete()
    assert (stopped.state, stopped.reason, stopped.pending) == ("paused", "refused", 12)
    assert balanced(stopped)


async def test_a_slice_says_when_rows_are_missing(client: AsyncMensatek, tmp_path: Path) -> None:
    """A job that would ask again for ever is told that nobody reads the rest; what was read is sent."""

    async def failing() -> AsyncIterator[str]:
        yield "600000001"
        raise OSError("gone")

    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        with pytest.raises(OSError, match="gone"):
            await campaigns.start("cut", "Hola", failing())
        with pytest.raises(SourceMissing):
            await campaigns.drive("cut", 30)
        (told,) = await campaigns.work()
        assert (told.sent, told.reading, told.state) == (1, True, "running")


@pytest.mark.parametrize("in_flight", [1, 2])
async def test_max_credits_counts_what_lost_answers_may_have_cost(
    campaigns: Campaigns, sandbox: Sandbox, in_flight: int
) -> None:
    """What was tried has its share of the cap set aside, since it may be paid for, whatever its repeat says; which is
    sent before the campaign pauses."""
    sandbox.fault(Fault.drop_after_accept(), after=1, times=1)
    sandbox.fault(Fault.drop_after_accept(), after=1 + in_flight, times=1)
    before = sandbox.credits
    campaign = await campaigns.start("cap", "Hola", phones(60), chunk_size=5, max_credits=20)
    stopped = await campaign.complete(concurrency=in_flight)
    assert (stopped.state, stopped.reason, stopped.sent) == ("paused", "max_credits", 20)
    assert before - sandbox.credits == 20


async def test_a_refused_token_pauses_again(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """Resumed with the token still refused, it pauses again; another client with the right one goes on at once."""
    wrong = AsyncMensatek(sandbox.user, "not the token", base_url=sandbox.base_url, sender="ACME")
    async with wrong, Campaigns(wrong, store) as campaigns:
        campaign = await campaigns.start("auth", "Hola", phones(12), chunk_size=5)
        for _ in range(2):
            stopped = await campaign.complete()
            assert (stopped.state, stopped.reason, stopped.pending) == ("paused", "auth", 12)
            await campaign.resume()
    async with Campaigns(client, store) as campaigns:
        with anyio.fail_after(20):
            assert (await (await campaigns.get("auth")).complete()).sent == 12


async def test_a_store_is_neither_replaced_nor_missed(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path
) -> None:
    """An export is no file of the store's own, nor of an ending that promises something else; and nothing is sent that
    would be written into a store that is gone."""
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        campaign = await campaigns.start("one", "Hola", phones(3))
        for name in ("c.db", "c.db-wal", "c.db.lock", "out.xlsx", "gone/out.csv"):
            with pytest.raises(InvalidRequest):
                await campaign.export(tmp_path / name)
        assert (await campaign.complete()).sent == 3
        again = await campaigns.start("two", "Hola", phones(3))
        remove(tmp_path / "c.db")
        with pytest.raises(StoreError):
            await again.complete()
    assert len(sandbox.texts) == 3


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # on both, in tests/faults
async def test_what_waits_for_its_turn_keeps_its_lease(sandbox: Sandbox, store: str) -> None:
    """A pace slower than the lease sends everything all the same, each chunk in one request."""
    slow = AsyncMensatek(
        sandbox.user, sandbox.token, base_url=sandbox.base_url, sender="ACME", limits=Limits(per_second=2)
    )
    async with slow, Campaigns(slow, store, lease=1.5, poll=0.05) as campaigns:
        campaign = await campaigns.start("slow", "Hola", phones(13), chunk_size=2)
        assert (await campaign.complete(concurrency=8)).sent == 13
    assert len(sandbox.calls("EnviarSMS")) == 8


async def test_requests_that_end_together_share_a_transaction(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow disk eight requests in flight do not queue for eight commits."""
    fast = SqliteDatabase.attempt

    def slow(*given: Any, **named: Any) -> Any:
        threading.Event().wait(0.03)
        return fast(*given, **named)

    monkeypatch.setattr(SqliteDatabase, "attempt", slow)
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        campaign = await campaigns.start("many", "Hola", phones(81), chunk_size=1)
        assert (await campaign.complete()).sent == 81
    with closing(sqlite3.connect(tmp_path / "c.db")) as store:
        ((commits,),) = store.execute("SELECT value FROM mensatek_meta WHERE name = 'commits'")
    assert int(commits) < 50
    assert set(sandbox.counts.values()) == {1}


async def test_the_next_request_is_claimed_while_one_is_on_its_way(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path
) -> None:
    """So that it leaves at once, without waiting for the store; and goes back where the campaign is paused."""
    sandbox.latency = 1.0
    async with Campaigns(client, tmp_path / "c.db") as campaigns, anyio.create_task_group() as group:
        campaign = await campaigns.start("ahead", "Hola", phones(9), chunk_size=2)
        group.start_soon(lambda: campaign.complete(concurrency=1))
        claimed = 0
        with closing(sqlite3.connect(tmp_path / "c.db")) as store, anyio.fail_after(20):
            while claimed < 2:
                await anyio.sleep(0.01)
                ((claimed,),) = store.execute("SELECT count(*) FROM mensatek_chunk WHERE state = 'posting'")
        await campaign.pause()
    stands = await campaign.progress()
    assert (stands.state, stands.sent, stands.pending) == ("paused", 2, 7)
    assert sandbox.max_in_flight == 1


async def test_a_store_that_goes_while_rows_are_awaited(client: AsyncMensatek, tmp_path: Path) -> None:
    """Said as what it is, when the next rows have come."""
    store = tmp_path / "c.db"

    async def rows() -> AsyncIterator[str]:
        yield str(FIRST)
        await anyio.sleep(0.3)
        remove(store)
        await anyio.sleep(0.7)
        yield str(FIRST + 1)

    with pytest.raises(StoreError, match="removed"):
        async with Campaigns(client, store, lease=0.5) as campaigns:
            await campaigns.start("slow", "Hola", rows())
