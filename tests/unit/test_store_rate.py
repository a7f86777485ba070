"""The rate that everybody who uses a store shares."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import AsyncMensatek, Campaigns, Outbox
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.outbox.schema import OUTBOX
from mensatek_async.sandbox import Fault, Sandbox
from mensatek_async.store import rate
from mensatek_async.store.opening import open_database
from mensatek_async.store.schema import Schema
from mensatek_async.store.sqlite import SqliteDatabase
from tests.memory_store import MemoryTx
from tests.sandbox_calls import phones

RATE = Schema("", (rate.TABLES,))


def tat(tx: MemoryTx) -> float:
    """When the next place is."""
    return float(tx.one("SELECT tat FROM mensatek_rate")[0])


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """A store."""
    found = SqliteDatabase(tmp_path / "c.db", CAMPAIGNS)
    yield found
    found.close()


def test_places_follow_each_other_and_a_hold_holds_everybody(db: SqliteDatabase) -> None:
    """Each booking waits for those before it; the row outlives the transaction; after "slow down" nobody claims."""
    waits = [db.write(lambda tx: rate.book(tx, 10.0)) for _ in range(3)]
    assert waits == pytest.approx([0, 10, 20], abs=0.5)
    assert db.write(rate.waits) == pytest.approx(29, abs=0.5)

    assert db.write(rate.standing) == rate.Standing(0.0, False)
    db.write(lambda tx: rate.hold(tx, 50.0))
    assert db.write(rate.standing).held == pytest.approx(50, abs=0.5)
    assert db.write(lambda tx: rate.book(tx, 1.0)) == pytest.approx(50, abs=0.5)


def test_holds_and_clocks() -> None:
    """A short hold does not end a long one; nobody waits an hour because the machine's clock went back one; and after
    a pause there is no burst."""
    tx = MemoryTx(RATE)
    rate.book(tx, 2.0)
    rate.hold(tx, 30.0)
    rate.hold(tx, 5.0)
    assert rate.standing(tx).held == 30.0

    tx.now -= 3600
    assert (rate.waits(tx), rate.standing(tx).held, rate.book(tx, 1.0)) == (0, 0, 0)
    tx.now += 1000
    assert [rate.book(tx, 1.0) for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("allowed", [2, 20, 100])
def test_several_processes_find_the_rate_that_the_provider_allows(
    allowed: int, retry_after: float | None
) -> None:
    """24 in flight, of as many processes as you like: they use most of what is allowed, and little is refused."""
    tx, start = MemoryTx(RATE), 100_000.0
    taken: list[float] = []
    refused = 0
    queue = [
        (start, slot, False) for slot in range(3)
    ]  # when a slot acts, and whether its request leaves then
    while queue[0][0] < start + 60:
        tx.now, slot, leaves = heapq.heappop(queue)
        standing = rate.standing(tx)
        again = standing.held or (rate.waits(tx) if standing.learnt else 0.0)
        if leaves:
            if sum(1 for at in reversed(taken[-allowed:]) if int(at) == int(tx.now)) < allowed:
                taken.append(tx.now)
                if len(queue) < 23:
                    heapq.heappush(queue, (tx.now, len(queue) + 10, False))
            else:
                refused += 1
                rate.refused(tx, retry_after, lambda seconds: sum(1 for at in taken if at > tx.now - seconds))
            heapq.heappush(queue, (tx.now + 0.001, slot, False))
        elif again:
            heapq.heappush(queue, (tx.now + min(again, 0.1), slot, False))
        else:
            wait = rate.book(tx, 0.0) if standing.learnt else 0.0
            heapq.heappush(queue, (tx.now + wait + 0.05, slot, True))

    assert len(taken) >= 0.85 * allowed * 60
    assert refused <= 0.05 * (len(taken) + refused)
    tx.now = start + 3600
    assert not rate.standing(tx).learnt  # what was long ago is forgotten


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 3)), min_size=1, max_size=60))
def test_never_more_than_the_rate(calls: list[tuple[float, float]]) -> None:
    """Whenever bookings come: no two leave closer together than the first one's cost."""
    tx = MemoryTx(RATE)
    leaves: list[float] = []
    costs: list[float] = []
    for later, cost in calls:
        tx.now += later
        leaves.append(tx.now + rate.book(tx, cost))
        costs.append(cost)

    for at in range(1, len(leaves)):
        assert leaves[at] - leaves[at - 1] >= costs[at - 1] - 1e-6


@pytest.mark.mensatek_sandbox(strict=True)
@pytest.mark.parametrize("durable", ["campaign", "outbox"])
async def test_whoever_sends_keeps_to_what_a_refusal_taught(
    store: str, durable: str, client: AsyncMensatek, sandbox: Sandbox
) -> None:
    """After a 429 in the middle the store holds a rate for all, each request takes a place in it, and all are sent."""
    sandbox.fault(Fault.http_status(429), after=2, times=1)
    if durable == "campaign":
        async with Campaigns(client, store, poll=0.05) as campaigns:
            campaign = await campaigns.start("c", "Hola", phones(8), chunk_size=2)
            assert (await campaign.complete()).sent == 8
    else:
        async with Outbox(client, store) as outbox:
            for key, phone in enumerate(phones(6)):
                await outbox.put(str(key), phone, "Hola")
            assert (await outbox.drain())["sent"] == 6

    database = open_database(store, CAMPAIGNS if durable == "campaign" else OUTBOX)
    try:
        assert database.write(rate.standing).learnt
        assert database.write(lambda tx: tx.one("SELECT tat FROM mensatek_rate"))[0] > 0
    finally:
        database.close()


def test_how_far_ahead_the_next_place_is() -> None:
    """A chunk may be claimed a second before it; to look, and to ask how it stands, locks and changes nothing."""
    tx = MemoryTx(RATE)
    assert rate.ahead(tx) == (0.0, 0.0)
    assert rate.book(tx, 10.0) == 0.0
    assert (rate.ahead(tx), rate.waits(tx)) == ((9.0, 0.0), 9.0)
    rate.hold(tx, 30.0)
    assert (rate.ahead(tx), rate.waits(tx)) == ((29.0, 30.0), 29.0)
    for ask in (rate.standing, rate.ahead, rate.waits):
        tx.statements.clear()
        ask(tx)
        assert (tx.locking in tx.statements[0]) == (ask is rate.waits)
    tx.now += 40
    assert (rate.ahead(tx), rate.waits(tx), rate.standing(tx).held) == ((0.0, 0.0), 0.0, 0.0)


@pytest.mark.parametrize("ask", [rate.waits, rate.standing])
def test_a_clock_that_goes_back(ask: Callable[[MemoryTx], object]) -> None:
    """By five seconds it means nothing; by more, everybody begins anew, with nothing learnt."""
    tx = MemoryTx(RATE)
    rate.refused(tx, 9.0, lambda seconds: 4)
    tx.now -= 5
    ask(tx)
    assert (rate.ahead(tx), rate.standing(tx)) == ((13.0, 14.0), rate.Standing(14.0, True))
    tx.now -= 0.5
    assert rate.ahead(tx) == (0.0, 0.0)
    assert tat(tx) > 0
    assert ask(tx) in (0.0, rate.Standing(0.0, False))
    assert tx.all("SELECT tat, hold_until, seen_at FROM mensatek_rate") == [(0.0, 0.0, 0.0)]
    assert rate.standing(tx) == rate.Standing(0.0, False)
    assert tx.all("SELECT 1 FROM mensatek_meta WHERE name = 'pace'") == []


def test_what_a_refusal_teaches() -> None:
    """How many were accepted within a second is the rate from now on; what was on its way together counts once, and a
    longer word of the provider is kept to all the same; later ones are measured by the rate itself."""
    tx = MemoryTx(RATE)
    accepted = Mock(return_value=4)
    assert rate.refused(tx, None, accepted) == 1.0
    accepted.assert_called_once_with(1.0)
    assert rate.standing(tx) == rate.Standing(1.0, True)
    assert rate.waits(tx) == pytest.approx(0.8)
    learnt = tx.one("SELECT value FROM mensatek_meta WHERE name = 'pace'")
    tx.now += 0.6
    for wait, told in ((None, 0.4), (3.0, 3.0), (2.0, 3.0)):
        assert rate.refused(tx, wait, lambda seconds: 99) == pytest.approx(told)
        assert rate.standing(tx).held == pytest.approx(told)
    assert tx.one("SELECT value FROM mensatek_meta WHERE name = 'pace'") == learnt

    tx.now += 10
    assert rate.book(tx, 0.0) == 0.0 < tat(tx) - tx.now < 1
    assert rate.book(tx, 5.0) == pytest.approx(tat(tx) - 5.0 - tx.now)
    tx.now += 10
    rate.refused(tx, None, Mock(side_effect=AssertionError))
    assert json.loads(tx.one("SELECT value FROM mensatek_meta WHERE name = 'pace'")[0])[0] > 4


def test_a_rate_of_which_next_to_nothing_is_known_is_looked_for() -> None:
    """It doubles with every eight requests, whatever their own cost."""
    tx = MemoryTx(RATE)
    rate.refused(tx, None, lambda seconds: 1)
    tx.now += 1
    costs = []
    for _ in range(9):
        before = max(tat(tx), tx.now)
        rate.book(tx, 0.0)
        costs.append(tat(tx) - before)
    assert (costs[0], costs[8]) == (pytest.approx(1 / 0.85), pytest.approx(0.5 / 0.85))
