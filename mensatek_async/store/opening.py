"""Which database a store is: a file of SQLite, or PostgreSQL by its address."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import InvalidRequest
from .database import Database
from .schema import Schema

_NO_PATH = re.compile(r"^\s*\w{2,}:/|://|\bpassword\s*=")


def open_database(store: str | os.PathLike[str], *schemas: Schema) -> Database:
    """Return the store of a path or a PostgreSQL address; nothing is opened yet.

    Args:
        store: the path or the address.
        schemas: the tables that are used.

    Raises:
        InvalidRequest: it is neither.
        ConfigurationError: PostgreSQL was asked for and psycopg is not installed.
    """
    if isinstance(store, str) and store.startswith(("postgresql://", "postgres://")):
        from .postgres import PostgresDatabase

        return PostgresDatabase(store, *schemas)
    if isinstance(store, str) and _NO_PATH.search(store):  # nothing of it is repeated: it may hold a password
        raise InvalidRequest('store is the path of a file, or "postgresql://...".')
    if not isinstance(store, str | os.PathLike) or not os.fspath(store) or store == ":memory:":
        raise InvalidRequest('store is the path of a file that lasts, or "postgresql://...".')
    from .sqlite import SqliteDatabase

    return SqliteDatabase(Path(os.path.expanduser(store)), *schemas)
