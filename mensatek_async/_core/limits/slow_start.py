"""Starts workers as TCP's slow start does, so that a provider that allows little is not flooded."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from anyio.abc import TaskGroup


def start_slowly(
    group: TaskGroup, work: Callable[[Callable[[], None]], Coroutine[Any, Any, None]], most: int
) -> None:
    """Start one worker, and two more when each of them has had a request accepted, of which it tells; `most` in all."""
    left = most

    def start(count: int) -> None:
        nonlocal left
        for _ in range(min(count, left)):
            left -= 1
            group.start_soon(work, partial(bring, [2]))

    def bring(more: list[int]) -> None:
        if more:  # once
            start(more.pop())

    start(1)
