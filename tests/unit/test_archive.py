"""An archive of certificates by what the provider answers, and what became of its files."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from glob import glob
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from mensatek_async import (
    ArchiveSummary,
    AsyncMensatek,
    AuthenticationError,
    CertificateArchive,
    ConfigurationError,
    ConnectionFailed,
    Guard,
    InvalidRequest,
    Limits,
    NotYours,
    Refused,
    verify_certificates,
)
from tests.callbacks import CONTRACT, event_of
from tests.scripted import BASE_URL, TOKEN, Answer, Script, client_of, reply
from tests.unit.test_certified_download import PDF, QUICK, document, zipped

ANA = "34600000001"
LOST = httpx.ConnectError("no")


def event(status: int = 14, message_id: int = 12, **fields: Any) -> Any:
    """The report that a recipient has reached a status."""
    told = {"Resultado": status, "Movil": ANA, "idMensaje": message_id, "Referencia": "", "Fecha": ""}
    return event_of(CONTRACT, **{**told, **fields})


def report_of(*statuses: int, stated: int | None = None) -> httpx.Response:
    """A report of so many recipients."""
    rows = [{"Telefono": 34600000001 + at, "Resultado": status} for at, status in enumerate(statuses)]
    more: dict[str, Any] = {} if stated is None else {"Destinatarios": stated}
    return reply(Informe=rows, **more)


def asking(*answers: Answer) -> tuple[Script, AsyncMensatek]:
    """A client that repeats at once, and what it asks."""
    script = Script(*answers)
    guard = Guard(read_interval=0, period_interval=0, wrong_calls=2)
    return script, client_of(script, retry=QUICK, guard=guard)


def asked_for(script: Script) -> set[str]:
    """The phones whose certificates were asked for."""
    return {phone for at in range(len(script.requests)) if (phone := script.params(at).get("Telefono"))}


def only(folder: Path, suffix: str) -> Path:
    """The only file of a kind."""
    (path,) = folder.rglob(f"*{suffix}")
    return path


def files(folder: Path) -> dict[str, int]:
    """How many files there are of each kind."""
    kinds = [path.suffix for path in folder.rglob("*") if path.is_file()]
    return {kind: kinds.count(kind) for kind in kinds}


async def test_a_zip_comes_for_one_recipient(tmp_path: Path) -> None:
    """It is kept as what it is, found again, and recorded so."""
    script, client = asking(document(zipped()))
    async with client:
        archive = CertificateArchive(client, tmp_path)
        for _ in range(2):
            assert await archive.record(event())
        kept = await archive.get(12, ANA)

    assert (kept.media_type, kept.file[-4:]) == ("application/zip", ".zip")
    assert len(script.requests) == 1
    assert files(tmp_path) == {".zip": 1, ".json": 1}


@pytest.mark.parametrize(
    ("answers", "then"),
    [
        ([reply(Res=-4, Error="no certificate yet")], document()),
        ([reply(Res=-3)], document()),
        ([document(b"<html>")] * 4, document()),
        ([LOST] * 4, document()),
        ([httpx.Response(429, headers={"retry-after": "3600"})], None),
        ([reply(Res=-1)], None),
    ],
    ids=["not ready", "refused", "unreadable", "no connection", "paused", "wrong token"],
)
async def test_what_a_webhook_cannot_fetch_is_kept(
    answers: list[Answer], then: Answer | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler raises nothing, the log says why without a phone, and catching up fetches it, or stops again."""
    _, client = asking(*answers, *([] if then is None else [then]))
    async with client:
        archive = CertificateArchive(client, tmp_path)
        with caplog.at_level(logging.WARNING):
            assert await archive.record(event())
        assert verify_certificates(tmp_path).pending == 1
        if then is None:
            with pytest.raises((AuthenticationError, Refused)):
                await archive.catch_up()
            assert verify_certificates(tmp_path).pending == 1
        else:
            assert (await archive.catch_up()).fetched == 1
            assert verify_certificates(tmp_path).pending == 0

    assert "message 12" in caplog.text
    assert ANA not in caplog.text


@pytest.mark.parametrize("by", ["event", "message"])
async def test_certificates_that_are_refused_hold_up_nobody(by: str, tmp_path: Path) -> None:
    """The guard stops wrong calls; whoever was refused comes last from then on, so what is ready is fetched."""
    ready, phones = set[str](), {str(int(ANA) + at) for at in range(9)}

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("GetReportSMSCERTIFICADO"):
            return report_of(*[14] * 9)
        return document() if json.loads(request.content)["Telefono"] in ready else reply(Res=-2)

    script = Script(answer, repeat_last=True)

    async def take(step: str) -> ArchiveSummary | None:
        """Go on when the guard has forgotten, as that of another account has."""
        guard = Guard(read_interval=0, wrong_calls=2)
        settings: dict[str, Any] = {"guard": guard, "limits": Limits(concurrency=1), "retry": QUICK}
        async with AsyncMensatek(step, TOKEN, base_url=BASE_URL, transport=script, **settings) as client:
            archive = CertificateArchive(client, tmp_path)
            if by == "event" and step == "first":
                for phone in phones:
                    await archive.record(event(Movil=phone))
                return None
            return await (archive.catch_up() if by == "event" else archive.collect(12))

    if by == "message":
        with pytest.raises(Refused):
            await take("first")
    else:
        await take("first")
    ready.update(phones - asked_for(script))
    assert len(ready) == 7
    for step in ("second", "third"):
        summary = await take(step)
        assert summary.pending == 2
        assert verify_certificates(tmp_path).intact == 7
    ready.update(phones)
    await take("last")
    assert verify_certificates(tmp_path).intact == 9
    assert ".refused" not in files(tmp_path)


async def test_a_report_that_is_refused_holds_up_no_other(tmp_path: Path) -> None:
    """Whatever the provider says to one message, the next is asked for."""
    _, client = asking(report_of(13), report_of(13))
    async with client:
        archive = CertificateArchive(client, tmp_path)
        await archive.collect(12)
        await archive.collect(13)
    _, client = asking(reply(Res=0), report_of(14), document())
    async with client:
        summary = await CertificateArchive(client, tmp_path).catch_up()

    assert (summary.fetched, summary.pending) == (1, 1)


async def test_collecting_stops_where_nothing_more_can_be_fetched(tmp_path: Path) -> None:
    """What was fetched stays, the rest is pending, and a report that lacks recipients is asked for again."""
    script, client = asking(report_of(14, 14, 190, stated=4), document(), *[LOST] * 12)
    async with client:
        archive = CertificateArchive(client, tmp_path)
        with pytest.raises(ConnectionFailed):
            await archive.collect(12)
        script.answers[:] = [document(), report_of(14, 14, 190, stated=4)]
        summary = await archive.catch_up()

    assert (summary.fetched, summary.known, summary.without, summary.pending) == (1, 2, 1, 1)
    assert verify_certificates(tmp_path).pending == 1


async def test_a_message_of_somebody_else(tmp_path: Path) -> None:
    """Collected it is an error that leaves nothing; told of by a webhook it is asked for once in days."""
    script, client = asking(reply(Res=-2), reply(Res=-2))
    async with client:
        archive = CertificateArchive(client, tmp_path)
        with pytest.raises(NotYours):
            await archive.collect(13)
        assert files(tmp_path) == {}
        await archive.record(event(13, Servicio="SMSNUEVO"))
        found = [(await archive.catch_up()).pending for _ in range(3)]

    assert found == [1, 1, 1]
    assert len(script.requests) == 2


async def test_what_does_not_belong_is_passed_over(tmp_path: Path) -> None:
    """Plain texts, replies and ends without a certificate leave nothing behind."""
    _, client = asking()
    async with client:
        archive = CertificateArchive(client, tmp_path / "a")
        assert not await archive.record(event(13, Servicio="SMSMASIVO"))
        assert not (tmp_path / "a").exists()
        for status in (13, 190, 13):
            assert await archive.record(event(status))
    assert files(tmp_path / "a") == {".jsonl": 1}


CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "missing": (".pdf", Path.unlink),
    "changed": (".pdf", lambda path: path.write_bytes(PDF + b" ")),
    "unrecorded": (".json", Path.unlink),
    "unreadable": (".json", lambda path: path.write_text("{")),
}


@pytest.mark.parametrize("kind", CHANGES)
async def test_what_became_of_a_certificate(kind: str, tmp_path: Path) -> None:
    """Each change is found, by its file; one that is missing is fetched again, with its statuses."""
    _, client = asking(document(), report_of(14), document(PDF + b"2"))
    async with client:
        archive = CertificateArchive(client, tmp_path)
        await archive.record(event(CSV="ABC"))
        suffix, change = CHANGES[kind]
        path = only(tmp_path, suffix)
        change(path)
        found = await archive.verify()
        assert [(one.kind, one.file[:3]) for one in found.problems] == [(kind, "12/")]
        assert not found.ok
        if kind == "missing":
            assert (await archive.collect(12)).fetched == 1
            kept = await archive.get(12, ANA)
            assert (kept.verification_code, len(kept.statuses)) == ("ABC", 1)
            assert verify_certificates(tmp_path).ok


@pytest.mark.parametrize("folder", ["12", "12/*", "pending/*"])
async def test_a_folder_that_cannot_be_read(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody could look into is not called intact, or not pending."""
    _, client = asking(document())
    async with client:
        archive = CertificateArchive(client, tmp_path)
        await archive.record(event())
        await archive.record(event(13, message_id=13))
        found = min(glob(folder, root_dir=tmp_path))
        hidden = str(tmp_path / found)

        def guarded(find: Callable[[Any], Any]) -> Callable[[Any], Any]:
            def look(path: Any = ".") -> Any:
                if str(path) == hidden:
                    raise PermissionError(13, "Permission denied", hidden)
                return find(path)

            return look

        for name in ("listdir", "scandir"):
            monkeypatch.setattr(os, name, guarded(getattr(os, name)))
        with pytest.raises(PermissionError):
            await archive.verify()


async def test_a_line_that_a_power_cut_has_cut(tmp_path: Path) -> None:
    """What is whole before and after it counts."""
    _, client = asking(document())
    async with client:
        archive = CertificateArchive(client, tmp_path)
        await archive.record(event(13))
        path = only(tmp_path, ".jsonl")
        with path.open("ab") as file:
            file.write(path.read_bytes()[:30])
        await archive.record(event(14))
        kept = await archive.get(12, ANA)

    assert {one.code for one in kept.statuses} == {13, 14}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, InvalidRequest),
        ({"message_id": "x"}, InvalidRequest),
        ({"message_id": 1, "start": 1}, InvalidRequest),
        ({"start": 1, "end": 2}, InvalidRequest),
        ({"start": datetime(2027, 1, 1, tzinfo=UTC)}, InvalidRequest),
    ],
)
async def test_what_to_collect_is_not_clear(arguments: Any, error: type[Exception], tmp_path: Path) -> None:
    """Nothing is asked, and nothing is made."""
    script, client = asking()
    async with client:
        with pytest.raises(error):
            await CertificateArchive(client, tmp_path / "a").collect(**arguments)
    assert not script.requests
    assert not (tmp_path / "a").exists()


NOW = datetime.now(UTC)


def period(client: AsyncMensatek, folder: Path, end: datetime = NOW) -> Awaitable[ArchiveSummary]:
    """Collect the last days, until a moment."""
    return CertificateArchive(client, folder).collect(start=NOW - timedelta(days=9), end=end)


@pytest.mark.parametrize(("ends_in", "calls"), [(-60, 1), (86_400, 2)], ids=["ended", "to come"])
async def test_a_period_is_kept_once_it_has_ended(ends_in: float, calls: int, tmp_path: Path) -> None:
    """What is certified until its end is not left out: a ZIP that came before is fetched again, and replaced."""
    script, client = asking(document(zipped()), document(zipped(9)))
    async with client:
        for _ in range(2):
            await period(client, tmp_path, NOW + timedelta(seconds=ends_in))
    assert len(script.requests) == calls
    assert verify_certificates(tmp_path).intact == 1
    assert files(tmp_path) == {".zip": 1, ".json": 1}


@pytest.mark.parametrize(("then", "outcome"), [(document(zipped()), "fetched"), (reply(Res=-2), "without")])
async def test_a_period_that_was_interrupted_is_caught_up_with(
    then: Answer, outcome: str, tmp_path: Path
) -> None:
    """It is pending like any certificate, and no longer once it is there, or nothing was certified in it."""

    async def never(request: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    _, client = asking(never, then, reply(Res=-2))
    async with client:
        with anyio.move_on_after(0.05):
            await period(client, tmp_path)
        assert verify_certificates(tmp_path).pending == 1
        assert await CertificateArchive(client, tmp_path).catch_up() == ArchiveSummary(**{outcome: 1})
        with pytest.raises(NotYours):
            await period(client, tmp_path, NOW + timedelta(days=1))
    assert verify_certificates(tmp_path).pending == 0


def test_wrong_places(tmp_path: Path) -> None:
    """A client of the other kind, and a folder that is no archive, are named."""
    with pytest.raises(ConfigurationError, match="SyncCertificateArchive"):
        CertificateArchive(object(), tmp_path)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="nothing to check"):
        verify_certificates(tmp_path)
