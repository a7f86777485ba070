"""Handing the same event over once, over processes, machines and restarts."""

from __future__ import annotations

import os
from datetime import timedelta
from secrets import token_hex
from time import monotonic

from ..errors import ConfigurationError
from ..store.opening import open_database
from ..store.owner import has_ended, this_process
from ..store.schema import Schema
from ..store.threads import in_thread
from ..store.transaction import Tx
from .dedupe import Standing

WEBHOOKS = Schema(
    suffix=":webhooks",
    steps=[
        [
            """CREATE TABLE IF NOT EXISTS mensatek_webhook (
                key TEXT PRIMARY KEY, done INTEGER NOT NULL, at {real} NOT NULL, process TEXT NOT NULL,
                token TEXT NOT NULL){rowless}""",
            "CREATE INDEX IF NOT EXISTS mensatek_webhook_at ON mensatek_webhook (at)",
        ]
    ],
)
_TRIES = 4  # times that a broken connection is made anew
_PURGE_EVERY = 3600.0  # seconds
_AT_ONCE = 1000  # events that one callback's transaction forgets at most


class StoreDedupe:
    """Remembers events in a store that processes share: each reaches one handler of one process once.

    Give it as `dedupe=` to a webhook's application or `Receiver`, in every process. An event whose handler raised, or
    whose process died, is handed over again when the provider posts it again: at once on the same machine, which
    sees that the process has ended, else after `lease`. Phones and texts are not written down, only `event_key(event)`.

    Args:
        store: the path of a SQLite file, made when it is not there; or "postgresql://..." (extra `postgres`). It may be
            that of campaigns or an outbox.
        seconds: how long an event handled is remembered, seconds or a timedelta; older ones are purged on the way.
        lease: seconds, or a timedelta, that a handler may take; one that takes longer is taken for dead.

    Raises:
        ConfigurationError: a time that makes no sense, or PostgreSQL was asked for and psycopg is not installed.
        InvalidRequest: the store is neither a path nor an address.
    """

    def __init__(
        self,
        store: str | os.PathLike[str],
        *,
        seconds: float | timedelta = 7 * 86_400.0,
        lease: float | timedelta = 300.0,
    ) -> None:
        self._seconds, self._lease = _above_zero(seconds), _above_zero(lease)
        self._db = open_database(store, WEBHOOKS)
        self._db.close_with(self)
        self._tokens: dict[str, str] = {}
        self._purge_at = monotonic()

    async def begin(self, key: str) -> Standing:
        """Return where an event stands; one that is new is taken by this call.

        Args:
            key: what `event_key(event)` gives.

        Raises:
            StoreError: the store does not work.
        """
        token = token_hex(8)
        standing = await in_thread(self._db.write, lambda tx: self._take(tx, key, token), _TRIES)
        if standing is Standing.NEW:
            self._tokens[key] = token
        return standing

    async def finish(self, key: str, handled: bool) -> None:
        """Remember an event as handled, or forget it so that it may come again.

        Args:
            key: what `begin` got.
            handled: whether its handler returned.

        Raises:
            StoreError: the store does not work; the event is handed over again after the lease.
        """
        token = self._tokens.pop(key, "")
        done = "UPDATE mensatek_webhook SET done = 1, at = ? WHERE key = ? AND token = ?"
        gone = "DELETE FROM mensatek_webhook WHERE key = ? AND token = ?"
        await in_thread(
            self._db.write,
            lambda tx: tx.run(done, tx.wall, key, token) if handled else tx.run(gone, key, token),
            _TRIES,
        )

    async def purge(self, older_than: float | timedelta | None = None) -> int:
        """Forget events, and return how many; what is older than `seconds` goes by itself.

        Args:
            older_than: their age, seconds or a timedelta. Default: `seconds`.

        Raises:
            ConfigurationError: the age is not more than 0.
            StoreError: the store does not work.
        """
        age = self._seconds if older_than is None else _above_zero(older_than)
        return await in_thread(self._db.write, lambda tx: self._purge(tx, age, -1))

    async def aclose(self) -> None:
        """Close the store; it is opened again at the next event."""
        await in_thread(self._db.close)

    def _take(self, tx: Tx, key: str, token: str) -> Standing:
        if monotonic() >= self._purge_at:
            left = self._purge(tx, self._seconds, _AT_ONCE) == _AT_ONCE
            self._purge_at = monotonic() + (0.0 if left else _PURGE_EVERY)
        ours = (tx.wall, this_process(), token)
        new = "INSERT INTO mensatek_webhook VALUES (?, 0, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
        if tx.run(new, key, *ours):
            return Standing.NEW
        asked = "SELECT done, at, process, token FROM mensatek_webhook WHERE key = ?" + tx.locking
        done, at, process, holder = tx.one(asked, key) or (0, tx.wall, "", "")
        age = abs(tx.wall - at)  # of one before the clock was set back, too
        if holder == token:  # the connection broke after this was written down
            return Standing.NEW
        if done and age < self._seconds:
            return Standing.DONE
        if not done and age < self._lease and not has_ended(process):
            return Standing.BUSY
        tx.run(
            "UPDATE mensatek_webhook SET done = 0, at = ?, process = ?, token = ? WHERE key = ?", *ours, key
        )
        return Standing.NEW

    def _purge(self, tx: Tx, age: float, most: int) -> int:
        limit = f" LIMIT {most}" if most > 0 else ""
        old = f"SELECT key FROM mensatek_webhook WHERE at < ? AND (done = 1 OR at < ?){limit}"
        dead = tx.wall - max(age, self._lease)
        return tx.run(f"DELETE FROM mensatek_webhook WHERE key IN ({old})", tx.wall - age, dead)

    def __repr__(self) -> str:
        return f"<StoreDedupe {self._db.shown}>"


def _above_zero(value: float | timedelta) -> float:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise ConfigurationError("A time of StoreDedupe is seconds above 0, or a timedelta.")
    return float(seconds)
