"""The proxy of the fault suite cuts where it says."""

from __future__ import annotations

import psycopg
import pytest

from tests.faults.cutting_proxy import CuttingProxy
from tests.postgres_server import PostgresServer


@pytest.mark.parametrize("carried_out", [False, True])
def test_the_chosen_commit_is_cut_before_or_after_it_took_effect(
    postgres: PostgresServer, database: str, carried_out: bool
) -> None:
    """The first transaction is left alone; of the second nobody tells the client, and only "after" keeps it."""
    postgres.execute("CREATE TABLE kept (one int)", database)
    with CuttingProxy(database, 2, carried_out=carried_out) as proxy:
        connection = psycopg.connect(proxy.url, autocommit=True)
        with connection.transaction():
            connection.execute("INSERT INTO kept VALUES (1)")
        with pytest.raises(psycopg.OperationalError), connection.transaction():
            connection.execute("INSERT INTO kept VALUES (2)")
        connection.close()
        assert (proxy.cut, proxy.commits) == (1, 2)

    kept = postgres.execute("SELECT one FROM kept ORDER BY one", database)
    assert kept == ([(1,), (2,)] if carried_out else [(1,)])
