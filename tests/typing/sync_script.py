"""A typed program without `async`: what differs from the asynchronous client, checked by the checkers and never run.

That methods take the same and give the same is held against the asynchronous classes by tests/unit/test_sync_parity.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_type

from mensatek_async import (
    BulkProgress,
    BulkResult,
    ChunkOutcome,
    CsvSource,
    Mensatek,
    Recipient,
    SendResult,
    StoredFile,
    SyncBulkStream,
    SyncFilesResource,
    SyncSmsResource,
    Template,
    Timeout,
)


def rows() -> Iterator[Recipient | str]:
    yield Recipient("600000000", {"nombre": "Ana"}, row=2)


def show(progress: BulkProgress) -> None:
    print(progress.settled, progress.total)


def chunk_by_chunk(client: Mensatek) -> BulkResult:
    with client.sms.bulk(rows(), "Hola", chunk_size=50) as outcomes:
        assert_type(outcomes, SyncBulkStream)
        for outcome in outcomes:
            assert_type(outcome, ChunkOutcome)
            assert_type(outcomes.progress, BulkProgress)
    assert_type(outcomes.remaining(), list[ChunkOutcome])
    return outcomes.result


def main() -> None:
    Mensatek("API-USER", "API-TOKEN", timeout=Timeout(connect=5), request_format="form").close()
    with Mensatek("API-USER", "API-TOKEN", sender="MIEMPRESA") as client:
        assert_type(client.for_account("TENANT", "TOKEN"), Mensatek)
        assert_type(client, Mensatek)
        assert_type(client.sms, SyncSmsResource)
        assert_type(client.files, SyncFilesResource)
        assert_type(client.sms.send((phone for phone in ["600000000"]), "Hola"), SendResult)
        seen: list[BulkProgress] = []
        client.sms.send_bulk(["600000000", "600000001"], "Hola", on_progress=seen.append)
        client.sms.send_bulk(CsvSource("a.csv", phone="movil"), "Hola")
        result = client.sms.send_bulk(rows(), Template("Hola {nombre}"), chunk_size=100, on_progress=show)
        assert_type(result, BulkResult)
        assert_type(client.files.list(), list[StoredFile])
        assert_type(client.credits(max_age=0), Decimal)
        assert_type(client.last_credits, Decimal | None)
        assert_type(client.raw("GetCreditos", {}, resp="XML"), bytes)
