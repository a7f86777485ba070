"""When a campaign begins to send (`start_at`), and when the provider delivers (`scheduled_at`): moved and cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import anyio
import anyio.lowlevel
import pytest

from mensatek_async import (
    AlreadySent,
    AsyncMensatek,
    CampaignError,
    Campaigns,
    InvalidDate,
    InvalidRequest,
    Issuer,
    OptOuts,
    SourceMissing,
    StoreError,
)
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.store.opening import open_database
from mensatek_async.store.schema import Schema
from tests.command_line import Command
from tests.sandbox_calls import ANA, LUIS, phones

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)

MADRID = ZoneInfo("Europe/Madrid")
A = phones(20)


on_sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # the same on both kinds of store


def ahead(**later: float) -> datetime:
    """A moment to come, to the minute."""
    return (datetime.now(MADRID) + timedelta(**later)).replace(second=0, microsecond=0)


async def test_nothing_leaves_before_its_date(campaigns: Campaigns, sandbox: Sandbox, store: str) -> None:
    """Its rows are read, it says what it waits for, a slice comes back at once; whoever opts out meanwhile is left
    out, and the same program started again keeps to the date, also once it was moved."""
    tomorrow, later = ahead(days=1), ahead(days=2)
    opt_outs = OptOuts(store)
    campaign = await campaigns.start("sale", "Hola", A, start_at=tomorrow)
    with anyio.fail_after(20):
        slice_ = await campaigns.drive("sale", 3600)
    assert (slice_.state, slice_.sent, slice_.pending) == ("running", 0, 20)
    assert (slice_.start_at, slice_.waiting_until) == (tomorrow, tomorrow)
    assert f"{tomorrow:%Y-%m-%d %H:%M}:00 Spanish time" in slice_.note
    await opt_outs.add(A[3])

    assert (await campaign.reschedule(start_at=later)).start_at == later
    for again in (tomorrow, None):  # as its program says it
        await campaigns.start("sale", "Hola", A, start_at=again)
        assert (await campaign.progress()).start_at == later
    await campaigns.start("sale", "Hola", A, start_at=ahead(days=3))
    assert [one.start_at for one in await campaigns.list()] == [ahead(days=3)]
    assert not sandbox.texts

    await campaign.reschedule(start_at=datetime.now(UTC))
    done = await campaign.complete()
    assert (done.state, done.sent, done.opted_out) == ("done", 19, 1)
    with pytest.raises(CampaignError, match="done"):
        await campaign.reschedule(start_at=later)
    assert A[3] not in sandbox.counts
    await opt_outs.aclose()


@pytest.mark.parametrize("order", ["begin", "cancel", "pause"])
async def test_workers_that_wait_hear_of_it(
    client: AsyncMensatek, sandbox: Sandbox, store: str, order: Literal["begin", "cancel", "pause"]
) -> None:
    """On whatever machine: the date is moved, the campaign cancelled or paused, and all of them go on."""
    async with (
        Campaigns(client, store, poll=0.02) as campaigns,
        Campaigns(client, store, poll=0.02) as others,
        Campaigns(client, store) as third,
    ):
        campaign = await campaigns.start("sale", "Hola", A, start_at=ahead(hours=9), chunk_size=3)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as workers:
                workers.start_soon(campaign.complete)
                workers.start_soon(others.work)
                await anyio.wait_all_tasks_blocked()
                there = await third.get("sale")
                if order == "begin":
                    await there.reschedule(start_at=datetime.now(UTC))
                else:
                    await getattr(there, order)()
        assert (await there.progress()).state == {"begin": "done", "cancel": "cancelled", "pause": "paused"}[
            order
        ]
    assert sandbox.counts.total() == (20 if order == "begin" else 0)


@pytest.mark.parametrize("date", ["start_at", "scheduled_at"])
async def test_halfway_only_what_has_left_keeps_its_date(
    campaigns: Campaigns, sandbox: Sandbox, date: str
) -> None:
    """One request is on its way, another is claimed: the first lands, and is moved at the provider; the second goes
    back, and leaves by the new date. Nobody is lost or texted twice."""
    before, after = ahead(days=2), ahead(days=1)
    sandbox.fault(Fault.latency(0.4, before=True), operation="EnviarSMS", after=1, times=None)
    campaign = await campaigns.start("sale", "Hola", A, chunk_size=4, scheduled_at=before)

    async def until(claimed: int) -> None:
        sql = "SELECT count(*) FROM mensatek_chunk WHERE state IN ('claimed', 'posting') AND seq > 0"
        while await campaigns._session.look(lambda tx: tx.one(sql)[0]) != claimed:
            await anyio.lowlevel.checkpoint()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as worker:
            worker.start_soon(partial(campaign.complete, concurrency=1))
            await until(2)
            await anyio.sleep(0.1)  # the first of them leaves
            sandbox.clear_faults()
            await campaign.reschedule(**{date: after})
            if date == "start_at":
                await until(0)
                assert (await campaigns.drive("sale", 600)).pending >= 16
                await campaign.reschedule(start_at=datetime.now(UTC))
    assert (await campaign.progress()).sent == 20
    assert sandbox.counts.total() == len(sandbox.counts) == 20
    if date == "scheduled_at":
        asked = [call.params["Fecha"] for call in sandbox.calls("EnviarSMS")]
        assert asked.count(f"{before:%Y-%m-%d %H:%M}") <= 2
        assert {one.scheduled_at for one in sandbox.texts} == {after}


@on_sqlite
@pytest.mark.parametrize("product", ["sms", "certified"])
@pytest.mark.parametrize("held", [0, 7, 20], ids=["none sent", "halfway", "all sent"])
async def test_what_the_provider_holds_is_moved(
    campaigns: Campaigns, sandbox: Sandbox, product: Literal["sms", "certified"], held: int
) -> None:
    """With what is sent from now on; the same program started again goes on with the new date."""
    before, after = ahead(days=1), ahead(days=2, hours=1)
    options: dict[str, Any] = {"product": product, "scheduled_at": before, "chunk_size": 3}
    if product == "certified":
        options["issuer"] = Issuer("ACME", "900000000", "B00000000")
    campaign = await campaigns.start("sale", "Hola", A, **options)
    if held:
        async with campaign.run(concurrency=1, interval=0.01) as progress:
            async for one in progress:
                if one.sent >= held:
                    break
    stands = await campaign.reschedule(scheduled_at=after)
    assert stands.scheduled_at == after
    campaign = await campaigns.start("sale", "Hola", A, **options)
    assert (await campaign.complete()).scheduled_at == after
    assert {one.scheduled_at for one in sandbox.texts} == {after}
    assert sandbox.counts.total() == 20


@on_sqlite
async def test_what_has_been_delivered_is_not_moved(campaigns: Campaigns, sandbox: Sandbox) -> None:
    """The provider says so, and the campaign keeps its date."""
    when = ahead(days=1)
    campaign = await campaigns.start("sale", "Hola", A, scheduled_at=when)
    await campaign.complete()
    sandbox.advance(36 * 3600)
    with pytest.raises(AlreadySent):
        await campaign.reschedule(scheduled_at=ahead(days=3))
    assert (await campaign.progress()).scheduled_at == when


@on_sqlite
@pytest.mark.parametrize(
    ("given", "error", "why"),
    [
        ({"start_at": datetime(2099, 1, 8, 9)}, InvalidDate, "no time zone"),
        ({"start_at": datetime(2020, 1, 8, 9, tzinfo=UTC)}, InvalidDate, "passed"),
        ({"start_at": datetime(2099, 3, 29, 2, 30, tzinfo=MADRID)}, InvalidDate, "clocks skip"),
        ({"start_at": "2099-01-08"}, InvalidDate, "a datetime"),
        ({"start_at": ahead(days=4), "scheduled_at": ahead(days=3)}, InvalidRequest, "later than"),
    ],
    ids=lambda one: str(one)[:40],
)
async def test_dates_that_cannot_be(
    campaigns: Campaigns, given: dict[str, Any], error: type[Exception], why: str
) -> None:
    """Refused by `start` and by `reschedule`, before anything is written down."""
    with pytest.raises(error, match=why):
        await campaigns.start("bad", "Hola", [ANA], **given)
    assert await campaigns.list() == []
    campaign = await campaigns.start("good", "Hola", [ANA], scheduled_at=ahead(days=2))
    for moved in (given, {}):
        with pytest.raises((error, InvalidRequest)):
            await campaign.reschedule(**moved)
    assert (await campaign.progress()).start_at is None
    other = await campaigns.start("now", "Hola", [LUIS])
    with pytest.raises(CampaignError, match="without scheduled_at"):
        await other.reschedule(scheduled_at=ahead(days=2))


async def test_what_it_waits_for_besides(campaigns: Campaigns) -> None:
    """Its hours begin later than its date; and rows that nobody reads any more are told of now, not tomorrow."""
    night = ahead(days=1).replace(hour=3, minute=0)
    campaign = await campaigns.start("a", "Hola", A, start_at=night, send_between=(time(9), time(21)))
    stands = await campaign.progress()
    assert (stands.start_at, stands.waiting_until) == (night, night.replace(hour=9))
    with pytest.raises(RuntimeError, match="the line was cut"):
        await campaigns.start("b", "Hola", cut(), start_at=night)
    with anyio.fail_after(20), pytest.raises(SourceMissing):
        await (await campaigns.get("b")).complete()


def cut() -> Iterator[str]:
    """Rows that end in an error."""
    yield ANA
    raise RuntimeError("the line was cut")


@on_sqlite
async def test_the_second_of_two_hours_of_the_same_name(campaigns: Campaigns) -> None:
    """When the clocks go back, 2:30 comes twice: the moment that was given counts."""
    for fold in (0, 1):
        when = datetime(2099, 10, 25, 2, 30, tzinfo=MADRID, fold=fold)
        stands = await (await campaigns.start(f"at {fold}", "Hola", [ANA], start_at=when)).progress()
        assert stands.start_at is not None
        assert stands.start_at.timestamp() == when.timestamp()


async def test_an_older_version_leaves_a_store_with_dates_alone(campaigns: Campaigns, store: str) -> None:
    """It would pass over the date and send."""
    await campaigns.start("sale", "Hola", A, start_at=ahead(days=1))
    older = open_database(store, Schema(CAMPAIGNS.suffix, CAMPAIGNS.steps[:1], CAMPAIGNS.recover))
    with pytest.raises(StoreError, match="version 2"):
        older.read(lambda tx: tx.all("SELECT * FROM mensatek_campaign"))
    older.close()


def test_the_command_moves_both_dates(
    sandbox: Sandbox, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As people write them, in Spanish time; what has no account to ask needs none, and nothing wrong is written."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("phone\n" + "\n".join(A))
    start = ("campaign", "start", "sale", "people.csv", "--text", "Hola", "--yes", "--no-run")
    day = ahead(days=2)
    said = command(
        *start, "--start-at", f"{day:%d/%m/%Y} 9:00", "--at", f"{day:%Y-%m-%d}T20:00", "--json"
    ).json
    assert said["start_at"] == day.replace(hour=9, minute=0).isoformat()
    move = ("campaign", "reschedule", "sale")
    for wrong in (
        (),
        ("--start-at", "mañana"),
        ("--start-at", "2020-01-08 9:00"),
        ("--at", f"{day:%Y-%m-%d} 8:00"),
    ):
        assert command(*move, *wrong).code == 2
    assert command(*move, "--at", f"{day:%Y-%m-%d} 21:00").code == 0
    assert f"waits until {day:%Y-%m-%d} 09:00:00 Spanish time" in command("campaign", "list").out
    monkeypatch.delenv("MENSATEK_API_TOKEN")
    assert [command(*move, "--start-at", moment).code for moment in ("now", "Ahora")] == [0, 0]
    assert command(*move, "--at", f"{day:%Y-%m-%d} 22:00").code == 2
    monkeypatch.setenv("MENSATEK_API_TOKEN", sandbox.token)
    soon = datetime.now(day.tzinfo) + timedelta(seconds=2)
    assert command(*move, "--start-at", f"{soon:%Y-%m-%dT%H:%M:%S}").code == 0
    said = command("campaign", "run", "sale", "--json")
    assert said.json["sent"] == 20
    assert "This command waits for that" in said.err
    assert {one.scheduled_at for one in sandbox.texts} == {day.replace(hour=21, minute=0)}
