"""A store in memory, open in one transaction whose moment a test chooses."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mensatek_async.store.schema import Schema, create_tables
from mensatek_async.store.sqlite import _DIALECT, _Tx


class _Closed(sqlite3.Connection):
    """Closes itself when nobody holds it any more, in whatever thread that comes out."""

    def __del__(self) -> None:
        self.close()


class MemoryTx(_Tx):
    """The transaction.

    Attributes:
        left: how often something was said to leave.
        statements: all that were run.
        meanwhile: what others commit just before a statement with these words.
    """

    locking = " -- locked"
    skipping = " -- passing over the locked"

    def __init__(self, *schemas: Schema, now: float = 100_000.0) -> None:
        super().__init__(sqlite3.connect(":memory:", check_same_thread=False, factory=_Closed), Path())
        self.left = 0
        self.statements: list[str] = []
        self.meanwhile: dict[str, Callable[[], object]] = {}
        create_tables(self, schemas, _DIALECT, "memory")
        self.now = now

    def all(self, sql: str, *values: Any) -> list[Any]:
        self._look(sql)
        return super().all(sql, *values)

    def run(self, sql: str, *values: Any) -> int:
        self._look(sql)
        return super().run(sql, *values)

    def leaves(self) -> None:
        self.left += 1

    def _look(self, sql: str) -> None:
        self.statements.append(sql)
        for words in [words for words in self.meanwhile if words in sql]:
            self.meanwhile.pop(words)()
