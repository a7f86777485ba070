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
    """An open file with a name of any kind."""

    name: Any = None


async def test_an_upload_as_multipart() -> None:
    """The way the provider recommends: fields, and the file as it is."""
    script = Script(reply(Nombre="contrato.pdf"))
    async with client_of(script) as client:
        stored = await client.files.upload(PDF, name="contrato.pdf", delete_after_certification=True)

    request = script.requests[0]
    assert request.url.path == "/v7/CargarFichero"
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert PDF in request.content
    for name, value in {
        "Nombre": "contrato.pdf",
        "Tipo": "FILES",
        "Autoborrado": "Si",
        "Resp": "JSON",
    }.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in request.content
    assert b'filename="contrato.pdf"' in request.content
    assert stored == StoredFile(name="contrato.pdf", extension="PDF")


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


async def test_the_name_the_library_gave_counts() -> None:
    """The provider may shorten it; messages need the one it has there."""
    async with client_of(Script(reply(Nombre="contra.pdf"))) as client:
        assert (await client.files.upload(PDF, name="contrato.pdf")).name == "contra.pdf"


async def test_a_file_in_every_form(tmp_path: Path) -> None:
    """A path, its text, bytes of any kind, an open file, and an async one: the same content, the same name."""
    path = tmp_path / "carta.docx"
    path.write_bytes(PDF)
    named = Named(PDF)
    named.name = str(path)
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


@pytest.mark.parametrize(
    "name",
    [
        "a.pdf",
        "ABCDEFGHIJK.PDF",
        "a1.doc",
        "a.docx",
        "a.xls",
        "a.xlsx",
        "a.vcf",
        "a.gif",
        "a.png",
        "a.jpg",
        "a.JPEG",
    ],
)
async def test_names_the_library_takes(name: str) -> None:
    """Letters and digits with an extension, 15 characters at most, of the types in the manuals."""
    async with client_of(Script(reply())) as client:
        assert (await client.files.upload(PDF, name=name)).extension == name.rpartition(".")[2].upper()


@pytest.mark.parametrize(
    ("file", "options", "why"),
    [
        (PDF, {}, "Bytes have no name"),
        (PDF, {"name": ""}, "Bytes have no name"),
        (io.BytesIO(PDF), {}, "Bytes have no name"),
        (PDF, {"name": "pdf"}, "letters and digits"),
        (PDF, {"name": ".pdf"}, "letters and digits"),
        (PDF, {"name": "mi contrato.pdf"}, "letters and digits"),
        (PDF, {"name": "año.pdf"}, "letters and digits"),
        (PDF, {"name": "../a.pdf"}, "letters and digits"),
        (PDF, {"name": "a.b.pdf"}, "letters and digits"),
        (PDF, {"name": "a.pdf\n"}, "letters and digits"),
        (PDF, {"name": "ABCDEFGHIJKL.PDF"}, "15 characters"),
        (PDF, {"name": "a.exe"}, "does not take .exe"),
        (PDF, {"name": 5}, "name is a text, not int"),
        (PDF, {"name": "a.pdf", "encoding": "gzip"}, "'multipart' or 'base64'"),
        (b"", {"name": "a.pdf"}, "is empty"),
        (io.BytesIO(), {"name": "a.pdf"}, "is empty"),
        (io.StringIO("x"), {"name": "a.pdf"}, "opened as text"),
        (5, {"name": "a.pdf"}, "not int"),
        (None, {"name": "a.pdf"}, "not NoneType"),
        ("nowhere/a.pdf", {}, "No such file"),
        (".", {"name": "a.pdf"}, "cannot be read"),
        ("a\0.pdf", {"name": "a.pdf"}, "cannot be read"),
    ],
)
async def test_a_file_that_cannot_be_is_refused(file: Any, options: dict[str, Any], why: str) -> None:
    """Said before anything leaves, with the reason."""
    async with client_of(Script()) as client:
        with pytest.raises(InvalidFile, match=why) as caught:
            await client.files.upload(file, **options)

    assert caught.value.sent is False


async def test_a_file_that_cannot_be_read_or_named_is_refused() -> None:
    """Whatever its `read` raises that has to do with reading; a descriptor's number is no name."""
    closed, broken, numbered = io.BytesIO(PDF), Named(PDF), Named(PDF)
    closed.close()
    broken.read = lambda: (_ for _ in ()).throw(OSError("bad sector"))  # type: ignore[method-assign,assignment]
    numbered.name = 3
    async with client_of(Script()) as client:
        for file in (closed, broken):
            with pytest.raises(InvalidFile, match="cannot be read"):
                await client.files.upload(file, name="a.pdf")
        with pytest.raises(InvalidFile, match="Bytes have no name"):
            await client.files.upload(numbered)


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
    """In the provider's order, dates in Spanish time; an empty library is an empty list."""
    rows = [
        {"Fecha": "2027-01-08 10:00:05", "Nombre": "b.pdf", "Ext": "PDF"},
        {"Nombre": "a.png"},
    ]
    async with client_of(Script(reply(Ficheros=rows))) as client:
        files = await client.files.list()

    uploaded = datetime(2027, 1, 8, 10, 0, 5, tzinfo=ZoneInfo("Europe/Madrid"))
    assert files == [
        StoredFile(name="b.pdf", extension="PDF", uploaded_at=uploaded),
        StoredFile(name="a.png"),
    ]
    for number, empty in enumerate((reply(Ficheros=[]), reply(Ficheros=None), reply(Ficheros=""))):
        async with client_of(Script(empty), base_url=f"{BASE_URL}{number}") as client:
            assert await client.files.list() == []


async def test_a_list_nobody_can_read() -> None:
    """A missing list, or a file without a name, is an error with its place, not a silent default."""
    async with client_of(Script(reply())) as client:
        with pytest.raises(UnexpectedReply, match="missing @ Ficheros"):
            await client.files.list()
    async with client_of(Script(reply(Ficheros=[{"Ext": "PDF"}]))) as client:
        with pytest.raises(UnexpectedReply, match="Ficheros"):
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
