"""The same requests written by hand over aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
from by_hand import Post, Work, bulk
from common import CHUNK

AUTH = aiohttp.BasicAuth("user", "token")


@asynccontextmanager
async def posting(base_url: str) -> AsyncIterator[Post]:
    async with aiohttp.ClientSession(auth=AUTH, raise_for_status=True) as session:

        async def post(asked: dict[str, Any]) -> int:
            async with session.post(f"{base_url}/EnviarSMS", json=asked) as reply:
                return int((await reply.json())[0]["Res"])

        yield post


def chunks(base_url: str) -> AbstractAsyncContextManager[Work]:
    """500 recipients a request, 8 requests in flight."""
    return bulk(posting(base_url), CHUNK)


def one_each(base_url: str) -> AbstractAsyncContextManager[Work]:
    """One recipient a request, 8 requests in flight."""
    return bulk(posting(base_url), 1)
