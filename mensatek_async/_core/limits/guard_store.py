"""The store in which processes share their guards: one in a process for all clients that name it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakSet, WeakValueDictionary

from ...errors import StoreError
from ...settings import Guard
from ...store.opening import open_database
from ...store.threads import in_thread_for
from ...store.transaction import Tx
from ...warning import StoreWarning, warn
from . import guard_tables as tables
from .account import NEVER, lock, now

T = TypeVar("T")

_EVERY = 1.0  # seconds between two looks at the store
_LATE = 10.0  # seconds that a commit may come after the moment that it was written for
_PATIENCE = 10.0  # seconds that a call waits for the store
_AGAIN = 60.0  # seconds until a store that did not work is tried again


class GuardStore:
    """A store, one in a process for all clients that name it. What fails in it is warned of once."""

    def __init__(self, store: str | os.PathLike[str]) -> None:
        self.guards: WeakSet[Any] = WeakSet()  # each `SharedGuard` that was looked up in it
        # when it is to be asked again what is new, for all of them, by this process's clock
        self.next_look: float = NEVER
        self._since = 0.0
        self._db = open_database(store, tables.GUARD)
        self._users: WeakSet[object] = WeakSet()
        self._retry_at = NEVER
        self._warned = False
        self._db.close_with(self)

    async def run(self, work: Callable[[Tx], T], *, write: bool, user: object = None) -> T | None:
        """Run work in a transaction, in a worker thread, once more after a connection broke.

        `user` has the store open until it calls `release`. Returns None when the store does not work, and nobody else
        is to be held up by that.
        """
        if now() < self._retry_at:
            return None
        if user is not None:
            self._users.add(user)
        try:
            return await in_thread_for(_PATIENCE, self._db.write if write else self._db.read, work, 2)
        except (StoreError, OSError) as error:
            self._retry_at = now() + _AGAIN
            why = "it does not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
            if isinstance(error, StoreError):
                why = str(error.args[0])
            if not self._warned:
                self._warned = True
                warn(
                    f"The guard's store {self._db.shown} is not used for now, so other processes do not know of "
                    f"pauses: {why}",
                    StoreWarning,
                )
        return None

    async def look(self, user: object) -> None:
        """Learn what other processes were told of any account."""
        self.next_look = now() + _EVERY
        told = await self.run(lambda tx: (tx.wall, tables.news(tx, self._since)), write=False, user=user)
        if told is None:
            return
        self._since = told[0] - _LATE
        if told[1]:
            for guard in list(self.guards):
                guard.merge(told[1])

    async def release(self, user: object) -> None:
        self._users.discard(user)
        if not self._users:
            with suppress(TimeoutError):
                await in_thread_for(_PATIENCE, self._db.close)


_stores: WeakValueDictionary[str, GuardStore] = WeakValueDictionary()


def store_of(settings: Guard) -> GuardStore | None:
    """Return the store that the settings name, the same for all who name it; None where they name none."""
    if not settings.store:
        return None
    store = os.fspath(settings.store)
    name = store if "://" in store else os.path.abspath(os.path.expanduser(store))
    with lock():
        found = _stores.get(name)
    if found is None:
        made = GuardStore(store)
        with lock():
            found = _stores.setdefault(name, made)
    return found
