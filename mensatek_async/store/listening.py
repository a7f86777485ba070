"""Hearing of other processes' commits in PostgreSQL, on asyncio and trio alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from ..errors import StoreError

if TYPE_CHECKING:
    import psycopg


class Listener:
    """A connection that listens on a channel.

    Args:
        connection: it, outside of any transaction.
        shown: how messages call the store.
    """

    def __init__(self, connection: psycopg.Connection[Any], shown: str) -> None:
        self._connection = connection
        self._shown = shown

    async def heard(self) -> None:
        """Wait until something is committed that wakes the channel.

        Raises:
            StoreError: the connection is lost.
        """
        import psycopg

        server = self._connection.pgconn
        try:
            while not self._drained():
                await anyio.wait_readable(self._connection.fileno())
                server.consume_input()
        except (psycopg.Error, OSError) as error:
            raise StoreError(f"The store {self._shown} is not heard ({type(error).__name__}).") from None

    def _drained(self) -> bool:
        heard = False
        while self._connection.pgconn.notifies() is not None:
            heard = True
        return heard

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
