"""The same requests written by hand over bare httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import httpx
from by_hand import Post, SyncWork, Work, bulk, each
from by_hand import task_per_chunk as all_at_once
from common import CHUNK, PHONE, body, body_with_fields

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


@asynccontextmanager
async def callers(base_url: str, many: int) -> AsyncIterator[Work]:
    """That many callers of one client, each with one text at a time."""
    async with posting(base_url) as post:

        async def work(count: int) -> None:
            await each(lambda phone: post(body([phone])), count, many)

        yield work


callers_1, callers_2, callers_4, callers_8, callers_16, callers_32, callers_64 = (
    partial(callers, many=many) for many in (1, 2, 4, 8, 16, 32, 64)
)


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


def chunks(base_url: str) -> AbstractAsyncContextManager[Work]:
    """500 recipients a request, 8 requests in flight."""
    return bulk(posting(base_url), CHUNK)


def fields(base_url: str) -> AbstractAsyncContextManager[Work]:
    """500 recipients a request with two personal fields each, 8 requests in flight."""
    return bulk(posting(base_url), CHUNK, body_with_fields)


def task_per_chunk(base_url: str) -> AbstractAsyncContextManager[Work]:
    """500 recipients a request, 8 in flight, a task for each request from the start."""
    return all_at_once(posting(base_url), CHUNK)


def one_each(base_url: str) -> AbstractAsyncContextManager[Work]:
    """One recipient a request, 8 requests in flight."""
    return bulk(posting(base_url), 1)
