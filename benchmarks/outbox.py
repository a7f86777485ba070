"""The outbox: a put, from a put to the provider's socket, items a second, and a table of millions that have ended."""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from secrets import randbelow, token_hex
from typing import Any

import anyio
import httpx
from common import SENDER, TEXT, Timing, options, phones
from report import Report, Target, versions
from server import running

from mensatek_async import AsyncMensatek, Limits, Outbox
from mensatek_async.durable.work import new_token
from mensatek_async.store.transaction import Tx

HERE = Path(__file__).parent
IN_FLIGHT = 16
LATENCY = 0.02  # seconds
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
ROW = "outbox: "
PUT = {
    "sqlite": Target(f"{ROW}put on SQLite, ms", "<= 1", "<= 0.3"),
    "postgres": Target(f"{ROW}put on PostgreSQL, ms", "<= 3", "<= 1"),
}
FIRST = "put to the provider's socket with an idle worker"


class Noting(httpx.AsyncHTTPTransport):
    """The network, which notes when requests come to it."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_connections=IN_FLIGHT))
        self.times: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.times.append(time.perf_counter())
        return await super().handle_async_request(request)


def client_of(base_url: str, transport: Any = None) -> AsyncMensatek:
    limits = Limits(concurrency=IN_FLIGHT)
    return AsyncMensatek(
        "user", "token", base_url=base_url, sender=SENDER, limits=limits, transport=transport
    )


@contextmanager
def stores(report: Report) -> Iterator[dict[str, str]]:
    """A file, and a database where there is a server."""
    sys.path.insert(0, str(HERE.parent))
    with tempfile.TemporaryDirectory(prefix="mensatek-bench-") as folder, ExitStack() as stack:
        found = {"sqlite": f"{folder}/outbox.db"}
        try:
            from tests.postgres_server import PostgresServer

            # As a server is that must not lose what it has confirmed.
            server = PostgresServer(fsync="on", synchronous_commit="on", shared_buffers="128MB")
        except Exception as error:
            report.skip("PostgreSQL", f"{type(error).__name__}: {error}")
        else:
            stack.callback(server.close)
            found["postgres"] = server.create()
        yield found


async def fill(outbox: Outbox, count: int, name: str) -> list[Timing]:
    """Put that many items."""
    took = []
    for number, phone in enumerate(phones(count)):
        wall, cpu = time.perf_counter(), time.process_time()
        await outbox.put(f"{name}-{number}", phone, TEXT)
        took.append(Timing(time.perf_counter() - wall, time.process_time() - cpu))
    return took


async def puts(report: Report, base_url: str, kind: str, store: str, count: int) -> None:
    async with client_of(base_url) as client, Outbox(client, store) as outbox:
        await fill(outbox, 20, "warm")
        took = await fill(outbox, count, "put")
        report.took(f"put_{kind}", f"a put on {NAMES[kind]}", took, "ms", PUT[kind])
        await outbox.drain(budget=None)


async def latency(report: Report, base_url: str, kind: str, store: str, count: int) -> None:
    """In one process; and from another store object, as another process would put."""
    noting = Noting()
    async with (
        client_of(base_url, noting) as client,
        Outbox(client, store) as outbox,
        Outbox(client, store) as other,
        outbox.run() as items,
    ):
        for putter, whose in ((outbox, "the worker's own process"), (other, "another process")):
            took = []
            for number in range(count):
                noting.times.clear()
                started = time.perf_counter()
                await putter.put(f"{kind}-{whose}-{number}", "600000000", TEXT)
                await items.__anext__()
                took.append((noting.times[0] - started) * 1000)
                await anyio.sleep(0.01 + randbelow(20) / 1000)
            took = sorted(took[count // 10 :])
            own = putter is outbox
            key, told = f"first_{kind}_{own}", f"{FIRST}, {NAMES[kind]}, {whose}"
            median = Target(f"{ROW}{FIRST}, {NAMES[kind]}, median ms", "<= 20", "<= 5") if own else None
            late = Target(f"{ROW}{FIRST}, {NAMES[kind]}, p99 ms", "<= 100", "<= 30") if own else None
            report.number(key, told, "ms", took, median)
            report.number(
                f"{key}_p99", "  the slowest of a hundred", "ms", [took[int(len(took) * 0.99)]], late
            )


async def rate(report: Report, base_url: str, kind: str, store: str, count: int, rounds: int) -> None:
    async with client_of(base_url) as client, Outbox(client, store) as outbox:
        rates = []
        for number in range(rounds + 1):
            await fill(outbox, count, f"rate-{number}")
            started = time.perf_counter()
            counted = await outbox.drain(budget=None)
            rates.append(count / (time.perf_counter() - started))
            assert counted["sent"] == count, counted
        target = Target(
            f"{ROW}items/s of one worker, {IN_FLIGHT} in flight, 20 ms, {NAMES[kind]}", ">= 400", ">= 650"
        )
        told = f"items a second of one worker on {NAMES[kind]}, {IN_FLIGHT} in flight, a provider that takes 20 ms"
        report.number(f"rate_{kind}", told, "items/s", rates[1:], target)


# Items that have ended, made by the database itself.
_ENDED = """INSERT INTO mensatek_outbox (account, item_key, digest, product, phone, reference, body, mark,
    repeat_unknown, created, state, due_at, attempts, idmensaje, sent_at, ended)
    SELECT 'user', 'old-' || n, 'd4f0c2a1d4f0c2a1d4f0c2a1d4f0c2a1', 'sms', '34600000000', '', '{body}', 'abcdef01', 0,
    1800000000 + n, 'sent', NULL, 1, 1000000 + n, 1800000000 + n, 1800000000 + n FROM {numbers}"""
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE c(n) AS (SELECT {0} UNION ALL SELECT n + 1 FROM c WHERE n < {1}) SELECT n FROM c)",
    "postgres": "generate_series({0}, {1}) AS n",
}
_PART = 500_000


async def crowded(report: Report, base_url: str, kind: str, store: str, most: int, count: int) -> None:
    """A put and a claim, each with its commit, in an empty table and behind millions of items that have ended."""
    async with client_of(base_url) as client, Outbox(client, store) as outbox:
        await outbox.create_tables()
        took = {}
        for many in (0, most):
            for first in range(1, many + 1, _PART):
                numbers = _NUMBERS[kind].format(first, min(first + _PART - 1, many))
                statement = _ENDED.format(body=TEXT, numbers=numbers)
                outbox._session.db.write(lambda tx, sql=statement: tx.run(sql))
            tidy(kind, store)
            await fill(outbox, 20, f"warm-{many}")
            put = await fill(outbox, count, f"old-{token_hex(4)}")
            took[many] = [one.wall for one in put], claims(outbox, count)
        for what, empty, full in zip(("put", "claim"), took[0], took[most], strict=True):
            target = Target(
                f"{ROW}a {what} behind {most:,} ended items, {NAMES[kind]}, over an empty table", "<= 1.3"
            )
            ratio = statistics.median(full) / statistics.median(empty)
            told = f"a {what} on {NAMES[kind]} with {most:,} ended items, over an empty table"
            report.number(f"crowded_{what}_{kind}", told, "x", [ratio], target)
            report.number(f"crowded_{what}_{kind}_ms", "  it takes", "ms", [one * 1000 for one in full])


def tidy(kind: str, store: str) -> None:
    """Do what the database had done long ago, had the table grown over months."""
    if kind == "sqlite":
        with closing(sqlite3.connect(store)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    import psycopg

    with psycopg.connect(store, autocommit=True) as server:
        server.execute("VACUUM ANALYZE mensatek_outbox")
        server.execute("CHECKPOINT")


def claims(outbox: Outbox, count: int) -> list[float]:
    """Seconds a claim takes, with its commit."""
    session = outbox._session
    worker = session.worker(1, lambda item: None, forever=False)

    def claim(tx: Tx) -> object:
        worker.begin(tx)
        return worker.claim(tx, [new_token()])

    session.db.write(claim)
    took = []
    for _ in range(count):
        started = time.perf_counter()
        session.db.write(claim)
        took.append(time.perf_counter() - started)
    return took


async def all_of(report: Report, url: str, slow_url: str, kind: str, store: str, asked: Any) -> None:
    await puts(report, url, kind, store, asked.count)
    await latency(report, url, kind, store, asked.count)
    await rate(report, slow_url, kind, store, asked.count * 4, min(asked.rounds, 5))


def main() -> None:
    parser = options(__doc__, rounds=5)
    parser.add_argument("--count", type=int, default=500, help="items in a round (500)")
    parser.add_argument("--most", type=int, default=10_000_000, help="items that have ended (10,000,000)")
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.count, asked.most = 1, 40, 20_000
    report = Report("outbox", "the outbox: a put, its way to the provider, items a second, a crowded table")
    report.packages = versions("mensatek-async", "httpx", "psycopg")
    with running() as url, running(LATENCY) as slow_url, stores(report) as found:
        for kind, store in found.items():
            anyio.run(all_of, report, url, slow_url, kind, store, asked)
    with running() as url, stores(report) as found:  # empty ones
        for kind, store in found.items():
            anyio.run(crowded, report, url, kind, store, asked.most, asked.count)
    report.finish(asked)


if __name__ == "__main__":
    main()
