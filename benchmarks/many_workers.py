"""Many worker processes on one PostgreSQL store: chunks a second, waiting for locks, transactions a second."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import anyio
from allowed_rate import client_of
from campaign import postgres
from common import TEXT, options, phones
from report import Report, versions
from server import running

from mensatek_async import Campaigns

SIZE = 5  # recipients a request: what is measured is the claims, not the bodies
LATENCIES = (0.02, 0.2)  # seconds


async def read(base_url: str, store: str, name: str, chunks: int) -> None:
    """The recipients, into the journal."""
    async with client_of(base_url) as client, Campaigns(client, store) as campaigns:
        await campaigns.start(name, TEXT, phones(chunks * SIZE))


async def work(base_url: str, store: str) -> None:
    """One worker: ready, then from the word on until nothing is left."""
    async with client_of(base_url) as client, Campaigns(client, store, poll=0.1) as campaigns:
        await campaigns.list()
        print("ready", flush=True)
        sys.stdin.readline()
        await campaigns.work()


class Watch(threading.Thread):
    """Looks at the database every 50 ms: sessions that wait for a lock, and transactions committed."""

    def __init__(self, store: str) -> None:
        super().__init__(daemon=True)
        self.store = store
        self.over = threading.Event()
        self.seen: list[tuple[int, int]] = []
        self.transactions = 0

    def run(self) -> None:
        import psycopg

        committed = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        with psycopg.connect(self.store, autocommit=True) as database:
            first = database.execute(committed).fetchone()
            while not self.over.wait(0.05):
                row = database.execute(
                    "SELECT count(*) FILTER (WHERE wait_event_type = 'Lock'), count(*) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
                ).fetchone()
                if row:
                    self.seen.append((row[0], row[1]))
            time.sleep(1)  # the counters are written once a second
            last = database.execute(committed).fetchone()
            self.transactions = (last[0] if last else 0) - (first[0] if first else 0) - len(self.seen)

    @property
    def waiting(self) -> float:
        """The part of the sessions at work that waited for a lock, in percent."""
        return 100 * sum(one for one, _ in self.seen) / max(sum(all_of for _, all_of in self.seen), 1)


def measure(report: Report, base_url: str, store: str, workers: int, latency: float, chunks: int) -> None:
    name = f"{workers} workers, {latency:g} s, {time.monotonic()}"
    anyio.run(read, base_url, store, name, chunks)
    with ExitStack() as stack:
        command = [sys.executable, __file__, "--worker", base_url, store]
        crew = [
            stack.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for _ in range(workers)
        ]
        for one in crew:
            assert one.stdout is not None
            one.stdout.readline()
        watch = Watch(store)
        watch.start()
        started = time.perf_counter()
        for one in crew:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for one in crew:
            one.wait()
        took = time.perf_counter() - started
        watch.over.set()
        watch.join()
    key = f"{workers}_{latency:g}"
    told = f"{workers} worker{'s' if workers > 1 else ''}, 8 in flight each, {latency * 1000:g} ms"
    report.number(f"chunks_{key}", told, "chunks/s", [chunks / took])
    report.number(f"waiting_{key}", "  sessions at work that wait for a lock", "%", [watch.waiting])
    report.number(f"transactions_{key}", "  transactions", "/s", [watch.transactions / took])


def main() -> None:
    parser = options(__doc__, rounds=1)
    parser.add_argument("--most", type=int, default=32, help="workers at most (32)")
    parser.add_argument("--worker", nargs=2, metavar=("URL", "STORE"))
    asked = parser.parse_args()
    if asked.worker:
        anyio.run(work, *asked.worker)
        return
    report = Report("many_workers", "worker processes that share one PostgreSQL store")
    report.packages = versions("mensatek-async", "psycopg")
    with postgres(report) as store:
        for latency in LATENCIES if store else ():
            with running(latency) as base_url:
                workers = 1
                while workers <= (2 if asked.quick else asked.most):
                    chunks = 100 if asked.quick else min(int(40 * workers / latency), 3000)
                    measure(report, base_url, store, workers, latency, chunks)
                    workers *= 2
    report.notes.append(
        f"{os.cpu_count()} processors for the workers, the database and the provider together"
    )
    report.finish(asked)


if __name__ == "__main__":
    main()
