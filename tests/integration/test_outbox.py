"""The outbox through the sandbox: one text per key whatever happens, on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    Campaigns,
    InvalidDate,
    InvalidField,
    InvalidPhone,
    InvalidRequest,
    InvalidSender,
    Issuer,
    Limits,
    Outbox,
    OutboxConflict,
    OutboxItem,
    OutboxNotFound,
    Recipient,
    StoreError,
    Template,
)
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.webhooks import DeliveryReport
from tests.callbacks import report
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)

ANA, ANA_DIGITS = "600 000 001", "34600000001"
ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")


def client_of(sandbox: Sandbox, **settings: Any) -> AsyncMensatek:
    """A client of the sandbox with settings of its own."""
    account = {"user": sandbox.user, "token": sandbox.token, "base_url": sandbox.base_url}
    return AsyncMensatek(**{**account, **settings})


def report_of(sandbox: Sandbox, phone: str, code: int, **changes: Any) -> DeliveryReport:
    """What the webhook would bring about a text that the sandbox took, read as a webhook reads it."""
    text = next(one for one in sandbox.texts if one.phone == phone)
    told = {"Movil": phone, "Resultado": code, "idMensaje": text.message_id, "Referencia": text.reference}
    return report(**{**told, **changes})


async def test_an_item_is_sent_once_however_often_it_is_put(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """The same key and content gives the item that is there, before it is sent and after."""
    async with Outbox(client, store) as outbox:
        first = await outbox.put("order-42", ANA, "Su pedido ha salido", reference="42")
        assert (first.key, first.state, first.reference, first.phone) == (
            "order-42",
            "queued",
            "42",
            ANA_DIGITS,
        )
        assert await outbox.put("order-42", "+34600000001", "Su pedido ha salido", reference="42") == first
        assert (await outbox.drain(budget=10))["sent"] == 1
        assert [await outbox.get(no_key) for no_key in ("order-4", "a\0", "a\ud800")] == [None] * 3
        sent = await outbox.put("order-42", ANA, "Su pedido ha salido", reference="42")
        assert (sent.state, sent.attempts, sent.error) == ("sent", 1, "")
        assert sent.message_id == sandbox.texts[0].message_id
        assert sent.sent_at is not None
        assert sent.created_at <= sent.sent_at
        assert (await outbox.drain(budget=10))["sent"] == 0
    assert sandbox.counts == {ANA_DIGITS: 1}


@pytest.mark.parametrize(
    "other",
    [
        {"to": "600 000 002"},
        {"text": "Otro"},
        {"reference": "43"},
        {"sender": "OTRA"},
        {"product": "certified", "issuer": ISSUER},
        {"repeat_unknown": True},
        {"scheduled_at": datetime.now(UTC) + timedelta(days=2)},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_another_content_under_the_same_key_is_a_conflict(
    client: AsyncMensatek, tmp_path: Path, other: dict[str, Any]
) -> None:
    """It says so without the text or the phone; the item stays as it was."""
    same: dict[str, Any] = {"to": ANA, "text": "Su código es 4711", "reference": "42"}
    async with Outbox(client, tmp_path / "outbox.db") as outbox:
        before = await outbox.put("k", **same)
        with pytest.raises(OutboxConflict) as caught:
            await outbox.put("k", **{**same, **other})
        assert await outbox.get("k") == before
    assert "4711" not in repr(caught.value) + str(caught.value)
    assert "00000" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"to": "12"}, InvalidPhone),
        ({"to": [ANA]}, InvalidRequest),
        ({"text": ""}, InvalidRequest),
        ({"to": Recipient(ANA, {"n": "(LINK:1:x.es)"}), "text": Template("Hola {n}")}, InvalidField),
        ({"to": Recipient(ANA, {}), "text": Template("Hola {n}")}, InvalidField),
        ({"sender": "MUCHO DEMASIADO LARGO"}, InvalidSender),
        ({"product": "certified"}, InvalidRequest),
        ({"product": "mms"}, InvalidRequest),
        ({"issuer": ISSUER}, InvalidRequest),
        ({"scheduled_at": datetime(2020, 1, 1, tzinfo=UTC)}, InvalidDate),
        ({"not_after": datetime(2030, 1, 1)}, InvalidDate),
        ({"not_after": timedelta.max}, InvalidDate),
        ({"not_after": datetime.max.replace(tzinfo=UTC)}, InvalidDate),
        ({"not_after": datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))}, InvalidDate),
        ({"key": " "}, InvalidRequest),
        ({"key": "a\nb"}, InvalidRequest),
        ({"key": "k" * 201}, InvalidRequest),
        ({"repeat_unknown": 1}, InvalidRequest),
        ({"colour": "red"}, TypeError),
    ],
)
async def test_what_is_wrong_is_refused_before_anything_is_written(
    client: AsyncMensatek, tmp_path: Path, wrong: dict[str, Any], error: type[Exception]
) -> None:
    """In a `put` and in a statement alike."""
    given: dict[str, Any] = {"key": "k", "to": ANA, "text": "Hola", **wrong}
    async with Outbox(client, tmp_path / "outbox.db") as outbox:
        with pytest.raises(error):
            await outbox.put(**given)
        with pytest.raises(error):
            outbox.statement(**given)
        assert await outbox.list() == []


async def test_a_slice_ends_with_its_last_item(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """Whoever found nothing to do while others still sent ends with them, and not when a lease would."""
    async with Outbox(client, store) as outbox:
        for number in range(30):
            await outbox.put(f"k{number}", str(34_600_000_000 + number), "Hola")
        with anyio.fail_after(20):
            assert (await outbox.drain(None))["sent"] == 30


async def test_a_worker_sends_what_is_put_and_gives_each_item(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """Whoever waits for an item gets it as it ended; leaving the block keeps what nobody read."""
    async with Outbox(client, store) as outbox, outbox.run(concurrency=4) as items:
        for number in range(20):
            await outbox.put(f"k{number}", f"6000000{number:02}", "Hola", product="sms")
        assert (await outbox.wait("k7", timeout=10)).state == "sent"
        seen: list[OutboxItem] = []
        async for item in items:
            seen.append(item)
            if len(seen) == 20:
                break
        assert {item.key for item in seen} == {f"k{number}" for number in range(20)}
        assert (await outbox.counts())["sent"] == 20
        with pytest.raises(OutboxNotFound):
            await outbox.wait("none", timeout=0.05)
        for timeout in (0, 1e-9, timedelta(0)):
            assert (await outbox.wait("k7", timeout=timeout)).key == "k7"
        assert await outbox.get("none") is None
    assert set(sandbox.counts.values()) == {1}


async def test_certified_texts_and_templates(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """The options of each product, and the fields of one recipient."""
    async with Outbox(client, store) as outbox:
        await outbox.put("c", ANA, "Aviso legal", product="certified", issuer=ISSUER)
        await outbox.put("t", Recipient("600000002", {"n": "Ana"}), Template("Hola {n}"))
        assert (await outbox.drain(budget=10))["sent"] == 2
        item = await outbox.get("c")
        assert item.product == "certified"
    assert {one.text for one in sandbox.texts} >= {"Hola Ana"}


async def test_what_could_have_been_sent_is_overdue(client: AsyncMensatek, store: str) -> None:
    """By the store's own clock; what has expired is not."""
    async with Outbox(client, store) as outbox:
        assert await outbox.overdue(0.01) == 0
        await outbox.put("a", "600000001", "Hola")
        await outbox.put("b", "600000001", "Hola", not_after=timedelta(milliseconds=20))
        await anyio.sleep(0.1)
        assert (await outbox.overdue(0.05), await outbox.overdue(60)) == (1, 0)
        await outbox.drain(5)
        assert await outbox.overdue(0.01) == 0


async def test_a_lost_answer_is_unknown_until_its_report(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """It is never sent again; its delivery report settles it, with the user's own reference."""
    sandbox.fault(Fault.drop_after_accept())
    async with Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "Hola", reference="pedido 42")
        assert (await outbox.drain(budget=10))["unknown"] == 1
        (unknown,) = await outbox.list(state="unknown")
        assert unknown.error
        assert ANA_DIGITS not in unknown.error
        assert (await outbox.drain(budget=1))["sent"] == 0
        event = report_of(sandbox, ANA_DIGITS, 13)
        assert event.reference == "pedido 42"
        assert await outbox.record(event)
        settled = await outbox.get("k")
    assert (settled.state, settled.message_id, settled.status.code) == ("sent", event.message_id, 13)
    assert sandbox.counts == {ANA_DIGITS: 1}


async def test_a_refusal_fails_with_its_class_and_words(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """`retry` puts it into the queue again."""
    sandbox.fault(Fault.refuse(-3))
    async with Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "Hola")
        assert (await outbox.drain(budget=10))["failed"] == 1
        item = await outbox.get("k")
        assert item.error.startswith("BadParameters: ")
        assert (await outbox.retry("k")).state == "queued"
        assert (await outbox.drain(budget=10))["sent"] == 1
        assert (await outbox.retry("k")).state == "sent"


async def test_what_is_late_is_never_sent(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """While it is queued, and while nobody sends."""
    async with Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "4711", not_after=timedelta(seconds=0.05))
        await outbox.put("in time", ANA, "4711", not_after=timedelta(minutes=5))
        await anyio.sleep(0.1)
        item = await outbox.get("k")
        assert item.state == "expired"
        for state, key in (("expired", "k"), ("queued", "in time")):
            assert [item.key for item in await outbox.list(state=state)] == [key]
        assert await outbox.list(state="unknown") == []
        counted = await outbox.counts()
        assert (counted["expired"], counted["queued"]) == (1, 1)
        await outbox.cancel("in time")
        assert (await outbox.drain(budget=1))["expired"] == 1
        again = await outbox.put("k", ANA, "4711", not_after=timedelta(minutes=5))
        assert again.state == "expired"
    assert not sandbox.counts


async def test_what_gets_late_while_it_waits_is_never_sent(sandbox: Sandbox, store: str) -> None:
    """For the rate, for a place in flight, for a provider that is down, or for a connection that is slow to open."""
    soon = timedelta(seconds=0.4)
    async with client_of(sandbox, limits=Limits(concurrency=1)) as client, Outbox(client, store) as outbox:
        sandbox.fault(Fault.latency(1.0))
        await outbox.put("first", "600000009", "Hola")
        await outbox.put("place", ANA, "4711", not_after=soon)
        counted = await outbox.drain(budget=10, concurrency=1)
        assert (counted["sent"], counted["expired"]) == (1, 1)
    async with client_of(sandbox) as client, Outbox(client, store, rate=1) as outbox:
        await outbox.put("second", "600000008", "Hola")
        await outbox.put("third", "600000007", "Hola")
        await outbox.put("rate", ANA, "4711", not_after=soon)
        counted = await outbox.drain(budget=10)
        assert (counted["sent"], counted["expired"]) == (2, 1)
    sandbox.stop()
    async with client_of(sandbox) as client, Outbox(client, store) as outbox:
        await outbox.put("down", ANA, "4711", not_after=soon)
        assert (await outbox.drain(budget=10))["expired"] == 1
        assert {item.key for item in await outbox.list(state="expired")} == {"place", "rate", "down"}
    assert ANA_DIGITS not in sandbox.counts


@pytest.mark.mensatek_sandbox(credits=100_000, strict=False)
async def test_a_refused_account_is_called_once(
    sandbox: Sandbox, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever waits, and the log says so; with the right token, in another client, it all goes."""
    async with client_of(sandbox, token="wrong") as client, Outbox(client, store) as outbox:
        for number in range(30):
            await outbox.put(f"k{number}", f"6000000{number:02}", "Hola")
        async with outbox.run():
            await anyio.sleep(0.5)
        assert (await outbox.drain(budget=1))["queued"] == 30
    assert len(sandbox.requests) == 1
    assert [one for one in caplog.messages if "nothing is sent for 60 s" in one]
    async with client_of(sandbox) as client, Outbox(client, store) as outbox:
        assert (await outbox.drain(budget=20))["sent"] == 30


async def test_without_credits_it_waits_and_tries_now_and_then(
    sandbox: Sandbox, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request finds out that there are credits again."""
    monkeypatch.setattr("mensatek_async.outbox.holds._PAUSE", 0.2)
    sandbox.credits = 0
    async with client_of(sandbox) as client, Outbox(client, store) as outbox:
        for number in range(10):
            await outbox.put(f"k{number}", f"6000000{number:02}", "Hola")
        async with outbox.run():
            await anyio.sleep(0.7)
            assert 1 <= len(sandbox.requests) <= 6
            sandbox.credits = 1000
            assert (await outbox.wait("k9", timeout=10)).state == "sent"
        assert (await outbox.counts())["sent"] == 10


async def test_a_provider_that_answers_nobody_costs_few_items(sandbox: Sandbox, store: str) -> None:
    """After some lost answers in a row everybody waits, instead of making every item unknown."""
    sandbox.fault(Fault.drop_after_accept(), times=None)
    async with client_of(sandbox) as client, Outbox(client, store) as outbox:
        for number in range(60):
            await outbox.put(f"k{number}", f"6000000{number:02}", "Hola")
        counted = await outbox.drain(budget=3)
    assert counted["unknown"] + counted["queued"] == 60
    assert counted["unknown"] < 20


async def test_one_store_for_campaigns_and_the_outbox(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """Each does its own, and a report reaches whom it is about."""
    async with Campaigns(client, store) as campaigns, Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "Hola", reference="42")
        campaign = await campaigns.start("c", "Fiestas", ["600000002", "600000003"])
        assert (await campaign.complete()).sent == 2
        assert (await outbox.drain(budget=10))["sent"] == 1
        event = report_of(sandbox, ANA_DIGITS, 13)
        assert not await campaigns.record(event)
        assert await outbox.record(event)
        assert not await outbox.record(report_of(sandbox, "34600000002", 13))
        sandbox.fault(Fault.status_429(2))
        await outbox.put("k2", "600000005", "Hola")
        await outbox.drain(budget=0.5)
        held = await campaigns.start("d", "Fiestas", ["600000006"])
        assert "slow down" in (await held.progress()).note
    assert set(sandbox.counts.values()) == {1}


async def test_accounts_share_a_store_and_no_keys(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """Each sends its own items, whatever it calls them."""
    other = client.for_account("tenant", "token")
    async with Outbox(client, store) as ours, Outbox(other, store) as theirs:
        await theirs.put("order-42", "600000002", "Otra empresa")
        await ours.put("order-42", ANA, "Hola")
        assert (await ours.drain(budget=10))["sent"] == 1
        assert [item.phone for item in await ours.list()] == [ANA_DIGITS]
        assert (await theirs.counts())["queued"] == 1
    assert sandbox.counts == {ANA_DIGITS: 1}


async def test_reports_in_any_order(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """The newest status stays, and "delivered" before the answer, or twice, does no harm."""
    async with Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "Hola")
        await outbox.drain(budget=10)
        for code, minute in ((13, 3), (11, 1), (13, 3)):
            assert await outbox.record(
                report_of(sandbox, ANA_DIGITS, code, Fecha=f"2027-01-08 10:0{minute}:00")
            )
        item = await outbox.get("k")
        assert (item.status.code, item.status.is_delivered) == (13, True)
        text = sandbox.texts[0]
        forged = text.reference[:-1] + ("0" if text.reference[-1] != "0" else "1")
        assert not await outbox.record(report_of(sandbox, ANA_DIGITS, 13, idMensaje=1, Referencia=forged))


async def test_purging_and_forgetting(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """Phones and texts go, keys and states stay, so that a late repeat sends nothing; what waits is cancelled."""
    async with Outbox(client, store) as outbox:
        await outbox.put("old", ANA, "Hola", reference="42")
        await outbox.drain(budget=10)
        await anyio.sleep(0.02)
        assert await outbox.purge(older_than=0.001) == 1
        await outbox.put("waiting", "600 000 002", "Hola")
        assert await outbox.forget("+34600000002") == 1
        items = {item.key: item for item in await outbox.list()}
        assert [(one.state, one.phone, one.reference) for one in (items["old"], items["waiting"])] == [
            ("sent", "", ""),
            ("cancelled", "", ""),
        ]
        if not store.startswith("postgresql:"):  # nor are they left in the log beside the file
            assert not [file for file in Path(store).parent.iterdir() if b"60000000" in file.read_bytes()]
        assert (await outbox.put("old", ANA, "Hola", reference="42")).state == "sent"
        assert (await outbox.retry("old")).state == "sent"
        assert (await outbox.drain(budget=1))["sent"] == 0
    assert sandbox.counts == {ANA_DIGITS: 1}


async def test_a_purge_takes_what_expired_while_nobody_sent(client: AsyncMensatek, store: str) -> None:
    """It ended when it expired, though no worker was there to write that down; what is in time stays."""
    async with Outbox(client, store) as outbox:
        await outbox.put("late", ANA, "4711", not_after=timedelta(milliseconds=20))
        await outbox.put("in time", ANA, "4711", not_after=timedelta(minutes=5))
        await anyio.sleep(0.1)
        assert (await outbox.purge(older_than=60), await outbox.purge(older_than=0.01)) == (0, 1)
        found = {item.key: (item.state, item.phone) for item in await outbox.list()}
    assert found == {"late": ("expired", ""), "in time": ("queued", ANA_DIGITS)}


async def test_a_purge_moves_no_row_of_ones_own_tables(client: AsyncMensatek, tmp_path: Path) -> None:
    """The store may be the user's own database: a VACUUM would number the rows of a table without a key anew."""
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        shop.executescript(
            "CREATE TABLE visits (at); INSERT INTO visits VALUES (1), (2); DELETE FROM visits WHERE at = 1"
        )
        async with Outbox(client, tmp_path / "shop.db") as outbox:
            await outbox.put("waiting", ANA, "Hola")
            assert await outbox.forget(ANA) == 1
        assert shop.execute("SELECT rowid, at FROM visits").fetchall() == [(2, 2)]


async def test_what_is_not_there_yet_is_only_looked_at(client: AsyncMensatek, tmp_path: Path) -> None:
    """Nobody makes a file by looking for an item."""
    file = tmp_path / "none.db"
    async with Outbox(client, file) as outbox:
        assert await outbox.get("k") is None
        assert await outbox.list() == []
        assert set((await outbox.counts()).values()) == {0}
        assert await outbox.purge(older_than=1) == 0
        assert await outbox.forget(ANA) == 0
        assert (await outbox.drain(budget=1))["sent"] == 0
        for refused in (outbox.cancel("k"), outbox.retry("k"), outbox.wait("k", timeout=0.01)):
            with pytest.raises(OutboxNotFound):
                await refused
        for state in ("gone", "SENT"):
            with pytest.raises(InvalidRequest):
                await outbox.list(state=state)  # type: ignore[arg-type]
    assert not file.exists()


@pytest.mark.parametrize("style", ["pyformat", "named", "qmark", "numeric"])
async def test_a_statement_of_each_style(
    client: AsyncMensatek, sandbox: Sandbox, store: str, style: Any
) -> None:
    """Committed it is sent, rolled back it never was; a key that is there stays as it is."""
    async with Outbox(client, store) as outbox:
        await outbox.create_tables()
        given: dict[str, Any] = {
            "reference": "50 % de ñ",
            "paramstyle": style,
            "not_after": timedelta(minutes=5),
        }
        sql, values = outbox.statement("k", ANA, "Pedido: 'ñ' %s ? :x", **given)
        assert sql.startswith("INSERT INTO")
        assert isinstance(values, dict if style in ("pyformat", "named") else tuple)
        if outbox_takes(store, style):
            for commit in (False, True):
                assert execute(store, sql, values, commit=commit) == 1
                assert (await outbox.get("k") is not None) is commit
            assert execute(store, sql, values, commit=True) == 0
            item = await outbox.put("k", ANA, "Pedido: 'ñ' %s ? :x", reference="50 % de ñ")
            assert timedelta(minutes=4) < item.not_after - datetime.now(UTC) < timedelta(minutes=6)
            assert (await outbox.drain(budget=10))["sent"] == 1
            assert sandbox.texts[0].text == "Pedido: 'ñ' %s ? :x"
        with pytest.raises(InvalidRequest):
            outbox.statement("k", ANA, "Hola", paramstyle="format")  # type: ignore[arg-type]


def outbox_takes(store: str, style: str) -> bool:
    """Whether the driver of a store knows a style."""
    return style == "pyformat" if store.startswith("postgresql") else style in ("named", "qmark")


def execute(store: str, sql: str, values: Any, *, commit: bool) -> int:
    """Run a statement on a connection of the user's own; returns the row count."""
    import psycopg

    connection: Any = psycopg.connect(store) if store.startswith("postgresql") else sqlite3.connect(store)
    with closing(connection):
        count: int = connection.execute(sql, values).rowcount
        connection.commit() if commit else connection.rollback()
    return count


async def test_a_commit_elsewhere_wakes_an_idle_worker(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """In less than a tenth of a second: PostgreSQL tells, a SQLite file is looked at."""
    async with Outbox(client, store) as outbox, outbox.run() as items:
        await outbox.put("first", ANA, "Hola")
        await outbox.wait("first")
        await anyio.sleep(0.3)
        sql, values = outbox.statement(
            "k", ANA, "Hola", paramstyle="pyformat" if store.startswith("postgresql") else "named"
        )
        await anyio.to_thread.run_sync(lambda: execute(store, sql, values, commit=True))
        with anyio.fail_after(1):
            async for item in items:
                if item.key == "k":
                    break


async def test_a_worker_outlasts_a_store_that_fails(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that has no eye on its worker is not left without one; one that never worked is an error at once."""
    file, away = tmp_path / "outbox.db", tmp_path / "away.db"
    async with Outbox(client, file) as outbox, outbox.run():
        await outbox.put("a", ANA, "Hola")
        assert (await outbox.wait("a")).state == "sent"
        file.rename(away)
        with pytest.raises(StoreError):
            await outbox.put("c", "600000003", "Hola")
        with anyio.fail_after(5):
            while "its worker goes on in 1 s" not in caplog.text:
                outbox._session.wake()
                await anyio.sleep(0.05)
        away.rename(file)
        await outbox.put("c", "600000003", "Hola")
        assert (await outbox.wait("c", timeout=10)).state == "sent"
    with pytest.raises(StoreError):
        async with Outbox(client, tmp_path / "no" / "folder.db") as outbox, outbox.run() as items:
            await items.__anext__()


async def test_whoever_listens_in_postgres_listens_again(
    client: AsyncMensatek, database: str, postgres: PostgresServer
) -> None:
    """What is put elsewhere is sent though its connection was ended meanwhile, and nobody looks for it."""
    ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.rpartition('/')[2]}'"
    async with Outbox(client, database, poll=600) as outbox, Outbox(client, database) as other, outbox.run():
        for key in ("a", "b", "c"):
            await other.put(key, ANA, "Hola")
            assert (await other.wait(key, timeout=20)).state == "sent"
            if key == "a":
                await anyio.to_thread.run_sync(postgres.execute, ended)


def give_up(store: str, state: str = "unknown") -> None:
    """Do what another worker does with an item whose lease is over."""
    due = "0.001" if state == "sending" else "NULL"
    execute(store, f"UPDATE mensatek_outbox SET state = '{state}', due_at = {due}, lost = 1", (), commit=True)


@pytest.mark.parametrize(
    ("faults", "state", "texts"),
    [
        ([], "sent", 1),
        ([Fault.status_429(0.1)], "sent", 1),
        ([Fault.drop_after_accept()], "unknown", 1),
    ],
    ids=["taken", "told-to-wait", "lost"],
)
async def test_an_answer_that_comes_after_the_item_was_given_up(
    client: AsyncMensatek, sandbox: Sandbox, store: str, faults: list[Fault], state: str, texts: int
) -> None:
    """It settles the item; one that says that nothing was sent puts it into the queue again."""
    for fault in (Fault.latency(0.6, before=True), *faults):
        sandbox.fault(fault)
    async with Outbox(client, store) as outbox, outbox.run():
        await outbox.put("k", ANA, "Hola")
        await anyio.sleep(0.3)
        give_up(store)
        await anyio.sleep(0.5)
        for _ in range(200 if state == "sent" else 10):
            if (await outbox.wait("k", timeout=0)).state == "sent":
                break
            await anyio.sleep(0.05)
        assert (await outbox.wait("k", timeout=0)).state == state
    assert sandbox.counts == {ANA_DIGITS: texts}


async def test_what_was_left_behind_comes_before_what_is_new(sandbox: Sandbox, store: str) -> None:
    """However many items wait: they might never leave it a turn."""
    async with client_of(sandbox, limits=Limits(concurrency=1)) as client, Outbox(client, store) as outbox:
        await outbox.put("left", ANA, "Hola")
        give_up(store, "sending")
        for number in range(20):
            await outbox.put(f"new {number}", f"6000001{number:02}", "Hola")
        async with outbox.run() as items:
            assert (await anext(items)).key == "left"


async def test_a_report_before_the_answer(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """The report settles the item, and the answer adds what it cost; an item that somebody removed hurts nobody."""
    sandbox.fault(Fault.latency(0.6), times=2)
    async with Outbox(client, store) as outbox, outbox.run():
        await outbox.put("k", ANA, "Hola")
        await anyio.sleep(0.3)
        assert await outbox.record(report_of(sandbox, ANA_DIGITS, 13))
        item = await outbox.wait("k")
        assert (item.state, item.credits_used) == ("sent", None)
        await anyio.sleep(0.6)
        assert (await outbox.wait("k")).credits_used == 1
        await outbox.put("gone", "600000002", "Hola")
        await anyio.sleep(0.3)
        execute(store, "DELETE FROM mensatek_outbox WHERE item_key = 'gone'", (), commit=True)
        await anyio.sleep(0.5)
        await outbox.put("next", "600000003", "Hola")
        assert (await outbox.wait("next")).state == "sent"


async def test_items_that_wait_long_for_their_turn_stay_claimed(sandbox: Sandbox, store: str) -> None:
    """Their leases are renewed, and a hold by the provider's word is waited for."""
    sandbox.fault(Fault.status_503(0.2))
    limits = Limits(concurrency=4, per_second=4)
    async with client_of(sandbox, limits=limits) as client, Outbox(client, store, lease=0.9) as outbox:
        for number in range(6):
            await outbox.put(f"k{number}", f"60000000{number}", "Hola")
        assert (await outbox.drain(budget=20))["sent"] == 6
    assert set(sandbox.counts.values()) == {1}
