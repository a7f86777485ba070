"""Telnyx' own client, and its parser of callbacks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from by_hand import SyncWork, Work, each
from common import PHONE, SENDER, TEXT
from telnyx import AsyncTelnyx, Telnyx


def opened(base_url: str) -> AsyncTelnyx:
    return AsyncTelnyx(api_key="KEY", base_url=base_url.removesuffix("/v7") + "/v2")


@asynccontextmanager
async def one_each(base_url: str) -> AsyncIterator[Work]:
    """`messages.send`, 8 calls in flight."""
    async with opened(base_url) as client:

        async def work(count: int) -> None:
            await each(lambda phone: client.messages.send(to=f"+{phone}", from_=SENDER, text=TEXT), count)

        yield work


@asynccontextmanager
async def send(base_url: str) -> AsyncIterator[Work]:
    """`messages.send`, one call after the other."""
    async with opened(base_url) as client:

        async def work(count: int) -> None:
            for _ in range(count):
                sent = await client.messages.send(to=f"+{PHONE}", from_=SENDER, text=TEXT)
                assert sent.data is not None

        yield work


@contextmanager
def callbacks(base_url: str) -> Iterator[SyncWork]:
    """Delivery reports of its provider, parsed into its models; signatures are not checked."""
    unwrap = Telnyx(api_key="KEY").webhooks.unsafe_unwrap

    def work(count: int) -> None:
        for text in texts[:count]:
            unwrap(text)

    texts = [json.dumps(report(number)) for number in range(2_000)]
    yield work


def report(number: int) -> dict[str, Any]:
    return {
        "data": {
            "event_type": "message.finalized",
            "id": f"4ee8c3a6-4995-4309-a3c6-{number:012}",
            "occurred_at": "2026-11-22T12:00:00.000+00:00",
            "record_type": "event",
            "payload": {
                "id": f"834f3d53-8a3c-4aa0-a733-{number:012}",
                "record_type": "message",
                "direction": "outbound",
                "type": "SMS",
                "text": "Su cita es a las 10:00",
                "parts": 1,
                "from": {"phone_number": "+34600999999", "carrier": "", "line_type": ""},
                "to": [{"phone_number": f"+{34600000000 + number}", "status": "delivered", "carrier": ""}],
                "completed_at": "2026-11-22T12:00:00.000+00:00",
                "errors": [],
            },
        }
    }
