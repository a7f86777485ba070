"""A user's typed program with certified texts and contracts, checked by mypy and pyright, never run."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import assert_type
from zoneinfo import ZoneInfo

from mensatek_async import (
    AsyncMensatek,
    BulkResult,
    Cancellation,
    Certificate,
    CertificateBundle,
    CertificateRow,
    CertifiedResource,
    ChunkOutcome,
    ContractType,
    DeliveryReport,
    DeliveryStatus,
    Download,
    Guard,
    Identify,
    Issuer,
    Limits,
    Location,
    Mensatek,
    MessageReport,
    Recipient,
    RecipientReport,
    Rescheduling,
    SendResult,
    SyncCertifiedResource,
    Template,
    open_certificates,
)
from mensatek_async.text import elements

TOMORROW = datetime(2027, 1, 8, 10, 0, tzinfo=ZoneInfo("Europe/Madrid"))
ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")
FOREIGN = Issuer("ACME", "+33 1 00 00 00 00", "FR123", check=False)


async def sends(client: AsyncMensatek) -> None:
    assert_type(client.certified, CertifiedResource)
    assert_type(client.issuer, Issuer | None)
    text = Template("Hola {nombre} " + elements.pdf(b"%PDF-1.7"))
    sent = await client.certified.send(
        Recipient("600000000", {"nombre": "Ana"}),
        text,
        sender="MIEMPRESA",
        scheduled_at=TOMORROW,
        reference="R1",
        report=True,
        join=5,
        encoding="auto",
        fix_utf8=False,
        issuer=ISSUER,
        contract_type=ContractType.PDF,
        validity=timedelta(days=3),
        report_email="a@b.es",
    )
    assert_type(sent, SendResult)
    await client.certified.send(
        ["600000000"], "Hola", contract_type=7, identify=Identify.certificate("12345678E"), acceptance_days=10
    )
    assert_type(await client.certified.send_bulk(["600000000"], "Hola", issuer=FOREIGN), BulkResult)
    async with client.certified.bulk(["600000000"], "Hola", chunk_size=20, concurrency=2) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, ChunkOutcome)
    assert_type(await client.certified.cancel(sent.message_id), Cancellation)
    assert_type(await client.certified.reschedule(sent.message_id, TOMORROW), Rescheduling)
    assert_type(await client.certified.report(sent.message_id, max_age=0), MessageReport)
    assert_type(await client.certified.wait_certified(5, "600000000", 60), RecipientReport)
    assert_type(await client.certified.wait_certified(5, "600000000", timedelta(hours=1)), RecipientReport)


async def downloads(client: AsyncMensatek) -> None:
    got = await client.certified.download("a.pdf", message_id=5, phone="600000000")
    assert_type(got, Download)
    assert_type(got.path, Path | None)
    await client.certified.download(io.BytesIO(), message_id="5")
    await client.certified.download(Path("a.zip"), start=TOMORROW, end=TOMORROW + timedelta(days=1))
    bundle = open_certificates("a.zip", max_files=10, max_file_size=1, max_total_size=2)
    assert_type(bundle, CertificateBundle)
    assert_type(bundle.certificates, tuple[Certificate, ...])
    for row in bundle.rows:
        assert_type(row, CertificateRow)
        assert_type(row.status, DeliveryStatus | None)


def without_await(event: DeliveryReport) -> None:
    assert_type(event.location, Location | None)
    with Mensatek(
        issuer=ISSUER, limits=Limits(certified_per_request=20), guard=Guard(period_interval=60)
    ) as client:
        assert_type(client.certified, SyncCertifiedResource)
        assert_type(client.certified.send("600000000", "Hola"), SendResult)
        assert_type(client.certified.download(Path("a.pdf"), message_id=5), Download)
        with client.certified.bulk(["600000000"], "Hola") as outcomes:
            for outcome in outcomes:
                assert_type(outcome, ChunkOutcome)
