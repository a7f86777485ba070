"""An archive of certificates from end to end: client, sandbox, real HTTP, and files on the disk."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mensatek_async import (
    AsyncMensatek,
    Campaigns,
    CertificateArchive,
    Guard,
    Issuer,
    Retry,
    verify_certificates,
)
from mensatek_async.sandbox import Sandbox
from tests.callbacks import CONTRACT, event_of
from tests.sandbox_calls import ANA, EVA, LUIS

pytestmark = pytest.mark.mensatek_sandbox(starts_at=datetime(2027, 1, 8, 12, tzinfo=UTC), read_interval=0)

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")
QUICK = Retry(wait_initial=0.005, wait_max=0.02, timeout=10)
FETCH = "GetSMSCERTIFICADO"


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox) -> Sandbox:
    """A sandbox whose clock stands still, and whose contracts wait for their signer."""
    mensatek_sandbox.contracts_by_themselves = False
    return mensatek_sandbox


def hasty(**settings: Any) -> AsyncMensatek:
    """A client of the sandbox that need not wait between two reads."""
    return AsyncMensatek(issuer=ISSUER, retry=QUICK, guard=Guard(read_interval=0), **settings)


def event(message_id: int, phone: str, status: int, second: int = 0, **more: Any) -> Any:
    """The report that a recipient has reached a status."""
    told = {"Resultado": status, "Movil": phone, "idMensaje": message_id, "Referencia": "EXP-27"}
    return event_of(CONTRACT, **told, Fecha=f"2027-01-08 13:00:{second:02}", **more)


def records(folder: Path) -> list[dict[str, Any]]:
    """The records of an archive, by phone, each checked against its file."""
    found = []
    for path in folder.rglob("*.json"):
        if "pending" not in path.parts:
            found.append(record := json.loads(path.read_text()))
            content = (folder / record["file"]).read_bytes()
            assert (record["size"], record["sha256"]) == (len(content), sha256(content).hexdigest())
    return sorted(found, key=lambda one: str(one["phone"]))


def names(folder: Path) -> list[str]:
    """The names of all files and folders below one."""
    return [path.name for path in folder.rglob("*")]


async def test_event_by_event(sandbox: Sandbox, tmp_path: Path) -> None:
    """Each status is noted, the last one fetches the PDF, and what comes twice or late fetches nothing more."""
    async with hasty() as client:
        archive = CertificateArchive(client, tmp_path / "a")
        sent = await client.certified.send([ANA, LUIS], "Hola")
        sandbox.advance(60)
        for status, second in ((13, 1), (14, 5), (14, 5), (13, 1), (5000, 3)):
            assert await archive.record(event(sent.message_id, ANA, status, second, CSV="ABC1"))
        (one,) = records(archive.folder)
        kept = await archive.get(sent.message_id, "600 000 001")

    assert (one["message_id"], one["phone"], one["reference"]) == (sent.message_id, ANA, "EXP-27")
    assert (one["media_type"], one["verification_code"]) == ("application/pdf", "ABC1")
    assert [(status["code"], status["reported_at"][17:19]) for status in one["statuses"]] == [
        (13, "01"),
        (5000, "03"),
        (14, "05"),
    ]
    assert len(sandbox.calls(FETCH)) == 1
    assert kept.statuses[0].status.is_delivered
    assert (await archive.verify()).ok
    assert not [name for name in names(tmp_path) if ANA in name or name.endswith(".jsonl")]


async def test_a_message_as_its_recipients_become_ready(sandbox: Sandbox, tmp_path: Path) -> None:
    """What is ready is fetched, the rest waits for `catch_up`, and each certificate is fetched once."""
    async with hasty() as client:
        archive = CertificateArchive(client, tmp_path)
        sent = await client.certified.send([ANA, LUIS, EVA], "Firme SI", contract_type=1)
        sandbox.advance(60)
        sandbox.sign_contract(ANA)
        first = await archive.collect(sent.message_id)
        sandbox.sign_contract(LUIS)
        sandbox.reject_contract(EVA)
        waiting = verify_certificates(tmp_path).pending
        second, third = await archive.catch_up(), await archive.catch_up()
        again = await archive.collect(sent.message_id)

    assert (first.fetched, first.pending) == (1, 2)
    assert waiting == 1
    assert (second.fetched, second.known, second.without, second.pending) == (1, 1, 1, 0)
    assert (third.fetched, third.pending, again.known) == (0, 0, 2)
    assert [one["phone"] for one in records(tmp_path)] == [ANA, LUIS]
    assert len(sandbox.calls(FETCH)) == 2


@pytest.mark.mensatek_sandbox(starts_at=datetime(2026, 1, 8, 12, tzinfo=UTC), read_interval=0)
async def test_a_campaign_and_a_period(sandbox: Sandbox, tmp_path: Path) -> None:
    """All of a campaign, with its reference; and the ZIP of a period, under a name of its own."""
    async with hasty() as client, Campaigns(client, tmp_path / "c.db") as campaigns:
        campaign = await campaigns.start(
            "c", "Hola", [ANA, LUIS], product="certified", reference="R-1", sender="ACME"
        )
        await campaign.complete()
        sandbox.advance(60)
        got = await campaign.archive(tmp_path / "a")
        archive = CertificateArchive(client, tmp_path / "a")
        start = sandbox.now - timedelta(days=1)
        periods = [await archive.collect(start=start, end=start + timedelta(days=2)) for _ in range(2)]

    assert got.fetched == 2
    assert [(one.fetched, one.known) for one in periods] == [(1, 0), (0, 1)]
    assert [
        (one["reference"], one["media_type"], one["file"].rpartition(".")[2])
        for one in records(archive.folder)
    ] == [
        ("", "application/zip", "zip"),
        ("R-1", "application/pdf", "pdf"),
        ("R-1", "application/pdf", "pdf"),
    ]
    assert verify_certificates(tmp_path / "a").intact == 3
