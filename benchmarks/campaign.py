"""What the journal of a durable campaign adds to its sending, and what very large and broken-off ones cost."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ceiling import ceiling
from common import CHUNK, Meter, Timing, options
from processes import working
from report import Report, Target, versions
from server import running

HERE = Path(__file__).parent
LATENCY = 0.02  # seconds
STORE_NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
ROW = "journal of a 500-recipient chunk, part of the chunk's own time at 20 ms latency"
# What the journal may add, in percent, by store and requests in flight.
BOUNDS = {
    ("sqlite", 1): ("<= 5", "<= 3"),
    ("sqlite", 8): ("<= 15", "<= 8"),
    ("postgres", 1): ("<= 12", ""),
    ("postgres", 8): ("<= 35", ""),
}
CLAIM = Target("a claim with its commit at 99 % done over 1 %", "<= 1.3")


@contextmanager
def postgres(report: Report) -> Iterator[str]:
    """The address of a database of its own, "" where there is none."""
    sys.path.insert(0, str(HERE.parent))
    try:
        from tests.postgres_server import PostgresServer

        # As a server is that must not lose what it has confirmed.
        server = PostgresServer(fsync="on", synchronous_commit="on", shared_buffers="128MB")
    except Exception as error:
        report.skip("PostgreSQL", f"{type(error).__name__}: {error}")
        yield ""
        return
    try:
        yield server.create()
    finally:
        server.close()


def main() -> None:
    parser = options(__doc__, rounds=7)
    parser.add_argument("--recipients", type=int, default=20_000, help="recipients in a round (20,000)")
    parser.add_argument("--most", type=int, default=10_000_000, help="the largest campaign (10,000,000)")
    asked = parser.parse_args()
    if asked.quick:
        asked.rounds, asked.recipients, asked.most = 1, 5_000, 100_000
    report = Report("campaign", "durable campaigns beside send_bulk, 500 recipients a request")
    report.packages = versions("mensatek-async", "httpx", "psycopg")
    with running() as base_url, running(LATENCY) as slow_url, postgres(report) as store, ExitStack() as stack:
        report.server = ceiling(base_url)
        os.environ["BENCH_POSTGRES"] = store
        kinds = ["sqlite", *(["postgres"] if store else [])]
        for speed, url in (("", base_url), ("slow_", slow_url)):
            overhead(report, url, speed, kinds, asked.rounds, asked.recipients)
        if store:
            several(report, slow_url, asked.recipients * 5, min(asked.rounds, 3))
        for kind in kinds:
            resumed(report, slow_url, store if kind == "postgres" else "", kind, min(asked.rounds, 3))
        large(report, base_url, asked.most)
        stack.close()
    report.finish(asked)


def overhead(report: Report, url: str, speed: str, kinds: list[str], rounds: int, count: int) -> None:
    """A chunk by `send_bulk` and by a campaign, its rows' way into the journal included."""
    told = "a provider that takes 20 ms" if speed else "a provider that takes no time"
    meter = Meter(rounds)
    ways = [f"{name}_{many}" for many in (1, 8) for name in ("bulk", *kinds)]
    reading: dict[str, list[Timing]] = {kind: [] for kind in kinds}
    with working(url) as worker:
        for way in meter.turns(ways):
            kind, rows = way.partition("_")[0], Timing(0.0, 0.0)
            if kind in reading:
                rows = worker.run(f"ways_campaign:ingest_{kind}", count).timing
                reading[kind].append(rows)
            one = worker.run(f"ways_campaign:{way}", count).timing
            meter.add(way, Timing((rows.wall + one.wall) * CHUNK, (rows.cpu + one.cpu) * CHUNK))
    for way, times in meter.times.items():
        name, _, many = way.partition("_")
        label = "send_bulk" if name == "bulk" else f"a campaign in {STORE_NAMES[name]}"
        report.took(f"{speed}{way}", f"a chunk, {label}, {many} in flight, {told}", times, "ms")
    for kind in kinds:
        for many in (1, 8):
            row = f"{ROW}: {STORE_NAMES[kind]}, {many} in flight"
            pairs = list(zip(meter.times[f"{kind}_{many}"], meter.times[f"bulk_{many}"], strict=True))
            report.number(
                f"{speed}part_{kind}_{many}",
                f"  what {STORE_NAMES[kind]} adds to it, {many} in flight",
                "%",
                [100 * (a.wall / b.wall - 1) for a, b in pairs],
                Target(row, *BOUNDS[kind, many]) if speed else None,
            )
        if not speed:
            report.rate(f"read_{kind}", f"rows read into {STORE_NAMES[kind]}", reading[kind][1:])


def several(report: Report, url: str, count: int, rounds: int) -> None:
    """Chunks a second by one, two and three processes on PostgreSQL."""
    with ExitStack() as stack:
        workers = [stack.enter_context(working(url)) for _ in range(3)]
        first = workers[0]
        for worker in workers:
            worker.run("ways_campaign:share", 1)  # connects
        for many in (1, 2, 3):
            rates = []
            for _ in range(rounds):
                first.run("ways_campaign:ingest_postgres", count)
                started = time.perf_counter()
                with ThreadPoolExecutor(many) as pool:
                    list(pool.map(lambda one: one.run("ways_campaign:share", count), workers[:many]))
                rates.append(count / CHUNK / (time.perf_counter() - started))
            name = "process" if many == 1 else "processes"
            report.number(
                f"workers_{many}", f"PostgreSQL, {many} {name}, 8 in flight each, 20 ms", "chunks/s", rates
            )


def resumed(report: Report, url: str, store: str, kind: str, rounds: int) -> None:
    """From the start of the process to the first answer, after the one before was killed."""
    took = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            where = store or f"{folder}/campaigns.db"
            command = [
                sys.executable,
                str(HERE / "campaign_child.py"),
                url,
                where,
                f"resumed {kind} {number}",
            ]
            with subprocess.Popen([*command, "40000"], stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(0.2)
                process.send_signal(signal.SIGKILL)
            done = subprocess.run([*command, "0"], stdout=subprocess.PIPE, text=True, check=True)
            took.append(Timing(*json.loads(done.stdout.splitlines()[0])))
    report.took(
        f"resume_{kind}", f"after kill -9, opening {STORE_NAMES[kind]} to the first answer", took, "ms"
    )


def large(report: Report, url: str, count: int) -> None:
    """A very large campaign: reading it, its file, its memory, and a claim at its start and its end."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(HERE / "campaign_large.py"), url, f"{folder}/campaigns.db", str(count)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    told = json.loads(done.stdout)
    report.number("large_read", f"{count:,} recipients read into SQLite", "s", [told["seconds"]])
    report.number("large_file", "  its file", "MB", [told["megabytes"]])
    report.number("large_memory", "  peak memory over the empty client", "MB", [told["memory"]])
    for part in ("1", "99"):
        found = told["claims"][part]
        report.number(
            f"claim_{part}",
            f"  a claim with its commit at {part} % done",
            "ms",
            [1000 * one for one in found],
        )
    ratio = statistics.median(told["claims"]["99"]) / statistics.median(told["claims"]["1"])
    report.number("claim_growth", "  the latter over the former", "x", [ratio], CLAIM)


if __name__ == "__main__":
    main()
