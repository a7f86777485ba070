"""The outbox while a worker runs: an iterator of the items that end."""

from __future__ import annotations

from collections import deque

import anyio

from ..durable.work_stream import WorkStream
from ..models.outbox import OutboxItem

_MOST = 10_000


class OutboxStream(WorkStream):
    """A stream of the items that a worker brings to an end: iterate over it for each `OutboxItem`.

    Nobody has to read it: of those not read it keeps the newest 10,000.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ahead: deque[OutboxItem] = deque(maxlen=_MOST)
        self._news = anyio.Event()

    def __aiter__(self) -> OutboxStream:
        return self

    async def __anext__(self) -> OutboxItem:
        while not self._ahead:
            if self._end.is_set():
                self._raise()
                raise StopAsyncIteration
            await self._news.wait()
        return self._ahead.popleft()

    def _add(self, item: OutboxItem) -> None:
        self._ahead.append(item)
        self._changed()

    def _changed(self) -> None:
        self._news.set()
        self._news = anyio.Event()
