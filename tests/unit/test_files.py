"""`client.files`: what is checked before an upload leaves, both ways it travels, and what comes back."""

from __future__ import annotations

import base64
import io
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import anyio
import pytest

from mensatek_async import (
    FileNotFound,
    Guard,
    InvalidFile,
    OutcomeUnknown,
    Retry,
    StoredFile,
    UnexpectedReply,
)
from tests.scripted import BASE_URL, Script, client_of, page, reply

QUICK = Retry(wait_initial=0.001, wait_max=0.002)
PDF = b"%PDF-1.4 \x00\xff\r\n--"


class Named(io.BytesIO):
    """An open file with a name of any kind, which may be broken."""

    def __init__(self, content: bytes, name: Any = None, broken: bool = False) -> None:
        super().__init__(content)
        self.name, self.broken = name, broken

    def read(self, size: int | None = -1, /) -> bytes:
        if self.broken:
            raise OSError("bad sector")
        return super().read(size)


def closed() -> io.BytesIO:
    file = io.BytesIO(PDF)
    file.close()
    return file


async def test_an_upload_as_multipart() -> None:
    """The way the provider recommends: fields, and the file as it is; the name is the one that the library gave."""
    script = Script(reply(Nombre="contra.pdf"))
    async with client_of(script) as client:
        stored = await client.files.upload(PDF, name="contrato.pdf", delete_after_certification=True)

    request = script.requests[0]
    assert request.url.path == "/v7/CargarFichero"
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert PDF in request.content
    fields = {"Nombre": "contrato.pdf", "Tipo": "FILES", "Autoborrado": "Si", "Resp": "JSON"}
    for name, value in fields.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in request.content
    assert b'filename="contrato.pdf"' in request.content
    assert stored == StoredFile(name="contra.pdf", extension="PDF")


@pytest.mark.parametrize("request_format", ["json", "form"])
async def test_an_upload_as_base64(request_format: Any) -> None:
    """The content in a parameter, in either request format; nothing of deleting unless asked."""
    script = Script(reply())
    async with client_of(script, request_format=request_format) as client:
        stored = await client.files.upload(PDF, name="a.pdf", encoding="base64")

    if request_format == "json":
        params = script.params()
    else:
        params = {name: value for name, (value,) in parse_qs(script.requests[0].content.decode()).items()}
    assert base64.b64decode(params.pop("Contenido")) == PDF
    assert params == {"Nombre": "a.pdf", "Tipo": "BASE64", "Resp": "JSON"}
    assert stored.name == "a.pdf"


async def test_a_file_in_every_form(tmp_path: Path) -> None:
    """A path, its text, bytes of any kind, an open file, and an async one: the same content, the same name."""
    path = tmp_path / "carta.docx"
    path.write_bytes(PDF)
    named = Named(PDF, str(path))
    script = Script(reply(), repeat_last=True)
    async with client_of(script) as client:
        for file in (path, str(path), named):
            assert (await client.files.upload(file)).name == "carta.docx"
        for file in (PDF, bytearray(PDF), memoryview(PDF), io.BytesIO(PDF)):
            assert (await client.files.upload(file, name="carta.docx")).name == "carta.docx"
        with path.open("rb") as opened:
            await client.files.upload(opened)
        async with await anyio.open_file(path, "rb") as opened_too:
            await client.files.upload(opened_too, name="carta.docx")  # type: ignore[arg-type]

    assert len(script.requests) == 9
    assert all(PDF in request.content for request in script.requests)


async def test_names_the_library_takes() -> None:
    """Letters and digits with an extension, 15 characters at most, of the types in the manuals."""
    types = ("pdf", "PDF", "doc", "docx", "xls", "xlsx", "vcf", "gif", "png", "jpg", "JPEG")
    async with client_of(Script(reply(), repeat_last=True)) as client:
        for name in (*(f"a1.{kind}" for kind in types), "ABCDEFGHIJK.PDF"):
            stored = await client.files.upload(PDF, name=name)
            assert stored.extension == name.rpartition(".")[2].upper()


WRONG_NAMES = ("pdf", ".pdf", "mi contrato.pdf", "año.pdf", "../a.pdf", "a.b.pdf", "a.pdf\n")


@pytest.mark.parametrize(
    ("file", "options", "why"),
    [
        *((file, {}, "Bytes have no name") for file in (PDF, io.BytesIO(PDF), Named(PDF, 3))),
        (PDF, {"name": ""}, "Bytes have no name"),
        *((PDF, {"name": name}, "letters and digits") for name in WRONG_NAMES),
        (PDF, {"name": "ABCDEFGHIJKL.PDF"}, "15 characters"),
        (PDF, {"name": "a.exe"}, "does not take .exe"),
        (PDF, {"name": 5}, "name is a text, not int"),
        (PDF, {"name": "a.pdf", "encoding": "gzip"}, "'multipart' or 'base64'"),
        *((file, {"name": "a.pdf"}, "is empty") for file in (b"", io.BytesIO())),
        (io.StringIO("x"), {"name": "a.pdf"}, "opened as text"),
        (5, {"name": "a.pdf"}, "not int"),
        (None, {"name": "a.pdf"}, "not NoneType"),
        ("nowhere/a.pdf", {}, "No such file"),
        *((path, {"name": "a.pdf"}, "cannot be read") for path in (".", "a\0.pdf")),
        *((file, {"name": "a.pdf"}, "cannot be read") for file in (closed(), Named(PDF, broken=True))),
    ],
)
async def test_a_file_that_cannot_be_is_refused(file: Any, options: dict[str, Any], why: str) -> None:
    """Said before anything leaves, with the reason; whatever its `read` raises that has to do with reading."""
    async with client_of(Script()) as client:
        with pytest.raises(InvalidFile, match=why) as caught:
            await client.files.upload(file, **options)

    assert caught.value.sent is False


async def test_an_upload_whose_answer_is_lost_is_unknown() -> None:
    """After its repeats; the error does not show the content."""
    script = Script(page(502), repeat_last=True)
    async with client_of(script, retry=QUICK) as client:
        with pytest.raises(OutcomeUnknown) as caught:
            await client.files.upload(PDF, name="a.pdf", encoding="base64")

    assert len(script.requests) == QUICK.attempts
    assert caught.value.asked["Nombre"] == "a.pdf"
    assert base64.b64encode(PDF).decode() not in str(caught.value)


async def test_the_list_of_files() -> None:
    """In the provider's order, dates in Spanish time; an empty library is an empty list, a missing one an error."""
    rows = [{"Fecha": "2027-01-08 10:00:05", "Nombre": "b.pdf", "Ext": "PDF"}, {"Nombre": "a.png"}]
    uploaded = datetime(2027, 1, 8, 10, 0, 5, tzinfo=ZoneInfo("Europe/Madrid"))
    files = [StoredFile(name="b.pdf", extension="PDF", uploaded_at=uploaded), StoredFile(name="a.png")]
    answers = [(rows, files), *((empty, []) for empty in ([], None, ""))]
    for number, (told, expected) in enumerate(answers):
        async with client_of(Script(reply(Ficheros=told)), base_url=f"{BASE_URL}{number}") as client:
            assert await client.files.list() == expected
    for odd, told in ((reply(), "missing @ Ficheros"), (reply(Ficheros=[{"Ext": "PDF"}]), r"Ficheros\[0\]")):
        async with client_of(Script(odd), guard=Guard(read_interval=0)) as client:
            with pytest.raises(UnexpectedReply, match=told):
                await client.files.list()


async def test_a_deletion() -> None:
    """By its name in the library, without blanks around it; a blank name never leaves."""
    script = Script(reply(), reply(Res=-2))
    async with client_of(script) as client:
        await client.files.delete(" a.pdf ")
        with pytest.raises(FileNotFound):
            await client.files.delete("b.pdf")
        for name in ("", "  ", None, 5):
            with pytest.raises(InvalidFile):
                await client.files.delete(name)  # type: ignore[arg-type]

    assert script.params(0) == {"Nombre": "a.pdf", "Resp": "JSON"}
