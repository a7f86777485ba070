"""The sandbox posts, the webhook takes in: every event once and none lost, over real HTTP."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from mensatek_async import AsyncMensatek, Deliveries, DeliveryReport, Phase
from mensatek_async.sandbox import Callbacks, Sandbox
from mensatek_async.webhooks import Event, asgi, event_key, wsgi
from tests.sandbox_calls import calling, phones
from tests.webhook_servers import serve_asgi, serve_wsgi

MOUNTS: dict[str, Any] = {"asgi": (asgi.WebhookApp, serve_asgi), "wsgi": (wsgi.WebhookApp, serve_wsgi)}
FORMS = ("json", "form", "multipart")
DOOR = {"username": "mensatek", "password": "contraseña", "token": "s3cr3t"}


class Book:
    """Counts the events handed over; fails on some at their first coming, before or after it has counted."""

    def __init__(self, failing: float = 0.0) -> None:
        self.handled: Counter[str] = Counter()
        self.events: list[Event] = []
        self._failed: set[str] = set()
        self._failing = failing
        self._random = random.Random(7)

    def handle(self, event: Event) -> None:
        key = event_key(event)
        if key not in self._failed and self._random.random() < self._failing:
            self._failed.add(key)
            raise ValueError("the database is away")
        self.handled[key] += 1
        self.events.append(event)

    async def handle_async(self, event: Event) -> None:
        self.handle(event)


def identity(told: dict[str, Any]) -> tuple[str, ...]:
    """What makes an event of the sandbox one of its own."""
    return tuple(str(told[name]) for name in ("idMensaje", "Movil", "Resultado", "Fecha"))


def seen(event: Event) -> tuple[str, ...]:
    """The same, of an event handed over."""
    assert isinstance(event, DeliveryReport)
    assert event.reported_at is not None
    date = event.reported_at.strftime("%Y-%m-%d %H:%M:%S")
    return str(event.message_id), event.phone, str(event.status.code), date


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("mount", "is_async", "form", "texts"),
    [
        *((mount, is_async, form, 60) for mount in MOUNTS for is_async in (True, False) for form in FORMS),
        *(("asgi", True, "json", 5000), ("wsgi", False, "json", 5000)),  # 10,000 events and more
    ],
)
def test_every_event_once_and_none_lost(mount: str, is_async: bool, form: str, texts: int) -> None:
    """Duplicates, another order, unknown statuses and a handler that fails now and then."""
    book = Book(failing=0.1)
    app_of, serve = MOUNTS[mount]
    app = app_of(book.handle_async if is_async else book.handle, networks=["127.0.0.0/8"], **DOOR)
    with serve(app) as url, Sandbox(delivery_seconds=0) as sandbox, calling(sandbox) as call:
        trouble: dict[str, Any] = {"duplicates": 0.3, "shuffle": 100, "unknown_statuses": 0.1}
        callbacks = sandbox.call_back(
            Callbacks(f"{url}/mensatek", form=form, connections=4, retry_seconds=0.01, **trouble, **DOOR)
        )
        for first in range(0, texts, 500):
            call.send(*phones(min(texts, 500), 34_600_000_000 + first))
        assert callbacks.wait(280)

    assert not callbacks.lost
    assert {seen(event) for event in book.events} == {identity(told) for told in callbacks.events}
    assert set(book.handled.values()) == {1}
    assert len(book.handled) == len(callbacks.events) < len(callbacks.posts)
    assert Phase.UNKNOWN in {event.status.phase for event in book.events if isinstance(event, DeliveryReport)}


@pytest.mark.parametrize("certified", [True, False])
async def test_waiting_for_a_delivery(certified: bool) -> None:
    """From the send to the final status without one question to the provider."""
    with Sandbox(delivery_seconds=0.05) as sandbox:
        async with AsyncMensatek(
            sandbox.user, sandbox.token, base_url=sandbox.base_url, sender="MIEMPRESA"
        ) as client:
            deliveries = Deliveries(client)
            with serve_wsgi(wsgi.WebhookApp(deliveries, token="t")) as url:
                callbacks = sandbox.call_back(Callbacks(url, token="t"))
                if certified:
                    with calling(sandbox) as call:
                        message_id = call.certify("34600000000")["idMensaje"]
                else:
                    message_id = (await client.sms.send("600000000", "Hola")).message_id
                status = await deliveries.wait(message_id, "600000000", timeout=20, certified=certified)
                sandbox.stop()
        assert callbacks.posts

    assert status.code == (14 if certified else 11)
    assert {call.operation for call in sandbox.requests} <= {"EnviarSMS", "EnviarSMSCERTIFICADO"}
