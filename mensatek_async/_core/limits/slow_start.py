"""Starts workers as TCP's slow start does, so that a provider that allows little is not flooded."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from anyio.abc import TaskGroup


def start_slowly(
    group: TaskGroup, work: Callable[[Callable[[], None]], Coroutine[Any, Any, None]], most: int
) -> None:
    """Start one worker, and two more when each of them has had a request accepted.

    Args:
        group: what they run in.
        work: a worker; it is given a function to call whenever a request of its own was accepted.
        most: how many there are at the end.
    """
    left = most

    def start(count: int) -> None:
        nonlocal left
        for _ in range(min(count, left)):
            left -= 1
            more = [2]  # that this one brings, once
            group.start_soon(work, partial(bring, more))

    def bring(more: list[int]) -> None:
        if more:
            start(more.pop())

    start(1)
