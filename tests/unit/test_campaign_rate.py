"""The shared rate: one row that all processes book their places in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async.store import rate
from mensatek_async.store.database import Tx
from mensatek_async.store.sqlite import SqliteDatabase


class Clocked(Tx):
    """A transaction at a moment of the test's choice, on a row in memory."""

    def __init__(self) -> None:
        self.now = self.wall = 100_000.0
        self.row = [0.0, 0.0, 0.0]

    def all(self, sql: str, *values: object) -> list[object]:
        return [tuple(self.row)]

    def run(self, sql: str, *values: object) -> int:
        names = ["tat", "hold_until", "seen_at"]
        fixed = {"hold_until": 0.0} if "hold_until = 0" in sql else {}
        given = dict(zip([name for name in names if f"{name} = ?" in sql], values, strict=True)) | fixed
        self.row = [float(str(given.get(name, self.row[at]))) for at, name in enumerate(names)]
        return 1

    def many(self, sql: str, rows: object) -> None:
        raise AssertionError


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """A store."""
    found = SqliteDatabase(tmp_path / "c.db")
    yield found
    found.close()


def test_places_follow_each_other(db: SqliteDatabase) -> None:
    """Each booking waits for those before it; the row outlives the transaction."""
    waits = [db.write(lambda tx: rate.book(tx, 10.0)) for _ in range(3)]

    assert waits == pytest.approx([0, 10, 20], abs=0.5)
    assert db.write(rate.waits) == pytest.approx(29, abs=0.5)


def test_everybody_is_held(db: SqliteDatabase) -> None:
    """After "slow down" nobody claims before its time."""
    assert db.write(rate.held) == 0
    db.write(lambda tx: rate.hold(tx, 5.0))

    assert db.write(rate.held) == pytest.approx(5, abs=0.5)
    assert db.write(lambda tx: rate.book(tx, 1.0)) == pytest.approx(5, abs=0.5)


def test_a_short_hold_does_not_end_a_long_one() -> None:
    """Two answers told different times."""
    tx = Clocked()
    rate.hold(tx, 30.0)
    rate.hold(tx, 5.0)

    assert rate.held(tx) == 30.0


def test_a_clock_set_back_begins_anew() -> None:
    """Nobody waits an hour because the machine's clock went back one."""
    tx = Clocked()
    rate.book(tx, 2.0)
    rate.hold(tx, 60.0)
    tx.now -= 3600

    assert rate.waits(tx) == 0
    assert rate.held(tx) == 0
    assert rate.book(tx, 1.0) == 0


def test_time_not_used_is_not_saved_up() -> None:
    """After a pause there is no burst."""
    tx = Clocked()
    rate.book(tx, 1.0)
    tx.now += 1000

    assert [rate.book(tx, 1.0) for _ in range(3)] == [0, 1, 2]


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 3)), min_size=1, max_size=60))
def test_never_more_than_the_rate(calls: list[tuple[float, float]]) -> None:
    """Whenever bookings come: no two leave closer together than the first one's cost."""
    tx = Clocked()
    leaves: list[float] = []
    costs: list[float] = []
    for later, cost in calls:
        tx.now += later
        leaves.append(tx.now + rate.book(tx, cost))
        costs.append(cost)

    for at in range(1, len(leaves)):
        assert leaves[at] - leaves[at - 1] >= costs[at - 1] - 1e-6
