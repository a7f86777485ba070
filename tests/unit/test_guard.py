"""The guard's rules, with the time given from outside."""

from __future__ import annotations

import pytest

from mensatek_async import AccountPaused, BadParameters, Guard, Refused, TooManyRequests
from mensatek_async._core.limits.account import AccountState, CircuitBreaker, Login, forget_all, known
from mensatek_async.settings import Account, Secret


def gate(**settings: float) -> CircuitBreaker:
    return CircuitBreaker(Guard(**settings))  # type: ignore[arg-type]


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
