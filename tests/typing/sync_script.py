"""A typed program without `async`: every public call shape, checked by mypy and pyright, never run."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, assert_type
from zoneinfo import ZoneInfo

from mensatek_async import (
    BulkProgress,
    BulkResult,
    Cancellation,
    ChunkOutcome,
    CsvSource,
    Guard,
    Issuer,
    Limits,
    Mensatek,
    MessageReport,
    Recipient,
    Rescheduling,
    Retry,
    SendResult,
    StoredFile,
    SyncBulkStream,
    SyncFilesResource,
    SyncSmsResource,
    Template,
    Timeout,
    VoiceFallback,
)

TOMORROW = datetime(2027, 1, 8, 10, 0, tzinfo=ZoneInfo("Europe/Madrid"))


def settings() -> None:
    client = Mensatek(
        "API-USER",
        "API-TOKEN",
        base_url="https://api.mensatek.com/v7",
        sender="MIEMPRESA",
        default_region="ES",
        timeout=Timeout(connect=5, grace=timedelta(seconds=2)),
        limits=Limits(concurrency=4),
        retry=Retry(attempts=2),
        guard=Guard(pause=30),
        transport=None,
        request_format="form",
    )
    assert_type(client.sms, SyncSmsResource)
    assert_type(client.files, SyncFilesResource)
    client.close()


def one_text(client: Mensatek) -> None:
    sent = client.sms.send("+34 600 00 00 00", "Su cita es mañana a las 10:00")
    assert_type(sent, SendResult)
    assert_type(sent.message_id, int)
    client.sms.send(Recipient("600000000", {"nombre": "Ana"}), Template("Hola {nombre}"))
    client.sms.send((phone for phone in ["600000000"]), "Hola")
    client.sms.send(
        "600000000",
        "Hola",
        sender="MIEMPRESA",
        scheduled_at=TOMORROW,
        reference="cita 7",
        join=sent.message_id,
        voice_fallback=VoiceFallback("es-ES"),
        encoding="unicode",
        fix_utf8=True,
    )
    assert_type(client.sms.cancel(sent.message_id), Cancellation)
    assert_type(client.sms.reschedule(sent.message_id, TOMORROW), Rescheduling)
    assert_type(client.sms.report(sent.message_id, max_age=0), MessageReport)


def rows() -> Iterator[Recipient | str]:
    yield Recipient("600000000", {"nombre": "Ana", "fecha": TOMORROW.date()}, row=2)


def show(progress: BulkProgress) -> None:
    print(progress.settled, progress.total)


def many_texts(client: Mensatek) -> BulkResult:
    seen: list[BulkProgress] = []
    client.sms.send_bulk(["600000000", "600000001"], "Hola", on_progress=seen.append)
    client.sms.send_bulk(CsvSource("a.csv", phone="movil"), "Hola")
    result = client.sms.send_bulk(rows(), Template("Hola {nombre}"), chunk_size=100, on_progress=show)
    assert_type(result, BulkResult)
    return result


def chunk_by_chunk(client: Mensatek) -> BulkResult:
    with client.sms.bulk(rows(), "Hola", chunk_size=50) as outcomes:
        assert_type(outcomes, SyncBulkStream)
        for outcome in outcomes:
            assert_type(outcome, ChunkOutcome)
            assert_type(outcomes.progress, BulkProgress)
    assert_type(outcomes.remaining(), list[ChunkOutcome])
    return outcomes.result


def certified(client: Mensatek) -> None:
    sent = client.certified.send("600000000", "Hola", issuer=Issuer("EMPRESA S.L.", "900000000", "B00000000"))
    assert_type(sent, SendResult)
    client.certified.download("certificate.pdf", message_id=sent.message_id, phone="34600000000")


def the_rest(client: Mensatek) -> None:
    assert_type(client.files.upload(io.BytesIO(b"%PDF-1.7"), name="stream.pdf"), StoredFile)
    assert_type(client.files.list(), list[StoredFile])
    client.files.delete("contrato.pdf")
    assert_type(client.credits(max_age=0), Decimal)
    assert_type(client.last_credits, Decimal | None)
    assert_type(client.request("GetCreditos", {}), dict[str, Any])
    assert_type(client.raw("GetCreditos", {}, resp="XML"), bytes)


def main() -> None:
    with Mensatek("API-USER", "API-TOKEN", sender="MIEMPRESA") as client:
        assert_type(client, Mensatek)
        one_text(client)
