"""Work in the background of a block, watched through a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Self

import anyio

from ..tracebacks import hide_frames


class WorkStream:
    """What a block gives that works while it lasts."""

    def __init__(self) -> None:
        self._end = anyio.Event()
        self._error: Exception | None = None

    @asynccontextmanager
    async def _running(self, work: Callable[[], Awaitable[None]]) -> AsyncIterator[Self]:
        """Run the work while the block lasts; leaving it stops the work, and no exception group leaves it."""
        cancelled = anyio.get_cancelled_exc_class()
        failure: BaseException | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._drive, work)
                try:
                    yield self
                except (cancelled, GeneratorExit):
                    raise
                except BaseException as error:
                    failure = error
                group.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(5, shield=True):
                await self._left()
        if failure is not None:
            raise failure
        self._raise()

    async def _drive(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            hide_frames(error)
            self._error = error
        finally:
            self._end.set()
            self._changed()

    def _changed(self) -> None:
        """Go on after the end of the work."""

    async def _left(self) -> None:
        """Look once more after the end of the block."""

    def _raise(self) -> None:
        """Raise what ended the work, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error
