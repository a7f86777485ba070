"""Starts, kills, stops and awaits worker processes."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.faults.jobs import Job

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """The environment of a worker: the tests' own, with the named points switched on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MENSATEK_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "MENSATEK_FAULT_POINTS": "tests.faults.points",
    }


class Nursery:
    """A process that has imported everything and forks a worker at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.worker", "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, name="mensatek-faults-nursery", daemon=True).start()
        assert self._lines.get(timeout=60) == "ready"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.strip())
        self._lines.put("")

    def start(self, job: Job) -> int:
        """Fork a worker; returns its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(job.dump() + "\n")
        self._process.stdin.flush()
        return int(self._lines.get(timeout=20))

    def wait(self, timeout: float) -> int | None:
        """The exit status of the worker; None while it runs."""
        try:
            return int(self._lines.get(timeout=timeout))
        except queue.Empty:
            return None

    def end(self) -> None:
        """Ask it to end, and the worker with it."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def close(self) -> None:
        """Wait until it has ended."""
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Worker:
    """A running worker.

    Attributes:
        pid: its process id.
        status: how it ended; None while it runs.
    """

    def __init__(self, job: Job, nursery: Nursery, home: Workers) -> None:
        self.job = job
        self.status: int | None = None
        self._nursery = nursery
        self._home = home
        self.pid = nursery.start(job)

    def signal(self, number: int) -> None:
        """Send it a signal."""
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
            self.status = self._nursery.wait(max(seconds, 0.001))
            if self.status is not None:
                self._home.ended(self, self._nursery)
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
    """All workers of a session; nurseries are used again."""

    def __init__(self) -> None:
        self._free: list[Nursery] = []
        self._all: list[Nursery] = []
        self._running: set[Worker] = set()
        self._lock = threading.Lock()

    def start(self, job: Job) -> Worker:
        """Start a worker."""
        with self._lock:
            nursery = self._free.pop() if self._free else None
        if nursery is None:
            nursery = Nursery()
            self._all.append(nursery)
        worker = Worker(job, nursery, self)
        self._running.add(worker)
        return worker

    def ended(self, worker: Worker, nursery: Nursery) -> None:
        """A worker has ended: its nursery is free for the next."""
        with self._lock:
            self._running.discard(worker)
            self._free.append(nursery)

    def stop(self) -> None:
        """End the workers that still run."""
        for worker in list(self._running):
            worker.signal(signal.SIGCONT)
            worker.kill()

    def close(self) -> None:
        """End all of them."""
        self.stop()
        for nursery in self._all:
            nursery.end()
        for nursery in self._all:
            nursery.close()


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
