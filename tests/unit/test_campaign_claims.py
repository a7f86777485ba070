"""Claims of campaigns' chunks, in a store in memory at moments of the tests' choice: who gets what, and who waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from mensatek_async._wire.marks import Mark
from mensatek_async.campaigns.journal import chunks
from mensatek_async.campaigns.journal.claims import Claimer, claim, open_zones
from mensatek_async.campaigns.journal.lifecycle import create
from mensatek_async.campaigns.journal.recipients import ChunkRecipients
from mensatek_async.campaigns.journal.records import CampaignRow, Settings, by_id, set_campaign, set_state
from mensatek_async.campaigns.journal.schema import CAMPAIGNS
from mensatek_async.campaigns.journal.states import CLAIMED, POSTING, SENT, UNKNOWN, Work
from mensatek_async.durable.work import Over, Wait
from mensatek_async.opt_outs.tables import OPT_OUTS, add
from mensatek_async.store import rate
from tests.memory_store import MemoryTx

NOON = datetime(2027, 1, 8, 12, tzinfo=ZoneInfo("Europe/Madrid")).timestamp()
LEASE = 60.0
EACH = 1_000_000  # of a credit


@pytest.fixture
def tx() -> MemoryTx:
    """A transaction at noon in Spain."""
    made = MemoryTx(CAMPAIGNS, OPT_OUTS)
    made.wall = NOON
    return made


def phone(number: int) -> str:
    return f"346{number:08}"


def part(first: int, count: int, segments: int = 1, zone: str = "") -> ChunkRecipients:
    """Recipients of these row numbers, who take so many segments each."""
    rows = range(first, first + count)
    return ChunkRecipients.of(rows, [{"Movil": phone(row)} for row in rows], False, count * segments, zone)


def campaign(
    tx: MemoryTx, *parts: ChunkRecipients, message: int | None = 7, name: str = "c", **settings: Any
) -> CampaignRow:
    """A campaign whose rows were all read, with a message to join unless that is None."""
    row = create(tx, name, "A", "{}", Settings(**settings), "content")
    set_campaign(tx, row.id, idmensaje=message, ingest_done=1)
    for one in parts:
        chunks.append(tx, row.id, one)
    return by_id(tx, row.id)


def take(
    tx: MemoryTx, *tokens: str, who: Claimer | None = None, only: Sequence[int] | None = None, turn: int = 0
) -> list[Any]:
    """Claims with these tokens."""
    return claim(tx, who or Claimer("me", LEASE), tokens or ("token-123",), "A", only, turn)


def work(tx: MemoryTx, *tokens: str, **more: Any) -> Work:
    """The only claim, which is work."""
    (claimed,) = take(tx, *tokens, **more)
    assert isinstance(claimed, Work)
    return claimed


def stands(tx: MemoryTx, seq: int, *columns: str) -> tuple[Any, ...]:
    """Columns of a chunk of the first campaign."""
    row = tx.one(f"SELECT {', '.join(columns)} FROM mensatek_chunk WHERE campaign_id = 1 AND seq = ?", seq)
    return tuple(row)


def tried(tx: MemoryTx, seq: int, **columns: Any) -> None:
    """Let a chunk of the first campaign have been tried before, without an answer."""
    chunks.change(tx, 1, seq, **{"state": POSTING, "attempts": 1, "idmensaje": 7, "due_at": 0.0, **columns})


# --- One chunk ----------------------------------------------------------------------------------------------------


def test_a_chunk_that_joins_a_message(tx: MemoryTx) -> None:
    """It is written down as on its way before it is, with its message; and repeated once its lease is over."""
    add(tx, [phone(99)], "", "")
    row = campaign(tx, part(1, 3), moved_to="2027-01-09 10:00")
    got = work(tx)
    assert got == Work(
        campaign=row.id,
        seq=1,
        token="token-123",
        content=got.content,
        join=7,
        repeat=False,
        wait=0.0,
        mark=None,
        moved_to="2027-01-09 10:00",
        opt_outs="1",
    )
    assert (list(got.content.rows), got.content.wire.phones) == ([1, 2, 3], [phone(1), phone(2), phone(3)])
    claimed = ("state", "owner", "token", "attempts", "due_at", "idmensaje")
    assert stands(tx, 1, *claimed) == (POSTING, "me", "token-123", 1, tx.now + LEASE, 7)
    assert (tx.left, tx.one("SELECT tat FROM mensatek_rate")) == (1, (0.0,))
    assert any(one.endswith(tx.skipping) for one in tx.statements)

    set_campaign(tx, row.id, idmensaje=8)
    tx.now += LEASE - 1
    assert take(tx) == [Wait(1.0)]
    tx.now += 1
    again = work(tx, "another")
    assert (again.seq, again.token, again.repeat, again.join) == (1, "another", True, 8)
    assert stands(tx, 1, *claimed) == (POSTING, "me", "another", 2, tx.now + LEASE, 8)


def test_an_opener(tx: MemoryTx) -> None:
    """The first recipient alone, with a mark; everybody else waits for it, since nothing can be joined yet."""
    row = campaign(tx, part(1, 3), message=None)
    got = work(tx)
    assert (got.seq, list(got.content.rows), got.join, got.repeat) == (-1, [1], None, False)
    assert got.mark == Mark(row.uid, -1, "token-12")
    assert got.opt_outs == ""
    assert stands(tx, -1, "state", "attempts", "due_at", "idmensaje") == (CLAIMED, 0, tx.now + LEASE, None)
    assert stands(tx, 1, "n") == (2,)
    assert tx.left == 0
    assert take(tx, "b", "c") == [Wait(LEASE)] * 2


def test_an_opener_whose_sender_is_gone(tx: MemoryTx) -> None:
    """Before it left it is claimed again; once it may have left nobody repeats it, and the next recipient opens."""
    campaign(tx, part(1, 3), message=None)
    work(tx)
    tx.now += LEASE
    assert (work(tx).seq, work_state(tx)) == (-1, [(-1, CLAIMED), (1, "pending")])
    chunks.change(tx, 1, -1, state=POSTING, attempts=1)
    tx.now += LEASE
    got = work(tx)
    assert (got.seq, list(got.content.rows)) == (-2, [2])
    assert stands(tx, -1, "state", "due_at", "since") == (UNKNOWN, None, NOON)
    assert stands(tx, -1, "error") == ("its sender stopped before an answer came",)


def work_state(tx: MemoryTx) -> list[tuple[int, str]]:
    """Every chunk and its state."""
    return [tuple(one) for one in tx.all("SELECT seq, state FROM mensatek_chunk ORDER BY seq")]


def test_an_opener_that_came_too_late_joins(tx: MemoryTx) -> None:
    """Another one opened the message first: it is sent like any chunk, and may be repeated."""
    campaign(tx, part(1, 3), message=None)
    work(tx)
    set_campaign(tx, 1, idmensaje=7)
    chunks.change(tx, 1, 1, due_at=tx.now + 9 * LEASE)
    tx.now += LEASE
    for repeat in (False, True):
        got = work(tx)
        assert (got.seq, got.join, got.repeat, got.mark) == (-1, 7, repeat, None)
        tx.now += LEASE


@pytest.mark.parametrize(("attempts", "state"), [(0, POSTING), (1, UNKNOWN)])
def test_who_may_not_repeat_parks_what_was_tried(tx: MemoryTx, attempts: int, state: str) -> None:
    campaign(tx, part(1, 2), part(3, 2))
    tried(tx, 1, state="pending", attempts=attempts)
    got = work(tx, who=Claimer("me", LEASE, grouping=False))
    assert (got.seq, stands(tx, 1, "state")) == (1 + attempts, (state,))


def test_what_others_commit_while_the_campaign_is_locked(tx: MemoryTx) -> None:
    """It was paused: nothing is claimed. Somebody opened a message: it is joined."""
    row = campaign(tx, part(1, 2), message=None)
    tx.meanwhile[tx.locking] = lambda: set_state(tx, row.id, "paused")
    assert take(tx) == [Over()]
    set_state(tx, row.id, "running")
    tx.meanwhile[tx.locking] = lambda: set_campaign(tx, row.id, idmensaje=9)
    assert (work(tx).join, tx.meanwhile) == (9, {})


# --- Several campaigns, several claims ---------------------------------------------------------------------------


def test_campaigns_take_turns(tx: MemoryTx) -> None:
    """Beginning where the caller says, over to the next where one has nothing; of this account, running, asked for."""
    for name in "abc":
        campaign(tx, part(1, 1), part(2, 1), name=name)
    assert [one.campaign for one in take(tx, "1", "2", "3", turn=1)] == [2, 3, 1]
    for seq in (1, 2):
        chunks.remove(tx, 2, seq)
    assert [one.campaign for one in take(tx, "4", turn=1)] == [3]
    assert take(tx, only=[2]) == [Over()]
    assert claim(tx, Claimer("me", LEASE), ("t",), "B", None, 0) == [Over()]
    set_state(tx, 1, "paused")
    assert take(tx, turn=3) == [Wait(LEASE)]


def test_what_one_claim_does_not_find_none_of_the_others_does(tx: MemoryTx) -> None:
    campaign(tx, part(1, 1), name="a")
    found, nothing, more = take(tx, "1", "2", "3")
    assert isinstance(found, Work)
    assert nothing == Wait(LEASE)
    assert more is nothing


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ({"start_at": 100.0}, {"start_at": 30.0}, Wait(30.0, sure=True)),
        ({"start_at": 100.0}, {"due": 40.0}, Wait(40.0)),
        ({"due": 40.0}, {"start_at": 100.0}, Wait(40.0)),
        ({"start_at": 100.0}, {"missing": True}, Wait(100.0, sure=True)),
        ({"missing": True}, {}, Over(missing=True)),
        ({}, {"missing": True}, Over(missing=True)),
        ({}, {}, Over()),
    ],
)
def test_what_two_campaigns_without_work_come_to(
    tx: MemoryTx, first: dict[str, Any], second: dict[str, Any], told: Wait | Over
) -> None:
    """The shorter wait, sure where both are; a wait before an end; and rows that are missing are told."""
    for number, how in enumerate((first, second), 1):
        starts = {"start_at": NOON + how["start_at"]} if "start_at" in how else {}
        row = campaign(
            tx, *([part(1, 1)] if {"due", "start_at"} & set(how) else []), name=f"{number}", **starts
        )
        if "due" in how:
            chunks.change(tx, row.id, 1, due_at=tx.now + how["due"])
        set_campaign(tx, row.id, ingest_done=int("missing" not in how))
    assert take(tx) == [told]


def test_the_providers_hold_and_its_rate(tx: MemoryTx) -> None:
    """Nobody claims before a hold ends; after it each request takes a place, whatever the campaign's own rate."""
    campaign(tx, *(part(at, 1) for at in range(9)))
    assert rate.refused(tx, 20.0, lambda seconds: 4) == 20.0
    assert take(tx, "a", "b") == [Wait(20.0, sure=True)] * 2
    tx.now += 20
    first, second = take(tx, "a", "b")
    assert (first.wait, second) == (0.0, Wait(pytest.approx(1 / 3.4 - 0.2)))  # 85 % of 4, and 0.2 s before
    assert stands(tx, 2, "state") == ("pending",)


def test_a_campaigns_own_rate(tx: MemoryTx) -> None:
    """By recipients; a chunk may be claimed a second before its place, and its lease begins there. Without a rate no
    place is taken."""
    campaign(tx, part(1, 4), part(5, 4), part(9, 4), rate=2.0)
    first, second = take(tx, "a", "b")
    assert (first.wait, second) == (0.0, Wait(1.0))
    assert stands(tx, 1, "due_at") == (tx.now + LEASE,)
    tx.now += 1
    assert work(tx).wait == 1.0
    assert stands(tx, 2, "due_at") == (tx.now + 1 + LEASE,)
    place = tx.one("SELECT tat FROM mensatek_rate")
    campaign(tx, part(1, 4), name="d")
    work(tx, only=[2])
    assert tx.one("SELECT tat FROM mensatek_rate") == place == (tx.now + 3,)


# --- Nothing to do now -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "columns", "told"),
    [
        ({"start_at": NOON + 100}, {}, Wait(100.0, sure=True)),
        ({"start_at": NOON + 100}, {"ingest_done": 0, "ingest_until": 1e9}, Wait(100.0, sure=True)),
        ({"start_at": NOON + 100}, {"ingest_done": 0}, Over(missing=True)),
        ({"start": time(12, 30), "end": time(13)}, {}, Wait(1800.0, sure=True)),
        ({"start": time(12, 30), "end": time(13), "local": True}, {}, Wait(1800.0, sure=True)),
        ({}, {"due": 5.0}, Wait(5.0)),
        ({}, {"due": 7200.0}, Wait(3600.0)),
        ({}, {"due": None, "ingest_done": 0, "ingest_until": 1e9}, Wait(0.25)),
        ({}, {"due": None, "ingest_done": 0}, Over(missing=True)),
        ({"unknown_after": 30.0, "unknown_policy": "resend"}, {"due": None, "since": NOON - 10}, Wait(20.0)),
        ({"unknown_after": 30.0, "unknown_policy": "resend"}, {"due": None, "since": NOON - 29.5}, Wait(0.5)),
        ({"unknown_after": 30.0, "unknown_policy": "keep"}, {"due": None, "since": NOON - 10}, Over()),
        ({"unknown_policy": "resend"}, {"due": None, "since": NOON - 10}, Over()),
    ],
)
def test_why_a_campaign_waits(
    tx: MemoryTx, settings: dict[str, Any], columns: dict[str, Any], told: Wait | Over
) -> None:
    """Until it begins, its hours open, a chunk is due, rows come, or what is unknown is settled."""
    row = campaign(tx, part(1, 2), **settings)
    due, since = columns.get("due", 0.0), columns.get("since")
    chunks.change(
        tx,
        row.id,
        1,
        due_at=None if due is None else tx.now + due,
        state=UNKNOWN if since else SENT if due is None else "pending",
        since=since,
    )
    read = {name: columns[name] for name in columns if name.startswith("ingest")}
    set_campaign(tx, row.id, **{"ingest_done": 1, **read})
    assert take(tx) == [told]


def test_a_campaign_that_is_done(tx: MemoryTx) -> None:
    """Once nothing waits, and nobody has paused it meanwhile; a chunk that another zone's hours hold is not nothing."""
    row = campaign(tx, part(1, 2))
    set_campaign(tx, row.id, reason="user", note="old")
    assert work(tx).seq == 1
    assert take(tx) == [Wait(LEASE)]
    chunks.change(tx, row.id, 1, state=SENT, due_at=None)
    tx.meanwhile["SET state = ?, reason"] = lambda: set_campaign(tx, row.id, state="paused")
    assert take(tx) == [Wait(0.25)]
    set_campaign(tx, row.id, state="running")
    assert take(tx) == [Over()]
    ended = by_id(tx, row.id)
    assert (ended.state, ended.reason, ended.note, ended.ended) == ("done", "", "", NOON)


@pytest.mark.parametrize(
    ("policy", "told", "state"), [("assume_sent", Over(), SENT), ("resend", Wait(0.001), "pending")]
)
def test_unknown_recipients_are_settled_when_their_time_is_over(
    tx: MemoryTx, policy: str, told: Wait | Over, state: str
) -> None:
    campaign(tx, part(1, 2), unknown_after=30.0, unknown_policy=policy)
    chunks.change(tx, 1, 1, state=UNKNOWN, due_at=None, since=NOON - 30)
    assert take(tx) == [told]
    assert stands(tx, 1, "state") == (state,)
    assert by_id(tx, 1).state == ("done" if told == Over() else "running")


def test_the_hours_of_each_zone(tx: MemoryTx) -> None:
    """Where the recipient is: who may be texted is, the others wait until their hours open."""
    parts = (part(1, 1, zone="44"), part(2, 1))
    row = campaign(tx, *parts, start=time(11, 50), end=time(21), local=True)
    assert open_zones(tx, row) == (("",), 50 * 60.0)
    assert open_zones(tx, row, NOON + 3000) == (("44", ""), 3600.0)
    assert open_zones(tx, row, NOON - 900) == ((), 5 * 60.0)
    assert work(tx).seq == 2
    assert take(tx) == [Wait(LEASE)]
    chunks.change(tx, 1, 2, due_at=tx.now + 4000)
    assert take(tx) == [Wait(3000.0)]
    chunks.change(tx, 1, 2, due_at=None)
    assert take(tx) == [Wait(3000.0)]
    tx.wall += 3000
    assert work(tx).seq == 1
    empty = campaign(tx, name="empty", start=time(11, 50), end=time(21), local=True)
    assert open_zones(tx, empty) == (None, 0.25)
    assert open_zones(tx, campaign(tx, name="spanish", start=time(9), end=time(21))) == (None, 3600.0)
    assert open_zones(tx, campaign(tx, name="any")) == (None, 3600.0)


def test_an_opener_is_cut_where_the_hours_are_open(tx: MemoryTx) -> None:
    parts = (part(1, 2, zone="44"), part(3, 2))
    campaign(tx, *parts, message=None, start=time(11, 50), end=time(21), local=True)
    assert list(work(tx).content.rows) == [3]
    assert work_state(tx) == [(-1, CLAIMED), (1, "pending"), (2, "pending")]


def test_under_a_cap_the_hours_of_what_was_tried_are_kept_too(tx: MemoryTx) -> None:
    parts = (part(1, 2, zone="44"), part(3, 2))
    campaign(tx, *parts, start=time(11, 50), end=time(21), local=True, max_credits=Decimal(9))
    tried(tx, 1)
    assert work(tx).seq == 2


# --- Who is left out ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("attempts", "left"), [(0, [2, 3]), (1, [1, 2, 3])])
@pytest.mark.parametrize("why", ["opted out", "an opener's"])
def test_who_is_left_out_of_a_first_request_alone(
    tx: MemoryTx, why: str, attempts: int, left: list[int]
) -> None:
    """A repeat has the recipients of the first try, else nobody could tell whom the provider had."""
    campaign(tx, part(1, 3))
    tried(tx, 1, attempts=attempts, state="pending")
    if why == "opted out":
        add(tx, [phone(1)], "", "")
    else:
        chunks.add(tx, 1, -1, part(1, 1))
        chunks.change(tx, 1, -1, state=SENT, due_at=None)
    got = work(tx)
    assert (list(got.content.rows), got.opt_outs) == (left, "1" if why == "opted out" else "")
    assert stands(tx, 1, "n") == (len(left),)
    gone = tx.all("SELECT row_no FROM mensatek_left_out UNION ALL SELECT row_no FROM mensatek_invalid")
    assert gone == [] if attempts else [(1,)]


def test_the_phones_of_openers_are_looked_up_again_when_there_is_a_new_one(tx: MemoryTx) -> None:
    """Once for each worker and opener, of each campaign by itself; an opener is no repeat of itself."""
    who = Claimer("me", LEASE)
    row = campaign(tx, part(1, 2), message=None)
    assert list(work(tx, who=who).content.rows) == [1]
    row = by_id(tx, row.id)
    first = who.phones_of_openers(tx, row)
    assert (first, who.phones_of_openers(tx, row) is first) == ({phone(1)}, True)
    chunks.add(tx, row.id, -2, part(5, 1))
    set_campaign(tx, row.id, opener_gen=2)
    assert who.phones_of_openers(tx, by_id(tx, row.id)) == {phone(1), phone(5)}
    assert who.phones_of_openers(tx, campaign(tx, name="d")) == set()
    set_campaign(tx, row.id, idmensaje=7)
    chunks.change(tx, row.id, -2, state=SENT, due_at=None)
    chunks.change(tx, row.id, -1, state="pending", due_at=0, idmensaje=7)
    assert list(work(tx, who=who, only=[row.id]).content.rows) == [1]
    chunks.add(tx, row.id, 0, part(9, 1), n=0)  # an anchor
    assert list(work(tx, who=Claimer("me", LEASE), only=[row.id]).content.rows) == [9]


@pytest.mark.parametrize("message", [7, None])
def test_a_chunk_of_which_nobody_is_left_makes_room_for_the_next(tx: MemoryTx, message: int | None) -> None:
    """A hundred in one transaction; then others get their turn."""
    campaign(tx, *(part(at, 1) for at in range(101)), message=message)
    add(tx, [phone(at) for at in range(100)], "", "")
    assert take(tx) == [Wait(0.25)]
    assert list(work(tx).content.rows) == [100]


def test_a_phone_that_was_forgotten(tx: MemoryTx) -> None:
    """It is taken out, of repeats too; what nobody is left of is not sent."""
    row = campaign(tx, part(1, 2).blank(phone(1)), part(3, 1).blank())
    assert list(work(tx).content.rows) == [2]
    tried(tx, 1)
    chunks.rewrite(tx, row.id, 1, part(2, 1).blank())
    assert take(tx) == [Over()]
    assert work_state(tx)[-1] == (3, UNKNOWN)


# --- A cap -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "recipients", "segments", "price", "taken"),
    [
        (8, 8, 1, 0, 8),
        (7, 8, 1, 0, 7),
        (5, 4, 2, 0, 2),
        (9, 4, 2, 2 * EACH, 2),
        (8, 4, 1, 2 * EACH, 4),
        (1, 1, 1, 0, 1),
        (1, 2, 1, 0, 1),
        (8, 4, 2, 0, 4),
    ],
)
def test_a_cap_pays_for_so_many(
    tx: MemoryTx, cap: int, recipients: int, segments: int, price: int, taken: int
) -> None:
    """By segments and by what answers have named as the price of one; the others go behind all chunks."""
    row = campaign(tx, part(1, recipients, segments), part(50, 1), max_credits=Decimal(cap))
    set_campaign(tx, row.id, price=price)
    got = work(tx)
    assert (list(got.content.rows), got.content.segments) == (list(range(1, taken + 1)), taken * segments)
    assert stands(tx, 1, "n", "segments") == (taken, taken * segments)
    if taken < recipients:
        assert stands(tx, 3, "n", "state", "attempts") == (recipients - taken, "pending", 0)
        assert list(chunks.recipients_of(tx, 1, 3).rows) == list(range(taken + 1, recipients + 1))


def test_of_unequal_texts_at_least_one_recipient_waits(tx: MemoryTx) -> None:
    uneven = ChunkRecipients.of([1, 2, 3], [{"Movil": phone(at)} for at in (1, 2, 3)], False, 4)
    campaign(tx, uneven, max_credits=Decimal(3))
    assert list(work(tx).content.rows) == [1, 2]


@pytest.mark.parametrize(
    ("other", "cap", "left"),
    [
        ({"state": SENT, "due_at": None, "attempts": 1, "credits": 3 * EACH}, 5, 2),
        (
            {"state": SENT, "due_at": None, "attempts": 2, "credits": 1 * EACH},
            6,
            2,
        ),  # the lost answer may have cost
        ({"state": UNKNOWN, "due_at": None, "attempts": 1}, 6, 2),
        ({"state": POSTING, "due_at": 1e9, "attempts": 1}, 6, 2),
        ({"state": "pending", "due_at": 1e9, "attempts": 0}, 6, 6),
        ({"state": POSTING, "due_at": 1e9, "attempts": 1}, 4, "wait"),
        ({"state": SENT, "due_at": None, "attempts": 1, "credits": 4 * EACH}, 4, "pause"),
        ({"state": "pending", "due_at": 1e9, "attempts": 0}, 0, "pause"),
        ({"state": UNKNOWN, "due_at": None, "attempts": 1}, 3, "pause"),
    ],
)
def test_what_others_have_used_of_a_cap(
    tx: MemoryTx, other: dict[str, Any], cap: int, left: int | str
) -> None:
    """For four recipients what they cost, or may cost where nobody knows; nothing for who was not tried. Where nothing
    is left it pauses, unless an answer that is still to come may cost less."""
    row = campaign(tx, part(1, 4), part(5, 9), max_credits=Decimal(cap))
    chunks.change(tx, row.id, 1, **other)
    (got,) = take(tx)
    after = by_id(tx, row.id)
    if isinstance(left, int):
        assert list(got.content.rows) == list(range(5, 5 + left))
    else:
        assert (got, stands(tx, 2, "state", "n")) == (Wait(0.25), ("pending", 9))
    paused = ("paused", "max_credits", "max_credits is reached: the next text would go beyond it")
    assert (after.state, after.reason, after.note) == (paused if left == "pause" else ("running", "", ""))


def test_under_a_cap_what_was_tried_goes_first_and_whole(tx: MemoryTx) -> None:
    """Its share is set aside already; without a cap, and where it waits for its backoff, the oldest goes first."""
    for name, cap, due, first in (("a", 1, 1.0, 2), ("b", None, 1.0, 1), ("c", 20, tx.now + 1, 1)):
        row = campaign(
            tx, part(1, 2), part(3, 4), name=name, max_credits=None if cap is None else Decimal(cap)
        )
        chunks.change(tx, row.id, 2, attempts=1, idmensaje=7, due_at=due)
        got = work(tx, only=[row.id])
        assert (got.seq, len(got.content)) == (first, 2 * first)
    opener = campaign(tx, part(1, 2), message=None, name="d", max_credits=Decimal(0))
    assert work(tx, only=[opener.id]).seq == -1


# --- A commit that was not reported ------------------------------------------------------------------------------


def test_a_claim_whose_commit_was_not_reported_is_found_by_its_token(tx: MemoryTx) -> None:
    """The same work, not a second one; only where a transaction is run again."""
    campaign(tx, part(1, 2), part(3, 2), moved_to="later")
    first = work(tx, "a")
    tx.repeated = True
    found, other = take(tx, "a", "b")
    assert (found, found.content.wire.phones) == (
        evolve(first, content=found.content),
        first.content.wire.phones,
    )
    assert (other.seq, other.token) == (2, "b")
    tx.now += LEASE
    again = work(tx, "c")
    assert (again.seq, again.repeat, work(tx, "c").repeat, work(tx, "c").seq) == (1, True, True, 1)
    chunks.change(tx, 1, 1, state=SENT, due_at=None)
    assert work(tx, "c").seq == 2
    tx.repeated = False
    chunks.append(tx, 1, part(5, 2))
    assert work(tx, "c").seq == 3


@pytest.mark.parametrize(
    ("meanwhile", "found"),
    [(lambda tx: None, -1), (lambda tx: set_campaign(tx, 1, idmensaje=7), 1)],
    ids=["it opens still", "another one has opened"],
)
def test_an_opener_whose_claim_was_not_reported(
    tx: MemoryTx, meanwhile: Callable[[MemoryTx], object], found: int
) -> None:
    campaign(tx, part(1, 2), message=None)
    first = work(tx, "a")
    meanwhile(tx)
    tx.repeated = True
    got = work(tx, "a")
    assert got.seq == found
    if found < 0:
        assert (got.mark, got.join, got.repeat) == (first.mark, None, False)
