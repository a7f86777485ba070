"""Hand-written bulk sending: workers that share one iterator, each with one request in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice
from typing import Any

from common import CONCURRENCY, body, phones

Work = Callable[[int], Awaitable[None]]
SyncWork = Callable[[int], None]
Post = Callable[[dict[str, Any]], Awaitable[int]]  # a body as a dict to the number of accepted recipients


@asynccontextmanager
async def bulk(
    posting: AbstractAsyncContextManager[Post], size: int, write: Callable[[list[str]], dict[str, Any]] = body
) -> AsyncIterator[Work]:
    """So many recipients a request."""
    async with posting as post:

        async def work(count: int) -> None:
            left = phones(count)
            accepted = 0

            async def share() -> None:
                nonlocal accepted
                while batch := list(islice(left, size)):
                    took = await post(write(batch))  # apart: the others add to the sum meanwhile
                    accepted += took

            await together(share)
            assert accepted == count

        yield work


@asynccontextmanager
async def task_per_chunk(posting: AbstractAsyncContextManager[Post], size: int) -> AsyncIterator[Work]:
    """What is often written instead: a task for every request at once, and a semaphore."""
    async with posting as post:

        async def work(count: int) -> None:
            left = phones(count)
            slots = asyncio.Semaphore(CONCURRENCY)

            async def one(batch: list[str]) -> int:
                async with slots:
                    return await post(body(batch))

            tasks = []
            while batch := list(islice(left, size)):
                tasks.append(asyncio.create_task(one(batch)))
            assert sum(await asyncio.gather(*tasks)) == count

        yield work


async def each(send: Callable[[str], Awaitable[object]], count: int, callers: int = CONCURRENCY) -> None:
    """One call a recipient, by that many callers."""
    left = phones(count)

    async def share() -> None:
        for phone in left:
            await send(phone)

    await together(share, callers)


async def together(share: Callable[[], Coroutine[Any, Any, None]], many: int = CONCURRENCY) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(many):
            group.create_task(share())
