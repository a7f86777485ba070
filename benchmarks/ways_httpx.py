"""The same requests written by hand over bare httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import httpx
from by_hand import Post, SyncWork, Work, bulk
from common import CHUNK, PHONE, body

AUTH = httpx.BasicAuth("user", "token")


@asynccontextmanager
async def send(base_url: str) -> AsyncIterator[Work]:
    """One text at a time, `AsyncClient.post(json=)`."""
    asked = body([PHONE])
    async with httpx.AsyncClient(auth=AUTH) as client:

        async def work(count: int) -> None:
            for _ in range(count):
                reply = await client.post(f"{base_url}/EnviarSMS", json=asked)
                assert reply.raise_for_status().json()[0]["idMensaje"]

        yield work


@contextmanager
def sync_send(base_url: str) -> Iterator[SyncWork]:
    """One text at a time, `Client.post(json=)`."""
    asked = body([PHONE])
    with httpx.Client(auth=AUTH) as client:

        def work(count: int) -> None:
            for _ in range(count):
                reply = client.post(f"{base_url}/EnviarSMS", json=asked)
                assert reply.raise_for_status().json()[0]["idMensaje"]

        yield work


@asynccontextmanager
async def posting(base_url: str) -> AsyncIterator[Post]:
    async with httpx.AsyncClient(auth=AUTH) as client:

        async def post(asked: dict[str, Any]) -> int:
            reply = await client.post(f"{base_url}/EnviarSMS", json=asked)
            return int(reply.raise_for_status().json()[0]["Res"])

        yield post


@asynccontextmanager
async def posting_orjson(base_url: str) -> AsyncIterator[Post]:
    import orjson

    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(auth=AUTH) as client:

        async def post(asked: dict[str, Any]) -> int:
            reply = await client.post(f"{base_url}/EnviarSMS", content=orjson.dumps(asked), headers=headers)
            return int(orjson.loads(reply.raise_for_status().content)[0]["Res"])

        yield post


def chunks(base_url: str) -> AbstractAsyncContextManager[Work]:
    """500 recipients a request, 8 requests in flight."""
    return bulk(posting(base_url), CHUNK)


def chunks_orjson(base_url: str) -> AbstractAsyncContextManager[Work]:
    """The same, encoded and decoded by orjson."""
    return bulk(posting_orjson(base_url), CHUNK)


def one_each(base_url: str) -> AbstractAsyncContextManager[Work]:
    """One recipient a request, 8 requests in flight."""
    return bulk(posting(base_url), 1)
