"""Bulk sends from files and databases, through the sandbox: every row is texted once or named."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    BrokenRow,
    BulkResult,
    CsvSource,
    InsufficientCredits,
    InvalidFile,
    InvalidRequest,
    Mensatek,
    Recipient,
    RowProblem,
    SqlSource,
    Template,
)
from mensatek_async.sandbox import Sandbox
from mensatek_async.sources.csv_table import CsvTable

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)

TEXT = Template("Hola {nombre}")
PEOPLE = 1200


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Some people, one without a phone, one without a name and one twice."""
    lines = ["Id;Móvil;NOMBRE"]
    lines += [f"{number};6{number:08};Señor {number}" for number in range(2, PEOPLE + 2)]
    lines[10] = "10;;Nadie"
    lines[700] = "700;600000700"
    lines[900] = "900;600000002;Otra vez"
    path = tmp_path / "clientes.csv"
    path.write_text("\n".join(lines), encoding="cp1252")
    return path


BROKEN = [
    RowProblem(11, "the phone is empty"),
    RowProblem(701, "it has no nombre"),
    RowProblem(901, "repeats the phone of an earlier row"),
]


async def test_a_csv_file_is_sent(client: AsyncMensatek, sandbox: Sandbox, people: Path) -> None:
    """Rows that cannot be sent are named by the numbers a spreadsheet shows; through both clients."""
    result = await client.sms.send_bulk(CsvSource(people), TEXT)

    assert sorted(result.invalid, key=lambda problem: problem.row) == BROKEN
    assert (result.accepted, result.rows) == (PEOPLE - 3, PEOPLE)
    assert set(sandbox.counts.values()) == {1}

    def send() -> BulkResult:
        with Mensatek(sender="ACME") as sync_client:
            return sync_client.sms.send_bulk(CsvSource(people), TEXT)

    again = await anyio.to_thread.run_sync(send)
    assert (sorted(again.invalid, key=lambda problem: problem.row), again.accepted) == (BROKEN, PEOPLE - 3)


async def test_rows_may_be_chosen_on_the_way(client: AsyncMensatek, sandbox: Sandbox, people: Path) -> None:
    """A source is an iterable like any other; its rows keep their numbers, those without one are counted."""
    rows = CsvSource(people, fields={"nombre": 3})
    chosen = (row for row in rows if isinstance(row, BrokenRow) or row.row in (2, 3))

    result = await client.sms.send_bulk(chosen, TEXT)

    assert [problem.row for problem in result.invalid] == [11, 701]
    assert sorted(sandbox.counts) == ["34600000002", "34600000003"]
    mixed: list[Any] = ["600000001", BrokenRow(2, "broken"), "nonsense", Recipient("600000004")]
    result = await client.sms.send_bulk([*mixed, BrokenRow(99, "late"), "600000001"], "Hola")
    assert sorted(problem.row for problem in result.invalid) == [2, 3, 6, 99]


async def test_a_field_the_file_does_not_have_stops_before_anything_is_sent(
    client: AsyncMensatek, sandbox: Sandbox, people: Path
) -> None:
    """One error, not one for every row."""
    with pytest.raises(InvalidFile, match=r"clientes\.csv: The text needs \{nombr\} .* Did you mean NOMBRE"):
        await client.sms.send_bulk(CsvSource(people), Template("Hola {nombr}"))
    with pytest.raises(InvalidFile, match="no column fax"):
        await client.sms.send_bulk(CsvSource(people, phone="fax"), TEXT)

    assert not sandbox.counts


@pytest.mark.mensatek_sandbox(credits=3)
async def test_a_send_that_stops_names_the_rest_of_the_file(
    client: AsyncMensatek, sandbox: Sandbox, people: Path
) -> None:
    """Rows nobody looked at any more are named as not sent, the broken ones among them."""
    result = await client.sms.send_bulk(CsvSource(people), TEXT, concurrency=1, chunk_size=2)

    assert isinstance(result.stopped, InsufficientCredits)
    named = {problem.row for problem in result.failed}
    assert named == set(range(2, PEOPLE + 2)) - {2, 3, 4}
    assert result.accepted == len(sandbox.counts) == 3


async def test_a_damaged_file_stops_with_what_was_sent(
    client: AsyncMensatek, sandbox: Sandbox, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows before the damage are sent or named, and the error carries the result."""
    real = CsvTable.rows

    def failing(self: CsvTable) -> Any:
        for row, item in enumerate(real(self), 2):
            if row > 1000:
                raise OSError(5, "Input/output error")
            yield item

    monkeypatch.setattr(CsvTable, "rows", failing)

    with pytest.raises(InvalidFile, match=r"clientes\.csv cannot be read: Input/output error") as error:
        await client.sms.send_bulk(CsvSource(people), TEXT)

    result: BulkResult = error.value.bulk_result  # type: ignore[attr-defined]
    assert result.accepted == len(sandbox.counts) > 0
    assert result.accepted + len(result.failed) + len(result.invalid) == result.rows == 999


# --- databases ---------------------------------------------------------------------------------------------


@pytest.fixture
def table() -> Iterator[sqlite3.Connection]:
    """Some people in a database, every hundredth without a name."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE people (id INTEGER, movil INTEGER, nombre TEXT)")
    rows = ((number, 600_000_000 + number, None if number % 100 == 0 else "Ana") for number in range(1, 1001))
    database.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)
    yield database
    database.close()


async def test_a_query_is_sent(client: AsyncMensatek, sandbox: Sandbox, table: sqlite3.Connection) -> None:
    """Row 1 is the first; a NULL is a missing field. A second send of its cursor would quietly text nobody."""
    source = SqlSource(table.execute("SELECT * FROM people ORDER BY id"))
    result = await client.sms.send_bulk(source, TEXT)

    assert sorted(problem.row for problem in result.invalid) == list(range(100, 1001, 100))
    assert {problem.reason for problem in result.invalid} == {"it has no nombre"}
    assert len(sandbox.counts) == 990
    with pytest.raises(InvalidRequest, match="were read already"):
        await client.sms.send_bulk(source, TEXT)


def test_a_query_is_read_by_the_thread_that_sends(sandbox: Sandbox, table: sqlite3.Connection) -> None:
    """sqlite3 refuses any other thread."""
    with Mensatek(sender="ACME") as client:
        result = client.sms.send_bulk(SqlSource(table.execute("SELECT movil, nombre FROM people")), TEXT)

    assert result.accepted == len(sandbox.counts) == 990
    assert len(result.invalid) == 10


class AsyncCursor:
    """A cursor like psycopg's."""

    description = (("telefono",), ("nombre",))

    def __init__(self, rows: list[tuple[str, str]]) -> None:
        self._rows = rows
        self.threads: set[int] = set()

    async def fetchmany(self, size: int) -> list[tuple[str, str]]:
        self.threads.add(threading.get_ident())
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken


async def test_an_async_cursor_is_awaited(client: AsyncMensatek, sandbox: Sandbox) -> None:
    """In the event loop, where it belongs."""
    cursor = AsyncCursor([(f"6{number:08}", "Ana") for number in range(700)])

    result = await client.sms.send_bulk(SqlSource(cursor), TEXT)

    assert result.accepted == len(sandbox.counts) == 700
    assert cursor.threads == {threading.get_ident()}
