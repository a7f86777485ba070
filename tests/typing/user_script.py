"""A user's typed program: every public call shape, checked by mypy and pyright, never run."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type
from zoneinfo import ZoneInfo

import mensatek_async as mensatek
from mensatek_async.text import Segmentation, elements, segments

TOMORROW = datetime(2027, 1, 8, 10, 0, tzinfo=ZoneInfo("Europe/Madrid"))


async def settings() -> None:
    mensatek.AsyncMensatek()
    mensatek.AsyncMensatek("API-USER", "API-TOKEN")
    client = mensatek.AsyncMensatek(
        "API-USER",
        "API-TOKEN",
        base_url="https://api.mensatek.com/v7",
        sender="MIEMPRESA",
        default_region="ES",
        timeout=mensatek.Timeout(connect=5, read=30, total=60),
        limits=mensatek.Limits(concurrency=4, per_second=20, sms_per_request=200),
        retry=mensatek.Retry(attempts=2),
        guard=mensatek.Guard(pause=30, store=Path("guard.db")),
        transport=None,
        request_format="form",
    )
    await client.aclose()


async def one_text(client: mensatek.AsyncMensatek) -> None:
    sent = await client.sms.send("+34 600 00 00 00", "Su cita es mañana a las 10:00")
    assert_type(sent, mensatek.SendResult)
    assert_type(sent.message_id, int)
    assert_type(sent.accepted, int)
    assert_type(sent.rejected, int)
    assert_type(sent.segments, int | None)
    assert_type(sent.recipients, int)
    assert_type(sent.credits_used, Decimal | None)
    assert_type(sent.credits_left, Decimal | None)

    await client.sms.send(
        mensatek.Recipient("600000000", {"nombre": "Ana"}), mensatek.Template("Hola {nombre}")
    )
    await client.sms.send(["600000000", mensatek.Recipient("600000001")], "Hola")
    await client.sms.send(
        "600000000",
        "Hola",
        sender="MIEMPRESA",
        scheduled_at=TOMORROW,
        reference="cita 7",
        join=sent.message_id,
        voice_fallback=mensatek.VoiceFallback("es-ES"),
        encoding="unicode",
        fix_utf8=True,
    )


async def after_sending(client: mensatek.AsyncMensatek, message_id: int) -> None:
    assert_type(await client.sms.cancel(message_id), mensatek.Cancellation)
    assert_type(await client.sms.reschedule(message_id, TOMORROW), mensatek.Rescheduling)
    report = await client.sms.report(message_id, max_age=0)
    assert_type(report, mensatek.MessageReport)
    for one in report.recipients:
        assert_type(one.phone, str)
        assert_type(one.status, mensatek.DeliveryStatus)
        assert_type(one.status.is_final, bool)
        assert_type(one.status.phase, mensatek.Phase)
        assert_type(one.reported_at, datetime | None)


def rows() -> Iterator[mensatek.Recipient]:
    yield mensatek.Recipient("600000000", {"nombre": "Ana", "fecha": TOMORROW.date()}, row=2)


async def arriving_rows() -> AsyncIterator[mensatek.Recipient | str]:
    yield "600000001"


async def many_texts(client: mensatek.AsyncMensatek) -> mensatek.BulkResult:
    def show(progress: mensatek.BulkProgress) -> None:
        print(progress.settled, progress.total, progress.rate, progress.credits_left)

    await client.sms.send_bulk(["600000000", "600000001"], "Hola")
    await client.sms.send_bulk(arriving_rows(), "Hola")
    await client.sms.send_bulk(
        mensatek.CsvSource("a.csv", phone="movil", fields={"n": 2}, delimiter=";", encoding="cp1252"), "Hola"
    )
    await client.sms.send_bulk(mensatek.JsonLinesSource(Path("a.jsonl"), phone=1, fields=["n"]), "Hola")
    await client.sms.send_bulk(mensatek.ExcelSource("a.xlsx", sheet=2), "Hola")
    await client.sms.send_bulk(
        mensatek.SqlSource(sqlite3.connect("a.db").execute("SELECT movil FROM c")), "Hola"
    )
    for row in mensatek.CsvSource("a.csv"):
        assert_type(row, mensatek.Recipient | mensatek.BrokenRow)
    await client.sms.send_bulk((row for row in mensatek.CsvSource("a.csv") if row.row != 2), "Hola")
    result = await client.sms.send_bulk(
        rows(),
        mensatek.Template("Hola {nombre}, su cita: {fecha}"),
        sender="MIEMPRESA",
        scheduled_at=TOMORROW,
        reference="navidad",
        chunk_size=100,
        concurrency=2,
        on_progress=show,
    )
    assert_type(result, mensatek.BulkResult)
    assert_type(result.all_sent, bool)
    problems: Sequence[mensatek.RowProblem] = [*result.invalid, *result.failed, *result.unknown]
    for problem in problems:
        assert_type(problem.row, int)
        assert_type(problem.reason, str)
    result.raise_if_stopped()
    return result


async def chunk_by_chunk(client: mensatek.AsyncMensatek) -> None:
    async with client.sms.bulk(rows(), "Hola", chunk_size=50) as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, mensatek.ChunkOutcome)
            if outcome.status == "unknown":
                print(outcome.rows, outcome.error)


async def files(client: mensatek.AsyncMensatek) -> None:
    assert_type(await client.files.upload("contrato.pdf"), mensatek.StoredFile)
    await client.files.upload(Path("contrato.pdf"), name="otro.pdf", encoding="base64")
    await client.files.upload(b"%PDF-1.7", name="bytes.pdf", delete_after_certification=True)
    await client.files.upload(io.BytesIO(b"%PDF-1.7"), name="stream.pdf")
    assert_type(await client.files.list(), list[mensatek.StoredFile])
    await client.files.delete("contrato.pdf")


async def the_rest(client: mensatek.AsyncMensatek) -> None:
    assert_type(await client.credits(), Decimal)
    assert_type(await client.credits(max_age=0), Decimal)
    left: Decimal | None = client.last_credits
    print(left)
    reply: Mapping[str, Any] = await client.request("GetCreditos", {})
    print(reply)
    body = await client.raw("GetCreditos", {}, resp="XML")
    assert_type(body, bytes)


def texts() -> None:
    found = segments("¿Qué tal?", encoding="auto")
    assert_type(found, Segmentation)
    assert_type(found.segments, int)
    text: str = f"Su contrato: {elements.file('contrato.pdf')} {elements.link('https://example.com')}"
    print(text)


async def errors(client: mensatek.AsyncMensatek) -> None:
    try:
        await client.sms.send("600000000", "Hola")
    except (mensatek.ConfigurationError, mensatek.InvalidPhone, mensatek.InvalidRequest) as error:
        print(error.advice)
    except (mensatek.AccountPaused, mensatek.TooManyRequests, mensatek.Refused) as error:
        assert_type(error.retry_after, float)
    except mensatek.ConnectionFailed as error:
        print(error.sent)
    except mensatek.OutcomeUnknown as error:
        print(error.operation, error.asked)
    except mensatek.InsufficientCredits as error:
        print(error.needed, error.left)
    except (mensatek.AuthenticationError, mensatek.FileRejected, mensatek.APIError) as error:
        assert_type(error.code, int | None)
    except mensatek.UnexpectedReply as error:
        print(error.problems)
    except mensatek.MensatekError as error:
        assert_type(error.sent, bool | None)


async def main() -> None:
    async with mensatek.AsyncMensatek("API-USER", "API-TOKEN", sender="MIEMPRESA") as client:
        assert_type(client.for_account("TENANT", "TOKEN", sender="TENANT"), mensatek.AsyncMensatek)
        assert_type(client, mensatek.AsyncMensatek)
        await one_text(client)
        await many_texts(client)
