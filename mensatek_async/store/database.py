"""One store: transactions, and one error for all that can go wrong."""

from __future__ import annotations

import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from ..errors import StoreError
from .listening import Listener
from .schema import Schema, read_versions
from .transaction import Tx

T = TypeVar("T")
# Connections of a parent process, which closing or collecting would disturb.
_abandoned: Final[list[object]] = []


def note_deletion(tx: Tx) -> None:
    """Note that something was deleted of which no trace is to be left: see `Database.compact`."""
    tx.run("INSERT INTO mensatek_meta VALUES ('deleted', '') ON CONFLICT (name) DO NOTHING")


class Database(ABC):
    """One store. Its methods block: they run in worker threads, one at a time.

    Args:
        schemas: the tables that are used; they are created with the first write.

    Attributes:
        clock: the civil time, seconds since 1970, as SQL.
        claims: whether claims are made through it, and not only entries: see `take_part`.
    """

    clock: ClassVar[str]
    claims: bool = True

    def __init__(self, *schemas: Schema) -> None:
        self.schemas: tuple[Schema, ...] = schemas
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._ready = False
        self._known = False
        self._repeated = False
        self._process = os.getpid()

    def _check_process(self) -> None:
        # What was open belongs to the parent of a fork, a lock that one of its threads held among it.
        if self._process != os.getpid():
            _abandoned.append(self.abandon())
            self._begin()

    @property
    @abstractmethod
    def shown(self) -> str:
        """Return how messages call it; never with a password."""

    @abstractmethod
    def attempt(self, work: Callable[[Tx], T], *, write: bool) -> T:
        """Run work in one transaction and commit it.

        Raises:
            StoreError: the store does not work.
            Again: the connection broke: nobody knows whether it was committed.
        """

    @abstractmethod
    def is_there(self) -> bool:
        """Return whether there is a store to read, whoever's tables it has."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the store ready for writing: its tables, and whatever the dead left behind."""

    @abstractmethod
    def abandon(self) -> object:
        """Forget, and return, the connection that a parent process had open, without touching it."""

    @abstractmethod
    def wipe(self) -> bool:
        """Overwrite what was deleted; return whether that is done, or has to wait for those who use the store."""

    def compact(self) -> None:
        """Leave no trace of what was deleted since the last time in free pages and logs, if anything was.

        Raises:
            StoreError: the store does not work.
        """
        asked = "SELECT 1 FROM mensatek_meta WHERE name = 'deleted'"
        if self.read(lambda tx: tx.one(asked)) and self.wipe():
            self.write(lambda tx: tx.run("DELETE FROM mensatek_meta WHERE name = 'deleted'"))

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""

    def close_with(self, user: object) -> None:
        """Close it at the latest when nobody holds its user any more, or the program ends."""
        weakref.finalize(user, self._close_here)

    def _close_here(self) -> None:
        if self._process == os.getpid():
            self.close()

    def take_part(self) -> None:
        """Make claims from now on: what the dead had claimed is freed with the next write, if nobody else makes any."""
        self._check_process()
        with self._lock:
            self._ready, self.claims = self._ready and self.claims, True

    def waking(self, channel: str) -> str:
        """Return what an INSERT ends with so that its commit wakes whoever listens; "" where nothing can."""
        return ""

    def listen(self, channel: str) -> Listener | None:
        """Return what hears commits that wake a channel; None where nothing can.

        Raises:
            StoreError: the store does not work.
        """
        return None

    def owns(self, path: Path) -> bool:
        """Return whether a file is the store's own."""
        return False

    def exists(self) -> bool:
        """Return whether the store has tables of all its schemas.

        Raises:
            StoreError: the store does not work, or a newer version of this package has written it.
        """
        return self.is_there() and self.read(
            lambda tx: len(read_versions(tx, self.schemas, self.shown)) == len(self.schemas)
        )

    def write(self, work: Callable[[Tx], T], tries: int = 10) -> T:
        """Run work in one transaction and commit it.

        Args:
            work: may be run again when a connection broke, even after it was committed: it has to notice.
            tries: how often a broken connection is made anew.

        Raises:
            StoreError: the store does not work.
        """

        def write() -> T:
            if not self._ready:
                self.prepare()
                self._ready = True
            return self.attempt(work, write=True)

        return self._again(write, tries)

    def read(self, work: Callable[[Tx], T], tries: int = 10) -> T:
        """Run work that only reads; it touches nothing of the store.

        Raises:
            StoreError: the store does not work.
        """
        return self._again(lambda: self.attempt(lambda tx: self._understood(tx, work), write=False), tries)

    def pages(self, sql: str, *values: Any) -> Iterator[list[Any]]:
        """Give the rows of a statement of any length, a part of them to a transaction.

        Args:
            sql: a statement that is ordered by its first column, has a limit, and ends its conditions with one that
                this column is greater than the last value.
            values: the values before that one.

        Raises:
            StoreError: the store does not work.
        """
        last = -(10**18)

        def next_page(tx: Tx) -> list[Any]:
            return tx.all(sql, *values, last)

        while page := self.read(next_page):
            yield page
            last = page[-1][0]

    def _understood(self, tx: Tx, work: Callable[[Tx], T]) -> T:
        if not self._ready and not self._known:
            read_versions(tx, self.schemas, self.shown)
            self._known = True
        return work(tx)

    def _again(self, work: Callable[[], T], tries: int) -> T:
        self._check_process()
        for attempt in range(1, tries + 1):
            try:
                with self._lock:  # let go of between two tries, so that nobody else waits for it
                    self._repeated = attempt > 1
                    return work()
            except Again as error:
                if attempt == tries:
                    raise StoreError(
                        f"The store {self.shown} does not answer ({error}).",
                        advice="Nothing is sent that cannot be written down. Start again when the database is back.",
                    ) from error.__cause__
                time.sleep(min(0.05 * 2**attempt, 5.0))
        raise AssertionError("unreachable")


class Again(Exception):
    """The connection broke, so a transaction was perhaps committed, perhaps not."""
