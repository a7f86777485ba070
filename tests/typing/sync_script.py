"""A typed program without `async`: what differs from the asynchronous client, checked by the checkers and never run.

That methods take the same and give the same is held against the asynchronous classes by tests/unit/test_sync_parity.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import assert_type

import mensatek_async as mensatek


def rows() -> Iterator[mensatek.Recipient | str]:
    yield mensatek.Recipient("600000000", {"nombre": "Ana"}, row=2)


def show(progress: mensatek.BulkProgress) -> None:
    print(progress.settled, progress.total)


def chunk_by_chunk(client: mensatek.Mensatek) -> mensatek.BulkResult:
    with client.sms.bulk(rows(), "Hola", chunk_size=50) as outcomes:
        assert_type(outcomes, mensatek.SyncBulkStream)
        for outcome in outcomes:
            assert_type(outcome, mensatek.ChunkOutcome)
            assert_type(outcomes.progress, mensatek.BulkProgress)
    assert_type(outcomes.remaining(), list[mensatek.ChunkOutcome])
    return outcomes.result


def main() -> None:
    mensatek.Mensatek(
        "API-USER", "API-TOKEN", timeout=mensatek.Timeout(connect=5), request_format="form"
    ).close()
    with mensatek.Mensatek("API-USER", "API-TOKEN", sender="MIEMPRESA") as client:
        assert_type(client.for_account("TENANT", "TOKEN"), mensatek.Mensatek)
        assert_type(client, mensatek.Mensatek)
        assert_type(client.sms, mensatek.SyncSmsResource)
        assert_type(client.files, mensatek.SyncFilesResource)
        assert_type(client.sms.send((phone for phone in ["600000000"]), "Hola"), mensatek.SendResult)
        seen: list[mensatek.BulkProgress] = []
        client.sms.send_bulk(["600000000", "600000001"], "Hola", on_progress=seen.append)
        client.sms.send_bulk(mensatek.CsvSource("a.csv", phone="movil"), "Hola")
        result = client.sms.send_bulk(
            rows(), mensatek.Template("Hola {nombre}"), chunk_size=100, on_progress=show
        )
        assert_type(result, mensatek.BulkResult)
        assert_type(client.files.list(), list[mensatek.StoredFile])
        assert_type(client.credits(max_age=0), Decimal)
        assert_type(client.last_credits, Decimal | None)
        assert_type(client.raw("GetCreditos", {}, resp="XML"), bytes)
