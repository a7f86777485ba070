"""One process that sends: told over standard input which way and how much, it answers what that took.

It runs under any Python environment, a peer's too, so it imports nothing that is not everywhere. A way is
`module:function`; the function gives a context manager, plain or asynchronous, that gives what does so many units.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from common import peak_megabytes


class Ways:
    """The ways asked for so far, each with its client open and connected."""

    def __init__(self, base_url: str, runner: asyncio.Runner) -> None:
        self._base_url = base_url
        self._runner = runner
        self._stack = ExitStack()  # of the plain ones, which belong outside the event loop
        self._async_stack = AsyncExitStack()
        self._open: dict[str, Callable[[int], Any]] = {}

    def run(self, way: str, count: int) -> dict[str, float]:
        """Do that many units; seconds by the clock and of the processor, and the peak memory so far."""
        if way not in self._open:
            self._open[way] = self._opened(way)
        work = self._open[way]
        gc.collect()
        if not inspect.iscoroutinefunction(work):
            wall, cpu = time.perf_counter(), time.process_time()
            work(count)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        else:
            wall, cpu = self._runner.run(timed(work, count))
        return {"wall": wall, "cpu": cpu, "peak": peak_megabytes()}

    def _opened(self, way: str) -> Callable[[int], Any]:
        module, _, name = way.partition(":")
        manager = getattr(importlib.import_module(module), name)(self._base_url)
        if hasattr(manager, "__aenter__"):
            work = self._runner.run(self._async_stack.enter_async_context(manager))
        else:
            work = self._stack.enter_context(manager)
        found: Callable[[int], Any] = work
        return found

    def close(self) -> None:
        self._stack.close()
        self._runner.run(self._async_stack.aclose())


async def timed(work: Callable[[int], Any], count: int) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    await work(count)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    (base_url,) = sys.argv[1:]
    with asyncio.Runner() as runner:
        ways = Ways(base_url, runner)
        for line in sys.stdin:
            way, count = line.split()
            try:
                told: dict[str, Any] = ways.run(way, int(count))
            except Exception as error:
                told = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(told), flush=True)
        ways.close()


if __name__ == "__main__":
    main()
