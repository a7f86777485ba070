"""Programs that run in a process of their own, against a sandbox of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mensatek_async.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
HEAD = """
import json, os, sys
from mensatek_async import Mensatek, Retry, Timeout

def tell(**told):
    print(json.dumps(told), flush=True)

def phones(count, first=34_600_000_000):
    return (str(first + number) for number in range(count))

def told_by(error):
    result = getattr(error, "bulk_result", None)
    counts = {} if result is None else {
        "accepted": result.accepted, "unknown": len(result.unknown), "failed": len(result.failed),
        "rejected": result.rejected, "invalid": len(result.invalid), "rows": result.rows,
    }
    return {"kind": type(error).__name__, "notes": getattr(error, "__notes__", []), **counts}
"""


def environment(sandbox: Sandbox, **more: str) -> dict[str, str]:
    """The environment of a program whose account is a sandbox's."""
    return {
        **os.environ,
        "MENSATEK_API_USER": sandbox.user,
        "MENSATEK_API_TOKEN": sandbox.token,
        "MENSATEK_BASE_URL": sandbox.base_url,
        "MENSATEK_SENDER": "ACME",
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


class Child:
    """A running program, which tells a line of JSON now and then."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def line(self) -> dict[str, Any]:
        """The next thing it tells."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, errors = self.process.communicate(timeout=20)
            raise AssertionError(f"it ended with {self.process.returncode}: {errors}")
        found: dict[str, Any] = json.loads(line)
        return found

    def end(self) -> tuple[int, str]:
        """Its exit code and what it wrote to standard error."""
        _, errors = self.process.communicate(timeout=40)
        return self.process.returncode, errors


@contextmanager
def started(
    command: list[str], sandbox: Sandbox, folder: Path = ROOT, stdout: int = subprocess.PIPE, **more: str
) -> Iterator[subprocess.Popen[str]]:
    """Python in a process of its own; it is killed when the block ends before it does."""
    with subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(sandbox, **more),
        cwd=folder,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def child(code: str, sandbox: Sandbox, *options: str, head: str = HEAD, **more: str) -> Iterator[Child]:
    """Run Python code."""
    with started([*options, "-c", head + textwrap.dedent(code)], sandbox, **more) as process:
        yield Child(process)
