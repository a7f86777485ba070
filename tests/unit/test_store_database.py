"""What every store does, whichever database keeps it: here one whose transactions end as a test says."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from mensatek_async import StoreError
from mensatek_async.store import database
from mensatek_async.store.database import Again, Database, note_deletion
from mensatek_async.store.schema import Schema
from mensatek_async.store.transaction import Tx
from tests.memory_store import MemoryTx

TABLES = Schema("", (("CREATE TABLE mensatek_t (id INTEGER PRIMARY KEY, name TEXT)",),))
OTHERS = Schema(":others", (("CREATE TABLE mensatek_o (id INTEGER)",),))


class Scripted(Database):
    """A store in memory.

    Attributes:
        ends: errors with which the next transactions end, after their work was done.
        seen: of every transaction, whether it writes and whether it was tried before.
        done: what else was asked of it.
    """

    clock = ""
    there = True

    def __init__(self, *ends: Exception, tables: tuple[Schema, ...] = (TABLES,)) -> None:
        super().__init__(*tables)
        self.tx = MemoryTx(TABLES)
        self.ends = list(ends)
        self.seen: list[tuple[bool, bool]] = []
        self.done: list[str] = []
        self.wiped = True

    @property
    def shown(self) -> str:
        return "'s.db'"

    def attempt(self, work: Callable[[Tx], Any], *, write: bool) -> Any:
        self.seen.append((write, self._repeated))
        done = work(self.tx)
        if self.ends:
            raise self.ends.pop(0)
        return done

    def is_there(self) -> bool:
        return self.there

    def prepare(self) -> None:
        self.done.append("prepare")

    def abandon(self) -> object:
        self.done.append("abandon")
        return self.tx

    def wipe(self) -> bool:
        self.done.append("wipe")
        return self.wiped

    def close(self) -> None:
        self.done.append("close")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every sleep, which takes none."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def test_a_broken_connection_is_made_anew(slept: list[float]) -> None:
    """Ten times, with growing breaks; the work learns that it may have been done before; the next one is new again."""
    store = Scripted(*[Again("lost")] * 9)
    assert store.write(lambda tx: 5) == 5
    assert store.seen == [(True, False), *[(True, True)] * 9]
    assert slept == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5])
    assert store.read(lambda tx: 6) == 6
    assert store.write(lambda tx: 7) == 7
    assert store.seen[10:] == [(False, False), (True, False)]
    assert store.done == ["prepare"]


def test_a_database_that_does_not_come_back(slept: list[float]) -> None:
    """Said after the tenth try, by whom it may not be read; every other error at once."""
    cause = OSError("down")
    gone = Again("lost")
    gone.__cause__ = cause
    store = Scripted(*[gone] * 10)
    with pytest.raises(StoreError, match=r"The store 's.db' does not answer \(lost\)\.") as caught:
        store.read(lambda tx: 5)
    assert caught.value.__cause__ is cause
    assert caught.value.advice.startswith("Nothing is sent that cannot be written down.")
    assert (len(slept), store.done) == (9, [])
    with pytest.raises(StoreError, match="full"):
        Scripted(StoreError("full")).write(lambda tx: 5)
    for attempt in (Scripted.read, Scripted.write):
        with pytest.raises(StoreError, match="does not answer"):
            attempt(Scripted(Again("lost")), lambda tx: 5, 1)
    assert len(slept) == 9
    with pytest.raises(StoreError, match="does not answer"):
        Scripted(*[gone] * 10).write(lambda tx: 5)


def test_others_go_on_between_two_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the database holds up no other thread, and whoever is in it does."""
    store = Scripted(Again("lost"))
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(time, "sleep", lambda _: pool.submit(store.read, lambda tx: 1).result(5))
        assert store.write(lambda tx: 2) == 2
        assert [write for write, _ in store.seen] == [True, False, True]
        with pytest.raises(TimeoutError):
            store.read(lambda tx: pool.submit(store.read, lambda tx: 3).result(0.05))


def test_reading_prepares_nothing_and_looks_at_the_versions_once() -> None:
    """A store that a newer version has written is not read; one that was prepared was looked at."""
    store = Scripted()
    store.tx.statements.clear()
    for _ in range(2):
        assert store.read(lambda tx: 1) == 1
    assert (store.done, len(store.tx.statements)) == ([], 1)
    newer = Scripted()
    newer.tx.run("UPDATE mensatek_meta SET value = '2' WHERE name = 'schema'")
    with pytest.raises(
        StoreError, match=r"store 's\.db' is of version 2; this version of mensatek-async knows 1"
    ):
        newer.read(lambda tx: 1)
    assert newer.write(lambda tx: 1) == newer.read(lambda tx: 1) == 1


def test_a_store_is_there_with_the_tables_of_all_its_users() -> None:
    store, both, gone = Scripted(), Scripted(tables=(TABLES, OTHERS)), Scripted()
    gone.there = False
    assert [one.exists() for one in (store, both, gone)] == [True, False, False]
    assert gone.seen == []


@pytest.mark.parametrize(
    ("noted", "wiped", "done", "left"), [(0, 1, [], 0), (1, 1, ["wipe"], 0), (1, 0, ["wipe"], 1)]
)
def test_what_was_deleted_is_wiped_once(noted: int, wiped: int, done: list[str], left: int) -> None:
    """Only where something was; again where others used the store."""
    store = Scripted()
    store.wiped = bool(wiped)
    for _ in range(2 * noted):
        store.write(note_deletion)
    store.compact()
    assert [one for one in store.done if one != "prepare"] == done
    assert store.tx.one("SELECT count(*) FROM mensatek_meta WHERE name = 'deleted'") == (left,)


def test_rows_of_any_number_are_read_a_part_at_a_time() -> None:
    store = Scripted()
    names = [(-5, "a"), (0, "b"), (1, "a"), (7, "a"), (8, "a")]
    store.write(lambda tx: tx.many("INSERT INTO mensatek_t VALUES (?, ?)", names))
    pages = store.pages("SELECT id FROM mensatek_t WHERE name = ? AND id > ? ORDER BY id LIMIT 3", "a")
    assert list(pages) == [[(-5,), (1,), (7,)], [(8,)]]


def test_after_a_fork_nothing_of_the_parent_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is kept as it is, for ever, and a lock that one of its threads held is not waited for."""
    monkeypatch.setattr(database, "_abandoned", [])
    store = Scripted()
    store.write(lambda tx: 1)
    holder = Thread(target=store._lock.acquire)
    holder.start()
    holder.join()
    with ThreadPoolExecutor(1) as pool:
        process = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: process + 1)
        assert pool.submit(store.write, lambda tx: 2).result(5) == 2
        store.take_part()
    assert store.done == ["prepare", "abandon", "prepare"]
    assert database._abandoned == [store.tx]
    monkeypatch.setattr(os, "getpid", lambda: process + 2)
    store.take_part()
    assert store.done[3:] == ["abandon"]


@pytest.mark.parametrize(("moved", "done"), [(0, ["close"]), (1, [])])
def test_a_store_is_closed_with_its_user(
    moved: int, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not in a process that was forked with it."""

    class User:
        pass

    store, user = Scripted(), User()
    store.close_with(user)
    gc.collect()
    assert store.done == []
    process = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: process + moved)
    del user
    gc.collect()
    assert store.done == done


@pytest.mark.parametrize(("claims", "prepared"), [(True, 1), (False, 2)])
def test_who_begins_to_make_claims_frees_what_the_dead_had(claims: bool, prepared: int) -> None:
    """With the next write, unless that was done already."""
    store = Scripted()
    store.claims = claims
    store.write(lambda tx: 1)
    store.take_part()
    store.write(lambda tx: 1)
    store.take_part()
    store.write(lambda tx: 1)
    assert (store.done, store.claims) == (["prepare"] * prepared, True)


def test_what_a_database_does_not_offer() -> None:
    """Nobody is woken, no file is its own, nobody else's process stops it, and no commit is counted."""
    store = Scripted()
    assert (store.waking("x"), store.listen("x"), store.owns(Path("s.db"))) == ("", None, False)
    assert (Tx.stopped_writer(store.tx), Tx.leaves(store.tx)) == (0, None)  # type: ignore[func-returns-value]
