"""One test's stage: a sandbox, a journal, a campaign's rows, workers, and the judge."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from mensatek_async.sandbox import Sandbox
from tests.faults.jobs import Job, Trip
from tests.faults.judging import Verdict, judge, read_rows
from tests.faults.processes import Worker, Workers

# Seconds. An opener that is not answered within half of it is unknown, which must not happen because a machine is busy;
# but where a test waits for a lease to end, it should not be long.
LEASE = 30.0
SHORT = 4.0
FIRST = 34_600_000_000


class Scene:
    """A sandbox, a journal, workers and a folder for one campaign."""

    def __init__(self, sandbox: Sandbox, store: str, workers: Workers, folder: Path) -> None:
        self.sandbox = sandbox
        self.store = store
        self.workers = workers
        self.folder = folder
        self.given: list[str] = []
        self._numbers = itertools.count(1)
        # Only the lock of a SQLite file proves that nobody is left: on a server each dead worker's lease has to end.
        self.lease = LEASE if self.is_sqlite else SHORT
        self.job = Job(
            store=store,
            account=(sandbox.user, sandbox.token, sandbox.base_url),
            options={"chunk_size": 10},
            store_options={"lease": self.lease, "poll": 0.05},
            client={"retry": {"wait_initial": 0.02, "wait_max": 0.1}},
            source=str(folder / "rows.csv"),
        )

    @property
    def is_sqlite(self) -> bool:
        return not self.store.startswith("postgresql")

    def write(self, rows: Iterable[str], name: str = "rows.csv") -> Path:
        given = list(rows)
        path = self.folder / name
        path.write_text("movil\n" + "".join(f"{row}\n" for row in given), encoding="utf-8")
        if name == "rows.csv":
            self.given = given
        return path

    def start(self, how: str = "start", *trips: Trip, **changes: Any) -> Worker:
        """Start a worker; of options, store options and client settings, those given are added to the usual."""
        for name in ("options", "store_options", "client"):
            if name in changes:
                changes[name] = {**getattr(self.job, name), **changes[name]}
        number = next(self._numbers)
        job = replace(
            self.job,
            how=how,
            trips=trips,
            **{"out": str(self.folder / f"out-{number}"), "export": "", **changes},
        )
        return self.workers.start(job)

    def run(self, how: str = "start", *trips: Trip, **changes: Any) -> dict[str, Any]:
        return self.start(how, *trips, **changes).outcome()

    def killed(self, point: str, nth: int = 1, how: str = "start", **changes: Any) -> None:
        worker = self.start(how, Trip(point, nth), **changes)
        status = worker.wait()
        assert status == -9, f"it was not killed at {point}, but ended with {status}: {worker.told()}"

    def stopped(self, point: str, nth: int = 1, how: str = "start", **changes: Any) -> Worker:
        """A worker that has stopped at a point."""
        worker = self.start(how, Trip(point, nth, "stop"), **changes)
        worker.await_stop()
        return worker

    def refuses(self, *errors: str, **changes: Any) -> None:
        """A worker ends with one of these errors, and has sent nothing."""
        calls = len(self.sandbox.requests)
        worker = self.start(**changes)
        assert worker.wait() != 0
        assert worker.told()["error"] in errors, worker.told()
        assert len(self.sandbox.requests) == calls

    def finish(self, how: str = "start", refused: Iterable[str] = (), **changes: Any) -> dict[str, Any]:
        """Run the campaign to its end and judge, but those who may rightly have no text; returns its last progress."""
        path = self.folder / "export.csv"
        progress = self.run(how, export=str(path), **changes)
        assert progress["state"] == "done", progress
        verdict = self.judge(progress, refused=refused)
        assert verdict.clean, (verdict, progress)
        return progress

    def ends_with(self, sent: int, unknown: int, **changes: Any) -> dict[str, Any]:
        """Run the campaign to its end, as `finish` does; so many are sent then, and so many unknown."""
        progress = self.finish(**changes)
        assert (progress["sent"], progress["unknown"]) == (sent, unknown)
        return progress

    def rows(self) -> list[dict[str, str]]:
        return read_rows(self.folder / "export.csv")

    def judge(self, progress: dict[str, Any] | None = None, **more: Any) -> Verdict:
        return judge(self.sandbox.counts, self.given, self.rows(), progress, **more)

    def await_calls(self, count: int, seconds: float = 20) -> None:
        """Block until the sandbox has processed so many requests."""
        deadline = time.monotonic() + seconds
        while len(self.sandbox.requests) < count:
            assert time.monotonic() < deadline, f"only {len(self.sandbox.requests)} requests came"
            time.sleep(0.005)

    @property
    def file(self) -> Path:
        return Path(self.store)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Look into the journal, without a trace in it."""
        if self.is_sqlite:
            with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
                return connection.execute(statement).fetchall()
        import psycopg

        with psycopg.connect(self.store) as connection:
            return connection.execute(statement.encode()).fetchall()

    def state(self) -> str:
        campaigns = self.query(
            "SELECT name, state, reason, ingested, ingest_done, idmensaje FROM mensatek_campaign"
        )
        chunks = self.query(
            "SELECT campaign_id, seq, state, n, attempts, failures, due_at, owner, error FROM mensatek_chunk "
            "WHERE due_at IS NOT NULL"
        )
        return f"{campaigns} {chunks} {self.query('SELECT * FROM mensatek_rate')}"

    def sizes(self) -> list[int]:
        """How many recipients each request had, in order."""
        return [len(call.params["Destinatarios"]) for call in self.sandbox.requests if call.params]
