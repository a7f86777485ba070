"""Kills workers with -9, at named points and at random moments, until enough have died; then counts the texts.

python -m tests.faults.storm --kills 1000                 both stores
python -m tests.faults.storm --kills 50 --store sqlite --seed 7
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mensatek_async.sandbox import Fault, Sandbox
from tests.faults.jobs import Trip
from tests.faults.judging import judge, read_rows
from tests.faults.processes import Worker, Workers
from tests.faults.scene import FIRST, Scene
from tests.postgres_server import PostgresServer
from tests.sandbox_calls import phones

STORES = ("sqlite", "postgres")
LEASE = 4.0
_PATIENCE = 180.0  # seconds for one worker, on a machine that has other things to do
_POINTS = {  # and how often a worker of these small campaigns comes by
    "ingest.batch": 2,
    "ingest.committed": 2,
    "claim.opener": 1,
    "post.leaving": 1,
    "post.before": 9,
    "post.after": 9,
    "chunk.posting": 8,
    "finish.before": 9,
    "finish.committed": 9,
    "*": 60,
}
_FAULTS = (
    Fault.latency(0.03),
    Fault.latency(0.03, before=True),
    Fault.drop_after_accept(reset=True),
    Fault.drop_before(),
    Fault.cut_body(),
    Fault.status_503(processed=True),
    Fault.status_429(0.05),
)
_MOST_ROUNDS = 60


@dataclass
class Report:
    """What a storm over one store came to."""

    store: str
    campaigns: int = 0
    recipients: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    unknown: int = 0
    sent: int = 0
    trouble: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def line(self) -> str:
        return (
            f"{self.store}: {self.kills.total()} kills, {self.lost} lost, {self.doubled} doubled,"
            f" {self.unknown} unknown ({self.campaigns} campaigns, {self.recipients} recipients, {self.sent} sent,"
            f" {len(self.trouble)} other findings, {self.seconds:.0f} s)"
        )

    @property
    def clean(self) -> bool:
        """Nobody lost, nobody texted twice, nothing else to say."""
        return not (self.lost or self.doubled or self.trouble)


class Storm:
    """Many small campaigns on one kind of store, some of them at once (`slots`), until so many workers have died."""

    def __init__(self, store: str, kills: int, *, slots: int = 2, seed: int = 1) -> None:
        self.report = Report(store)
        self._kills = kills
        self._slots = slots
        self._seed = seed
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def run(self, workers: Workers, folder: Path, server: PostgresServer | None = None) -> Report:
        started = time.monotonic()
        threads = [
            threading.Thread(target=self._slot, args=(workers, folder, server, slot), daemon=True)
            for slot in range(self._slots)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.report.seconds = time.monotonic() - started
        return self.report

    def _slot(self, workers: Workers, folder: Path, server: PostgresServer | None, slot: int) -> None:
        dice = random.Random(f"{self._seed}-{self.report.store}-{slot}")
        database = server.create() if server else ""
        try:
            with Sandbox(credits=10_000_000, strict=False) as sandbox:
                while self.report.kills.total() < self._kills:
                    number = next(self._numbers)
                    home = folder / f"{self.report.store}-{number}"
                    home.mkdir()
                    scene = Scene(sandbox, database or str(home / "campaigns.db"), workers, home)
                    self._campaign(scene, number, dice)
                time.sleep(0.3)  # what was still on its way to the sandbox
                with self._lock:
                    late = sum(count - 1 for count in sandbox.counts.values() if count > 1)
                    self.report.doubled = max(self.report.doubled, late)
        except BaseException:
            with self._lock:
                self.report.trouble.append(traceback.format_exc()[-2000:])
        finally:
            if server:
                server.drop(database)

    def _campaign(self, scene: Scene, number: int, dice: random.Random) -> None:
        count = dice.randint(40, 200)
        rows = phones(count, FIRST + number * 1000)
        rows += [dice.choice(rows) for _ in range(dice.choice([0, 0, 3]))]
        name = f"campaign-{number}"
        changes: dict[str, Any] = {
            "name": name,
            "options": {"chunk_size": dice.randint(10, 25), "rate": dice.choice([None, None, 2000])},
            "store_options": {"lease": LEASE},
        }
        scene.write(rows)
        scene.sandbox.latency = dice.choice([0.0, 0.005, 0.02])
        if dice.random() < 0.4:
            for fault in dice.sample(_FAULTS, 2):
                scene.sandbox.fault(fault, every=dice.randint(2, 5), times=4, after=dice.randint(0, 3))
        try:
            progress = self._rounds(scene, dice, changes)
            self._judge(scene, name, progress)
        except AssertionError as error:
            error.add_note(f"{name} with {changes}: {scene.state()}")
            raise
        finally:
            scene.sandbox.clear_faults()

    def _rounds(self, scene: Scene, dice: random.Random, changes: dict[str, Any]) -> dict[str, Any]:
        """Let workers die until one of them finds everything done; returns the last progress."""
        exists = False
        for _ in range(_MOST_ROUNDS):
            running = [
                self._worker(scene, dice, changes, exists) for _ in range(dice.choice([1, 1, 1, 2, 3]))
            ]
            for worker, moment in running:
                if moment is not None and worker.poll(moment) is None:
                    worker.kill()
            for worker, moment in running:
                status = worker.wait(_PATIENCE)
                self._count(worker, "random" if moment is not None else worker.job.trips[0].point, status)
                exists |= bool(worker.told().get("total"))
            if any(worker.told().get("state") == "done" for worker, _ in running):
                break
            if self.report.kills.total() >= self._kills:
                break
        return scene.start("start", export=str(scene.folder / "export.csv"), **changes).outcome(_PATIENCE)

    def _worker(
        self, scene: Scene, dice: random.Random, changes: dict[str, Any], exists: bool
    ) -> tuple[Worker, float | None]:
        ways = ["start", "start", "watch", "sync", *(["get", "work", "drive"] if exists else [])]
        how = dice.choice(ways)
        more = {**changes, "concurrency": dice.choice([1, 2, 4]), "backend": dice.choice(["asyncio", "trio"])}
        if dice.random() < 0.6:
            point = dice.choice(list(_POINTS))
            return scene.start(how, Trip(point, dice.randint(1, _POINTS[point])), **more), None
        return scene.start(how, **more), dice.uniform(0.0, 0.5)

    def _count(self, worker: Worker, by: str, status: int) -> None:
        with self._lock:
            if status == -9:
                self.report.kills[by] += 1
            elif status != 0:
                told = worker.told()
                end = str(told.get("trace", told))[-1200:]
                self.report.trouble.append(f"{worker.job.name}, {worker.job.how} ended with {status}: {end}")

    def _judge(self, scene: Scene, name: str, progress: dict[str, Any]) -> None:
        verdict = judge(scene.sandbox.counts, scene.given, read_rows(scene.folder / "export.csv"), progress)
        with self._lock:
            report = self.report
            report.campaigns += 1
            report.recipients += len(set(scene.given))
            report.sent += progress["sent"]
            report.lost += len(verdict.lost)
            report.doubled += len(verdict.doubled)
            report.unknown += len(verdict.unknown)
            report.trouble += [f"{name}: {lie}" for lie in verdict.lies]
            if progress["state"] != "done":
                report.trouble.append(f"{name}: ended {progress}")


def carry_out(storms: Sequence[Any]) -> int:
    """Run storms beside each other and print what they came to; 1 if anything was lost, doubled or untrue."""
    reports = [storm.report for storm in storms]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        workers = Workers()
        stack.callback(workers.stop)
        server = None
        if any(report.store == "postgres" for report in reports):
            server = PostgresServer()
            stack.callback(server.close)
        given = [(workers, folder, server if report.store == "postgres" else None) for report in reports]
        others = [
            threading.Thread(target=storm.run, args=those, daemon=True)
            for storm, those in zip(storms[1:], given[1:], strict=True)
        ]
        for other in others:
            other.start()
        storms[0].run(*given[0])  # in this thread: a server that is restarted goes with whoever has done that
        for other in others:
            other.join()
    for report in reports:
        points = ", ".join(f"{point} {count}" for point, count in sorted(report.kills.items()))
        print(report.line(), f"killed at: {points}", *report.trouble[:20], sep="\n  ", flush=True)
    return 0 if all(report.clean for report in reports) else 1


def parser_of(description: str | None, kills: int) -> argparse.ArgumentParser:
    """What both kinds of storm ask."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=kills, help="on each store")
    parser.add_argument("--store", choices=STORES, action="append", help="both, if none is named")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser


def main() -> int:
    """Run storms from the command line."""
    parser = parser_of(__doc__, 100)
    parser.add_argument(
        "--slots", type=int, default=2, help="campaigns at once on SQLite; on PostgreSQL thrice as many"
    )
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    # A dead worker's lease has to end on PostgreSQL: most of its campaigns wait.
    slots = {"sqlite": given.slots, "postgres": 3 * given.slots}
    stores = given.store or STORES
    return carry_out([Storm(one, given.kills, slots=slots[one], seed=given.seed) for one in stores])


if __name__ == "__main__":
    sys.exit(main())
