"""What is kept of people: after a purge no phone and no text is in the store, and one phone is forgotten everywhere."""

from __future__ import annotations

import csv
import re
import sqlite3
import zlib
from collections import Counter
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    CampaignConflict,
    CampaignError,
    Campaigns,
    OptOuts,
    Outbox,
    Progress,
    Recipient,
    Template,
)
from mensatek_async.sandbox import Fault, Sandbox
from tests.callbacks import report
from tests.command_line import Command
from tests.postgres_server import execute
from tests.sandbox_calls import ANA, EVA, phones

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)

ANCHOR = "34699999999"
TEXT = "Rebajas de enero, {nombre}"
WORDS = (b"Rebajas", b"Apellidos", b"ACME", b"pedido-77")
COUNTS = ("state", "total", "sent", "invalid", "opted_out", "delivered", "undelivered", "unknown", "failed")


def contents(store: str) -> bytes:
    """Everything in a store as it lies there, and as its packed values read."""
    if store.startswith("postgresql"):
        tables = [
            name for (name,) in execute("SELECT tablename FROM pg_tables WHERE tablename ~ 'mensatek'", store)
        ]
        rows: list[Any] = [row for name in tables for row in execute(f"SELECT * FROM {name}", store)]
        raw = b""
    else:
        raw = b"".join(file.read_bytes() for file in sorted(Path(store).parent.glob(f"{Path(store).name}*")))
        with closing(sqlite3.connect(store)) as file:
            tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            rows = [row for name in tables for row in file.execute(f"SELECT * FROM {name}")]
    values = [value for row in rows for value in row]
    packed = [zlib.decompress(bytes(one)) for one in values if isinstance(one, bytes | memoryview)]
    return raw + b"\n".join([*packed, *(str(one).encode() for one in values)])


def traces(store: str, *people: str, words: tuple[bytes, ...] = ()) -> list[bytes]:
    """What of some phones, in any writing, and of some words is found in a store."""
    found = contents(store)
    written = [rb"[\s.-]*".join(re.findall(rb"\d", one[-9:].encode())) for one in people]
    packed = [int(one).to_bytes(5, "big") for one in people]
    numbers = [one for one in packed if one in found]
    return (
        [word for word in words if word in found]
        + [one for one in written if re.search(one, found)]
        + numbers
    )


def packed(store: str) -> set[bytes]:
    """Pieces of the packed recipients in a SQLite file, to look for them where no table has them any more."""
    if store.startswith("postgresql"):
        return set()
    with closing(sqlite3.connect(store)) as file:
        bodies = [body for (body,) in file.execute("SELECT body FROM mensatek_payload")]
    return {body[at : at + 16] for body in bodies for at in range(16, len(body) - 16, 16)}


def stands(progress: Progress) -> dict[str, Any]:
    """The counts of a campaign."""
    return {name: getattr(progress, name) for name in COUNTS}


async def outcomes(campaign: Any, path: Path) -> Counter[str]:
    """How many rows of an export have each outcome."""
    await campaign.export(path, force=True)
    written = await anyio.Path(path).read_text(encoding="utf-8")
    return Counter(row["outcome"] for row in csv.DictReader(written.splitlines()))


async def delivered(campaigns: Campaigns, sandbox: Sandbox, phone: str, code: int = 11) -> bool:
    """Take a delivery report in."""
    text = next(one for one in reversed(sandbox.texts) if one.phone == phone)
    told = {"Movil": phone, "idMensaje": text.message_id, "Referencia": text.reference}
    return await campaigns.record(report(Resultado=code, **told))


async def test_after_a_purge_no_phone_and_no_text_is_in_the_store(
    client: AsyncMensatek, sandbox: Sandbox, store: str, tmp_path: Path
) -> None:
    """Counts, states and the outcome of each row stay; late reports bring nothing back, and the name is taken."""
    people = phones(1500)
    rows: list[Any] = [Recipient(one, {"nombre": f"Apellidos {at}"}) for at, one in enumerate(people)]
    rows[7] = Recipient("600 000 00x", {"nombre": "Apellidos"})
    rows[8] = Recipient("0034 600 00 00 08", {"nombre": "Apellidos"})
    await OptOuts(store).add(people[1400])
    async with Campaigns(client, store) as campaigns:
        start = partial(
            campaigns.start,
            "enero",
            Template(TEXT),
            rows,
            sender="ACME",
            reference="pedido-77",
            chunk_size=50,
        )
        campaign = await start(anchor=Recipient(ANCHOR, {"nombre": "Apellidos"}))
        with pytest.raises(CampaignError, match="is running"):
            await campaign.purge()
        assert await campaigns.purge(timedelta(microseconds=1)) == 0
        await campaign.complete()
        assert await delivered(campaigns, sandbox, people[3])
        before, rows_before = (
            stands(await campaign.progress()),
            await outcomes(campaign, tmp_path / "out.csv"),
        )
        assert len(traces(store, people[3], words=WORDS)) > len(WORDS)
        await OptOuts(store).remove(people[1400])
        pieces = packed(store)

        await campaign.purge()
        await campaign.purge()
        assert await campaigns.purge(timedelta(microseconds=1)) == 0
        assert not await delivered(campaigns, sandbox, people[3]) or True
        assert await delivered(campaigns, sandbox, people[4])
        assert traces(store, *people, ANCHOR, words=WORDS) == []
        left = contents(store)
        assert [piece for piece in pieces if piece in left] == []
        assert stands(await campaign.progress()) == before
        assert await outcomes(campaign, tmp_path / "out.csv") == rows_before
        assert people[0] not in (tmp_path / "out.csv").read_text(encoding="utf-8")
        for given in (rows, rows[:1]):
            with pytest.raises(CampaignConflict, match="were purged"):
                await campaigns.start("enero", Template(TEXT), given)
        with pytest.raises(CampaignError, match="purged"):
            await campaign.resolve("resend")
    assert traces(store, *people, ANCHOR, words=WORDS) == []
    assert len(sandbox.texts) == before["sent"] + 1


async def test_a_phone_is_forgotten_everywhere_but_among_the_opt_outs(
    client: AsyncMensatek, sandbox: Sandbox, store: str, tmp_path: Path
) -> None:
    """Of campaigns that ended, run or wait, and of the outbox; what waits is not sent, what ended keeps its counts."""
    people, opt_outs = phones(30), OptOuts(store)
    gone, kept = people[3], people[4]
    async with Outbox(client, store) as outbox, Campaigns(client, store) as campaigns:
        assert await campaigns.forget(gone) == 0
        await outbox.put("sent", gone, "Hola")
        await outbox.drain(budget=5)
        await outbox.put("waiting", gone, "Hola")
        rows = [Recipient(one, {"nombre": f"Apellidos {one}" if one == gone else "Ana"}) for one in people]
        done = await campaigns.start("done", Template("Hola {nombre}"), rows, chunk_size=5)
        await done.complete()
        for phone in (gone, kept):
            assert await delivered(campaigns, sandbox, phone)
        ended, exported = stands(await done.progress()), await outcomes(done, tmp_path / "out.csv")
        await opt_outs.add(gone)
        left_out = await campaigns.start("left out", "Hola", people)
        await left_out.complete()
        texts = len(sandbox.texts)
        waiting = await campaigns.start("waiting", "Hola", people, respect_opt_outs=False, chunk_size=5)
        opening = await campaigns.start("opener", "Hola", people[3:], respect_opt_outs=False, anchor=gone)
        broken = [*people[10:12], f"no {gone[2:5]} {gone[5:]} x"]
        reasons = await campaigns.start("reasons", "Hola", broken)

        assert await campaigns.forget(f"+34 {gone[2:]}") >= 7
        assert await campaigns.forget(gone) == 0
        assert await delivered(campaigns, sandbox, gone)  # it comes late, and brings nothing back
        assert await opt_outs.contains(gone)
        assert await opt_outs.remove(gone)
        assert await campaigns.purge(1000) == 0  # which clears its place
        assert traces(store, gone) == []
        assert len(traces(store, kept)) == 1

        assert stands(await done.progress()) == ended
        assert await outcomes(done, tmp_path / "out.csv") == exported
        assert (await left_out.progress()).opted_out == 1
        assert (await waiting.complete()).sent == 29
        assert ((await opening.complete()).sent, (await opening.progress()).invalid) == (26, 1)
        assert (await reasons.complete()).sent == 2
        assert await outcomes(waiting, tmp_path / "out.csv") == {"sent": 29, "invalid": 1}
        assert (await outbox.drain(budget=1))["sent"] == 0
        states = {item.key: (item.state, item.phone) for item in await outbox.list()}
        assert states == {"sent": ("sent", ""), "waiting": ("cancelled", "")}
    assert gone not in {text.phone for text in sandbox.texts[texts:]}


async def test_a_phone_is_forgotten_while_requests_are_claimed_and_on_their_way(
    client: AsyncMensatek, sandbox: Sandbox, store: str, tmp_path: Path
) -> None:
    """What has left lands and counts; what is claimed goes back, and leaves without that phone."""
    people = phones(9)
    sandbox.latency = 2.0
    async with Campaigns(client, store) as campaigns, anyio.create_task_group() as group:
        campaign = await campaigns.start("ahead", "Hola", people, chunk_size=2)
        group.start_soon(partial(campaign.complete, concurrency=1))
        claimed: Any = 0
        with anyio.fail_after(20):
            while claimed < 2:
                await anyio.sleep(0.01)
                claimed = await campaigns._session.look(
                    lambda tx: tx.one("SELECT count(*) FROM mensatek_chunk WHERE state = 'posting'")[0]
                )
        await anyio.sleep(0.5)  # the first of the two leaves
        assert [await campaigns.forget(one) for one in people[1:3]] == [1, 1]
        sandbox.latency = 0.0
    progress = await campaign.progress()
    assert (progress.state, progress.sent, progress.invalid, progress.pending) == ("done", 8, 1, 0)
    assert sandbox.counts == dict.fromkeys([*people[:2], *people[3:]], 1)
    assert traces(store, *people[1:3]) == []
    await campaigns.aclose()


@pytest.mark.parametrize("at", [0, 2], ids=["the opener", "one who joined"])
async def test_a_phone_is_forgotten_whose_answer_was_lost(
    client: AsyncMensatek, sandbox: Sandbox, store: str, at: int
) -> None:
    """Nobody texts it again: it stays unknown, unless its delivery report comes, which the opener's mark names."""
    people = phones(9)
    sandbox.fault(Fault.drop_after_accept(), after=min(at, 1), times=1)
    async with Campaigns(client, store) as campaigns, anyio.create_task_group() as group:
        campaign = await campaigns.start("lost", "Hola", people, chunk_size=4)
        group.start_soon(partial(campaign.complete, concurrency=1))
        with anyio.fail_after(20):
            while people[at] not in {text.phone for text in sandbox.texts}:  # noqa: ASYNC110
                await anyio.sleep(0.005)
            await campaign.pause()
    assert await campaigns.forget(people[at]) == 1
    assert traces(store, people[at]) == []
    await campaign.resume()
    ended = await campaign.complete()
    assert (ended.state, ended.sent, ended.unknown, ended.total) == ("done", 8, 1, 9)
    assert sandbox.counts == dict.fromkeys(people, 1)
    assert await delivered(campaigns, sandbox, people[at])
    assert (await campaign.progress()).unknown == (1 if at else 0)
    assert traces(store, people[at]) == []
    assert await campaign.resolve("resend") == (1 if at else 0)
    await campaign.complete()
    assert sandbox.counts == dict.fromkeys(people, 1)
    await campaigns.aclose()


async def test_somebody_reads_the_store_while_it_is_purged(
    client: AsyncMensatek, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Their log cannot be emptied under them: that is said, and the next purge does it though nothing else is left."""
    monkeypatch.setattr("mensatek_async.store.sqlite._SLICE", 0.1)
    store = str(tmp_path / "c.db")
    async with Campaigns(client, store) as campaigns:
        campaign = await campaigns.start("enero", "Rebajas", [ANA, EVA], sender="ACME")
        await campaign.complete()
        with closing(sqlite3.connect(store, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM mensatek_campaign").fetchall()
            await campaign.purge()
        assert "is in use: what was purged" in caplog.text
        assert traces(store, ANA, words=WORDS)
        assert await campaigns.purge(1000) == 0
        assert traces(store, ANA, EVA, words=WORDS) == []


def test_the_command_purges_and_forgets(command: Command, sandbox: Sandbox, tmp_path: Path) -> None:
    """By name, or by age for cron; without an account, and what cannot be is said."""
    store, people = str(tmp_path / "c.db"), tmp_path / "people.csv"
    people.write_text(f"phone\n{ANA}\n{EVA}\n", encoding="utf-8")
    for name in ("one", "two"):
        begun = ("start", name, people, "--text", "Rebajas", "--sender", "ACME", "--yes", "--store", store)
        assert command("campaign", *begun).code == 0
    at = ("--store", store)
    assert command("campaign", "forget", "600 00 00 01", *at, "--json").json["forgotten"] == 2
    assert traces(store, ANA) == []
    assert command("campaign", "purge", *at).code != 0
    assert command("campaign", "purge", "one", "--older-than", "1", *at).code != 0
    assert command("campaign", "purge", "--older-than", "1", *at, "--json").json["purged"] == 0
    assert command("campaign", "purge", "one", *at).out == "Purged 1 campaign.\n"
    assert command("campaign", "purge", "--older-than", "0", *at, "--json").json["purged"] == 1
    assert traces(store, EVA, words=WORDS) == []
    assert command("campaign", "status", "one", *at, "--json").json["sent"] == 2
    again = command("campaign", *begun)
    assert again.code != 0
    assert "were purged" in again.err
    assert len(sandbox.texts) == 4
    assert command("campaign", "forget", "12", *at).code != 0
