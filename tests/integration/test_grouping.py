"""`assume_grouping=False`, for a provider whose `Idmensaje` keeps no repeats: nothing is repeated on its strength."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async import AsyncMensatek, Campaigns, Limits, OutcomeUnknown, Retry, Timeout
from mensatek_async.sandbox import Fault, Sandbox
from tests.sandbox_calls import phones

pytestmark = pytest.mark.mensatek_sandbox(keeps_repeats=False)
QUICK = Retry(wait_initial=0.01, wait_max=0.02)


def client_with(**settings: Any) -> AsyncMensatek:
    """A client that is told, unless it says otherwise."""
    return AsyncMensatek(**{"sender": "ACME", "retry": QUICK, "assume_grouping": False, **settings})


@pytest.mark.parametrize("told", [False, True], ids=["assumed", "told"])
async def test_bulk_sends_repeat_nothing(sandbox: Sandbox, told: bool) -> None:
    """A request whose answer is lost leaves its rows unknown; a client that was not told texts them twice."""
    sandbox.fault(Fault.drop_after_accept(), after=1, times=1)
    async with client_with(assume_grouping=not told) as client:
        result = await client.sms.send_bulk(phones(30), "Hola", chunk_size=10, concurrency=1)

    assert max(sandbox.counts.values()) == (1 if told else 2)
    assert len(sandbox.calls("EnviarSMS")) == (3 if told else 5)
    assert (result.accepted, len(result.unknown)) == ((20, 10) if told else (30, 0))


async def test_a_send_that_joins_is_not_repeated(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lost answer is `OutcomeUnknown`, also where the environment says so, and for a client of `for_account`."""
    monkeypatch.setenv("MENSATEK_ASSUME_GROUPING", "0")
    async with client_with(assume_grouping=None) as client:
        first = await client.sms.send("600000001", "Hola")
        same = client.for_account(sandbox.user, sandbox.token, sender="ACME")
        for sms in (client.sms, same.sms):
            sandbox.fault(Fault.drop_after_accept(), times=1)
            with pytest.raises(OutcomeUnknown):
                await sms.send("600000002", "Hola", join=first.message_id)
    assert len(sandbox.calls("EnviarSMS")) == 3
    # What certainly never arrived, or was turned away unread, is repeated as ever.
    sandbox.fault(Fault.status_429(0), times=1)
    async with client_with() as client:
        assert (await client.sms.send("600000003", "Hola", join=first.message_id)).accepted == 1


async def test_campaigns_repeat_nothing(sandbox: Sandbox, store: str) -> None:
    """A chunk whose answer is lost is unknown, and so is one whose sender died; `resend` is the user's own word."""
    sandbox.fault(Fault.drop_after_accept(), after=1, times=1)
    async with client_with(limits=Limits(concurrency=1)) as client, Campaigns(client, store) as campaigns:
        campaign = await campaigns.start("n", "Hola", phones(31), chunk_size=10)
        done = await campaign.complete()
        assert (done.sent, done.unknown, done.pending) == (22, 9, 0)  # an opener was cut from it
        assert set(sandbox.counts.values()) == {1}
        await campaign.resolve("resend")
        assert (await campaign.complete()).sent == 31


async def test_a_chunk_that_another_sender_left_is_not_repeated(sandbox: Sandbox, tmp_path: Path) -> None:
    """A worker that died, or one that assumed more, has left a chunk under way: nobody sends it again."""
    sandbox.fault(Fault.latency(30.0), after=1, times=1)
    store = str(tmp_path / "c.db")
    dies = client_with(limits=Limits(concurrency=1), assume_grouping=True, timeout=Timeout(grace=0))
    async with dies, Campaigns(dies, store) as campaigns:
        campaign = await campaigns.start("n", "Hola", phones(21), chunk_size=10)
        with anyio.move_on_after(0.5):
            await campaign.complete()
    async with client_with() as client, Campaigns(client, store) as campaigns:
        done = await (await campaigns.get("n")).complete()
    assert (done.sent + done.unknown, done.pending) == (21, 0)
    assert done.unknown
    assert max(sandbox.counts.values()) == 1


async def test_a_provider_that_answers_nobody_pauses_a_campaign(sandbox: Sandbox, tmp_path: Path) -> None:
    """It must not make one chunk after the other unknown."""
    sandbox.fault(Fault.drop_after_accept(), after=1, times=None)
    client = client_with(limits=Limits(concurrency=1))
    async with client, Campaigns(client, tmp_path / "c.db") as campaigns:
        campaign = await campaigns.start("n", "Hola", phones(101), chunk_size=10)
        done = await campaign.complete()
    assert (done.state, done.reason) == ("paused", "no_answer")
    assert (done.sent, done.unknown, done.pending) == (1, 29, 71)
