"""Twilio's own client, sent to the loopback server by an HTTP client of the kind that it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from by_hand import SyncWork, Work, each
from common import PHONE, SENDER, TEXT, phones
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

ACCOUNT, TOKEN = "AC" + "0" * 32, "0" * 32
HOST = "https://api.twilio.com"


def here(base_url: str, url: str) -> str:
    return base_url.removesuffix("/v7") + url.removeprefix(HOST)


class AsyncHere(AsyncTwilioHttpClient):
    """Sends elsewhere."""

    base_url = ""

    async def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        return await super().request(method, here(self.base_url, url), *args, **more)


class Here(TwilioHttpClient):
    """Sends elsewhere."""

    base_url = ""

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        return super().request(method, here(self.base_url, url), *args, **more)


@asynccontextmanager
async def opened(base_url: str) -> AsyncIterator[Client]:
    async with AsyncHere() as http:
        http.base_url = base_url
        yield Client(ACCOUNT, TOKEN, http_client=http)


@asynccontextmanager
async def one_each(base_url: str) -> AsyncIterator[Work]:
    """`create_async`, 8 calls in flight."""
    async with opened(base_url) as client:

        async def work(count: int) -> None:
            await each(
                lambda phone: client.messages.create_async(to=f"+{phone}", from_=SENDER, body=TEXT), count
            )

        yield work


@asynccontextmanager
async def send(base_url: str) -> AsyncIterator[Work]:
    """`create_async`, one call after the other."""
    async with opened(base_url) as client:

        async def work(count: int) -> None:
            for _ in range(count):
                sent = await client.messages.create_async(to=f"+{PHONE}", from_=SENDER, body=TEXT)
                assert sent.sid

        yield work


@contextmanager
def sync_one_each(base_url: str) -> Iterator[SyncWork]:
    """`create`, one call after the other."""
    http = Here()
    http.base_url = base_url
    client = Client(ACCOUNT, TOKEN, http_client=http)

    def work(count: int) -> None:
        for phone in phones(count):
            assert client.messages.create(to=f"+{phone}", from_=SENDER, body=TEXT).sid

    yield work
