"""Contracts in flight: what webhooks, sends and campaigns tell of them, on both stores."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import (
    AsyncMensatek,
    Campaigns,
    Contracts,
    Guard,
    InvalidDate,
    InvalidRequest,
    Issuer,
    Mensatek,
    Outbox,
    SyncContracts,
    Template,
)
from mensatek_async.sandbox import Callbacks, Sandbox
from mensatek_async.webhooks import parse
from tests.callbacks import CONTRACT, event_of
from tests.sandbox_calls import ANA, EVA, LUIS, phones

pytestmark = pytest.mark.mensatek_sandbox(starts_at=datetime(2027, 1, 8, 12, tzinfo=UTC), read_interval=0)

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox) -> Sandbox:
    """A sandbox whose clock stands still, and whose contracts wait for their signer."""
    mensatek_sandbox.contracts_by_themselves = False
    return mensatek_sandbox


def client_of(sandbox: Sandbox) -> AsyncMensatek:
    """A client of the sandbox."""
    return AsyncMensatek(issuer=ISSUER, sender="ACME", guard=Guard(read_interval=0))


def event(message_id: int, phone: str, status: int, minute: int = 0, **more: Any) -> Any:
    """The report that a recipient has reached a status."""
    told = {"Resultado": status, "Movil": phone, "idMensaje": message_id, "Referencia": ""}
    return event_of(CONTRACT, **told, Fecha=f"2027-01-08 13:{minute:02}:00", **more)


def states(contracts: list[Any]) -> dict[str, str]:
    """The state of each, by phone."""
    return {one.phone: one.state for one in contracts}


async def test_who_has_opened_read_signed_and_rejected(sandbox: Sandbox, store: str) -> None:
    """From a send and the callbacks of the sandbox itself, given in any order and twice."""
    contracts = Contracts(store)
    assert await contracts.pending() == []
    people = phones(6, first=34_611_000_000)
    callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0, timeout=0.2))
    async with client_of(sandbox) as client:
        sent = await client.certified.send(people, "Responda SI", contract_type=1, reference="R-1")
        pdf = await client.certified.send([ANA, LUIS, EVA], "Firme", contract_type=5, reference="R-2")
    assert await contracts.record_sent(sent, people, reference="R-1") == 6
    assert await contracts.record_sent(pdf, [ANA, LUIS, EVA], reference="R-2", acceptance_days=3) == 3
    assert (
        await contracts.record_sent(pdf, [ANA, LUIS, EVA]) == 0
    )  # which takes no reference and no date away
    sandbox.advance(60)
    sandbox.sign_contract(people[0])
    sandbox.reject_contract(people[1])
    sandbox.expire_contract(people[2])
    callbacks.wait(10)
    told = [parse(json.dumps(fields).encode()) for fields in callbacks.events if "Resultado" in fields]
    assert [await contracts.record(one) for one in [*reversed(told), *told]].count(True) == 2 * len(told)
    for status, minute in ((161, 9), (160, 5), (160, 7), (5000, 8)):
        await contracts.record(event(pdf.message_id, ANA, status, minute, CSV="ABC"))

    found = states(await contracts.list(message_id=sent.message_id))
    assert [found[one] for one in people[:4]] == ["signed", "rejected", "expired", "delivered"]
    one = await contracts.get(pdf.message_id, "600 000 001")
    assert (one.state, one.reference, one.verification_code) == ("read", "R-2", "ABC")
    assert (one.opened_at.minute, one.status and one.status.code) == (5, 161)
    waiting = {word: len(await contracts.pending(word)) for word in ("opened", "read", "accepted", "signed")}
    assert waiting == {"opened": 5, "read": 5, "accepted": 6, "signed": 6}
    assert [len(await contracts.pending(expires_within=timedelta(days=days))) for days in (2, 4)] == [0, 3]
    assert (await contracts.pending())[0].expires_at is not None
    assert (await contracts.counts())["rejected"] == 1
    await contracts.aclose()


async def test_reports_that_come_before_anything_is_known(store: str) -> None:
    """What is no contract is not listed; the first status of a contract makes all of its message contracts."""
    contracts = Contracts(store)
    assert not await contracts.record(event(1, ANA, 13))
    assert not await contracts.record(event(2, ANA, 14))
    assert not await contracts.record(event(1, LUIS, 50, Servicio="SMSMASIVO"))
    assert await contracts.list() == []
    assert await contracts.record(event(1, LUIS, 160))
    assert states(await contracts.list()) == {ANA: "delivered", LUIS: "opened"}
    assert await contracts.forget(LUIS) == 1
    assert not await contracts.record(event(1, LUIS, 180))
    await contracts.record(event(1, ANA, 180))
    assert await contracts.purge(3600) == 0
    assert await contracts.purge(timedelta(microseconds=1)) == 1
    assert await contracts.list() == []
    await contracts.aclose()


async def test_contracts_of_campaigns_in_the_same_store(sandbox: Sandbox, store: str) -> None:
    """They are known without a word, with their expiry; plain certified texts are none, and forgetting takes all."""
    people = phones(120)
    async with client_of(sandbox) as client, Campaigns(client, store) as campaigns:
        contracts = Contracts(store)
        options: dict[str, Any] = {"product": "certified", "reference": "R"}
        for name, more in (
            ("c", {"contract_type": 1, "validity": timedelta(days=2)}),
            ("n", {"acceptance_days": 10}),
            ("p", {}),
        ):
            campaign = await campaigns.start(
                name, "Hola", people if name == "c" else [ANA], **options, **more
            )
            await campaign.complete()
        found = await contracts.pending()
        await contracts.record(event(found[0].message_id, found[0].phone, 15))
        later = await contracts.pending("signed", message_id=found[0].message_id)

        assert len(found) == 121
        assert {one.reference for one in found} == {"R"}
        assert all(one.sent_at and one.expires_at for one in found)
        assert (later[-1].state, later[-1].expires_at) == ("delivered", None)
        assert await campaigns.forget(people[0]) > 0
        assert people[0] not in states(await contracts.pending())

        await (await campaigns.get("c")).purge()  # takes the contracts of its message along, for good
        assert not await contracts.record(event(later[0].message_id, people[1], 160))
        assert states(await contracts.list()) == {ANA: "sent"}
        await contracts.aclose()


async def test_a_reminder_goes_once(sandbox: Sandbox, store: str) -> None:
    """Whoever waits is reminded once a name, and nobody who has accepted or no longer can; the outbox sends it."""
    contracts = Contracts(store)
    async with client_of(sandbox) as client, Outbox(client, store) as outbox:
        sent = await client.certified.send([ANA, LUIS, EVA], "SI", contract_type=1)
        until = datetime(2099, 1, 8, 12, tzinfo=UTC)
        await contracts.record_sent(sent, [ANA, LUIS, EVA], reference="27/2027", expires_at=until)
        late = await client.certified.send(ANA, "SI", contract_type=1)
        await contracts.record_sent(late, ANA, expires_at=datetime(2026, 1, 8, tzinfo=UTC))
        await contracts.record(event(sent.message_id, LUIS, 16))
        await contracts.record(event(sent.message_id, EVA, 190))
        text = Template("Le queda por firmar {reference}, hasta {expires}")
        assert await contracts.remind(outbox, text) == 0  # they were sent just now
        assert [await contracts.remind(outbox, one, after=0) for one in (text, text, "Otro")] == [1, 0, 0]
        await outbox.drain(10)
        assert await contracts.remind(outbox, "Otro", after=0, name="last") == 1
        reminded = await contracts.get(sent.message_id, ANA)
        items = await outbox.list()

    texts = [one.text for one in sandbox.texts if one.phone == ANA]
    assert texts == ["SI", "SI", "Le queda por firmar 27/2027, hasta 08/01/2099"]
    assert reminded.reminded_at is not None
    assert not [item for item in items if ANA in item.key]
    await contracts.aclose()


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("pending", {"waiting_for": "paid"}, InvalidRequest),
        ("pending", {"expires_within": -1}, InvalidRequest),
        ("pending", {"limit": 0}, InvalidRequest),
        ("list", {"state": "paid"}, InvalidRequest),
        ("get", {"message_id": 1, "phone": "1"}, InvalidRequest),
        ("purge", {"older_than": 0}, InvalidRequest),
    ],
)
async def test_wrong_arguments(
    method: str, arguments: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    """Each is said by its name, and nothing is made."""
    with pytest.raises(error):
        await getattr(Contracts(tmp_path / "c.db"), method)(**arguments)
    assert not (tmp_path / "c.db").exists()


def test_the_synchronous_contracts(sandbox: Sandbox, tmp_path: Path) -> None:
    """The same without await, with a generator of recipients and a synchronous outbox."""
    contracts = SyncContracts(tmp_path / "c.db")
    with Mensatek(issuer=ISSUER, sender="ACME") as client, client.outbox(tmp_path / "c.db") as outbox:
        sent = client.certified.send([ANA, LUIS], "SI", contract_type=1)
        with pytest.raises(InvalidDate):
            contracts.record_sent(sent, ANA, expires_at=datetime(2027, 1, 1))
        assert contracts.record_sent(sent, (one for one in (ANA, LUIS))) == 2
        assert contracts.record(event(sent.message_id, ANA, 17))
        assert states(contracts.pending()) == {LUIS: "sent"}
        assert contracts.remind(outbox, "Firme", after=0) == 1
    contracts.close()
