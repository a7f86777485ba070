"""What a process of the outbox's storm does: it puts its share of the keys, and sends whatever is there."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import anyio

from tests.faults.jobs import Job

SLOTS = 8
TIMES = 3  # how often each key is put, each time by another process
FIRST = 34_600_000_000


def key_of(number: int) -> str:
    return f"order-{number}"


def phone_of(number: int) -> str:
    return str(FIRST + number)


def share_of(slot: int, count: int) -> Iterator[int]:
    """The orders that a process puts, in an order of its own."""
    numbers = [number for number in range(count) if (slot - number) % SLOTS in (0, 2, 5)]
    random.Random(slot).shuffle(numbers)
    yield from numbers


async def work(job: Job, outbox: Any) -> dict[str, Any]:
    """Put what is left of the share, at most `quota`, while a worker runs; without a quota wait until all has ended."""
    slot, count, log, quota = (job.options[name] for name in ("slot", "count", "log", "quota"))
    record = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    numbers = list(share_of(slot, count))[os.fstat(record).st_size :]
    async with outbox.run(concurrency=job.concurrency):
        for number in numbers[:quota]:
            await outbox.put(key_of(number), phone_of(number), f"Pedido {number}", reference=str(number))
            os.write(record, b".")
        if quota is not None:
            await anyio.sleep_forever()  # until somebody kills it
        for state in ("queued", "sending"):
            for item in await outbox.list(state=state):
                await outbox.wait(item.key, timeout=60)
    return {"put": len(numbers)}
