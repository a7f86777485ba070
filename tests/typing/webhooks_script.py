"""What a user writes around webhooks, checked by the type checkers and never run."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

from mensatek_async import (
    AsyncMensatek,
    Deliveries,
    DeliveryReport,
    DeliveryStatus,
    DocumentEvent,
    IncomingMessage,
    OtherEvent,
    testing,
)
from mensatek_async.webhooks import (
    DedupeStore,
    Event,
    MemoryDedupe,
    Receiver,
    Request,
    Response,
    StoreDedupe,
    asgi,
    event_key,
    parse,
    wsgi,
)


async def handle(event: Event) -> None:
    if isinstance(event, DeliveryReport):
        assert_type(event.status, DeliveryStatus)
        assert_type(event.seconds, float | None)
    elif isinstance(event, IncomingMessage):
        assert_type(event.text, str)
    elif isinstance(event, DocumentEvent):
        assert_type(event.port, int | None)
    else:
        assert_type(event, OtherEvent)


def handle_sync(event: Event) -> None:
    assert_type(event_key(event), str)


def mounts(client: AsyncMensatek) -> None:
    store: DedupeStore = MemoryDedupe(events=1000)
    store = StoreDedupe("webhooks.db", lease=timedelta(minutes=5))
    asgi.WebhookApp(handle, username="mensatek", password="secret", dedupe=store)
    wsgi.WebhookApp(handle_sync, token="secret", networks=["192.0.2.0/24"], dedupe=False)
    asgi.WebhookApp(Deliveries(client), token="secret")


async def waiting(deliveries: Deliveries, receiver: Receiver) -> None:
    assert_type(await deliveries.wait(1, "600000000", timeout=5), DeliveryStatus)
    assert_type(deliveries.newest(1, "600000000"), DeliveryStatus | None)
    assert_type(await receiver.receive(Request(body=b"")), Response)


def payloads() -> None:
    assert_type(testing.delivery_report(status=50), testing.Payload)
    event: Event = parse(*testing.incoming_message(text="SI"))
    print(event.is_known_service)
