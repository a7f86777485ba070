"""Reads while the account is refused: the guard has the word, not the memory."""

from __future__ import annotations

import pytest

from mensatek_async import AccountPaused, AuthenticationError, Guard, InvalidRequest
from tests.scripted import Script, client_of, reply


async def test_a_read_after_refused_credentials_is_paused_like_any_other_call() -> None:
    """The refusal is told once; then the guard says how long to wait, and nothing leaves."""
    script = Script(reply(Res=-1))
    async with client_of(script) as client:
        with pytest.raises(AuthenticationError):
            await client.credits()
        with pytest.raises(AccountPaused) as caught:
            await client.credits()
        with pytest.raises(AccountPaused):
            await client.sms.report(5)

    assert 50 < caught.value.retry_after <= 60
    assert len(script.requests) == 1


async def test_what_was_answered_before_the_refusal_is_still_known() -> None:
    """A remembered answer costs no call, so a pause does not take it away."""
    script = Script(reply(Res=1, Cred=7), reply(Res=-1))
    async with client_of(script) as client:
        assert await client.credits() == 7
        with pytest.raises(AuthenticationError):
            await client.sms.send("600000000", "Hola")

        assert await client.credits() == 7


async def test_after_the_pause_the_read_goes_out_again() -> None:
    """Nothing of the refusal is remembered beyond the pause."""
    script = Script(reply(Res=-1), reply(Res=1, Cred=7))
    guard = Guard(pause=0, read_interval=0)
    async with client_of(script, guard=guard) as client:
        with pytest.raises(AuthenticationError):
            await client.credits()

        assert await client.credits() == 7


@pytest.mark.parametrize("wrong", ["60", None, -1, float("nan"), True])
async def test_an_age_that_is_none_is_refused(wrong: float) -> None:
    """Before anything leaves, with a name for the mistake."""
    script = Script()
    async with client_of(script) as client:
        with pytest.raises(InvalidRequest, match="max_age"):
            await client.credits(wrong)
        with pytest.raises(InvalidRequest, match="max_age"):
            await client.sms.report(5, max_age=wrong)

    assert not script.requests
