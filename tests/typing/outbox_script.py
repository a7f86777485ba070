"""A typed program with an outbox, async and not: every public call shape, checked and never run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

from mensatek_async import (
    AsyncMensatek,
    DeliveryStatus,
    Issuer,
    Mensatek,
    Outbox,
    OutboxConflict,
    OutboxError,
    OutboxItem,
    OutboxNotFound,
    OutboxStream,
    Recipient,
    SyncOutbox,
    SyncOutboxStream,
    Template,
)
from mensatek_async.webhooks import Event


async def put(outbox: Outbox) -> OutboxItem:
    """Each kind of recipient, and each option."""
    await outbox.put("a", "600000000", "Hola", sender="ACME", reference="42", report=True, encoding="gsm")
    await outbox.put("b", Recipient("600000000", {"n": "Ana"}), Template("Hola {n}"), fix_utf8=True)
    await outbox.put("c", "600000000", "Hola", not_after=timedelta(minutes=5), repeat_unknown=True)
    issuer = Issuer("EMPRESA S.L.", "900000000", "B00000000")
    return await outbox.put(
        "d",
        "600000000",
        "Hola",
        product="certified",
        issuer=issuer,
        not_after=datetime(2030, 1, 1, tzinfo=UTC),
        scheduled_at=datetime(2029, 1, 1, tzinfo=UTC),
        acceptance_days=3,
    )


def look(item: OutboxItem) -> None:
    assert_type(item.status, DeliveryStatus | None)
    assert_type(item.sent_at, datetime | None)
    print(item.key, item.state, item.message_id, item.error, item.created_at, item.reference, item.done)


async def main(event: Event) -> None:
    async with AsyncMensatek() as client, Outbox(client, store="outbox.db", rate=10) as outbox:
        assert_type(client.outbox("other.db"), Outbox)
        look(await put(outbox))
        async with outbox.run(concurrency=4) as items:
            assert_type(items, OutboxStream)
            async for item in items:
                assert_type(item, OutboxItem)
        look(await outbox.wait("a", timeout=10))
        assert_type(await outbox.drain(budget=60), dict[str, int])
        assert_type(await outbox.get("a"), OutboxItem | None)
        assert_type(await outbox.list(state="unknown"), list[OutboxItem])
        assert_type(await outbox.counts(), dict[str, int])
        assert_type(await outbox.record(event), bool)
        assert_type(await outbox.purge(older_than=timedelta(days=30)), int)
        assert_type(await outbox.forget("600000000"), int)
        assert_type(outbox.statement("a", "600000000", "Hola", paramstyle="named"), tuple[str, Any])
        await outbox.create_tables()
        try:
            look(await outbox.cancel("a"))
            look(await outbox.retry("a"))
        except OutboxNotFound:
            print("no such item")
        except (OutboxConflict, OutboxError) as error:
            print(error.advice)


def without_async(event: Event) -> None:
    with Mensatek() as client, client.outbox("outbox.db") as outbox:
        assert_type(outbox, SyncOutbox)
        look(outbox.put("a", "600000000", "Hola", not_after=timedelta(minutes=5), reference="42"))
        with outbox.run() as items:
            assert_type(items, SyncOutboxStream)
            for item in items:
                assert_type(item, OutboxItem)
        assert_type(outbox.drain(), dict[str, int])
        assert_type(outbox.record(event), bool)
        assert_type(outbox.statement("a", "600000000", "Hola"), tuple[str, Any])
