"""What the journal needs of a database: transactions, a clock, and one error for all that can go wrong."""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..errors import StoreError
from . import schema

T = TypeVar("T")


class Tx(ABC):
    """An open transaction. Statements have `?` for values.

    Attributes:
        now: the store's clock, in seconds: the same for everybody who uses the store, and never set back by hand.
        wall: the civil time, seconds since 1970.
        repeated: whether the same work was tried before and may have been committed.
    """

    now: float
    wall: float
    repeated: bool = False
    locking: str = ""
    """What a SELECT ends with to lock its rows."""
    skipping: str = ""
    """The same, passing over rows that somebody else has locked."""

    @abstractmethod
    def all(self, sql: str, *values: Any) -> list[Any]:
        """Every row; columns by position."""

    @abstractmethod
    def run(self, sql: str, *values: Any) -> int:
        """Run a statement; how many rows it changed."""

    @abstractmethod
    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row of values."""

    def stopped_writer(self) -> int:
        """The process that keeps all others from writing, since it is stopped; 0 for none."""
        return 0

    def leaves(self) -> None:
        """Said of a transaction that lets a request leave; some stores keep count of those."""
        return

    def one(self, sql: str, *values: Any) -> Any:
        """The first row, or None."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None


class Database(ABC):
    """One store. Its methods block: they run in worker threads, one at a time."""

    def __init__(self) -> None:
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
            self.abandon()
            self._begin()

    @property
    @abstractmethod
    def shown(self) -> str:
        """How messages call it; never with a password."""

    @abstractmethod
    def attempt(self, work: Callable[[Tx], T], *, write: bool) -> T:
        """Run work in one transaction and commit it.

        Raises:
            StoreError: the store does not work.
            Again: the connection broke: nobody knows whether it was committed.
        """

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a store to read."""

    def owns(self, path: Path) -> bool:
        """Whether a file is the store's own."""
        return False

    @abstractmethod
    def prepare(self) -> None:
        """Make the store ready for writing: its tables, and whatever the dead left behind."""

    @abstractmethod
    def abandon(self) -> None:
        """Forget what a parent process had open, without touching it."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""

    def write(self, work: Callable[[Tx], T], tries: int = 10) -> T:
        """Run work in one transaction and commit it.

        Args:
            work: may be run again when a connection broke, even after it was committed: it has to notice.
            tries: how often a broken connection is made anew.

        Raises:
            StoreError: the store does not work.
        """
        self._check_process()
        with self._lock:
            if not self._ready:
                self._again(self.prepare, 4)
                self._ready = True
            return self._again(lambda: self.attempt(work, write=True), tries)

    def read(self, work: Callable[[Tx], T], tries: int = 10) -> T:
        """Run work that only reads; it touches nothing of the store.

        Raises:
            StoreError: the store does not work.
        """
        self._check_process()
        with self._lock:
            return self._again(
                lambda: self.attempt(lambda tx: self._understood(tx, work), write=False), tries
            )

    def _understood(self, tx: Tx, work: Callable[[Tx], T]) -> T:
        if not self._ready and not self._known:
            row = tx.one("SELECT value FROM mensatek_meta WHERE name = 'schema'")
            self.check_version(int(row[0]) if row else 0)
            self._known = True
        return work(tx)

    def _again(self, work: Callable[[], T], tries: int) -> T:
        for attempt in range(1, tries + 1):
            self._repeated = attempt > 1
            try:
                return work()
            except Again as error:
                if attempt == tries:
                    raise StoreError(
                        f"The campaign store {self.shown} does not answer ({error}).",
                        advice="Nothing is sent that cannot be written down. Start again when the database is back.",
                    ) from error.__cause__
                time.sleep(min(0.05 * 2**attempt, 5.0))
        raise AssertionError("unreachable")

    def check_version(self, found: int) -> None:
        """Refuse a store of a later version.

        Raises:
            StoreError: a newer version of this package has been here.
        """
        if found > schema.VERSION:
            raise StoreError(
                f"The campaign store {self.shown} is of version {found}; this version of mensatek-async knows "
                f"{schema.VERSION}.",
                advice="Use the newer version of mensatek-async that made it.",
            )


class Again(Exception):
    """The connection broke, so a transaction was perhaps committed, perhaps not."""
