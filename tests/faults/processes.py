"""Starts, kills, stops and awaits worker processes."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.faults.jobs import Job
from tests.faults.worker import carry_out

ROOT = Path(__file__).parents[2]
_ROOMS = "client campaigns.campaigns outbox.outbox archive.archive sources.files sync.generated._campaigns"
_PRELOADED = ["tests.faults.processes", "httpx", "psycopg", "trio"]
_PRELOADED += [f"mensatek_async.{room}" for room in _ROOMS.split()]


def environment() -> dict[str, str]:
    """The environment of a worker: the tests' own, with the named points switched on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MENSATEK_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "MENSATEK_FAULT_POINTS": "tests.faults.points",
    }


class Worker:
    """A running worker, forked off a process that has imported everything; `status` is how it ended."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.status: int | None = None
        self._process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=(job,), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def signal(self, number: int) -> None:
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wake(self) -> None:
        """Let it go on, to its end."""
        self.signal(signal.SIGCONT)
        self.wait()

    def kill(self) -> bool:
        """End it as a power cut would; whether that is what ended it."""
        self.signal(signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def poll(self, seconds: float = 0.001) -> int | None:
        """How it ended, or None if it still runs after so many seconds."""
        if self.status is None:
            self._process.join(seconds)
            self.status = self._process.exitcode
            if self.status is not None:
                self._process.close()
        return self.status

    def wait(self, seconds: float = 40) -> int:
        """How it ended; fails when it does not."""
        status = self.poll(seconds)
        if status is None:
            self.kill()
            raise AssertionError(f"the worker still ran after {seconds} seconds: {self.job}")
        return status

    def await_stop(self, seconds: float = 20) -> None:
        """Wait until it has stopped itself (SIGSTOP)."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            if state == "T":
                return
            assert self.poll() is None, f"it ended with {self.status}: {self.told()}"
        raise AssertionError("the worker did not stop")

    def told(self) -> dict[str, Any]:
        """What it wrote at its end; nothing if it was killed."""
        try:
            found: dict[str, Any] = json.loads(Path(self.job.out).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return found

    def outcome(self, seconds: float = 40) -> dict[str, Any]:
        """The progress it ended with; fails if it ended otherwise."""
        status = self.wait(seconds)
        found = self.told()
        assert status == 0, f"the worker ended with {status}: {found.get('trace', found)}"
        return found


class Workers:
    """All workers of a session."""

    def __init__(self) -> None:
        self._running: list[Worker] = []
        multiprocessing.get_context("forkserver").set_forkserver_preload(_PRELOADED)
        with patch.dict(os.environ, environment(), clear=True):
            forkserver.ensure_running()

    def start(self, job: Job) -> Worker:
        self._running = [worker for worker in self._running if worker.status is None]
        worker = Worker(job)
        self._running.append(worker)
        return worker

    def stop(self) -> None:
        """End the workers that still run."""
        for worker in self._running:
            worker.signal(signal.SIGCONT)
            worker.kill()
        self._running.clear()


def _run(job: Job) -> None:
    os.dup2(2, 1)
    sys.exit(carry_out(job))


def run_alone(job: Job, timeout: float = 40) -> dict[str, Any]:
    """Run a job in a fresh process, for what must be in place before anything is imported."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.worker", job.dump()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(),
        cwd=ROOT,
        timeout=timeout,
    )
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    assert done.returncode == 0, f"the worker ended with {done.returncode}: {found.get('trace', done.stderr)}"
    return found
