"""The outbox through the sandbox: one text per key whatever happens, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    DeliveryReport,
    InvalidDate,
    InvalidField,
    InvalidPhone,
    InvalidRequest,
    InvalidSender,
    Issuer,
    Outbox,
    OutboxConflict,
    OutboxItem,
    OutboxNotFound,
    Recipient,
    Template,
)
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.webhooks import parse

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)

ANA, ANA_DIGITS = "600 000 001", "34600000001"
ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")


def report_of(sandbox: Sandbox, phone: str, code: int, **changes: Any) -> DeliveryReport:
    """What the webhook would bring about a text that the sandbox took, read as a webhook reads it."""
    text = next(one for one in sandbox.texts if one.phone == phone)
    told: dict[str, Any] = {
        "Servicio": "SMSMASIVO",
        "Resultado": code,
        "Remitente": "ACME",
        "Movil": phone,
        "Fecha": "2027-01-08 10:00:00",
        "idMensaje": text.message_id,
        "Referencia": text.reference,
        **changes,
    }
    event = parse(json.dumps(told).encode())
    assert isinstance(event, DeliveryReport)
    return event


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
    client: AsyncMensatek, store: str, other: dict[str, Any]
) -> None:
    """It says so without the text or the phone; the item stays as it was."""
    same: dict[str, Any] = {"to": ANA, "text": "Su código es 4711", "reference": "42"}
    async with Outbox(client, store) as outbox:
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
        ({"key": " "}, InvalidRequest),
        ({"key": "a\nb"}, InvalidRequest),
        ({"key": "k" * 201}, InvalidRequest),
        ({"repeat_unknown": 1}, InvalidRequest),
        ({"colour": "red"}, TypeError),
    ],
)
async def test_what_is_wrong_is_refused_before_anything_is_written(
    client: AsyncMensatek, store: str, wrong: dict[str, Any], error: type[Exception]
) -> None:
    """In a `put` and in a statement alike."""
    given: dict[str, Any] = {"key": "k", "to": ANA, "text": "Hola", **wrong}
    async with Outbox(client, store) as outbox:
        with pytest.raises(error):
            await outbox.put(**given)
        with pytest.raises(error):
            outbox.statement(**given)
        assert await outbox.list() == []


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
        assert await outbox.get("none") is None
    assert set(sandbox.counts.values()) == {1}


async def test_certified_texts_and_templates(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """The options of each product, and the fields of one recipient."""
    async with Outbox(client, store) as outbox:
        await outbox.put("c", ANA, "Aviso legal", product="certified", issuer=ISSUER)
        await outbox.put("t", Recipient("600000002", {"n": "Ana"}), Template("Hola {n}"))
        assert (await outbox.drain(budget=10))["sent"] == 2
        item = await outbox.get("c")
        assert item is not None
        assert item.product == "certified"
    assert {one.text for one in sandbox.texts} >= {"Hola Ana"}


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
    assert settled is not None
    assert settled.status is not None
    assert (settled.state, settled.message_id, settled.status.code) == ("sent", event.message_id, 13)
    assert sandbox.counts == {ANA_DIGITS: 1}


async def test_what_may_come_twice_is_sent_again(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """A login code whose answer got lost is repeated, where the item says so."""
    sandbox.fault(Fault.drop_after_accept())
    async with Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "4711", repeat_unknown=True)
        assert (await outbox.drain(budget=10))["sent"] == 1
        item = await outbox.get("k")
    assert item is not None
    assert (item.state, item.attempts) == ("sent", 2)
    assert sandbox.counts == {ANA_DIGITS: 2}


async def test_a_refusal_fails_with_its_class_and_words(
    client: AsyncMensatek, sandbox: Sandbox, store: str
) -> None:
    """`retry` puts it into the queue again."""
    sandbox.fault(Fault.refuse(-3))
    async with Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "Hola")
        assert (await outbox.drain(budget=10))["failed"] == 1
        item = await outbox.get("k")
        assert item is not None
        assert item.error.startswith("BadParameters: ")
        assert (await outbox.retry("k")).state == "queued"
        assert (await outbox.drain(budget=10))["sent"] == 1
        assert (await outbox.retry("k")).state == "sent"


async def test_cancelling_what_is_queued(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """What was sent stays as it is, and what there is not is an error."""
    async with Outbox(client, store) as outbox:
        await outbox.put("a", ANA, "Hola")
        assert (await outbox.cancel("a")).state == "cancelled"
        await outbox.put("b", ANA, "Hola")
        assert (await outbox.drain(budget=10))["sent"] == 1
        assert (await outbox.cancel("b")).state == "sent"
        with pytest.raises(OutboxNotFound):
            await outbox.cancel("c")
    assert sandbox.counts == {ANA_DIGITS: 1}


async def test_what_is_late_is_never_sent(client: AsyncMensatek, sandbox: Sandbox, store: str) -> None:
    """While it is queued, and while nobody sends."""
    async with Outbox(client, store) as outbox:
        await outbox.put("k", ANA, "4711", not_after=timedelta(seconds=0.05))
        await anyio.sleep(0.1)
        item = await outbox.get("k")
        assert item is not None
        assert item.state == "expired"
        assert (await outbox.drain(budget=1))["expired"] == 1
        again = await outbox.put("k", ANA, "4711", not_after=timedelta(minutes=5))
        assert again.state == "expired"
    assert not sandbox.counts
