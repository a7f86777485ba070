"""What a user writes around webhooks, checked by the type checkers and never run."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_type

import mensatek_async as mensatek
from mensatek_async import testing, webhooks
from mensatek_async.webhooks import asgi, wsgi


async def handle(event: webhooks.Event) -> None:
    if isinstance(event, mensatek.DeliveryReport):
        assert_type(event.status, mensatek.DeliveryStatus)
        assert_type(event.seconds, float | None)
    elif isinstance(event, mensatek.IncomingMessage):
        assert_type(event.text, str)
    elif isinstance(event, mensatek.DocumentEvent):
        assert_type(event.port, int | None)
    else:
        assert_type(event, mensatek.OtherEvent)


def handle_sync(event: webhooks.Event) -> None:
    assert_type(webhooks.event_key(event), str)


def mounts(client: mensatek.AsyncMensatek) -> None:
    store: webhooks.DedupeStore = webhooks.MemoryDedupe(events=1000)
    store = webhooks.StoreDedupe("webhooks.db", lease=timedelta(minutes=5))
    asgi.WebhookApp(handle, username="mensatek", password="secret", dedupe=store)
    wsgi.WebhookApp(handle_sync, token="secret", networks=["192.0.2.0/24"], dedupe=False)
    asgi.WebhookApp(mensatek.Deliveries(client), token="secret")


async def waiting(deliveries: mensatek.Deliveries, receiver: webhooks.Receiver) -> None:
    assert_type(await deliveries.wait(1, "600000000", timeout=5), mensatek.DeliveryStatus)
    assert_type(deliveries.newest(1, "600000000"), mensatek.DeliveryStatus | None)
    assert_type(await receiver.receive(webhooks.Request(body=b"")), webhooks.Response)


def payloads() -> None:
    assert_type(testing.delivery_report(status=50), testing.Payload)
    event: webhooks.Event = webhooks.parse(*testing.incoming_message(text="SI"))
    print(event.is_known_service)
