"""The plugin's fixtures, used as a user's tests use them: in plain tests, on asyncio and on trio."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from mensatek_async import (
    AsyncMensatek,
    DeliveryReport,
    DeliveryStatus,
    DocumentEvent,
    IncomingMessage,
    InvalidPhone,
    Issuer,
    Mensatek,
    Recipient,
    Template,
    testing,
)
from mensatek_async.sandbox import Sandbox
from mensatek_async.testing import Deliver, PostCallback, Reply, SentMessages, Webhook
from mensatek_async.text import elements
from mensatek_async.webhooks import Event, asgi, wsgi
from tests.webhook_servers import serve_asgi, serve_wsgi

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")
DOOR: dict[str, Any] = {"username": "mensatek", "password": "secreto", "token": "llave", "dedupe": False}
KEY: dict[str, Any] = {name: DOOR[name] for name in ("username", "password", "token")}


class Handler:
    """Remembers what it was handed, as a function or as a coroutine function."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def plain(self, event: Event) -> None:
        """Take an event."""
        self.events.append(event)

    async def coroutine(self, event: Event) -> None:
        """Take an event."""
        self.events.append(event)


@pytest.fixture
def handler() -> Handler:
    """What the webhook of the test hands its events to."""
    return Handler()


KINDS = ["plain", "coroutine", "asgi", "wsgi", "asgi url", "wsgi url"]


@pytest.fixture(params=KINDS)
def webhook(request: pytest.FixtureRequest, handler: Handler) -> Iterator[Webhook]:
    """A webhook of every kind, and callbacks in every form that the provider's panel has."""
    kind: str = request.param
    if kind in ("plain", "coroutine"):
        yield Webhook(getattr(handler, kind), form="multipart")
    elif kind == "asgi":
        yield Webhook(asgi.WebhookApp(handler.coroutine, **DOOR), path="/mensatek", **KEY)
    elif kind == "wsgi":
        yield Webhook(wsgi.WebhookApp(handler.plain, **DOOR), path="/mensatek", form="form", **KEY)
    elif kind == "asgi url":
        with serve_asgi(asgi.WebhookApp(handler.coroutine, **DOOR)) as url:
            yield Webhook(f"{url}/mensatek?a=b", **KEY)
    else:
        with serve_wsgi(wsgi.WebhookApp(handler.plain, **DOOR)) as url:
            yield Webhook(f"{url}/mensatek", **KEY)


def send(phone: str = "600000001", text: str = "Hola", **options: Any) -> int:
    """Send as a user's program does: its client comes from the environment."""
    with Mensatek(sender="CLINICA") as client:
        return client.sms.send(phone, text, **options).message_id


@pytest.mark.parametrize("_round", [1, 2])
def test_every_test_has_its_own_sandbox(
    mensatek_sandbox: Sandbox, sent_messages: SentMessages, _round: int
) -> None:
    """What one test sends, the next does not see; clients made without arguments reach it, in children too."""
    assert not sent_messages
    send()
    assert len(sent_messages) == 1
    assert os.environ["MENSATEK_BASE_URL"] == mensatek_sandbox.base_url
    assert (os.environ["MENSATEK_API_USER"], os.environ["MENSATEK_API_TOKEN"]) == ("demo", "demo-token")


@pytest.mark.mensatek_sandbox(credits=5, user="other")
class TestOptions:
    """Options by marker."""

    @pytest.mark.mensatek_sandbox(credits=7)
    def test_the_nearest_marker_wins(self) -> None:
        """The test's own options come before those of its class; the fixture need not be named."""
        with Mensatek() as client:
            assert client.credits() == 7
        assert os.environ["MENSATEK_API_USER"] == "other"

    def test_options_of_a_class_hold_for_its_tests(self, mensatek_sandbox: Sandbox) -> None:
        """As any marker does."""
        assert (mensatek_sandbox.credits, mensatek_sandbox.user) == (5, "other")


def test_sent_messages_is_a_live_sequence(sent_messages: SentMessages, mensatek_sandbox: Sandbox) -> None:
    """What was sent is there at once, as phones show it, to be chosen from in every usual way. `clear` leaves out
    what was sent before, and the sandbox goes on knowing it; a misspelt phone is an error."""
    assert list(sent_messages) == []

    first = send("600 000 001", "Mañana a las 10, ¿sí?", reference="cita 1")
    people = [Recipient("600000002", {"nombre": "Ana"}), Recipient("600000003", {"nombre": "Eva"})]
    with Mensatek(sender="CLINICA") as client:
        client.sms.send_bulk(people, Template("Hola {nombre}"))

    assert sent_messages.phones == ["34600000001", "34600000002", "34600000003"]
    assert sent_messages.texts[1:] == ["Hola Ana", "Hola Eva"]
    assert sent_messages[0].text == "Mañana a las 10, ¿si?"
    assert sent_messages[0] in sent_messages
    assert [one.message_id for one in sent_messages.with_reference("cita 1")] == [first]
    assert [one.text for one in sent_messages.to("+34 600-000-003")] == ["Hola Eva"]
    assert sent_messages[1:] == [sent_messages[1], sent_messages.last]
    assert sent_messages.to("600000009") == []
    assert repr(sent_messages) == "<SentMessages: 3 to 3 phones>"
    sent_messages.clear()
    assert not sent_messages
    with pytest.raises(IndexError):
        sent_messages.last  # noqa: B018
    send(text="Otra vez")
    assert (sent_messages.texts, len(mensatek_sandbox.texts)) == (["Otra vez"], 4)
    with pytest.raises(InvalidPhone):
        sent_messages.to("12")


def test_a_report_reaches_every_kind_of_webhook(
    deliver: Deliver, reply: Reply, handler: Handler, webhook: Webhook
) -> None:
    """In a plain test everything is over when the call returns."""
    message_id = send(reference="cita ñ")

    told = deliver("600 000 001", to=webhook)
    reply("600 000 001", "SÍ, iré", to=webhook)

    report, answer = handler.events
    assert isinstance(report, DeliveryReport)
    assert (report.message_id, report.reference, report.status.is_delivered) == (message_id, "cita ñ", True)
    assert isinstance(answer, IncomingMessage)
    assert (answer.text, answer.message_id, answer.reference) == ("SÍ, iré", message_id, "cita ñ")
    assert told.events == [report]
    assert [one.status for one in told.answers] == [200]


async def test_an_awaited_report_reaches_every_kind_of_webhook(
    deliver: Deliver, post_callback: PostCallback, handler: Handler, webhook: Webhook
) -> None:
    """In a coroutine the event loop goes on, so that whoever answers in it can."""
    async with AsyncMensatek(sender="CLINICA") as client:
        await client.sms.send("600000001", "Hola")

    told = await deliver("600000001", DeliveryStatus(50), to=webhook)
    await post_callback(testing.document_event(), to=webhook)

    assert [type(event) for event in handler.events] == [DeliveryReport, DocumentEvent]
    assert handler.events[:1] == told.events
    assert await told is told  # a second time hands nothing over again
    assert len(handler.events) == 2


def test_without_a_phone_everything_is_handed_over_in_order(
    mensatek_sandbox: Sandbox, deliver: Deliver, handler: Handler
) -> None:
    """What happened by the sandbox's clock and by hand, each once."""
    send("600000001")
    mensatek_sandbox.advance(60)
    send("600000002")
    deliver("600000002", 54, to=handler.plain)
    handler.events.clear()

    for _ in range(2):
        deliver(to=handler.plain)

    told = [(event.phone[-1], event.status.code) for event in handler.events]  # type: ignore[union-attr]
    assert told == [("1", 2), ("1", 11), ("2", 2)]


def test_a_contract_is_told_from_start_to_end(
    mensatek_sandbox: Sandbox, deliver: Deliver, reply: Reply, handler: Handler
) -> None:
    """A document that is opened and signed; a contract that is closed by the reply SI."""
    with Mensatek(sender="INMO") as client:
        pdf = "Firme: " + elements.pdf(b"%PDF-1.7\n%%EOF\n")
        client.certified.send("600000001", pdf, issuer=ISSUER, contract_type=18)
        client.certified.send("600000002", "Conteste SI", issuer=ISSUER, contract_type=1)

    mensatek_sandbox.sign_contract("34600000001", biometric=True)
    deliver(to=handler.plain)
    assert any(isinstance(event, DocumentEvent) for event in handler.events)
    assert handler.events[-1].status.is_signed  # type: ignore[union-attr]

    handler.events.clear()
    deliver("600000002", to=handler.plain)
    reply("600000002", "si", to=handler.plain)
    told = [getattr(getattr(event, "status", None), "code", None) for event in handler.events]
    assert told == [15, None, 16, 17]


@pytest.fixture
def mensatek_webhook(handler: Handler) -> object:
    """This file's own webhook, which calls without `to` reach."""
    return asgi.WebhookApp(handler.coroutine, allow_unauthenticated=True)


def test_the_configured_webhook_is_used(deliver: Deliver, reply: Reply, handler: Handler) -> None:
    """The overridden fixture says where callbacks go; it may be the application itself."""
    send()
    deliver("600000001")
    reply("600000001", "SI")
    assert len(handler.events) == 2


def test_a_webhook_that_refuses_fails_the_test(post_callback: PostCallback, handler: Handler) -> None:
    """Unless the test expects just that; and nothing stands between a handler and its test."""
    stranger = Webhook(wsgi.WebhookApp(handler.plain, **DOOR), username="mensatek", password="wrong")

    with pytest.raises(AssertionError, match="answered 401"):
        post_callback(testing.delivery_report(), to=stranger)
    assert post_callback(testing.delivery_report(), to=stranger, expect=401).answers[0].status == 401
    with pytest.raises(AssertionError, match="201 was expected"):
        post_callback(testing.delivery_report(), to=Webhook(stranger.target, **KEY), expect=201)
    assert "wrong" not in repr(stranger)
    del handler.events
    for kind in (handler.plain, handler.coroutine, partial(handler.coroutine)):
        with pytest.raises(AttributeError):
            post_callback(testing.delivery_report(), to=kind)


def test_what_cannot_be_delivered_says_why(deliver: Deliver, reply: Reply, mensatek_sandbox: Sandbox) -> None:
    """A text that is not there, not reported, not sent yet; a status or a webhook that cannot be. A reply to a
    number has to be to a message that arrived; without, anybody may write."""
    send("600000001")
    send("600000002", report=False)
    send("600000003", scheduled_at=mensatek_sandbox.now + timedelta(days=1))
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        (("600000009", 50), {}, r"no such text was sent to \.\.\.009"),
        (("600000002", 50), {}, "report=False"),
        ((), {"status": 50}, "needs a phone"),
        (("600000001", 999_999), {}, "999999"),
        (("600000003", 50), {}, "left"),
        (("600000001",), {"to": 5}, "kind="),
        (("600000001",), {"to": "ftp://x"}, "http"),
    ]
    for given, named, message in wrong:
        with pytest.raises((LookupError, ValueError, TypeError), match=message):
            deliver(*given, **named)
    with pytest.raises(LookupError):
        reply("600000004", "SI", message_id=5)
    (event,) = reply("600000004", "Hola").events
    assert isinstance(event, IncomingMessage)
    assert event.message_id is None


async def test_an_application_is_called_as_by_a_server(post_callback: PostCallback) -> None:
    """Path, query, headers and body, also for one whose parameters tell nothing."""
    seen: list[tuple[dict[str, Any], bytes]] = []

    async def app(*args: Any) -> None:
        scope, receive, send = args
        body = b""
        while (message := await receive())["more_body"]:
            body += message["body"]
        seen.append((scope, body))
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    with pytest.raises(TypeError, match="kind='asgi'"):
        await post_callback(testing.delivery_report(), to=app)
    webhook = Webhook(app, path="/a%20b?x=1", token="llave", kind="asgi")
    told = await post_callback(testing.delivery_report(), to=webhook)

    ((scope, body),) = seen
    headers = dict(scope["headers"])
    assert told.answers == [testing.Answer(202, "ok")]
    assert (scope["method"], scope["path"], scope["query_string"]) == ("POST", "/a b", b"x=1&token=llave")
    assert (headers[b"content-type"], headers[b"content-length"]) == (b"application/json", b"%d" % len(body))


async def test_nothing_is_handed_over_before_it_is_awaited(
    post_callback: PostCallback, handler: Handler
) -> None:
    """Answers before are an error; a plain function that gives out a coroutine is awaited too."""
    told = post_callback(testing.delivery_report(), to=lambda event: handler.coroutine(event))

    with pytest.raises(RuntimeError, match="await"):
        told.answers  # noqa: B018
    assert (handler.events, "not awaited" in repr(told)) == ([], True)
    await told
    assert (len(handler.events), "200" in repr(told)) == (1, True)
