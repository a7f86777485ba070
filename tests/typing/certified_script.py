"""A user's typed program with certified texts and contracts, checked by mypy and pyright, never run."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import assert_type
from zoneinfo import ZoneInfo

import mensatek_async as mensatek
from mensatek_async.text import elements

TOMORROW = datetime(2027, 1, 8, 10, 0, tzinfo=ZoneInfo("Europe/Madrid"))
ISSUER = mensatek.Issuer("EMPRESA S.L.", "900000000", "B00000000")
FOREIGN = mensatek.Issuer("ACME", "+33 1 00 00 00 00", "FR123", check=False)


async def sends(client: mensatek.AsyncMensatek) -> None:
    assert_type(client.certified, mensatek.CertifiedResource)
    assert_type(client.issuer, mensatek.Issuer | None)
    text = mensatek.Template("Hola {nombre} " + elements.pdf(b"%PDF-1.7"))
    sent = await client.certified.send(
        mensatek.Recipient("600000000", {"nombre": "Ana"}),
        text,
        sender="MIEMPRESA",
        scheduled_at=TOMORROW,
        reference="R1",
        report=True,
        join=5,
        encoding="auto",
        fix_utf8=False,
        issuer=ISSUER,
        contract_type=mensatek.ContractType.PDF,
        validity=timedelta(days=3),
        report_email="a@b.es",
    )
    assert_type(sent, mensatek.SendResult)
    await client.certified.send(
        ["600000000"],
        "Hola",
        contract_type=7,
        identify=mensatek.Identify.certificate("12345678E"),
        acceptance_days=10,
    )
    assert_type(await client.certified.send_bulk(["600000000"], "Hola", issuer=FOREIGN), mensatek.BulkResult)
    async with client.certified.bulk(["600000000"], "Hola", chunk_size=20, concurrency=2) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, mensatek.ChunkOutcome)
    assert_type(await client.certified.cancel(sent.message_id), mensatek.Cancellation)
    assert_type(await client.certified.reschedule(sent.message_id, TOMORROW), mensatek.Rescheduling)
    assert_type(await client.certified.report(sent.message_id, max_age=0), mensatek.MessageReport)
    assert_type(await client.certified.wait_certified(5, "600000000", 60), mensatek.RecipientReport)
    assert_type(
        await client.certified.wait_certified(5, "600000000", timedelta(hours=1)), mensatek.RecipientReport
    )


async def downloads(client: mensatek.AsyncMensatek) -> None:
    got = await client.certified.download("a.pdf", message_id=5, phone="600000000")
    assert_type(got, mensatek.Download)
    assert_type(got.path, Path | None)
    await client.certified.download(io.BytesIO(), message_id="5")
    await client.certified.download(Path("a.zip"), start=TOMORROW, end=TOMORROW + timedelta(days=1))
    bundle = mensatek.open_certificates("a.zip", max_files=10, max_file_size=1, max_total_size=2)
    assert_type(bundle, mensatek.CertificateBundle)
    assert_type(bundle.certificates, tuple[mensatek.Certificate, ...])
    for row in bundle.rows:
        assert_type(row, mensatek.CertificateRow)
        assert_type(row.status, mensatek.DeliveryStatus | None)


def without_await(event: mensatek.DeliveryReport) -> None:
    assert_type(event.location, mensatek.Location | None)
    with mensatek.Mensatek(
        issuer=ISSUER,
        limits=mensatek.Limits(certified_per_request=20),
        guard=mensatek.Guard(period_interval=60),
    ) as client:
        assert_type(client.certified, mensatek.SyncCertifiedResource)
        assert_type(client.certified.send("600000000", "Hola"), mensatek.SendResult)
        assert_type(client.certified.download(Path("a.pdf"), message_id=5), mensatek.Download)
        with client.certified.bulk(["600000000"], "Hola") as outcomes:
            for outcome in outcomes:
                assert_type(outcome, mensatek.ChunkOutcome)
