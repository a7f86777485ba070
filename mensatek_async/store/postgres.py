"""A store in PostgreSQL, for several machines."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigurationError, StoreError
from .database import Again, Database
from .listening import Listener
from .location import postgres_address
from .schema import Schema, create_tables
from .transaction import Tx

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

_log = logging.getLogger("mensatek_async.store")

_CONNECTING: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "mensatek-async",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_ASLEEP = 15_000  # milliseconds between two statements of a transaction

_STARTING = 7_105_310_901  # the number of the lock under which one process makes the tables
_DIALECT = {"serial": "BIGSERIAL PRIMARY KEY", "real": "DOUBLE PRECISION", "bytes": "BYTEA", "rowless": ""}
# Somebody is there, who is about to end or only beginning.
_NOT_YET = re.compile(
    r"database system is (?:starting up|shutting down|in recovery|not yet accepting)"
    r"|server closed the connection|Connection reset|terminating connection"
)
# The transaction was rolled back, or its connection lost: shutdowns, dropped backends, deadlocks.
_AGAIN = re.compile(r"08...|57P0[1-5]|25P03|40001|40P01|53300|25006")


class _Tx(Tx):
    locking = " FOR UPDATE"
    skipping = " FOR UPDATE SKIP LOCKED"
    among = " = ANY(string_to_array(?, ','))"

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor
        cursor.execute("BEGIN; SELECT extract(epoch FROM clock_timestamp())::float8", prepare=False)
        cursor.nextset()
        (self.now,) = cursor.fetchone() or (0.0,)
        self.wall = self.now

    def all(self, sql: str, *values: Any) -> list[Any]:
        return self._cursor.execute(_with_percents(sql), values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        return self._cursor.execute(_with_percents(sql), values or None).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._cursor.executemany(_with_percents(sql), rows)

    def listed(self, texts: Sequence[str]) -> str:
        return ",".join(texts)


class PostgresDatabase(Database):
    """One connection, made anew when it breaks; the database's clock is everybody's."""

    clock = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"

    def __init__(self, url: str, *schemas: Schema) -> None:
        super().__init__(*schemas)
        self._connection: psycopg.Connection[Any] | None = None
        self._reached = False
        try:
            import psycopg
        except ImportError:
            raise ConfigurationError(
                "A store in PostgreSQL needs psycopg.",
                advice="pip install 'mensatek-async[postgres]'",
            ) from None
        self._address = postgres_address(url)
        self._errors: type[Exception] = psycopg.Error
        self._broken: tuple[type[Exception], ...] = (psycopg.OperationalError, psycopg.InterfaceError)

    @property
    def shown(self) -> str:
        """Return the address's host and database, without user and password."""
        return self._address.shown

    def is_there(self) -> bool:
        """Return whether the database has tables of ours."""
        asked = "SELECT to_regclass('mensatek_meta') IS NOT NULL"
        return bool(self._again(lambda: self.attempt(lambda tx: tx.one(asked)[0], write=False), 4))

    def attempt(self, work: Callable[[Tx], T], *, write: bool) -> T:
        """Run work in one transaction and commit it."""
        import psycopg

        try:
            connection = self._open()
            with connection.cursor() as cursor:
                try:
                    tx = _Tx(cursor)
                    tx.repeated = self._repeated
                    done = work(tx)
                    cursor.execute("COMMIT", prepare=False)
                except BaseException:
                    with suppress(psycopg.Error):
                        connection.execute("ROLLBACK")
                    raise
                return done
        except psycopg.Error as error:
            trouble = self._error_of(error)
        raise trouble  # alone: the driver's own words may hold what nobody should see

    def prepare(self) -> None:
        """Create or migrate the tables, one process at a time."""

        def create(tx: Tx) -> None:
            tx.all("SELECT pg_advisory_xact_lock(?)", _STARTING)
            create_tables(tx, self.schemas, _DIALECT, self.shown)

        self.attempt(create, write=True)

    def wipe(self) -> bool:
        """Have the server free what was deleted; what it keeps of that in its own log and backups is its owner's."""
        import psycopg

        found = self.read(
            lambda tx: tx.all(
                "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = ANY(current_schemas(false)) "
                "AND starts_with(tablename, 'mensatek_')"
            )
        )
        try:
            # On a connection of its own: it fails in a transaction, which somebody else may have begun on the other.
            with psycopg.connect(
                autocommit=True, **{**_CONNECTING, **self._address.parameters}
            ) as connection:
                for (table,) in found:
                    connection.execute(f"VACUUM {table}".encode())
        except psycopg.Error as error:
            _log.warning("The store %s cannot be vacuumed now: %s.", self.shown, type(error).__name__)
            return False
        return True

    def waking(self, channel: str) -> str:
        """Return what an INSERT ends with so that its commit wakes whoever listens."""
        return f" RETURNING pg_notify('{channel}', '')"

    def listen(self, channel: str) -> Listener:
        """Return what hears commits that wake a channel, on a connection of its own."""
        import psycopg

        try:
            connection = psycopg.connect(autocommit=True, **{**_CONNECTING, **self._address.parameters})
            connection.execute(f"LISTEN {channel}".encode())
        except psycopg.Error as error:
            trouble = self._refused(error)
        else:
            return Listener(connection, self.shown)
        raise trouble

    def abandon(self) -> psycopg.Connection[Any] | None:
        """Forget a parent's connection; closing it here would end the parent's."""
        connection, self._connection = self._connection, None
        return connection

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._ready = False
            self._disconnect()

    def _disconnect(self) -> None:
        connection = self.abandon()
        if connection is not None:
            with suppress(self._errors):
                connection.close()

    def _open(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            import psycopg

            given = {**_CONNECTING, **self._address.parameters}
            self._connection = psycopg.connect(autocommit=True, **given)
            # Whoever falls asleep in a transaction must not hold up all others.
            self._connection.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false)", (str(_ASLEEP),)
            )
            # A commit that is reported is on the disk, whatever the server's default says.
            self._connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
            )
            self._reached = True
        return self._connection

    def _error_of(self, error: psycopg.Error) -> Exception:
        if not self._reached and not _NOT_YET.search(str(error)):
            return self._refused(error)  # it never worked: waiting would hide a wrong address
        state = getattr(error, "sqlstate", None)
        lost = self._connection is None or self._connection.closed or self._connection.broken
        if (isinstance(error, self._broken) and (lost or state is None)) or _AGAIN.fullmatch(state or ""):
            self._disconnect()
            barred = state is None and "password authentication failed" in str(error)
            if not barred and state not in ("28P01", "28000", "3D000"):
                return Again(type(error).__name__)
        return self._refused(error)

    def _refused(self, error: psycopg.Error) -> StoreError:
        state = getattr(error, "sqlstate", None)
        kind = type(error).__name__
        why = f"{kind}, SQLSTATE {state}" if state else kind
        why = next((ours for theirs, ours in _WORDS if re.search(theirs, str(error))), why)
        return StoreError(
            f"The store {self.shown} does not work: {why}.",
            advice="Nothing is sent that cannot be written down.",
        )


# The driver's and the server's words are only looked at: an address, a password or a phone may stand in them.
_WORDS = (
    (r"authentication|no password supplied|pg_hba\.conf|role \".*\" does not exist", "the login is refused"),
    (r"database \".*\" does not exist", "the server has no database of this name"),
    (r"translate host|resolve host|not known", "its host is not known"),
    (r"Connection refused|timeout|timed out|unreachable|No such file", "nobody answers at its address"),
    (r"SSL|certificate", "no encrypted connection comes about"),
    (r"connection option|invalid .* value|invalid integer", "a parameter of its address is not right"),
    (r"too many clients|connection slots", "the server has no connection left"),
)


@lru_cache
def _with_percents(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()
