"""The guard's rules, with the time given from outside, and the turns of first calls."""

from __future__ import annotations

import os
import sys
import threading
import time

import anyio
import anyio.to_thread
import pytest

from mensatek_async import (
    AccountPaused,
    AuthenticationError,
    BadParameters,
    Guard,
    InsufficientCredits,
    MensatekError,
    NotYours,
    Refused,
    TooManyRequests,
)
from mensatek_async._core.failures import Blocked, Cut, Failure, ToldToWait
from mensatek_async._core.limits.account import (
    AccountState,
    CircuitBreaker,
    Login,
    UnderWay,
    forget_all,
    known,
    lock,
    now,
)
from mensatek_async.settings import Account, Secret


def gate(**settings: float) -> CircuitBreaker:
    return CircuitBreaker(Guard(**settings), AccountState(), Login())  # type: ignore[arg-type]


def allowed(door: CircuitBreaker, now: float, operation: str = "EnviarSMS") -> bool:
    """Whether a call would leave at that moment."""
    try:
        door.check(operation, now)
    except Refused:
        return False
    return True


def test_the_pause_doubles_to_a_quarter_of_an_hour() -> None:
    """60 s, 120 s, and so on, never above `pause_max`, however often."""
    door, now, pauses = gate(), 0.0, []
    for _ in range(40):
        door.refused_credentials(now)
        with pytest.raises(AccountPaused) as caught:
            door.check("EnviarSMS", now)
        assert caught.value.by_credentials
        pauses.append(caught.value.retry_after)
        now += caught.value.retry_after

    assert pauses[:5] == pytest.approx([60, 120, 240, 480, 900])
    assert set(pauses[5:]) == {900}


def test_refusals_of_calls_on_their_way_together_count_once() -> None:
    """Eight calls in flight with a wrong token make one pause of 60 s, not the eighth of a series, which ends with an
    accepted call."""
    door = gate()
    for moment in range(8):
        door.refused_credentials(moment / 10)

    assert allowed(door, 60.0)
    door.refused_credentials(60.0)
    assert not allowed(door, 179.0)
    assert allowed(door, 180.0)
    door.accepted()
    door.refused_credentials(200.0)
    assert allowed(door, 260.0)


def test_a_block_pauses_as_told_else_by_the_settings() -> None:
    """A block that names a time is believed; it never shortens a pause: the longer of two reasons holds."""
    for told, pause in ((None, 60.0), (7.0, 7.0)):
        door = gate(block_pause=60)
        assert door.blocked(told, 10.0) == pause
        assert allowed(door, 10.0 + pause)
        assert not allowed(door, 10.0 + pause - 0.1)
    door = gate()
    door.refused_credentials(0.0)
    door.blocked(5.0, 0.0)
    with pytest.raises(AccountPaused, match="blocked this account") as caught:
        door.check("EnviarSMS", 1.0)
    assert not caught.value.by_credentials
    assert caught.value.retry_after == pytest.approx(59.0)
    with pytest.raises(AccountPaused) as caught:
        door.check("EnviarSMS", 5.0)
    assert caught.value.by_credentials


def test_five_wrong_calls_within_a_minute_stop_more_of_their_kind() -> None:
    """Of that operation alone, until the first of the five is a minute old."""
    door = gate()
    for moment in range(5):
        assert allowed(door, float(moment), "GetReportSMS")
        door.note("GetReportSMS", BadParameters("GetReportSMS", -2), float(moment))

    with pytest.raises(TooManyRequests, match="5 wrong calls in 60 s") as caught:
        door.check("GetReportSMS", 10.0)

    assert caught.value.retry_after == pytest.approx(50.0)
    assert allowed(door, 10.0, "EnviarSMS")
    assert not allowed(door, 59.9, "GetReportSMS")
    assert allowed(door, 60.0, "GetReportSMS")
    door.note("GetReportSMS", BadParameters("GetReportSMS", -2), 60.0)
    assert not allowed(door, 60.5, "GetReportSMS")
    assert allowed(door, 61.0, "GetReportSMS")


def test_more_wrong_calls_than_allowed_can_come_back_together() -> None:
    """Those already in flight count too, and the newest decide when it goes on."""
    door = gate(wrong_calls=2)
    for moment in (0.0, 1.0, 2.0, 3.0):
        door.note("CancelarSMS", BadParameters("CancelarSMS", -2), moment)

    assert not allowed(door, 61.9, "CancelarSMS")
    assert allowed(door, 62.0, "CancelarSMS")


def test_a_token_is_accepted_until_it_is_refused() -> None:
    """Which decides whether the calls after it go out one at a time; each token for itself."""
    state, one, other = AccountState(), Login(), Login()
    door, beside = (CircuitBreaker(Guard(), state, login) for login in (one, other))
    door.accepted()
    assert (one.accepted, other.accepted) == (True, False)
    beside.refused_credentials(0.0)
    assert (one.accepted, allowed(door, 1.0), allowed(beside, 1.0)) == (True, True, False)
    door.refused_credentials(0.0)
    assert not one.accepted


def test_clients_of_one_account_know_of_each_other_and_the_one_used_longest_ago_is_forgotten() -> None:
    """The account is one whatever the token, each token has its own; as many are kept in mind as the limit says."""

    def account(user: str = "u", token: str = "t") -> Account:
        return Account(user=user, token=Secret(token), base_url="https://a.example", sender=None)

    state, login = known(account())
    assert known(account()) == (state, login)
    assert known(account(token="other"))[0] is state
    assert known(account(token="other"))[1] is not login
    assert known(account("other"))[0] is not state
    for number in range(63):  # and the first, used in between
        known(account(token=f"{number}"))
        assert known(account())[1] is login
    newest = known(account(token="newest"))[1]
    assert (known(account(token="newest"))[1], known(account())[1]) == (newest, login)
    for number in range(4095):
        known(account(f"{number}"))
    assert known(account())[0] is state
    for number in range(4096):
        known(account(f"x{number}"))
    assert known(account("x4095"))[0] is known(account("x4095"))[0]
    assert known(account())[0] is not state
    forget_all()


def test_what_holds_a_call_back_is_told_by_reason() -> None:
    """With the seconds left of each; nothing left is 0."""
    door = gate(wrong_calls=1)
    reasons = ("wrong_calls", "credentials", "block", "told_to_wait")
    assert door.pauses("CancelarSMS", 5.0) == dict.fromkeys(reasons, 0.0)
    door.refused_credentials(0.0)
    door.blocked(30.0, 0.0)
    door.hold(7.0, 0.0)
    door.note("CancelarSMS", BadParameters("CancelarSMS", -2), 0.0)
    assert door.pauses("CancelarSMS", 5.0) == dict(zip(reasons, (55.0, 55.0, 25.0, 2.0), strict=True))
    assert door.pauses("EnviarSMS", 100.0) == dict.fromkeys(reasons, 0.0)


@pytest.mark.parametrize(
    ("error", "held", "paused", "wrong"),
    [
        (ToldToWait("429", wait=7.0), 7.0, 0, 0),
        (ToldToWait("429"), 0, 0, 0),
        (Cut("reset", wait=7.0), 0, 0, 0),
        (AuthenticationError("Op", -1), 0, 60.0, 0),
        (NotYours("Op", -2), 0, 0, 60.0),
        (BadParameters("Op", -3), 0, 0, 60.0),
        (InsufficientCredits("Op", -2), 0, 0, 0),
    ],
    ids=["told how long", "told to wait", "cut", "the token", "not yours", "wrong", "no credits"],
)
def test_what_an_error_means_for_the_calls_after_it(
    error: Failure | MensatekError, held: float, paused: float, wrong: float
) -> None:
    """And it is the error that is raised."""
    door = gate(wrong_calls=1)
    assert door.note("Op", error, 10.0) is error
    reasons = {"told_to_wait": held, "credentials": paused, "wrong_calls": wrong, "block": 0.0}
    assert door.pauses("Op", 10.0) == reasons


def test_a_block_is_told_with_its_reason_and_time() -> None:
    """Whoever is refused meanwhile learns nothing new of the token."""
    door = gate()
    told = door.note("Op", Blocked("HTTP 403", wait=90.0), 10.0)
    assert isinstance(told, AccountPaused)
    assert told.retry_after == 90.0
    assert str(told).startswith(
        "Op was turned away (HTTP 403): the provider has blocked this account or address."
    )
    door.refused_credentials(20.0)
    door.blocked(1.0, 20.0)
    assert door.pauses("Op", 20.0) == {"block": 80.0, "credentials": 0, "told_to_wait": 0, "wrong_calls": 0}


def test_told_to_wait_a_call_waits_as_long() -> None:
    """A shorter word does not end a longer one."""
    door = gate()
    door.hold(7.0, 0.0)
    door.hold(3.0, 0.0)
    assert [door.check("Op", at) for at in (0.0, 5.0, 7.0, 9.0)] == [7.0, 2.0, 0.0, 0.0]


def test_calls_for_rare_use_go_out_once_in_their_interval() -> None:
    """Each operation by itself; one that never reached the provider does not count, and a hair early is in time."""
    door = gate(period_interval=600.0)
    assert door.until_rare("Op", 0.0) == 0.0
    door.allow_rare("Op", 0.0)
    door.allow_rare("Other", 0.0)
    with pytest.raises(TooManyRequests):
        door.allow_rare("Op", 599.5)
    with pytest.raises(TooManyRequests, match="once in 600 s") as caught:
        door.allow_rare("Op", 100.0)
    assert caught.value.retry_after == door.until_rare("Op", 100.0) == 500.0
    assert [door.until_rare("Op", at) for at in (599.998, 599.9995, 600.0)] == [
        pytest.approx(0.002),
        0.0,
        0.0,
    ]
    door.allow_rare("Op", 600.0)
    door.forget_rare("Op")
    door.forget_rare("Never")
    door.allow_rare("Op", 601.0)


def test_of_wrong_calls_the_newest_thousand_are_kept() -> None:
    state = AccountState()
    for moment in range(1001):
        state.add_wrong("Op", moment)
    assert (len(state.wrong["Op"]), state.wrong["Op"][0]) == (1000, 1)


async def test_the_clock_is_one_for_every_event_loop() -> None:
    """And runs like each."""
    assert now() == pytest.approx(time.monotonic(), abs=0.5)
    for backend in ("asyncio", "trio"):
        there = await anyio.to_thread.run_sync(lambda backend=backend: anyio.run(_now, backend=backend))
        assert there == pytest.approx(now(), abs=0.5)


async def _now() -> float:
    return now()


# --- The turn of a first call ------------------------------------------------------------------------------------


async def test_who_waits_for_a_first_call() -> None:
    """Until it has ended: where it was accepted all go on, else one of them is the next to find out."""
    login, told = Login(), []

    async def wait() -> None:
        turn = await login.turn(30)
        told.append(turn)
        if turn is not None:
            login.accepted = len(told) > 1
            login.leave(turn)

    first = await login.turn(30)
    assert first is not None
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(wait)
        await anyio.sleep(0.05)
        assert told == []
        login.leave(first)
    assert len([turn for turn in told if turn is not None]) == 2
    assert await login.turn(0) is None


async def test_a_first_call_is_waited_for_with_patience() -> None:
    """Then the call goes out all the same, and the first keeps its turn; that of the process which forked this one
    never ends here, and is not waited for."""
    login = Login()
    first = await login.turn(0)
    assert first is not None
    with anyio.fail_after(5):
        assert [await login.turn(patience) for patience in (0.01, 0.0)] == [None, None]
    first._process = 0
    own = await login.turn(0)
    assert own is not None
    login.leave(first)
    assert await login.turn(0) is None
    login.leave(own)
    assert await login.turn(0) is not None


async def test_what_is_under_way_in_another_event_loop_is_waited_for() -> None:
    """Which wakes nobody here: it is looked at again and again."""
    begun: list[UnderWay] = []
    told, seen = threading.Event(), threading.Event()

    async def elsewhere() -> None:
        begun.append(UnderWay())
        assert not await begun[0].wait(0.05)
        told.set()
        await anyio.sleep(0.1)
        begun[0].end()
        assert seen.wait(5)

    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, lambda: anyio.run(elsewhere))
        await anyio.to_thread.run_sync(told.wait)
        assert not await begun[0].wait(0.01)
        before = time.monotonic()
        assert await begun[0].wait(4)
        assert time.monotonic() - before < 3
        seen.set()
    assert await begun[0].wait(0)


@pytest.mark.skipif(sys.platform == "win32", reason="forks are POSIX's")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_a_lock_of_its_own() -> None:
    """Which a thread of its parent may have held, and never gives back there."""
    with lock():
        if not (pid := os.fork()):
            try:
                os._exit(0 if lock().acquire(timeout=2) else 3)
            finally:
                os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
