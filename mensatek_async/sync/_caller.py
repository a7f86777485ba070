"""What work in the event loop leaves for the thread that called the client, such as reading the caller's rows."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class CallerQueue:
    """Where work in the loop leaves errands for the thread that waits for it."""

    def __init__(self) -> None:
        self.bell: SimpleQueue[None] = SimpleQueue()
        # Threads may share a stream; one of them waits at a time.
        self.turn: threading.RLock = threading.RLock()
        self._errands: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()

    async def ask(self, errand: Callable[[], T]) -> T:
        """Have the waiting thread call a function; gives what it returns, raises what it raises."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._errands.append((errand, answer))
        self.bell.put(None)
        value, error = await answer
        if error is not None:
            raise error
        result: T = value
        return result

    def serve(self) -> None:
        """Run the errands that wait. In the calling thread."""
        while self._errands:
            errand, answer = self._errands.popleft()
            if answer.done():
                continue
            try:
                outcome: tuple[Any, Exception | None] = errand(), None
            except Exception as error:
                outcome = None, error
            answer.get_loop().call_soon_threadsafe(_settle, answer, outcome)


def _settle(answer: asyncio.Future[Any], outcome: tuple[Any, Exception | None]) -> None:
    if not answer.done():
        answer.set_result(outcome)


queue_of_this_call: contextvars.ContextVar[CallerQueue] = contextvars.ContextVar("queue_of_this_call")


async def ask_caller(errand: Callable[[], T]) -> T:
    """Have the thread that called the client call a function, from work in the loop."""
    return await queue_of_this_call.get().ask(errand)
