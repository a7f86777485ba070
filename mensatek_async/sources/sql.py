"""Recipients from a database: the rows of a cursor that has executed its query."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from inspect import isawaitable, iscoroutine
from typing import Any, ClassVar

from ..errors import InvalidRequest
from ..models.recipient import Recipient
from .batches import Batches, RecipientSource
from .reading import Fields, Reading, assign_columns, checked_fields, checked_phone
from .rows import BrokenRow, Row, Table
from .values import as_text

_FETCHED = 1000  # rows asked for at a time where nobody says how many


class _Query(Table):
    """What a cursor gives, in text."""

    phone = -1  # the position of its column
    no_phone = "the phone is empty"
    exact = False

    def __init__(self, cursor: Any) -> None:
        described = getattr(cursor, "description", None)
        if not described or not callable(getattr(cursor, "fetchmany", None)):
            raise InvalidRequest(
                "SqlSource needs a cursor with rows to give.",
                advice="Execute a SELECT on it first; it is a DB-API cursor, with description and fetchmany.",
            )
        self.cursor = cursor
        self._read = 0
        self._begun = False
        self.columns = tuple(str(column[0]) for column in described)

    def begin(self) -> None:
        if self._begun:
            raise InvalidRequest(
                "The rows of this cursor were read already.",
                advice="Execute the query again for another send.",
            )
        self._begun = True

    def take(self, fetched: Sequence[Any]) -> Iterator[Row | BrokenRow]:
        """Number them, and make text of their cells."""
        for given in fetched:
            self._read += 1
            try:
                yield self._read, self._cells(given)
            except InvalidRequest:
                raise
            except Exception as error:  # a driver's own types may raise anything, and cost their own row only
                reason = f"a value in it cannot be written as a text ({type(error).__name__})"
                yield BrokenRow(self._read, reason)

    def rows(self) -> Iterator[Row | BrokenRow]:
        self.begin()
        while True:
            fetched = self.cursor.fetchmany(_FETCHED)
            if isawaitable(fetched):
                if iscoroutine(fetched):
                    fetched.close()
                raise InvalidRequest(
                    "The rows of an async cursor cannot be read by ordinary code.",
                    advice="Give it to a bulk send of AsyncMensatek.",
                )
            if not fetched:
                return
            yield from self.take(fetched)

    def _cells(self, given: Any) -> list[str | None]:
        values: list[Any] = []
        if isinstance(given, Mapping):
            values = [given.get(name) for name in self.columns]
        elif isinstance(given, Iterable) and not isinstance(given, str | bytes):
            values = list(given)
        if len(values) != len(self.columns):
            raise InvalidRequest(
                "The cursor's rows are neither sequences of cells nor mappings.",
                advice="Use the driver's ordinary rows.",
            )
        phone = values[self.phone]
        if isinstance(phone, Decimal) and phone.is_finite():
            values[self.phone] = int(phone)  # from a NUMERIC(20, 2)
        return [_cell(value) for value in values]


class SqlSource(RecipientSource):
    """Recipients from a database: every row of a query, row 1 being the first.

    The rows are fetched in batches by the thread that sends, since sqlite3 and others refuse any other: with an
    async client a slow database is better read through an async cursor, such as psycopg's. What is NULL is a field
    the recipient does not have. Numbers and dates become text as people write them: `08/01/2027`, `12.50`.

    Args:
        cursor: a DB-API cursor after its `execute`, such as one of sqlite3, psycopg or mysqlclient; or one whose
            `fetchmany` is async. Its rows can be read once.
        phone: the phone's column, by its name or number from 1; None finds it by its name, such as "movil" or "phone".
        fields: the fields of each recipient: the names of columns, or field by field the name or number of its
            column; None is every other column.

    Raises:
        InvalidRequest: the cursor has no rows to give, or there is no such column.
    """

    callers_thread: ClassVar[bool] = True

    def __init__(self, cursor: Any, *, phone: str | int | None = None, fields: Fields = None) -> None:
        self._query = _Query(cursor)
        self._fields = checked_fields(fields)
        only = 1 if len(self._query.columns) == 1 else None
        self._phone = checked_phone(phone) or only
        self._query.phone = self._reading(None).phone  # a column that is not there is an error at once

    def rows(self, needed: Sequence[str] | None = None) -> Iterator[Recipient | BrokenRow]:
        """Read every row in order, in the thread that asks. Iterating over the source does the same.

        Args:
            needed: the names of the text's fields, which are then all that is read; None when the text is not known.

        Returns:
            For each row a recipient with its fields, or why it is none.

        Raises:
            InvalidRequest: the rows were read before, or a column is missing.
        """
        return iter(self._reading(needed))

    def batches(self, needed: Sequence[str] | None = None) -> Batches:
        """Give the rows for a send, fetched in the thread that asks."""
        return _CursorBatches(self._query, self._reading(needed))

    def field_names(self) -> Sequence[str]:
        """Return the names of the fields its recipients can have."""
        return self._reading(None).names

    def describe(self) -> str:
        """Return what it is, for messages."""
        return "SQL query"

    def __repr__(self) -> str:
        return f"<SqlSource of {len(self._query.columns)} columns>"

    def _reading(self, needed: Sequence[str] | None) -> Reading:
        return assign_columns(self._query, needed, self._phone, fields=self._fields)


class _CursorBatches(Batches):
    """A cursor's rows, fetched where they are asked for."""

    def __init__(self, query: _Query, reading: Reading) -> None:
        self._query = query
        self._reading = reading
        query.begin()

    async def read(self, most: int) -> list[Recipient | BrokenRow]:
        fetched = self._query.cursor.fetchmany(most)
        rows: Sequence[Any] = await fetched if isinstance(fetched, Awaitable) else fetched
        taken = self._query.take(rows)
        return [row if isinstance(row, BrokenRow) else self._reading.recipient(*row) for row in taken]


def _cell(value: object) -> str | None:
    """A cell as text; None for what is not there."""
    if value is None or value != value:  # NULL, NaN
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return as_text(value)
