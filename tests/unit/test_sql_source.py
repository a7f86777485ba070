"""SqlSource: whatever a database driver gives becomes text as people write it, and mistakes are told at once."""

from __future__ import annotations

import asyncio
import datetime
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from mensatek_async import BrokenRow, InvalidRequest, Recipient, SqlSource


@pytest.fixture
def lite() -> Iterator[sqlite3.Connection]:
    """An empty one."""
    opened = sqlite3.connect(":memory:")
    yield opened
    opened.close()


class Cursor:
    """A cursor that gives what it is told to, as some driver would."""

    def __init__(self, columns: str, *rows: Any) -> None:
        self.description = [(name, None) for name in columns.split()]
        self._rows = list(rows)
        self.asked: list[int] = []

    def fetchmany(self, size: int) -> list[Any]:
        self.asked.append(size)
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((value, text) for value, text in ((" Ana ", "Ana"), ("", ""), (3, "3"), (3.0, "3"), (3.5, "3.5"))),
        *((True, "true"), (Decimal("12.50"), "12.50"), (Decimal("1E+3"), "1000")),
        (datetime.date(2027, 1, 8), "08/01/2027"),
        (datetime.datetime(2027, 1, 8, 9, 5), "08/01/2027 09:05"),
        (datetime.datetime(2027, 1, 8, tzinfo=datetime.UTC), "08/01/2027"),
        (datetime.time(9, 5), "09:05"),
        *((["a", 1], '["a", 1]'), ({"a": "ñ"}, '{"a": "ñ"}'), ("ñ".encode(), "ñ"), (memoryview(b"a"), "a")),
        *((missing, None) for missing in (None, float("nan"), Decimal("nan"), b"\xff", "a\0b")),
    ],
    ids=lambda value: "memoryview" if isinstance(value, memoryview) else repr(value),
)
def test_values_become_text(value: object, text: str | None) -> None:
    """As people write them in Spain; what is not there, or no text, is no field; a phone may be a number of any
    kind."""
    for phone in (600000001, Decimal("600000001"), Decimal("600000001.00"), 600000001.0, b"600000001"):
        (row,) = SqlSource(Cursor("tel x", (phone, value)))
        assert isinstance(row, Recipient)
        assert (row.phone, row.fields.get("x")) == ("600000001", text)


def test_rows_of_every_shape_are_read(lite: sqlite3.Connection) -> None:
    """Tuples, lists, mappings such as DictCursor's, and sqlite3.Row; others are told, such as objects of one's own."""
    lite.row_factory = sqlite3.Row
    rows: list[Any] = [("600000001", "Ana"), ["600000001", "Ana"], {"n": "Ana", "tel": "600000001"}]
    for cursor in [
        *(Cursor("tel n", row) for row in rows),
        lite.execute("SELECT 600000001 AS tel, 'Ana' AS n"),
    ]:
        assert list(SqlSource(cursor)) == [Recipient("600000001", {"n": "Ana"}, row=1)]
    for row in (object(), ("600000001",), "600"):
        with pytest.raises(InvalidRequest, match="neither sequences of cells nor mappings"):
            list(SqlSource(Cursor("tel n x", row)))


def test_what_is_null_is_not_there(lite: sqlite3.Connection) -> None:
    """A row without a phone is broken and keeps its place; a text that needs a field cannot be written without it."""
    phones = "SELECT 600000001 AS movil, 'a' AS n UNION ALL SELECT NULL, 'b' UNION ALL SELECT '', 'c'"
    assert list(SqlSource(lite.execute(phones))) == [
        Recipient("600000001", {"n": "a"}, row=1),
        BrokenRow(2, "the phone is empty"),
        BrokenRow(3, "the phone is empty"),
    ]
    fields = "SELECT 600000001 AS movil, NULL AS n, NULL AS m"
    assert list(SqlSource(lite.execute(fields))) == [Recipient("600000001", {}, row=1)]
    assert list(SqlSource(lite.execute(fields)).rows(["N"])) == [BrokenRow(1, "it has no N", "600000001")]


def test_columns_are_chosen_as_in_files(lite: sqlite3.Connection) -> None:
    """By name or number, and fields under other names."""
    query = "SELECT 'Ana' AS nombre, 600000001 AS contacto, 5 AS edad"
    for options, fields in (
        ({"phone": "CONTACTO", "fields": {"n": "Nombre", "years": 3}}, {"n": "Ana", "years": "5"}),
        ({"phone": 2}, {"nombre": "Ana", "edad": "5"}),
    ):
        source = SqlSource(lite.execute(query), **options)  # type: ignore[arg-type]
        assert list(source) == [Recipient("600000001", fields, row=1)]
    assert list(SqlSource(lite.execute("SELECT 600000001 AS x"))) == [Recipient("600000001", {}, row=1)]


def test_mistakes_are_told_at_once(lite: sqlite3.Connection) -> None:
    """The columns are known before the first row; a cursor has to have executed something that gives rows."""
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("SELECT 1 AS a, 2 AS b", {}, r"No column looks like the phone.*The columns are: a, b\."),
        ("SELECT 1 AS a, 2 AS b", {"phone": "c"}, "no column c"),
        ("SELECT 1 AS tel", {"fields": {"x": "y"}}, r"needs \{x\} from the column y"),
        ("CREATE TABLE t (a)", {}, "Execute a SELECT on it first"),
    ]
    for query, options, told in wrong:
        with pytest.raises(InvalidRequest, match=told):
            SqlSource(lite.execute(query), **options)
    for cursor in (lite.cursor(), object()):
        with pytest.raises(InvalidRequest, match="Execute a SELECT on it first"):
            SqlSource(cursor)


def test_rows_are_fetched_a_few_at_a_time() -> None:
    """However many there are, and once: the second time there would be nobody. No log shows anything of the query."""
    cursor = Cursor("tel n", *[(f"6{number:08}", "Ana") for number in range(2500)])
    source = SqlSource(cursor)

    assert [row.row for row in source] == list(range(1, 2501))
    assert cursor.asked == [1000] * 4
    assert (repr(source), source.describe()) == ("<SqlSource of 2 columns>", "SQL query")
    assert source.fingerprint() is None
    with pytest.raises(InvalidRequest, match="Execute the query again"):
        list(source)


def test_an_async_cursor_is_not_for_ordinary_code() -> None:
    """And nothing is left un-awaited."""

    class Async(Cursor):
        async def fetchmany(self, size: int) -> list[Any]:  # type: ignore[override]
            return super().fetchmany(size)

    with pytest.raises(InvalidRequest, match="async cursor"):
        list(SqlSource(Async("tel", ("600000001",))))


QUERY = "SELECT 600000000 + n AS movil, 'Ana' AS nombre, 1.50 AS euros FROM generate_series(1, 1500) AS n"
LAST = Recipient("600001500", {"nombre": "Ana", "euros": "1.50"}, row=1500)


def test_psycopgs_cursors_are_read(database: str) -> None:
    """The ordinary one, the one that stays on the server, and the asynchronous one."""
    with psycopg.connect(database) as connection:
        assert list(SqlSource(connection.execute(QUERY)))[-1] == LAST
        with connection.cursor("on_the_server") as cursor:
            cursor.execute(QUERY)
            assert list(SqlSource(cursor))[-1] == LAST

    async def read() -> list[Recipient | BrokenRow]:
        async with await psycopg.AsyncConnection.connect(database) as connection:
            batches = SqlSource(await connection.execute(QUERY)).batches(["nombre", "euros"])
            rows: list[Recipient | BrokenRow] = []
            while further := await batches.read(400):
                rows += further
            return rows

    assert asyncio.run(read())[-1] == LAST
