"""Opt-outs: kept in a store, and respected by bulk sends and campaigns at the moment a request leaves."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    BulkProgress,
    Campaigns,
    InvalidFile,
    InvalidPhone,
    InvalidRequest,
    Issuer,
    LoadedOptOuts,
    Mensatek,
    OptOuts,
    Progress,
    StoreError,
    SyncCampaigns,
    SyncOptOuts,
)
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.webhooks import IncomingMessage, parse
from tests.callbacks import INCOMING, as_json, report
from tests.sandbox_calls import ANA, EVA, LUIS, phones, wait_until

pytestmark = pytest.mark.mensatek_sandbox(credits=1_000_000, strict=True)

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")


def reply(sender: str, text: str = "Baja.") -> IncomingMessage:
    """A reply as a webhook reads it."""
    event = parse(*as_json({**INCOMING, "Remitente": sender, "Mensaje": text}))
    assert isinstance(event, IncomingMessage)
    return event


def places(progress: Progress) -> int:
    """The sum of all places that a row can be in."""
    found = progress.sent, progress.rejected, progress.invalid, progress.opted_out, progress.pending
    return sum(found) + progress.unknown + progress.failed - progress.undelivered + progress.cancelled


async def texted(sandbox: Sandbox, count: int) -> None:
    """Wait until so many texts were taken."""
    with anyio.fail_after(20):
        while len(sandbox.texts) < count:  # noqa: ASYNC110
            await anyio.sleep(0.01)


# --- the store ----------------------------------------------------------------------------------------------


async def test_people_opt_out_and_in(store: str, tmp_path: Path) -> None:
    """In any writing of a phone; the first reason stays, and what the file exports it loads again."""
    opt_outs = OptOuts(store)
    assert not await opt_outs.contains(ANA)
    assert not await opt_outs.remove(ANA)
    assert (await opt_outs.count(), await opt_outs.list()) == (0, [])
    assert await opt_outs.add("600 00 00 01", "asked on the phone", "shop")
    assert not await opt_outs.add(f"+{ANA}", "again")
    assert await opt_outs.add(LUIS)
    assert await opt_outs.contains(f"00{ANA}")
    assert await opt_outs.among([ANA, EVA, LUIS]) == {ANA, LUIS}
    assert await opt_outs.count() == 2
    listed = {one.phone: one for one in await opt_outs.list()}
    assert (listed[ANA].reason, listed[ANA].source) == ("asked on the phone", "shop")
    assert abs(listed[ANA].added_at - datetime.now(UTC)).total_seconds() < 60
    assert len(await opt_outs.list(limit=1)) == 1
    assert ANA not in repr(listed[ANA])
    assert await opt_outs.export(tmp_path / "out.csv") == 2
    assert await opt_outs.remove("600000001")
    assert not await opt_outs.contains(ANA)
    assert await opt_outs.load(tmp_path / "out.csv") == LoadedOptOuts(1, 1, [])
    assert await opt_outs.contains(ANA)
    with pytest.raises(InvalidPhone):
        await opt_outs.add("123")
    assert await opt_outs.export(tmp_path / "out.csv") == 2
    other = tmp_path / "other.csv"
    other.write_text("phone\n")
    with pytest.raises(InvalidRequest, match="is there"):
        await opt_outs.export(other)
    assert await opt_outs.export(other, force=True) == 2
    await opt_outs.aclose()
    await opt_outs.aclose()
    assert await opt_outs.count() == 2  # opened again


@pytest.mark.parametrize(
    ("name", "content", "added"),
    [
        ("plain.txt", "600000001\n600 00 00 02\n12\n600000001\n", 2),
        ("list.csv", "nombre;móvil\nAna;600000001\nLuis;+34600000002\nX;12\nA;600000001\n", 2),
        (
            "list.jsonl",
            '{"phone": "600000001"}\n{"phone": "600000002"}\n{"phone": "12"}\n{"phone": "34600000001"}\n',
            2,
        ),
    ],
)
async def test_a_list_is_loaded(tmp_path: Path, name: str, content: str, added: int) -> None:
    """Whatever recipients can be read from; a row without a phone is named, one that is there twice is known."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    opt_outs = OptOuts(tmp_path / "o.db")
    loaded = await opt_outs.load(path, reason="Robinson")
    assert (loaded.added, loaded.known) == (added, 1)
    ((row, why),) = [(one.row, one.reason) for one in loaded.invalid]
    assert row in (3, 4), why
    assert await opt_outs.among([ANA, LUIS]) == {ANA, LUIS}
    assert {one.source for one in await opt_outs.list()} == {name}


async def test_a_long_list_goes_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded and exported as one: nobody is lost between two pieces; each row without a phone is named with its reason,
    and phones without a prefix are of the region everywhere."""
    monkeypatch.setattr("mensatek_async.opt_outs.opt_outs._MANY", 3)
    phones = [f"06123456{number:02}" for number in range(7)]
    rows = [f'{{"phone": "{phone}"}}' for phone in phones]
    path, out = tmp_path / "list.jsonl", tmp_path / "out.csv"
    path.write_text("\n".join([*rows[:2], "{broken", '{"phone": "12"}', *rows[2:]]), encoding="utf-8")
    opt_outs = OptOuts(tmp_path / "o.db", region="FR")

    loaded = await opt_outs.load(path)
    assert (loaded.added, loaded.known, [one.row for one in loaded.invalid]) == (7, 0, [3, 4])
    assert "JSON" in loaded.invalid[0].reason
    assert loaded.invalid[1].reason.endswith(".")
    assert await opt_outs.export(out) == 7
    with out.open(encoding="utf-8", newline="") as written:
        assert [row[0] for row in csv.reader(written)][1:] == [f"33{phone[1:]}" for phone in phones]
    assert await opt_outs.contains(phones[6])
    assert not await opt_outs.add(phones[6])
    assert await opt_outs.remove(phones[6])
    assert not await opt_outs.contains(f"33{phones[6][1:]}")
    assert await opt_outs.record(reply(f"33{phones[6][1:]}"))
    assert [(one.reason, one.source) for one in await opt_outs.list() if one.reason] == [
        ("reply", INCOMING["Movil"])
    ]


async def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """A file that is none, a place that is a store, a rule that is replaced, a number nobody can text."""
    opt_outs = OptOuts(tmp_path / "o.db", rule=lambda text: text == "X")
    with pytest.raises(InvalidFile):
        await opt_outs.load(tmp_path / "nowhere.csv")
    assert not await opt_outs.record(reply(ANA, "BAJA"))
    assert not await opt_outs.record(report())
    assert not await opt_outs.record(reply("5757", "X"))
    assert await opt_outs.record(reply(ANA, "X"))
    assert await opt_outs.record(reply(ANA, "X"))
    with pytest.raises(InvalidRequest, match="database"):
        await opt_outs.export(tmp_path / "o.db", force=True)
    assert [(one.phone, one.reason) for one in await opt_outs.list()] == [(ANA, "reply")]


# --- bulk sends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["sms", "certified"])
async def test_a_bulk_send_leaves_them_out(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path, product: str
) -> None:
    """Whoever opts out while it is sent is kept out of all later chunks; openers and empty chunks are passed over."""
    opt_outs, rows = OptOuts(tmp_path / "o.db"), phones(12)
    for phone in (rows[0], rows[1], *rows[5:8]):
        await opt_outs.add(phone)
    seen: list[BulkProgress] = []

    async def answer(progress: BulkProgress) -> None:
        seen.append(progress)
        if progress.accepted == 1:
            await opt_outs.record(reply(rows[11]))

    how: dict[str, Any] = {"chunk_size": 3, "concurrency": 1, "on_progress": answer, "opt_outs": opt_outs}
    sends = client.sms if product == "sms" else client.certified
    options: dict[str, Any] = {} if product == "sms" else {"issuer": ISSUER}
    outcomes = []
    async with sends.bulk([*rows, "12"], "Hola", **how, **options) as stream:
        async for outcome in stream:
            outcomes.append(outcome)
    result = stream.result
    assert (result.accepted, result.opted_out, len(result.invalid), result.rows) == (6, 6, 1, 13)
    assert seen[-1].settled == 13
    assert seen[-1].opted_out == 6
    left_out = [row for outcome in outcomes for row in outcome.opted_out]
    assert left_out == [1, 2, 6, 7, 8, 12]
    assert {text.phone for text in sandbox.texts} == {*rows[2:5], *rows[8:11]}
    who = [
        (row, recipient.phone)
        for one in outcomes
        for row, recipient in zip(one.rows, one.recipients, strict=True)
    ]
    assert sorted(who) == [(row, rows[row - 1]) for row in (3, 4, 5, 9, 10, 11)]


async def test_where_nobody_can_look_them_up_nothing_is_sent(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The send stops with the store's error, and every row is named; what is no OptOuts is refused at once."""
    broken = tmp_path / "o.db"
    broken.write_bytes(b"no database" * 500)
    result = await client.sms.send_bulk(phones(5), "Hola", opt_outs=OptOuts(broken))
    assert isinstance(result.stopped, StoreError)
    assert len(result.failed) == 5
    wrong: Any = str(broken)
    with pytest.raises(InvalidRequest, match="opt_outs"):
        await client.sms.send_bulk(phones(5), "Hola", opt_outs=wrong)
    assert not sandbox.texts


# --- campaigns ----------------------------------------------------------------------------------------------


async def test_a_campaign_leaves_them_out_when_a_chunk_is_sent(
    client: AsyncMensatek, sandbox: Sandbox, store: str, tmp_path: Path
) -> None:
    """Openers are passed over, a chunk that becomes empty sends nothing, and the export names each; starting it again
    is no conflict."""
    rows, opt_outs = phones(30), OptOuts(store)
    async with Campaigns(client, store) as campaigns:
        campaign = await campaigns.start("promo", "Hola", rows, chunk_size=5)
        for phone in (*rows[:2], *rows[10:16], rows[29]):
            await opt_outs.add(phone)
        await campaigns.start("promo", "Hola", rows, chunk_size=5)
        done = await campaign.complete()
        assert (done.sent, done.opted_out, done.total, done.state) == (21, 9, 30, "done")
        assert places(done) == done.total
        assert await campaign.export(tmp_path / "e.csv") == 30
        with (tmp_path / "e.csv").open(encoding="utf-8") as lines:
            exported = list(csv.DictReader(lines))
        assert [int(row["row"]) for row in exported] == list(range(1, 31))
        out = [row["phone"] for row in exported if row["outcome"] == "opted_out"]
        assert out == [*rows[:2], *rows[10:16], rows[29]]
        assert {text.phone for text in sandbox.texts} == {*rows} - {*out}
        assert await campaigns.purge(older_than=0.001) == 1
        assert (await campaign.progress()).opted_out == 9
    assert len(sandbox.calls("EnviarSMS")) == 6


@pytest.mark.parametrize("respect", [True, False])
async def test_whoever_is_asked_not_to_respect_them(
    client: AsyncMensatek, sandbox: Sandbox, store: str, respect: bool
) -> None:
    """It is a setting of the campaign, which starting it again changes; where all have opted out, nobody is texted."""
    opt_outs = OptOuts(store)
    for phone in phones(3):
        await opt_outs.add(phone)
    async with Campaigns(client, store) as campaigns:
        await campaigns.start("recall", "Hola", phones(3), respect_opt_outs=not respect)
        campaign = await campaigns.start("recall", "Hola", phones(3), respect_opt_outs=respect)
        done = await campaign.complete()
    assert (done.sent, done.opted_out, done.state) == ((0, 3, "done") if respect else (3, 0, "done"))
    assert len(sandbox.texts) == done.sent


async def test_a_repeat_has_the_recipients_of_its_first_try(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """A reply between a lost answer and its repeat: who may have been texted counts as sent, and no count is wrong."""
    rows, opt_outs = phones(11), OptOuts(store)
    sandbox.fault(Fault.latency(0.3), times=None)
    sandbox.fault(Fault.drop_after_accept(), after=1, times=1)
    async with Campaigns(client, store) as campaigns, anyio.create_task_group() as group:
        campaign = await campaigns.start("promo", "Hola", rows, chunk_size=5)
        group.start_soon(partial(campaign.complete, concurrency=1))
        await texted(sandbox, 6)
        for phone in (rows[3], rows[8]):
            await opt_outs.record(reply(phone))
        done = await campaign.complete()
    assert (done.sent, done.opted_out, done.rejected, done.unknown) == (10, 1, 0, 0)
    assert {text.phone for text in sandbox.texts} == {*rows} - {rows[8]}


async def test_a_reply_while_a_chunk_waits_for_its_turn(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """What was claimed ahead, for a place in the rate, is looked at again before it leaves."""
    rows, opt_outs = phones(61), OptOuts(store)
    async with Campaigns(client, store) as campaigns, anyio.create_task_group() as group:
        campaign = await campaigns.start("promo", "Hola", rows, rate=20, chunk_size=20)
        group.start_soon(campaign.complete)
        await texted(sandbox, 21)
        await anyio.sleep(0.2)  # by now the next is claimed, and waits
        assert await opt_outs.record(reply(rows[60]))
        done = await campaign.complete()
    assert (done.sent, done.opted_out) == (60, 1)
    assert rows[60] not in {text.phone for text in sandbox.texts}


async def test_an_anchor_that_opted_out(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """It is nobody's row: the next one opens, and it is counted nowhere."""
    await OptOuts(store).add(EVA)
    async with Campaigns(client, store) as campaigns:
        campaign = await campaigns.start("promo", "Hola", phones(3, 34_611_000_000), anchor=EVA)
        done = await campaign.complete()
    assert (done.sent, done.opted_out, done.total) == (3, 0, 3)
    assert EVA not in {text.phone for text in sandbox.texts}


WORKER = """
import sys
from mensatek_async import Limits, Mensatek, SyncCampaigns
with Mensatek(limits=Limits(concurrency=2)) as client, SyncCampaigns(client, sys.argv[1]) as campaigns:
    campaigns.get("promo").complete()
"""


@pytest.mark.timeout(120)
def test_a_reply_keeps_its_sender_out_on_every_machine(sandbox: Sandbox, store: str) -> None:
    """Two processes send a campaign of 40 chunks; who answers meanwhile is in none of those that had not left."""
    rows = phones(400)
    answering = rows[300::5]
    sandbox.fault(Fault.latency(0.4), times=None)
    with Mensatek(sender="ACME") as client, SyncCampaigns(client, store) as campaigns:
        campaign = campaigns.start("promo", "Hola", rows, chunk_size=10)
        workers = [subprocess.Popen([sys.executable, "-c", WORKER, store]) for _ in range(2)]
        try:
            wait_until(lambda: len(sandbox.texts) > 40)
            opt_outs = SyncOptOuts(store)
            assert all(opt_outs.record(reply(phone)) for phone in answering)
            assert [worker.wait(60) for worker in workers] == [0, 0]
        finally:
            for worker in workers:
                worker.kill()
        done = campaign.progress()
    assert (done.sent, done.opted_out, done.total) == (380, 20, 400)
    assert {text.phone for text in sandbox.texts} == {*rows} - {*answering}


def test_synchronous_programs(sandbox: Sandbox, tmp_path: Path) -> None:
    """The same without `await`, for a bulk send too."""
    opt_outs = SyncOptOuts(tmp_path / "o.db")
    assert opt_outs.add(ANA, source="form")
    assert opt_outs.record(reply(LUIS))
    assert opt_outs.contains("600000001")
    assert "SyncOptOuts" in repr(opt_outs)
    with Mensatek(sender="ACME") as client:
        result = client.sms.send_bulk([ANA, LUIS, EVA], "Hola", opt_outs=opt_outs)
    opt_outs.close()
    assert (result.accepted, result.opted_out) == (1, 2)
    assert [text.phone for text in sandbox.texts] == [EVA]
