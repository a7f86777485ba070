"""Starts workers as TCP's slow start does, so that a provider that allows little is not flooded."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from anyio.abc import TaskGroup


def start_slowly(
    group: TaskGroup, work: Callable[[Callable[[], None]], Coroutine[Any, Any, None]], first: int, most: int
) -> None:
    """Start some workers, and one more when each of them has had a request accepted.

    Args:
        group: what they run in.
        work: a worker; it is given a function to call whenever a request of its own was accepted.
        first: how many start at once.
        most: how many there are at the end.
    """
    left = most

    def start() -> None:
        nonlocal left
        if left > 0:
            left -= 1
            another = [start]  # each worker brings one more, once
            group.start_soon(work, lambda: another.pop()() if another else None)

    for _ in range(first):
        start()
