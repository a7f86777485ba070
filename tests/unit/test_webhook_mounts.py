"""The two mounts and the receiver below them: when what is answered, and that an event is handed over once."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Awaitable, Iterable
from functools import partial
from itertools import islice
from typing import Any
from unittest.mock import Mock

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest

from mensatek_async import ConfigurationError, testing
from mensatek_async.loop_thread import portal
from mensatek_async.webhooks import (
    DeliveryReport,
    Event,
    IncomingMessage,
    MemoryDedupe,
    Receiver,
    Request,
    Standing,
    asgi,
    wsgi,
)

PAYLOAD = testing.delivery_report(reference="r1")


async def run_asgi(
    app: Any, messages: Iterable[dict[str, Any]], **scope: Any
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run the application for one connection; gives what it sent, and the messages that it did not take."""
    waiting, sent = iter(messages), []

    async def receive() -> Any:
        return next(waiting)

    async def send(message: Any) -> None:
        sent.append(message)

    await app(
        {"type": "http", "method": "POST", "query_string": b"token=t", "headers": []} | scope, receive, send
    )
    return sent, list(islice(waiting, 100))


async def ask(
    app: Any, payload: testing.Payload, method: str = "POST", query: str = "token=t"
) -> httpx.Response:
    """Post to an application of either kind."""
    headers = {"Content-Type": payload.content_type}
    if isinstance(app, wsgi.WebhookApp):
        transport = httpx.WSGITransport(app, remote_addr="127.0.0.1")
        request = httpx.Request(method, f"http://test/?{query}", headers=headers, content=payload.body)
        answer = await anyio.to_thread.run_sync(transport.handle_request, request)
        answer.read()
        return answer
    asked = {"method": method, "query_string": query.encode(), "client": ("127.0.0.1", 50_000)}
    message = {"type": "http.request", "body": payload.body}
    (start, body), _ = await run_asgi(app, [message], headers=httpx.Headers(headers).raw, **asked)
    return httpx.Response(start["status"], headers=start["headers"], content=body["body"])


on_every_mount = pytest.mark.parametrize("app_of", [asgi.WebhookApp, wsgi.WebhookApp], ids=["asgi", "wsgi"])


class Kept:
    """Handlers of every kind that keep what they are given."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.threads: set[int] = set()

    def sync(self, event: Event) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(event)

    async def coroutine(self, event: Event) -> None:
        await anyio.lowlevel.checkpoint()
        self.sync(event)

    def returns_a_coroutine(self, event: Event) -> Awaitable[None]:
        return self.coroutine(event)

    async def __call__(self, event: Event) -> None:
        await self.coroutine(event)

    def kind(self, name: str) -> Any:
        return {"object": self, "partial": partial(self.coroutine)}.get(name) or getattr(self, name)


@on_every_mount
@pytest.mark.parametrize("kind", ["sync", "coroutine", "returns_a_coroutine", "partial", "object"])
async def test_a_callback_is_handed_over(app_of: Any, kind: str) -> None:
    """To a handler of every kind, under both mounts, on asyncio and trio."""
    kept = Kept()

    app = app_of(kept.kind(kind), token="t")
    answer = await ask(app, PAYLOAD)

    kind_of_answer = answer.headers["content-type"]
    assert (answer.status_code, answer.text, kind_of_answer) == (200, "OK", "text/plain; charset=utf-8")
    (event,) = kept.events
    assert isinstance(event, DeliveryReport)
    assert event.reference == "r1"


async def test_where_handlers_run() -> None:
    """A function under ASGI does not hold up the loop; coroutines under WSGI share that of the synchronous clients."""

    async def thread_of_the_clients() -> int:
        return threading.get_ident()

    under_asgi, under_wsgi = Kept(), Kept()

    await ask(asgi.WebhookApp(under_asgi.sync, token="t"), PAYLOAD)
    app = wsgi.WebhookApp(under_wsgi.coroutine, token="t", dedupe=False)
    for _ in range(3):
        await ask(app, PAYLOAD)

    assert threading.get_ident() not in under_asgi.threads
    assert len(under_wsgi.events) == 3
    assert under_wsgi.threads == {portal().run(thread_of_the_clients())}


@on_every_mount
@pytest.mark.parametrize("query", ["", "token=", "token=else", "token=t"])
async def test_strangers_are_told_nothing(app_of: Any, query: str) -> None:
    """401, the same for every part that is wrong and by every method; who may post learns that only POST will do."""
    kept = Kept()
    app = app_of(kept.sync, token="t", username="u", password="p", networks=["127.0.0.0/8"])

    for method in ("POST", "PUT"):
        answer = await ask(app, PAYLOAD, method, query=query)
        assert (answer.status_code, answer.text) == (401, "Unauthorized")
        assert answer.headers["www-authenticate"] == 'Basic realm="webhook", charset="UTF-8"'
    assert not kept.events
    answer = await ask(app_of(print, token="t"), PAYLOAD, "PUT")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


@on_every_mount
async def test_what_cannot_be_read_is_answered_with_the_reason(
    app_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """400, and a line in the log, neither with anything of the payload; nor does a request's own repr show a secret."""
    broken = testing.delivery_report(extra={"Resultado": "secreto"})

    answer = await ask(app_of(print, token="t"), broken)

    assert answer.status_code == 400
    assert answer.text == "The callback could not be read: expected a whole number, got a text @ Resultado."
    assert answer.text in caplog.text
    request = Request(authorization="Basic c2VjcmV0", query="token=secreto", body=b"secreto")
    with caplog.at_level(logging.DEBUG, "mensatek_async"):
        await Receiver(print, token="t").receive(request)
    assert not [word for word in ("secreto", "c2VjcmV0") if word in repr(request) + caplog.text]


@on_every_mount
@pytest.mark.parametrize("trouble", ["no time zones", "the store fails"])
async def test_what_is_no_fault_of_the_callback(
    app_of: Any, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without time zones, a store without an answer: 500, so that the event comes again."""
    kept, store = Kept(), MemoryDedupe()
    broken = Mock(side_effect=ConfigurationError(trouble))
    if trouble == "no time zones":
        monkeypatch.setattr("mensatek_async._wire.scalars.madrid", broken)
    else:
        monkeypatch.setattr(store, "begin", broken)

    assert (await ask(app_of(kept.sync, token="t", dedupe=store), PAYLOAD)).status_code == 500
    assert not kept.events


@on_every_mount
async def test_a_large_body_is_refused(app_of: Any) -> None:
    """Nobody fills the memory with one request; a body of just the size allowed is read."""
    app = app_of(print, token="t")

    assert (await ask(app, testing.Payload(b"x" * 65_537, "text/plain"))).status_code == 413
    assert (await ask(app, testing.Payload(b"x" * 65_536, "text/plain"))).status_code == 400


async def test_no_more_is_read_than_is_needed() -> None:
    """Nothing of a stranger, little beyond the limit of anybody, and nobody who has gone is answered."""
    kept = Kept()
    app = asgi.WebhookApp(kept.coroutine, token="t")
    piece = {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    sent, unread = await run_asgi(app, [piece], query_string=b"")
    assert (sent[0]["status"], unread) == (401, [piece])
    sent, unread = await run_asgi(app, [piece] * 100)
    assert sent[0]["status"] == 413
    assert len(unread) > 30
    assert await run_asgi(app, [piece, {"type": "http.disconnect"}]) == ([], [])
    assert not kept.events


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, 400),
        ({"wsgi.input_terminated": True}, 200),
        ({"CONTENT_LENGTH": "9" * 30}, 413),
    ],
)
def test_a_wsgi_body_without_a_length(environ: dict[str, Any], status: int) -> None:
    """A server that ends the input itself may leave the length out; with any other there is no body."""
    given = {"REQUEST_METHOD": "POST", "QUERY_STRING": "token=t", "CONTENT_TYPE": PAYLOAD.content_type}
    answers: list[str] = []

    app = wsgi.WebhookApp(Kept().sync, token="t")
    app(given | {"wsgi.input": io.BytesIO(PAYLOAD.body)} | environ, lambda status, _: answers.append(status))

    assert [int(answer[:3]) for answer in answers] == [status]


@on_every_mount
@pytest.mark.parametrize("kind", ["function", "coroutine"])
@pytest.mark.parametrize(("dedupe", "times"), [(True, 2), (False, 3)])
async def test_a_failed_handler_gets_the_event_again(
    app_of: Any, kind: str, dedupe: bool, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    """500 is answered, nothing is remembered, and what comes again is handed over again; once it was handled, every
    repetition is answered with 200, and handed over only without a memory."""
    calls: list[Event] = []

    def handle(event: Event) -> None:
        calls.append(event)
        if len(calls) == 1:
            raise ValueError("the database is away")

    async def coroutine(event: Event) -> None:
        handle(event)

    app = app_of(handle if kind == "function" else coroutine, token="t", dedupe=dedupe)

    assert [(await ask(app, PAYLOAD)).status_code for _ in range(3)] == [500, 200, 200]
    assert len(calls) == times
    assert "the database is away" in caplog.text


@on_every_mount
@pytest.mark.parametrize("first_fails", [True, False])
async def test_a_copy_waits_for_the_first(app_of: Any, first_fails: bool) -> None:
    """Two copies at once: the second is answered when the first is done, and handled only if that failed."""
    calls: list[Event] = []

    async def handle(event: Event) -> None:
        calls.append(event)
        await anyio.sleep(0.1)
        if first_fails and len(calls) == 1:
            raise ValueError

    app, answers = app_of(handle, token="t"), []

    async def post() -> None:
        answers.append((await ask(app, PAYLOAD)).status_code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(post)
        tasks.start_soon(post)

    assert sorted(answers) == ([200, 500] if first_fails else [200, 200])
    assert len(calls) == (2 if first_fails else 1)


@on_every_mount
async def test_a_copy_does_not_wait_for_ever(app_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first copy's handler hangs, the second is asked to come again later."""
    monkeypatch.setattr("mensatek_async.webhooks.receiver._PATIENCE", 0.05)
    store = MemoryDedupe()
    monkeypatch.setattr(store, "begin", lambda key: Standing.BUSY)

    answer = await ask(app_of(print, token="t", dedupe=store), PAYLOAD)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_cancelled_handler_has_not_handled() -> None:
    """A server that shuts down in the middle leaves the event to come again."""
    store = MemoryDedupe()

    with anyio.move_on_after(0.05):
        await ask(asgi.WebhookApp(lambda event: anyio.sleep_forever(), token="t", dedupe=store), PAYLOAD)
    kept = Kept()

    assert (await ask(asgi.WebhookApp(kept.sync, token="t", dedupe=store), PAYLOAD)).status_code == 200
    assert len(kept.events) == 1


async def test_a_handler_cannot_end_the_loop_in_the_background() -> None:
    """`sys.exit()` in one handler does not take all later ones along."""

    async def leave(event: Event) -> None:
        raise SystemExit

    assert (await ask(wsgi.WebhookApp(leave, token="t"), PAYLOAD)).status_code == 500
    kept = Kept()
    assert (await ask(wsgi.WebhookApp(kept.coroutine, token="t"), PAYLOAD)).status_code == 200


async def test_the_app_lives_and_dies_with_its_server() -> None:
    """Alone under a server it says that it is ready, and ends when told to."""
    app = asgi.WebhookApp(print, token="t")
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = (await run_asgi(app, messages, type="lifespan"))[0] + (await run_asgi(app, [], type="websocket"))[
        0
    ]

    assert [one["type"] for one in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
        "websocket.close",
    ]


async def test_a_receiver_serves_any_framework() -> None:
    """What a mount does with a request, a view of any framework can do as well, held to the same limits."""
    kept = Kept()
    receiver = Receiver(kept.coroutine, token="t")
    large = Request(query="token=t", body=b"x" * 65_537)
    assert (await receiver.receive(large)).status == receiver.receive_sync(large).status == 413
    with pytest.raises(ConfigurationError):
        Receiver(None, token="t")  # type: ignore[arg-type]
    payload = testing.incoming_message(text="SI")
    request = Request(query="token=t", content_type=payload.content_type, body=payload.body)

    assert (await receiver.receive(request)).status == 200
    assert (await receiver.receive(Request(body=payload.body))).status == 401
    assert (await anyio.to_thread.run_sync(receiver.receive_sync, request)).status == 200
    (event,) = kept.events
    assert isinstance(event, IncomingMessage)
    assert event.text == "SI"
