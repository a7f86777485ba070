"""What a user writes in typed tests of their own, checked by the type checkers and never run."""

from __future__ import annotations

from typing import assert_type

import pytest

from mensatek_async import DeliveryStatus, testing
from mensatek_async.sandbox import Sandbox, Text
from mensatek_async.testing import Answer, CallbackResult, Deliver, PostCallback, Reply, SentMessages, Webhook
from mensatek_async.webhooks import Event, asgi


async def handle(event: Event) -> None:
    pass


@pytest.fixture
def mensatek_webhook() -> Webhook:
    app = asgi.WebhookApp(handle, token="secret")
    return Webhook(app, path="/mensatek", token="secret", form="multipart", kind="asgi")


def test_plain(
    mensatek_sandbox: Sandbox, sent_messages: SentMessages, deliver: Deliver, post_callback: PostCallback
) -> None:
    mensatek_sandbox.advance(60)
    assert_type(sent_messages[0], Text)
    assert_type(sent_messages.to("600000000"), list[Text])
    assert_type(sent_messages.texts, list[str])
    assert_type(deliver("600000000", DeliveryStatus(50), message_id=5), CallbackResult)
    told = post_callback(testing.incoming_message(), to=handle, expect=200)
    assert_type(told.answers, list[Answer])
    assert_type(told.events, list[Event])


async def test_coroutine(deliver: Deliver, reply: Reply) -> None:
    assert_type(await deliver(), CallbackResult)
    assert_type((await reply("600000000", "SI", to="http://127.0.0.1:8000/")).answers[0].status, int)
