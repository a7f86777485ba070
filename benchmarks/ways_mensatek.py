"""What a user of the SDK writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

from by_hand import SyncWork, Work, each
from common import CHUNK, CONCURRENCY, FIELDS, PHONE, SENDER, TEMPLATE, TEXT, phones

from mensatek_async import AsyncMensatek, Guard, Limits, Mensatek, Recipient, Template


def account(base_url: str) -> dict[str, Any]:
    limits = Limits(concurrency=CONCURRENCY, sms_per_request=CHUNK)
    return {"user": "user", "token": "token", "base_url": base_url, "sender": SENDER, "limits": limits}


@asynccontextmanager
async def send(base_url: str, **more: Any) -> AsyncIterator[Work]:
    """One text at a time."""
    async with AsyncMensatek(**account(base_url), **more) as client:

        async def work(count: int) -> None:
            for _ in range(count):
                await client.sms.send(PHONE, TEXT)

        yield work


@asynccontextmanager
async def send_guarded(base_url: str) -> AsyncIterator[Work]:
    """One text at a time, with a guard that processes share."""
    with TemporaryDirectory() as folder:
        async with send(base_url, guard=Guard(store=f"{folder}/guard.db")) as work:
            yield work


class Observed:
    """An observer that does nothing."""

    def call_started(self, event: object) -> None: ...

    def call_finished(self, event: object) -> None: ...


send_observed = partial(send, observer=Observed())


@asynccontextmanager
async def send_traced(base_url: str) -> AsyncIterator[Work]:
    """One text at a time, told to OpenTelemetry's API."""
    from mensatek_async.otel import OpenTelemetryObserver  # the other ways do without the extra

    async with send(base_url, observer=OpenTelemetryObserver()) as work:
        yield work


@asynccontextmanager
async def account_made(base_url: str) -> AsyncIterator[Work]:
    """A client for each of that many accounts, which are known already."""
    async with AsyncMensatek(**account(base_url)) as client:

        async def work(count: int) -> None:
            for number in range(count):
                client.for_account(f"user-{number}", "token")

        yield work


@asynccontextmanager
async def account_sends(base_url: str) -> AsyncIterator[Work]:
    """One text of each of that many accounts, whose clients are kept."""
    async with AsyncMensatek(**account(base_url)) as client:
        kept: list[AsyncMensatek] = []

        async def work(count: int) -> None:
            kept[:] = [client.for_account(f"user-{number}", "token") for number in range(count)]
            for one in kept:
                await one.sms.send(PHONE, TEXT)

        yield work


@asynccontextmanager
async def callers(base_url: str, many: int, **more: Any) -> AsyncIterator[Work]:
    """That many callers of one client, each with one text at a time."""
    async with AsyncMensatek(**account(base_url), **more) as client:

        async def work(count: int) -> None:
            await each(lambda phone: client.sms.send(phone, TEXT), count, many)

        yield work


callers_1, callers_2, callers_4, callers_8, callers_16, callers_32, callers_64 = (
    partial(callers, many=many) for many in (1, 2, 4, 8, 16, 32, 64)
)


@asynccontextmanager
async def bulk(base_url: str, **more: Any) -> AsyncIterator[Work]:
    """`send_bulk` from a generator."""
    async with AsyncMensatek(**account(base_url), **more) as client:

        async def work(count: int) -> None:
            result = await client.sms.send_bulk(phones(count), TEXT)
            assert result.all_sent, result

        yield work


@asynccontextmanager
async def bulk_fields(base_url: str) -> AsyncIterator[Work]:
    """`send_bulk` of a template with two personal fields."""
    async with AsyncMensatek(**account(base_url)) as client:

        async def work(count: int) -> None:
            rows = (Recipient(phone, FIELDS) for phone in phones(count))
            result = await client.sms.send_bulk(rows, Template(TEMPLATE))
            assert result.all_sent, result

        yield work


@asynccontextmanager
async def bulk_list(base_url: str) -> AsyncIterator[Work]:
    """`send_bulk` from a list."""
    async with AsyncMensatek(**account(base_url)) as client:

        async def work(count: int) -> None:
            result = await client.sms.send_bulk(list(phones(count)), TEXT)
            assert result.all_sent, result

        yield work


@asynccontextmanager
async def bulk_stream(base_url: str) -> AsyncIterator[Work]:
    """`bulk`, outcome by outcome."""
    async with AsyncMensatek(**account(base_url)) as client:

        async def work(count: int) -> None:
            async with client.sms.bulk(phones(count), TEXT) as outcomes:
                assert sum([outcome.accepted async for outcome in outcomes]) == count

        yield work


@contextmanager
def sync_send(base_url: str) -> Iterator[SyncWork]:
    """One text at a time, through the synchronous client."""
    with Mensatek(**account(base_url)) as client:

        def work(count: int) -> None:
            for _ in range(count):
                client.sms.send(PHONE, TEXT)

        yield work


@contextmanager
def sync_bulk(base_url: str) -> Iterator[SyncWork]:
    """The synchronous client's `send_bulk` from a generator."""
    with Mensatek(**account(base_url)) as client:

        def work(count: int) -> None:
            result = client.sms.send_bulk(phones(count), TEXT)
            assert result.all_sent, result

        yield work


@contextmanager
def sync_bulk_list(base_url: str) -> Iterator[SyncWork]:
    """The synchronous client's `send_bulk` from a list."""
    with Mensatek(**account(base_url)) as client:

        def work(count: int) -> None:
            result = client.sms.send_bulk(list(phones(count)), TEXT)
            assert result.all_sent, result

        yield work


@contextmanager
def sync_bulk_stream(base_url: str) -> Iterator[SyncWork]:
    """The synchronous client's `bulk`, outcome by outcome."""
    with Mensatek(**account(base_url)) as client:

        def work(count: int) -> None:
            with client.sms.bulk(phones(count), TEXT) as outcomes:
                assert sum(outcome.accepted for outcome in outcomes) == count

        yield work
