"""The processes that a program measures in: their start, their rounds, their end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from common import Timing

HERE = Path(__file__).parent


class Done(NamedTuple):
    """What one round took, and the process's peak memory after it, in megabytes."""

    timing: Timing
    peak: float


class Worker:
    """A process of `worker.py`, which does nothing while it is not asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, way: str, count: int) -> Done:
        """One round of that many units.

        Raises:
            RuntimeError: it failed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{way} {count}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{way}: the process ended")
        took = json.loads(line)
        if "error" in took:
            raise RuntimeError(f"{way}: {took['error']}")
        return Done(Timing(took["wall"] / count, took["cpu"] / count), took["peak"])


@contextmanager
def working(base_url: str, python: Path | str = sys.executable) -> Iterator[Worker]:
    """A worker of that environment."""
    command = [str(python), str(HERE / "worker.py"), base_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Worker(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
