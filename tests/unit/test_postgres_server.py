"""The tests' own PostgreSQL."""

from __future__ import annotations

import psycopg
import pytest

from tests.postgres_server import PostgresServer


def test_each_database_is_empty_and_its_own(postgres: PostgresServer, database: str) -> None:
    """What one test writes, another never sees."""
    other = postgres.create()
    postgres.execute("CREATE TABLE mine (one int)", database)

    assert postgres.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'", other) == [(0,)]
    postgres.drop(other)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_what_was_committed_is_there_after_a_restart(
    postgres: PostgresServer, database: str, how: str
) -> None:
    """A stop and a crash end the sessions and keep the rows, on the same port."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (one int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        postgres.restart(how)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")

    assert postgres.execute("SELECT one FROM kept", database) == [(7,)]
