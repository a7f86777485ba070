"""Downloads: whole or not there at all, whatever happens on the way."""

from __future__ import annotations

import errno
import gzip
import io
import os
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from mensatek_async import (
    AsyncMensatek,
    BadParameters,
    ConnectionFailed,
    Guard,
    InvalidDate,
    InvalidFile,
    InvalidPhone,
    InvalidRequest,
    NotYours,
    Retry,
    TooManyRequests,
    UnexpectedReply,
)
from mensatek_async._core import sink as sink_module
from tests.scripted import BASE_URL, Answer, Script, client_of, reply

PDF = b"%PDF-1.7\n" + b"x" * 5000 + b"\n%%EOF\n"
START, END = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
QUICK = Retry(wait_initial=0.001, wait_max=0.002, timeout=5)
KEPT = b"what was there before"


def zipped(size: int = 3) -> bytes:
    """A ZIP of so many bytes of content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.pdf", b"%PDF-" + os.urandom(size))
    return out.getvalue()


def document(content: bytes = PDF, media_type: str = "application/pdf", **headers: str) -> httpx.Response:
    """A document as an answer, with its length."""
    return httpx.Response(200, content=content, headers={"content-type": media_type, **headers})


def streamed(*parts: bytes | Exception, framed: bool = True, **headers: str) -> Answer:
    """A document in parts, which may break off; unframed, nothing tells where it ends."""

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in parts:
                await anyio.lowlevel.checkpoint()
                if isinstance(part, Exception):
                    raise part
                yield part

    async def answer(request: httpx.Request) -> httpx.Response:
        framing = {"transfer-encoding": "chunked"} if framed and "content-length" not in headers else {}
        return httpx.Response(
            200, headers={"content-type": "application/pdf", **framing, **headers}, stream=Body()
        )

    return answer


def asking(*answers: Answer, guard: Guard | None = None, **settings: Any) -> tuple[Script, AsyncMensatek]:
    """A client that repeats at once, and what it asks."""
    script = Script(*answers)
    return script, client_of(script, retry=QUICK, guard=guard or Guard(read_interval=0), **settings)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A destination that already has a file."""
    path = tmp_path / "certificate.pdf"
    path.write_bytes(KEPT)
    return path


def beside(place: Path) -> list[Path]:
    """Every file in the destination's directory."""
    return list(place.parent.iterdir())


def untouched(place: Path) -> bool:
    """Whether the destination is as it was, with nothing beside it."""
    return place.read_bytes() == KEPT and beside(place) == [place]


LARGE = zipped(5_000_000)


ARRIVES = {
    "whole": (document(), PDF),
    "mislabelled": (document(media_type="text/html"), PDF),
    "in parts": (streamed(PDF[:3], PDF[3:7], PDF[7:]), PDF),
    "without a length": (streamed(PDF, framed=False), PDF),
    "compressed": (streamed(gzip.compress(PDF), **{"content-encoding": "gzip"}), PDF),
    "stray bytes first": (streamed(b"\xef\xbb", b"\xbf\r\n", b"\n", PDF), PDF),
    "large zip": (streamed(*(LARGE[at : at + 65_536] for at in range(0, len(LARGE), 65_536))), LARGE),
}


@pytest.mark.parametrize(("answer", "content"), ARRIVES.values(), ids=ARRIVES)
async def test_a_document_arrives(answer: Answer, content: bytes, place: Path) -> None:
    """What begins as a PDF or ZIP replaces the file; its own first bytes decide, not what it is labelled."""
    script, client = asking(answer)
    async with client:
        got = await client.certified.download(place, message_id="12", phone="600 000 000")

    is_zip = content is LARGE
    path, media_type = (
        (place.with_suffix(".zip"), "application/zip") if is_zip else (place, "application/pdf")
    )
    assert (got.path, got.media_type, got.size) == (path, media_type, len(content))
    assert await anyio.Path(path).read_bytes() == content
    assert sorted(beside(place)) == sorted({path, place})
    assert not is_zip or await anyio.Path(place).read_bytes() == KEPT
    assert script.params() == {"Idmensaje": 12, "Telefono": "34600000000", "Resp": "JSON"}


@pytest.mark.parametrize(
    ("given", "came", "named"),
    [
        ("a.PDF", "zip", "a.zip"),
        ("a.zip", "pdf", "a.pdf"),
        ("a", "zip", "a"),
        ("a.cert", "pdf", "a.cert"),
        ("a.b.pdf", "zip", "a.b.zip"),
    ],
)
async def test_a_document_is_named_by_what_came(given: str, came: str, named: str, tmp_path: Path) -> None:
    """The ending of another kind of document gives way to the right one; any other name stays."""
    _, client = asking(document(zipped() if came == "zip" else PDF))
    async with client:
        assert (await client.certified.download(tmp_path / given, message_id=12)).path == tmp_path / named

    assert beside(tmp_path / given) == [tmp_path / named]


@pytest.mark.parametrize("kind", ["file", "memory", "anyio"])
async def test_into_a_binary_file(kind: str, tmp_path: Path) -> None:
    """An open file gets the whole, after what it holds already."""
    path = tmp_path / "all.bin"
    _, client = asking(streamed(PDF[:100], httpx.ReadError("cut")), document())
    async with client:
        if kind == "memory":
            memory = io.BytesIO()
            memory.write(b"head ")
            got = await client.certified.download(memory, message_id=12)
            written = memory.getvalue()
        elif kind == "file":
            with path.open("wb") as file:
                file.write(b"head ")
                got = await client.certified.download(file, message_id=12)
            written = path.read_bytes()
        else:
            async with await anyio.open_file(path, "wb") as file:
                await file.write(b"head ")
                got = await client.certified.download(file, message_id=12)  # type: ignore[arg-type]
            written = path.read_bytes()

    assert written == b"head " + PDF
    assert (got.path, got.size) == (None, len(PDF))


NOT_WHOLE = {
    "cut": streamed(PDF[:3000], httpx.ReadError("cut")),
    "timed out": streamed(PDF[:3000], httpx.ReadTimeout("slow")),
    "too short": streamed(PDF[:3000], **{"content-length": str(len(PDF))}),
    "no end": streamed(PDF[:3000], framed=False),
    "half a zip": streamed(zipped()[:40]),
    "no connection": httpx.ConnectError("no"),
    "502": httpx.Response(502),
    "busy": httpx.Response(503, headers={"retry-after": "0"}),
    "empty": document(b""),
    "a page": document(b"<html>later</html>", "text/html"),
}


@pytest.mark.parametrize("first", NOT_WHOLE.values(), ids=NOT_WHOLE)
async def test_what_is_not_whole_is_fetched_again(first: Answer, place: Path) -> None:
    """A cut download is a read: it is repeated from its start, and only the whole one is kept."""
    script, client = asking(first, document())
    async with client:
        await client.certified.download(place, message_id=12)

    assert await anyio.Path(place).read_bytes() == PDF
    assert beside(place) == [place]
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (streamed(PDF[:3000], httpx.ReadError("cut")), "GetSMSCERTIFICADO"),
        (streamed(*(b"<p>" + bytes(2**20) for _ in range(66))), "larger than 64 MiB"),
    ],
    ids=["cut", "endless and no document"],
)
async def test_a_document_that_never_comes_whole_leaves_nothing(
    answer: Answer, told: str, place: Path
) -> None:
    """After the last try the old file is still there, and no half one beside it."""
    _, client = asking(answer, answer, answer, answer)
    async with client:
        with pytest.raises(UnexpectedReply, match=told):
            await client.certified.download(place, message_id=12)

    assert untouched(place)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(Res=-4, Error="no disponible"), NotYours),
        (reply(Res=-2), NotYours),
        (reply(Res=-3, Error="falta"), BadParameters),
        (document(b'[{"Res": -4}]'), NotYours),
        (reply(Res=1), UnexpectedReply),
        (httpx.Response(404, content=PDF, headers={"content-type": "application/pdf"}), BadParameters),
    ],
    ids=["not there", "foreign", "bad", "mislabelled refusal", "nothing", "missing"],
)
async def test_a_refusal_is_raised_as_ever(answer: Answer, error: type[Exception], place: Path) -> None:
    """JSON where a document should be is the provider's word, and nothing is written."""
    _, client = asking(answer)
    async with client:
        with pytest.raises(error):
            await client.certified.download(place, message_id=12)

    assert untouched(place)


@pytest.mark.parametrize("parts", [(), (PDF[:3000],)], ids=["before the first byte", "half way"])
async def test_a_cancelled_download_leaves_nothing(parts: tuple[bytes, ...], place: Path) -> None:
    """Whoever stops waiting finds the old file, and nothing beside it."""
    reached = anyio.Event()

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for part in parts:
                yield part
            reached.set()
            await anyio.sleep_forever()

    async def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "application/pdf"}, stream=Body())

    _, client = asking(answer)
    async with client, anyio.create_task_group() as group:

        async def fetch() -> None:
            await client.certified.download(place, message_id=12)

        group.start_soon(fetch)
        await reached.wait()
        group.cancel_scope.cancel()

    assert untouched(place)


async def test_a_full_disk_is_told_and_not_repeated(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of the call: one request, the system's own error, nothing left."""

    def full(file: object, piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sink_module, "write_all", full)
    script, client = asking(document())
    async with client:
        with pytest.raises(OSError, match="No space left"):
            await client.certified.download(place, message_id=12)

    assert len(script.requests) == 1
    assert untouched(place)


@pytest.mark.parametrize(
    ("returned", "told"), [(1000, None), (None, None), (0, "nothing more"), (OSError("It is full."), "full")]
)
async def test_a_file_that_takes_a_part_at_a_time(returned: Any, told: str | None) -> None:
    """An unbuffered file says how much it took, others say nothing; one that takes nothing is full, or raises so."""
    taken = bytearray()

    class Slow(io.RawIOBase):
        def write(self, data: Any) -> int | None:
            if isinstance(returned, OSError):
                raise returned
            taken.extend(data[:returned])
            return None if returned is None else min(returned, len(data))

    _, client = asking(document())
    async with client:
        with pytest.raises(OSError, match=told) if told else nullcontext():
            await client.certified.download(Slow(), message_id=12)  # type: ignore[arg-type]

    assert taken == (b"" if told else PDF)


@pytest.mark.parametrize(
    ("destination", "told"),
    [
        (lambda folder: folder, "directory"),
        (lambda folder: folder / "missing" / "a.pdf", "No such file"),
        (lambda folder: str(folder / "a\0.pdf"), "cannot be written"),
        (lambda folder: io.StringIO(), "text"),
        (lambda folder: 5, "not int"),
        (lambda folder: b"a.pdf", "not bytes"),
    ],
    ids=["directory", "no folder", "no name", "text file", "number", "bytes"],
)
async def test_a_destination_that_cannot_be_written(
    destination: Callable[[Path], Any], told: str, tmp_path: Path
) -> None:
    """It is found before anything leaves: a certificate fetched for nothing is a call too many."""
    script, client = asking()
    async with client:
        with pytest.raises(InvalidFile, match=told):
            await client.certified.download(destination(tmp_path), message_id=12)

    assert not script.requests
    assert not beside(tmp_path / "any")


@pytest.mark.parametrize(
    ("selection", "error", "told"),
    [
        ({}, InvalidRequest, "Nothing says"),
        ({"start": START}, InvalidRequest, "its end is missing"),
        ({"end": END}, InvalidRequest, "its start is missing"),
        ({"phone": "600000000"}, InvalidRequest, "message_id too"),
        ({"message_id": 12, "start": START, "end": END}, InvalidRequest, "not of both"),
        ({"message_id": 0}, InvalidRequest, "message id"),
        ({"message_id": 12, "phone": "no"}, InvalidPhone, "phone"),
        ({"start": END, "end": START}, InvalidDate, "ends before"),
        ({"start": START.replace(tzinfo=None), "end": END}, InvalidDate, "time zone"),
        ({"start": "2027-01-01", "end": END}, InvalidDate, "start is a datetime"),
    ],
)
async def test_what_to_download_is_clear(
    selection: dict[str, Any], error: type[Exception], told: str, place: Path
) -> None:
    """A message, a phone of it, or a period; anything else is refused before it leaves."""
    script, client = asking()
    async with client:
        with pytest.raises(error, match=told):
            await client.certified.download(place, **selection)

    assert not script.requests
    assert untouched(place)


async def test_a_period_is_asked_for_once_a_minute(place: Path) -> None:
    """The provider blocks who asks often, so a second one within a minute does not leave, whatever its dates."""
    script, client = asking(document(zipped()), document(zipped()))
    async with client:
        await client.certified.download(place, start=START, end=END)
        with pytest.raises(TooManyRequests, match="period") as caught:
            await client.certified.download(place, start=START - timedelta(days=9), end=END)
        with pytest.raises(TooManyRequests, match="period"):
            await client.raw(
                "GetSMSCERTIFICADO", {"FECHAINICIO": "2027-01-01 00:00", "Fechafin": "2027-01-03"}
            )
        await client.certified.download(place, message_id=12)

    assert 50 < caught.value.retry_after <= 60
    assert len(script.requests) == 2
    assert script.params(0)["Fechainicio"] == "2027-01-01 01:00"


LOST = httpx.ConnectError("no")
CUT = streamed(zipped(3000)[:2000], httpx.ReadError("cut"))


@pytest.mark.parametrize(
    ("answers", "interval", "calls"),
    [((LOST, LOST, document(zipped())), 60, 3), ((CUT, document(zipped())), 0.3, 2), ((CUT,), 60, 1)],
    ids=["did not leave", "cut, and asked again after its interval", "cut, and the interval is longer"],
)
async def test_a_period_is_repeated_as_its_interval_allows(
    answers: tuple[Answer, ...], interval: float, calls: int, place: Path
) -> None:
    """What never left bothers nobody; a repeat waits until it may go out, but not beyond the time repeats may take."""
    script, client = asking(*answers, guard=Guard(read_interval=0, period_interval=interval))
    async with client:
        if calls == 1:
            with pytest.raises(UnexpectedReply):
                await client.certified.download(place, start=START, end=END)
        else:
            await client.certified.download(place, start=START, end=END)

    assert len(script.requests) == calls
    assert calls != 2 or script.times[1] - script.times[0] >= 0.29


async def test_the_same_certificate_is_fetched_at_intervals(place: Path) -> None:
    """The same download waits for its turn, as `raw` does, which remembers no document; another one does not wait."""
    script, client = asking(document(), document(), guard=Guard(read_interval=60))
    async with client:
        with anyio.fail_after(30):
            for message in (12, 13):
                await client.certified.download(place, message_id=message)
        with anyio.move_on_after(0.1):
            await client.certified.download(place, message_id=12)
    assert len(script.requests) == 2
    script, client = asking(document(), document(), guard=Guard(read_interval=0.2), base_url=f"{BASE_URL}2")
    async with client:
        for _ in range(2):
            assert await client.raw("GetSMSCERTIFICADO", {"Idmensaje": 12}) == PDF
    assert script.times[1] - script.times[0] >= 0.19


def report_of(status: int) -> httpx.Response:
    """A report of one recipient."""
    return reply(Informe=[{"Telefono": 34600000000, "Resultado": status}])


@pytest.mark.parametrize(
    ("answers", "error", "calls"),
    [
        ([report_of(13), LOST, LOST, LOST, LOST, report_of(14)], None, 6),
        ([LOST] * 4, ConnectionFailed, 4),
        ([report_of(13), reply(Res=-2)], NotYours, 2),
    ],
    ids=["trouble on the way", "never worked", "not ours"],
)
async def test_a_wait_and_lost_connections(
    answers: list[Answer], error: type[Exception] | None, calls: int
) -> None:
    """Trouble after an answer is waited out, trouble with the first question is told; the provider's no is final."""
    script, client = asking(*answers, guard=Guard(read_interval=0.01))
    async with client:
        if error is None:
            assert (await client.certified.wait_certified(12, "600000000", 5)).status.code == 14
        else:
            with pytest.raises(error):
                await client.certified.wait_certified(12, "600000000", 5)

    assert len(script.requests) == calls
