"""Durable campaigns, as a user of the SDK runs them: rows read into the journal, and sent from it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count as numbers
from pathlib import Path

import anyio
from by_hand import Work
from common import CHUNK, CONCURRENCY, SENDER, TEXT, phones

from mensatek_async import AsyncMensatek, Campaigns, Limits

STORES = {"sqlite": "", "postgres": os.environ.get("BENCH_POSTGRES", "")}
_names = numbers(1)
_latest: dict[str, tuple[AsyncMensatek, Campaigns, str]] = {}


def client_of(base_url: str) -> AsyncMensatek:
    limits = Limits(concurrency=CONCURRENCY, sms_per_request=CHUNK)
    return AsyncMensatek("user", "token", base_url=base_url, sender=SENDER, limits=limits)


@asynccontextmanager
async def bulk(base_url: str, concurrency: int) -> AsyncIterator[Work]:
    """The same without a journal."""
    async with client_of(base_url) as client:

        async def work(count: int) -> None:
            result = await client.sms.send_bulk(phones(count), TEXT, concurrency=concurrency)
            assert result.all_sent, result

        yield work


@asynccontextmanager
async def ingest(base_url: str, kind: str) -> AsyncIterator[Work]:
    """Rows into the journal; `send` sends them."""
    folder = tempfile.mkdtemp(prefix="mensatek-bench-")
    store = STORES[kind] or str(Path(folder) / "campaigns.db")
    try:
        async with client_of(base_url) as client:
            campaigns = Campaigns(client, store)
            try:

                async def work(count: int) -> None:
                    name = f"campaign {os.getpid()} {next(_names)}"
                    await campaigns.start(name, TEXT, phones(count))
                    _latest[kind] = client, campaigns, name

                yield work
            finally:
                await campaigns.aclose()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def send(base_url: str, kind: str, concurrency: int) -> AsyncIterator[Work]:
    """What `ingest` read last."""

    async def work(count: int) -> None:
        _, campaigns, name = _latest[kind]
        campaign = await campaigns.get(name)
        async with campaign.run(concurrency=concurrency, interval=5) as progress:
            async for _ in progress:
                pass
        assert progress.latest is not None
        assert progress.latest.sent == count, progress.latest

    yield work


@asynccontextmanager
async def share(base_url: str) -> AsyncIterator[Work]:
    """A worker among several on PostgreSQL."""
    async with client_of(base_url) as client:
        campaigns = Campaigns(client, STORES["postgres"], poll=0.05)

        async def work(count: int) -> None:
            await campaigns.work()

        await campaigns.list()
        yield work
        with anyio.CancelScope(shield=True):
            await campaigns.aclose()


bulk_1, bulk_8 = partial(bulk, concurrency=1), partial(bulk, concurrency=CONCURRENCY)
ingest_sqlite, ingest_postgres = partial(ingest, kind="sqlite"), partial(ingest, kind="postgres")
sqlite_1, sqlite_8 = partial(send, kind="sqlite", concurrency=1), partial(send, kind="sqlite", concurrency=8)
postgres_1, postgres_8 = (
    partial(send, kind="postgres", concurrency=1),
    partial(send, kind="postgres", concurrency=8),
)
