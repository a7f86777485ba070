"""One store as one client uses it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from secrets import token_hex
from typing import Any, TypeVar

from .._core.context import Client, Context, context_of
from .._core.operations import bounded, positive_seconds
from ..store.database import Database
from ..store.opening import open_database
from ..store.owner import this_process
from ..store.schema import Schema
from ..store.threads import in_thread
from ..store.transaction import Tx
from .worker import Worker

T = TypeVar("T")


class Session:
    """One store as one client uses it; `instead` is what to use with a synchronous client."""

    def __init__(
        self,
        client: Client,
        store: str | os.PathLike[str],
        schema: Schema,
        lease: float | timedelta,
        instead: str,
    ) -> None:
        self.context: Context = context_of(client, instead)
        self.account: str = client._account.user
        self.lease: float = positive_seconds("lease", lease)
        self.db: Database = open_database(store, schema)
        self.workers: set[Worker[Any, Any]] = set()
        self._name = token_hex(4)

    @property
    def owner(self) -> str:
        """Return the name that claims carry; another one after a fork."""
        return f"{self._name} {this_process()}"

    def slots(self, concurrency: int | None) -> int:
        """Return how many requests may be in flight."""
        return bounded("concurrency", concurrency, self.context.limits.concurrency)

    async def look(self, work: Callable[[Tx], T]) -> T:
        """Run work that only reads in a transaction of the store."""
        return await in_thread(self.db.read, work)

    async def change(self, work: Callable[[Tx], T]) -> T:
        """Run work in a transaction of the store."""
        return await in_thread(self.db.write, work)

    async def erase(self, work: Callable[[Tx], T]) -> T:
        """Run work that takes private things away in a transaction of the store, of which it leaves no trace."""
        done = await self.change(work)
        await in_thread(self.db.compact)
        return done

    def wake(self) -> None:
        for worker in self.workers:
            worker.wake()
