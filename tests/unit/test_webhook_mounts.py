"""The two mounts and the receiver below them: when what is answered, and that an event is handed over once."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from mensatek_async import ConfigurationError, testing
from mensatek_async.loop_thread import portal
from mensatek_async.webhooks import (
    DedupeStore,
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
Answer = tuple[int, dict[str, str], str]
Post = Callable[..., Awaitable[Answer]]


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


async def ask_asgi(
    app: Any, payload: testing.Payload, method: str = "POST", query: str = "token=t"
) -> Answer:
    (start, body), _ = await run_asgi(
        app,
        [{"type": "http.request", "body": payload.body}],
        method=method,
        query_string=query.encode(),
        client=("127.0.0.1", 50_000),
        headers=[(b"content-type", payload.content_type.encode())],
    )
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, body["body"].decode()


def environ(payload: testing.Payload, method: str, query: str, **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": payload.content_type,
        "CONTENT_LENGTH": str(len(payload.body)),
        "wsgi.input": io.BytesIO(payload.body),
    } | more


def call_wsgi(app: Any, given: dict[str, Any]) -> Answer:
    started: list[Any] = []
    body = b"".join(app(given, lambda status, headers: started.extend((status, headers))))
    return int(started[0][:3]), {name.lower(): value for name, value in started[1]}, body.decode()


async def ask_wsgi(
    app: Any, payload: testing.Payload, method: str = "POST", query: str = "token=t"
) -> Answer:
    return await anyio.to_thread.run_sync(call_wsgi, app, environ(payload, method, query))


MOUNTS: dict[str, tuple[Any, Any]] = {
    "asgi": (asgi.WebhookApp, ask_asgi),
    "wsgi": (wsgi.WebhookApp, ask_wsgi),
}
on_every_mount = pytest.mark.parametrize(("app_of", "ask"), MOUNTS.values(), ids=MOUNTS)


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
@pytest.mark.parametrize("form", ["json", "form", "multipart"])
async def test_a_callback_is_handed_over(app_of: Any, ask: Any, kind: str, form: Any) -> None:
    """In every encoding, to a handler of every kind, under both mounts, on asyncio and trio."""
    kept = Kept()

    status, headers, text = await ask(
        app_of(kept.kind(kind), token="t"), testing.delivery_report(reference="r1", form=form)
    )

    assert (status, text, headers["content-type"]) == (200, "OK", "text/plain; charset=utf-8")
    (event,) = kept.events
    assert isinstance(event, DeliveryReport)
    assert event.reference == "r1"


async def test_where_handlers_run() -> None:
    """A function under ASGI does not hold up the loop; coroutines under WSGI share that of the synchronous clients."""

    async def thread_of_the_clients() -> int:
        return threading.get_ident()

    under_asgi, under_wsgi = Kept(), Kept()

    await ask_asgi(asgi.WebhookApp(under_asgi.sync, token="t"), PAYLOAD)
    app = wsgi.WebhookApp(under_wsgi.coroutine, token="t", dedupe=False)
    for _ in range(3):
        await ask_wsgi(app, PAYLOAD)

    assert threading.get_ident() not in under_asgi.threads
    assert len(under_wsgi.events) == 3
    assert under_wsgi.threads == {portal().run(thread_of_the_clients())}


@on_every_mount
@pytest.mark.parametrize("query", ["", "token=", "token=else", "token=t"])
async def test_strangers_are_told_nothing(app_of: Any, ask: Any, query: str) -> None:
    """401, the same for every part that is wrong and by every method; who may post learns that only POST will do."""
    kept = Kept()
    app = app_of(kept.sync, token="t", username="u", password="p", networks=["127.0.0.0/8"])

    status, headers, text = await ask(app, PAYLOAD, query=query)

    assert (status, text) == (401, "Unauthorized")
    assert headers["www-authenticate"] == 'Basic realm="webhook", charset="UTF-8"'
    assert await ask(app, PAYLOAD, "PUT", query=query) == (status, headers, text)
    assert not kept.events
    status, headers, _ = await ask(app_of(print, token="t"), PAYLOAD, "PUT")
    assert (status, headers["allow"]) == (405, "GET, HEAD, POST")


@on_every_mount
async def test_what_cannot_be_read_is_answered_with_the_reason(
    app_of: Any, ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """400, and a line in the log, neither with anything of the payload."""
    broken = testing.delivery_report(extra={"Resultado": "secreto"})

    status, _, text = await ask(app_of(print, token="t"), broken)

    assert status == 400
    assert text == "The callback could not be read: expected a whole number, got a text @ Resultado."
    assert text in caplog.text
    assert "secreto" not in caplog.text


@on_every_mount
async def test_a_system_without_time_zones(app_of: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of the callback, which may come again: 500."""
    monkeypatch.setattr(
        "mensatek_async._wire.scalars.madrid", partial(raise_, ConfigurationError("no zones"))
    )

    assert (await ask(app_of(print, token="t"), PAYLOAD))[0] == 500


def raise_(error: Exception) -> None:
    raise error


@on_every_mount
async def test_a_large_body_is_refused(app_of: Any, ask: Any) -> None:
    """Nobody fills the memory with one request; a body of just the size allowed is read."""
    app = app_of(print, token="t")

    assert (await ask(app, testing.Payload(b"x" * 65_537, "text/plain")))[0] == 413
    assert (await ask(app, testing.Payload(b"x" * 65_536, "text/plain")))[0] == 400


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


def test_a_wsgi_body_without_a_length() -> None:
    """A server that ends the input itself may leave the length out; with any other there is no body."""
    kept = Kept()
    app = wsgi.WebhookApp(kept.sync, token="t")
    given = environ(PAYLOAD, "POST", "token=t", CONTENT_LENGTH="")

    assert call_wsgi(app, dict(given))[0] == 400
    given["wsgi.input"] = io.BytesIO(PAYLOAD.body)
    assert call_wsgi(app, given | {"wsgi.input_terminated": True})[0] == 200
    large = environ(PAYLOAD, "POST", "token=t") | {"CONTENT_LENGTH": "9" * 30}
    assert call_wsgi(app, large)[0] == 413


@on_every_mount
@pytest.mark.parametrize("kind", ["function", "coroutine"])
async def test_a_failed_handler_gets_the_event_again(
    app_of: Any, ask: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """500 is answered, nothing is remembered, and what comes again is handed over again."""
    calls: list[Event] = []

    def handle(event: Event) -> None:
        calls.append(event)
        if len(calls) == 1:
            raise ValueError("the database is away")

    async def coroutine(event: Event) -> None:
        handle(event)

    app = app_of(handle if kind == "function" else coroutine, token="t")

    assert [(await ask(app, PAYLOAD))[0] for _ in range(3)] == [500, 200, 200]
    assert len(calls) == 2
    assert "the database is away" in caplog.text


@on_every_mount
@pytest.mark.parametrize(("dedupe", "times"), [(True, 1), (False, 3)])
async def test_an_event_that_was_handled_is_not_handed_over_again(
    app_of: Any, ask: Any, dedupe: bool, times: int
) -> None:
    """Every repetition is answered with 200; without a memory each is handed over."""
    kept = Kept()
    app = app_of(kept.sync, token="t", dedupe=dedupe)

    assert [(await ask(app, PAYLOAD))[0] for _ in range(3)] == [200] * 3
    assert len(kept.events) == times


@on_every_mount
@pytest.mark.parametrize("first_fails", [True, False])
async def test_a_copy_waits_for_the_first(app_of: Any, ask: Any, first_fails: bool) -> None:
    """Two copies at once: the second is answered when the first is done, and handled only if that failed."""
    calls: list[Event] = []

    async def handle(event: Event) -> None:
        calls.append(event)
        await anyio.sleep(0.1)
        if first_fails and len(calls) == 1:
            raise ValueError

    app, answers = app_of(handle, token="t"), []

    async def post() -> None:
        answers.append((await ask(app, PAYLOAD))[0])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(post)
        tasks.start_soon(post)

    assert sorted(answers) == ([200, 500] if first_fails else [200, 200])
    assert len(calls) == (2 if first_fails else 1)


@on_every_mount
async def test_a_copy_does_not_wait_for_ever(app_of: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first copy's handler hangs, the second is asked to come again later."""
    monkeypatch.setattr("mensatek_async.webhooks.receiver._PATIENCE", 0.05)
    store = MemoryDedupe()
    monkeypatch.setattr(store, "begin", lambda key: Standing.BUSY)

    status, headers, _ = await ask(app_of(print, token="t", dedupe=store), PAYLOAD)

    assert (status, headers["retry-after"]) == (503, "5")


async def test_a_cancelled_handler_has_not_handled() -> None:
    """A server that shuts down in the middle leaves the event to come again."""
    store = MemoryDedupe()

    with anyio.move_on_after(0.05):
        await ask_asgi(asgi.WebhookApp(lambda event: anyio.sleep_forever(), token="t", dedupe=store), PAYLOAD)
    kept = Kept()

    assert (await ask_asgi(asgi.WebhookApp(kept.sync, token="t", dedupe=store), PAYLOAD))[0] == 200
    assert len(kept.events) == 1


class SlowStore:
    """A store whose methods are coroutines, as a database's would be."""

    def __init__(self) -> None:
        self.memory = MemoryDedupe()
        self.finished: list[bool] = []

    async def begin(self, key: str) -> Standing:
        await anyio.lowlevel.checkpoint()
        return self.memory.begin(key)

    async def finish(self, key: str, handled: bool) -> None:
        await anyio.lowlevel.checkpoint()
        self.finished.append(handled)
        self.memory.finish(key, handled)


@on_every_mount
async def test_a_store_may_be_asynchronous(app_of: Any, ask: Any) -> None:
    """A store of the user's own is asked before and told after."""
    kept = Kept()
    store = SlowStore()
    typed: DedupeStore = store
    app = app_of(kept.sync, token="t", dedupe=typed)

    assert [(await ask(app, PAYLOAD))[0] for _ in range(2)] == [200, 200]
    assert (len(kept.events), store.finished) == (1, [True])


@on_every_mount
async def test_a_store_that_fails_loses_nothing(app_of: Any, ask: Any) -> None:
    """Without an answer from the store nobody knows: 500, so that the event comes again."""
    kept = Kept()
    store = MemoryDedupe()
    store.begin = None  # type: ignore[assignment, method-assign]

    assert (await ask(app_of(kept.sync, token="t", dedupe=store), PAYLOAD))[0] == 500
    assert not kept.events


async def test_a_handler_cannot_end_the_loop_in_the_background() -> None:
    """`sys.exit()` in one handler does not take all later ones along."""

    async def leave(event: Event) -> None:
        raise SystemExit

    assert (await ask_wsgi(wsgi.WebhookApp(leave, token="t"), PAYLOAD))[0] == 500
    kept = Kept()
    assert (await ask_wsgi(wsgi.WebhookApp(kept.coroutine, token="t"), PAYLOAD))[0] == 200


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


async def test_requests_show_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a request nor a refusal in the log holds token, credentials or text."""
    caplog.set_level(logging.DEBUG)
    request = Request(authorization="Basic c2VjcmV0", query="token=secreto", body=b"secreto")

    await Receiver(print, token="t").receive(request)

    assert not [word for word in ("secreto", "c2VjcmV0") if word in repr(request) + caplog.text]
