"""Kills the workers of an outbox, loses answers, restarts the database, puts every key three times; then counts.

python -m tests.faults.outbox_storm --keys 10000 --kills 200             both stores
python -m tests.faults.outbox_storm --keys 300 --kills 10 --store sqlite --seed 7
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio

from mensatek_async import AsyncMensatek, Outbox, OutboxItem
from mensatek_async.sandbox import Callbacks, Fault, Sandbox
from mensatek_async.webhooks import parse
from tests.faults.jobs import Job, Trip
from tests.faults.outbox_worker import SLOTS, TIMES, key_of, phone_of, share_of
from tests.faults.processes import Worker, Workers
from tests.faults.storm import STORES, Report, carry_out, parser_of
from tests.postgres_server import PostgresServer

LEASE = 4.0
LOST = 0.1  # the share of answers that never come
_PATIENCE = 300.0  # seconds for one worker, on a machine that has other things to do
_POINTS = {  # and how often a process comes by, of those that it dies at
    "outbox.put.before": 20,
    "outbox.put": 20,
    "outbox.claimed": 12,
    "post.leaving": 12,
    "post.before": 12,
    "post.after": 12,
    "finish.before": 12,
    "finish.committed": 12,
    "outbox.ended": 12,
    "*": 80,
}
_STORMS = (
    Fault.status_429(0.3),
    Fault.status_503(0.3),
    Fault.status_503(),
    Fault.http_status(500, processed=True),
    Fault.drop_before(),
)


@dataclass
class OutboxReport(Report):
    """What a storm over one store came to."""

    keys: int = 0
    puts: int = 0
    restarts: int = 0
    lost_answers: int = 0
    settled: int = 0

    def line(self) -> str:
        at_points = self.kills.total() - self.kills["random"]
        return (
            f"{self.store}: {self.keys:,} keys, {self.puts:,} puts, {self.kills.total()} kills ({at_points} at points),"
            f" {self.restarts} restarts, {self.lost_answers:,} answers lost, {self.sent:,} sent,"
            f" {self.unknown:,} unknown of which {self.settled:,} settled by reports, {self.doubled} doubled,"
            f" {self.lost} lost, {len(self.trouble)} other findings, {self.seconds:.0f} s"
        )


class OutboxStorm:
    """Eight processes put every key three times and send them on one store, until so many have died."""

    def __init__(self, store: str, keys: int, kills: int, *, seed: int = 1) -> None:
        self.report = OutboxReport(store, keys=keys)
        self._kills = kills
        self._seed = seed
        self._lock = threading.Lock()
        # Seconds between two storms: fewer in a long run, for each 429 makes everybody slow for a while.
        self._fair = (1.0, 3.0) if kills < 50 else (10.0, 20.0)
        # A life puts its share of them, so that there is something to be put whenever somebody dies.
        self._quota = max(1, TIMES * keys // max(kills, SLOTS))

    def run(self, workers: Workers, folder: Path, server: PostgresServer | None = None) -> OutboxReport:
        started = time.monotonic()
        store = server.create() if server else str(folder / "outbox.db")
        # Its texts are delivered when its clock is turned: until then nothing is known but by answers.
        with Sandbox(credits=10_000_000, strict=False, delivery_seconds=3600) as sandbox:
            # Nobody listens there: the reports are handed over when all is sent.
            callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0, timeout=0.2))
            try:
                self._storm(workers, folder, store, sandbox, server)
                anyio.run(self._judge, store, sandbox, callbacks)
            except BaseException:
                self.report.trouble.append(traceback.format_exc()[-2000:])
            finally:
                workers.stop()
                if server:
                    server.drop(store)
        self.report.seconds = time.monotonic() - started
        return self.report

    def _storm(
        self, workers: Workers, folder: Path, store: str, sandbox: Sandbox, server: PostgresServer | None
    ) -> None:
        job = Job(
            how="storm",
            store=store,
            account=(sandbox.user, sandbox.token, sandbox.base_url),
            store_options={"lease": LEASE, "poll": 0.1},
            client={
                "retry": {"wait_initial": 0.02, "wait_max": 0.1, "timeout": 5},
                "guard": {"pause": 0.05, "pause_max": 0.05, "block_pause": 0.05, "wrong_calls": 1000},
            },
            concurrency=4,
        )
        threads = [
            threading.Thread(target=self._slot, args=(workers, folder, job, slot), daemon=True)
            for slot in range(SLOTS)
        ]
        for thread in threads:
            thread.start()
        # By the thread that stays until the end: the server goes with whoever has started it.
        self._weather(threads, sandbox, server)

    def _weather(
        self, slots: list[threading.Thread], sandbox: Sandbox, server: PostgresServer | None
    ) -> None:
        """Lose answers, refuse now and then, and restart the database twice, until the slots have ended."""
        dice = random.Random(f"{self._seed}-weather")
        restarts = [self._kills // 3, 2 * self._kills // 3] if server else []
        sandbox.latency = 0.01
        while any(slot.is_alive() for slot in slots):
            sandbox.error_rate, sandbox.error_kind = LOST, "lost"
            time.sleep(dice.uniform(*self._fair))
            sandbox.fault(dice.choice(_STORMS), every=dice.randint(1, 3), times=None)
            time.sleep(dice.uniform(0.2, 0.6))
            sandbox.clear_faults()
            if server and restarts and self.report.kills.total() >= restarts[0]:
                server.restart(dice.choice(["fast", "immediate"]), away=dice.uniform(0, 1))
                restarts.pop(0)
                self.report.restarts += 1

    def _slot(self, workers: Workers, folder: Path, job: Job, slot: int) -> None:
        """One process after another, until enough have died and one has put and seen everything ended."""
        dice = random.Random(f"{self._seed}-{self.report.store}-{slot}")
        try:
            for life in range(10_000):
                with self._lock:
                    dies = self.report.kills.total() < self._kills
                worker, moment = self._life(workers, folder, job, slot, life, dice, dies=dies)
                by = worker.job.trips[0].point if worker.job.trips else "random"
                if moment is not None and worker.poll(moment) is None:
                    worker.kill()
                    by = "random"
                if self._count(worker, worker.wait(_PATIENCE), by) and not dies:
                    return
        except BaseException:
            with self._lock:
                self.report.trouble.append(traceback.format_exc()[-2000:])

    def _life(
        self,
        workers: Workers,
        folder: Path,
        job: Job,
        slot: int,
        life: int,
        dice: random.Random,
        *,
        dies: bool,
    ) -> tuple[Worker, float | None]:
        options = {
            "slot": slot,
            "count": self.report.keys,
            "log": str(folder / f"puts-{slot}"),
            "quota": None,
        }
        more = {"backend": dice.choice(["asyncio", "trio"]), "out": str(folder / f"out-{slot}-{life}")}
        if not dies:
            return workers.start(replace(job, options=options, **more)), None
        options["quota"] = self._quota
        trips: tuple[Trip, ...] = ()
        moment = dice.uniform(0.2, 2.5)
        if dice.random() < 0.6:
            point = dice.choice(list(_POINTS))
            trips, moment = (Trip(point, dice.randint(1, _POINTS[point])),), 6.0
        return workers.start(replace(job, options=options, trips=trips, **more)), moment

    def _count(self, worker: Worker, status: int, by: str) -> bool:
        """Note how a process ended; return whether it need not be started anew, as those of a server are."""
        told = worker.told()
        with self._lock:
            if status == -9:
                self.report.kills[by] += 1
            elif "nobody answers at its address" in told.get(
                "text", ""
            ):  # it began while the database was away
                return False
            elif status != 0:
                self.report.trouble.append(f"ended with {status}: {str(told.get('trace', told))[-1500:]}")
        return True

    async def _judge(self, store: str, sandbox: Sandbox, callbacks: Callbacks) -> None:
        """Hold what the outbox says against the texts that there are, before and after the delivery reports."""
        report = self.report
        report.puts = sum(1 for slot in range(SLOTS) for _ in share_of(slot, report.keys))
        report.lost_answers = sum(call.fault == "drop" for call in sandbox.requests)
        async with (
            AsyncMensatek(sandbox.user, sandbox.token, base_url=sandbox.base_url) as client,
            Outbox(client, store=store) as outbox,
        ):
            before = self._compare(await _items(outbox, report.keys), sandbox)
            report.unknown = before["unknown"]
            for fields in await anyio.to_thread.run_sync(_reports, sandbox, callbacks):
                await outbox.record(parse(json.dumps(fields).encode()))
            items = await _items(outbox, report.keys)
            after = self._compare(items, sandbox)
            report.sent, report.settled = after["sent"], before["unknown"] - after["unknown"]
            report.trouble += [
                f"{item.key} was texted and stays {item.state}"
                for number, item in items.items()
                if sandbox.count(phone_of(number)) and item.state != "sent"
            ][:20]

    def _compare(self, items: dict[int, OutboxItem], sandbox: Sandbox) -> Counter[str]:
        report, counts = self.report, sandbox.counts
        report.doubled = sum(count > 1 for count in counts.values())
        states = {number: item.state for number, item in items.items()}
        report.lost = sum(
            not counts[phone_of(number)] and states.get(number) != "unknown" for number in range(report.keys)
        )
        odd = Counter(state for state in states.values() if state not in ("sent", "unknown"))
        if odd or len(states) != report.keys:
            report.trouble.append(f"{len(states)} items of {report.keys}, {dict(odd)}")
        return Counter(states.values())


def _reports(sandbox: Sandbox, callbacks: Callbacks) -> list[dict[str, Any]]:
    """Every delivery report there is once all texts are delivered."""
    sandbox.advance(2 * 3600)
    assert callbacks.wait(_PATIENCE)
    return callbacks.events


async def _items(outbox: Outbox, count: int) -> dict[int, OutboxItem]:
    """Every item, by its number."""
    found = {number: await outbox.get(key_of(number)) for number in range(count)}
    return {number: item for number, item in found.items() if item is not None}


def main() -> int:
    """Run storms from the command line, a store after the other; 1 if anything was lost, doubled or untrue."""
    parser = parser_of(__doc__, 200)
    parser.add_argument("--keys", type=int, default=10_000, help="each is put three times")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    storms = [OutboxStorm(one, given.keys, given.kills, seed=given.seed) for one in given.store or STORES]
    return max([carry_out([one]) for one in storms])


if __name__ == "__main__":
    sys.exit(main())
