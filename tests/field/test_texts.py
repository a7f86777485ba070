"""Recipients and texts as they come: one row's fault stays its own, and what goes out is what was meant."""

from __future__ import annotations

import enum
import json
import sqlite3
import unicodedata
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mensatek_async import (
    AsyncMensatek,
    BrokenRow,
    Campaigns,
    CsvSource,
    DateWarning,
    ElementWarning,
    InvalidDate,
    InvalidPhone,
    InvalidRequest,
    InvalidSender,
    Issuer,
    JsonLinesSource,
    Mensatek,
    MensatekWarning,
    Recipient,
    SenderWarning,
    SqlSource,
    Template,
    VoiceFallback,
)
from mensatek_async.cli.app import run
from mensatek_async.phones import normalise
from mensatek_async.sandbox import Sandbox
from mensatek_async.text import elements, segments, split
from tests.scripted import Script, client_of, reply

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000", check=False)
HALF = "\ud83d"
NFD = unicodedata.normalize("NFD", "José, mañana, Ángel")
MADRID = ZoneInfo("Europe/Madrid")


class Grumpy:
    """A value of the caller's that cannot be written."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class Broken(Mapping[str, object]):
    """Fields that cannot be read, such as those of a row whose connection is closed."""

    def __getitem__(self, key: str) -> object:
        raise RuntimeError("closed")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("closed")

    def __len__(self) -> int:
        return 1


class Word(enum.StrEnum):
    """A text of a program's own kind."""

    ANA = "Ana"


POISON: dict[str, Any] = {
    "half a character in a field": Recipient("600000000", {"n": f"Ana{HALF}"}),
    "a NUL in a field": Recipient("600000000", {"n": "A\0na"}),
    "half a character in a phone": Recipient(f"60000{HALF}000", {"n": "Ana"}),
    "half a character in a name": Recipient("600000000", {f"n{HALF}": "Ana"}),
    "a value that cannot be written": Recipient("600000000", {"n": Grumpy()}),
    "a number without end": Recipient("600000000", {"n": float("-inf")}),
    "a number of ten thousand digits": Recipient("600000000", {"n": 10**10_000}),
    "a signalling NaN": Recipient("600000000", {"n": Decimal("sNaN")}),
    "a value of a megabyte": Recipient("600000000", {"n": "x" * 1_000_000}),
    "fields that are none": Recipient("600000000", None),  # type: ignore[arg-type]
    "fields that are a list": Recipient("600000000", ["n"]),  # type: ignore[arg-type]
    "fields that cannot be read": Recipient("600000000", Broken()),
    "names of several kinds": Recipient("600000000", {1: "a", "x": "b"}),  # type: ignore[dict-item]
    "no recipient at all": object(),
    "a broken row with a strange reason": BrokenRow(2, f"its phone {HALF}\0 is odd"),
    "a broken row numbered by a text": BrokenRow("x", "is odd"),  # type: ignore[arg-type]
}
STRANGE_NUMBERS = [10**30, "A7", True, 2.5]

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)


@pytest.fixture
def script() -> Script:
    """A provider that accepts one recipient, again and again."""
    return Script(reply(idMensaje=1, Mensajes=1), repeat_last=True)


@pytest.fixture
def sync_client(script: Script) -> Iterator[Mensatek]:
    """A synchronous client that asks it."""
    with Mensatek("u", "t", base_url="https://api.example/v7", transport=script, issuer=ISSUER) as opened:
        yield opened


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[AsyncMensatek]:
    """A client of the sandbox."""
    async with AsyncMensatek(sender="ACME", issuer=ISSUER) as opened:
        yield opened


def rows_with(poison: object) -> list[Any]:
    """Twelve good rows and a bad one among the first."""
    good: list[Any] = [
        Recipient(str(600000001 + at), {"n": "Ana 😀" if at % 2 else "Ana"}) for at in range(12)
    ]
    return [good[0], poison, *good[1:]]


async def texted(client: AsyncMensatek, rows: Any, way: str, folder: Path) -> tuple[int, int]:
    """How many were accepted and how many refused, one way or another."""
    text = Template("Hola {n}")
    if way == "campaign":
        async with Campaigns(client, store=folder / "poison.db") as campaigns:
            campaign = await campaigns.start("x", text, rows)
            await campaign.complete()
            progress = await campaign.progress()
            return progress.sent, progress.invalid
    if way == "bulk":
        async with client.sms.bulk(rows, text, chunk_size=5) as outcomes:
            async for _ in outcomes:
                pass
        return outcomes.result.accepted, len(outcomes.result.invalid)
    send = client.sms.send_bulk if way == "send_bulk" else client.certified.send_bulk
    result = await send(rows, text, chunk_size=5)
    return result.accepted, len(result.invalid)


# --- one row's fault ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["send_bulk", "bulk", "certified", "campaign"])
@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
async def test_what_a_row_does_wrong_costs_no_other(
    client: AsyncMensatek, sandbox: Sandbox, poison: object, way: str, tmp_path: Path
) -> None:
    """It is invalid, and all others go."""
    assert await texted(client, rows_with(poison), way, tmp_path) == (12, 1)
    assert len(sandbox.texts) == 12


@pytest.mark.parametrize("number", STRANGE_NUMBERS, ids=repr)
async def test_a_row_numbered_by_what_is_no_number_goes_by_its_position(
    client: AsyncMensatek, number: Any, tmp_path: Path
) -> None:
    """It can be sent; and what is wrong with it is told of its position."""
    rows = rows_with(Recipient("600000099", {}, row=number))
    rows.append(Recipient("600000098", {"n": "Ana"}, row=number))

    result = await client.sms.send_bulk(rows, Template("Hola {n}"))
    assert (result.accepted, [problem.row for problem in result.invalid]) == (13, [2])
    assert await texted(client, rows, "campaign", tmp_path) == (13, 1)


async def test_a_send_that_has_stopped_accounts_for_rows_that_are_none(sandbox: Sandbox) -> None:
    """Also for what is neither a phone nor a Recipient, and cannot even be written, as a driver's own types may not."""
    rows = [*(str(600000001 + at) for at in range(3)), Grumpy(), "600000009"]
    async with AsyncMensatek(token="wrong") as client:
        result = await client.sms.send_bulk(rows, "Hola", chunk_size=1)  # type: ignore[arg-type]
    assert (len(result.failed), result.rows) == (5, 5)

    fetched = iter([[("600000001", "Ana"), ("600000002", Grumpy()), ("600000003", "Eva")], []])
    cursor = SimpleNamespace(description=(("phone",), ("n",)), fetchmany=lambda most: next(fetched))
    async with AsyncMensatek() as client:
        result = await client.sms.send_bulk(SqlSource(cursor), Template("Hola {n}"))
    assert (result.accepted, [problem.row for problem in result.invalid]) == (2, [2])


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_one_request_of_a_bad_row_is_refused_in_words(
    sync_client: Mensatek, script: Script, poison: Any
) -> None:
    """Nothing leaves, and no error but ours comes out."""
    with pytest.raises(InvalidRequest):
        sync_client.sms.send(["600000001", poison], Template("Hola {n}"))
    assert not script.requests


def test_the_rows_of_a_file_with_half_a_character(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON Lines may spell one; deep values and huge numbers are one row's fault too."""
    file = tmp_path / "rows.jsonl"
    bad = ['{"phone": "600000002", "n": "\\ud83d"}', '{"phone": "60\\ud83d0000003", "n": "a"}']
    bad.append('{"phone": "600000004", "n": %s}' % ("1" * 5000))
    bad.append(f'{{"phone": "600000005", "n": {"[" * 900}1{"]" * 900}}}')
    bad.append('{"phone": "600000006", "n": "a\\u0000"}')
    good = [json.dumps({"phone": str(600000011 + at), "n": "Ana"}) for at in range(5)]
    file.write_text("\n".join([good[0], *bad, *good[1:]]))
    with Mensatek() as client:
        result = client.sms.send_bulk(JsonLinesSource(file), Template("Hola {n}"))
    assert (result.accepted, len(result.invalid)) in ((5, 5), (6, 4))  # a deep list is a text where it can be

    report = tmp_path / "report.csv"
    monkeypatch.setenv("MENSATEK_SENDER", "ACME")
    code = run(["bulk", str(file), "--text", "Hola {n}", "--sandbox", "--yes", "--report", str(report)])
    assert code == 1, capsys.readouterr().err
    assert report.read_text("utf-8-sig").count(",sent,") == 6


# --- accents -----------------------------------------------------------------------------------------------


def test_accents_in_two_pieces_are_counted_as_one_letter() -> None:
    """As they are sent: GSM, not Unicode."""
    assert segments(NFD) == segments("José, mañana, Ángel")
    assert Issuer("Compan\u0303i\u0301a", "900000000", "B00000000", check=False).name == "Compañía"
    assert segments("e\u0301" * 160).segments == 1
    assert split("e\u0301" * 161) == ("é" * 153, "é" * 8)


def test_what_forces_unicode_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """In order, each once; by the command with its number, since many look like others."""
    for text, encoding, forcing in (
        ("Hola", "auto", ""),
        ("Hola", "unicode", ""),
        ("Cámara ‘x’ 😀 ’", "auto", "‘’😀"),
        ("Пока", "unicode", "Пока"),
        ("Пока", "gsm", ""),
        ("x\u0302", "auto", "\u0302"),
    ):
        assert segments(text, encoding).forcing == tuple(forcing)  # type: ignore[arg-type]
    assert run(["segments", "Hola ’"]) == 0
    assert "’ (U+2019)" in capsys.readouterr().out
    assert run(["segments", "Hola ’", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["forcing"] == ["’"]


async def test_texts_fields_and_headings_go_out_composed(script: Script, tmp_path: Path) -> None:
    """Whichever piece came decomposed, from whichever place."""
    file = tmp_path / "clientes.csv"
    file.write_text(unicodedata.normalize("NFD", "móvil;dirección\n600000001;Ávila\n"), encoding="utf-8")
    async with client_of(script) as client:
        await client.sms.send("600000001", NFD)
        assert script.params()["Mensaje"] == "José, mañana, Ángel"
        assert script.params()["Unicode"] == 0
        await client.sms.send(Recipient("600000001", {"nombre": NFD}), Template("Sí {nombre}"))
        await client.sms.send(Recipient("600000001", {"Variable_1": NFD}), "Hola (Variable_1)")
        assert script.params()["Destinatarios"][0]["Variable_1"] == "José, mañana, Ángel"
        rows = [Recipient(str(600000001 + at), {"n": NFD}) for at in range(3)]
        await client.sms.send_bulk(rows, Template("Hola {n}"))
        assert {one["Variable_1"] for one in script.params()["Destinatarios"]} == {"José, mañana, Ángel"}
        for source in (CsvSource(file), CsvSource(file, phone=unicodedata.normalize("NFD", "móvil"))):
            assert [list(row.fields) for row in source if isinstance(row, Recipient)] == [["dirección"]]
            await client.sms.send_bulk(source, Template("A {dirección}"))
            assert script.params()["Destinatarios"][0]["Variable_1"] == "Ávila"


# --- braces ------------------------------------------------------------------------------------------------

NAMED = [Recipient("600000001", {"nombre": "Ana"}), Recipient("600000002", {"nombre": "Eva"})]
_opened: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def braced(file: Path) -> list[Any]:
    """The same from wherever ordinary code can read it."""
    file.write_text("movil;nombre\n600000001;Ana\n")
    _opened.append(sqlite3.connect(":memory:"))
    cursor = _opened[-1].execute("SELECT '600000001' AS phone, 'Ana' AS nombre")
    return [NAMED, iter(NAMED), ["600000009", *NAMED], CsvSource(file), SqlSource(cursor)]


async def slowly() -> AsyncIterator[Recipient | str]:
    """Rows that come one by one, the first of them without fields."""
    yield "600000009"
    for one in NAMED:
        yield one


async def drained(stream: Any) -> None:
    """Read a bulk send to its end."""
    async with stream as outcomes:
        async for _ in outcomes:
            pass


@pytest.mark.parametrize("text", ["Hola {nombre}", Template("Hola {{nombre}}")], ids=repr)
def test_the_synchronous_client_refuses_the_braces_of_a_field(
    sync_client: Mensatek, script: Script, text: Any, tmp_path: Path
) -> None:
    """Its rows are read in the caller's thread."""
    file = tmp_path / "clientes.csv"
    for rows in braced(file):
        with pytest.raises(InvalidRequest, match="braces"):
            sync_client.sms.send_bulk(rows, text)
    with pytest.raises(InvalidRequest, match="braces"):
        sync_client.certified.send_bulk(iter(NAMED), text)
    with sync_client.campaigns(tmp_path / "sync.db") as campaigns:
        for rows in braced(file):
            with pytest.raises(InvalidRequest, match="braces"):
                campaigns.start("x", text, rows)
    assert not script.requests


@pytest.mark.parametrize("product", ["sms", "certified"])
@pytest.mark.parametrize(
    ("text", "advice"),
    [
        *(
            (f"Hola {{{inside}}}", r"Template\(")
            for inside in ("nombre", " Nombre ", "{nombre}", "nombre:>10")
        ),
        ("Su número {phone}", r"Template\("),
        *((Template(f"Hola {rest}"), "one brace") for rest in ("{{nombre}}", "{nombre} {{nombre}}")),
    ],
    ids=repr,
)
async def test_the_braces_of_a_field_are_not_sent_to_everybody(
    product: str, text: Any, advice: str, tmp_path: Path
) -> None:
    """Whatever sends them: nothing leaves, nothing is written down, and it is said what to write."""
    script = Script()
    file = tmp_path / "clientes.csv"

    def inputs() -> list[Any]:
        return [*braced(file), slowly()]

    async with client_of(script, issuer=ISSUER) as client:
        resource = client.sms if product == "sms" else client.certified
        with pytest.raises(InvalidRequest, match=advice):
            await resource.send(NAMED, text)
        for rows in inputs():
            with pytest.raises(InvalidRequest, match=advice):
                await resource.send_bulk(rows, text)
        for rows in inputs():
            with pytest.raises(InvalidRequest, match=advice):
                await drained(resource.bulk(rows, text))
        async with Campaigns(client, store=tmp_path / "braces.db") as campaigns:
            for rows in inputs():
                with pytest.raises(InvalidRequest, match=advice):
                    await campaigns.start("x", text, rows, product=product)  # type: ignore[arg-type]
            assert await campaigns.list() == []
    assert not script.requests


@pytest.mark.parametrize("given", [list, iter, "async", "campaign"], ids=str)
async def test_rows_that_were_looked_at_are_sent_all_the_same(
    client: AsyncMensatek, sandbox: Sandbox, given: Any, tmp_path: Path
) -> None:
    """Braces that are no field of the recipients are words; looking at the first rows costs none of them."""
    named = [Recipient(str(600000001 + at), {"nombre": "Ana"}) for at in range(50)]

    async def slowly() -> AsyncIterator[Recipient]:
        for one in named:
            yield one

    if given == "campaign":
        async with client.campaigns(tmp_path / "words.db") as campaigns:
            await (await campaigns.start("x", "Use {llaves}", slowly())).complete()
    else:
        rows = slowly() if given == "async" else given(named)
        assert (await client.sms.send_bulk(rows, "Use {llaves}")).accepted == 50
    assert len({text.phone for text in sandbox.texts}) == 50


async def test_an_error_among_the_first_rows_comes_in_its_place(
    client: AsyncMensatek, tmp_path: Path
) -> None:
    """Rows before it are rows read, and nobody takes it for the end."""

    def failing() -> Iterator[str]:
        yield "600000001"
        raise OSError("gone")

    async def slowly() -> AsyncIterator[str]:
        for one in failing():
            yield one

    async with client.campaigns(tmp_path / "failing.db") as campaigns:
        for kind in (failing, slowly):
            with pytest.raises(OSError, match="gone"):
                await client.sms.send_bulk(kind(), "Use {llaves}")
            with pytest.raises(OSError, match="gone"):
                await campaigns.start(kind.__name__, "Use {llaves}", kind())


def test_the_command_refuses_doubled_braces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a shell single braces are fields already."""
    file = tmp_path / "clientes.csv"
    file.write_text("movil;nombre\n600000001;Ana\n")
    for command in (["bulk"], ["campaign", "start", "x"]):
        assert run([*command, str(file), "--text", "Hola {{nombre}}", "--sandbox", "--yes"]) == 2
        assert "one brace" in capsys.readouterr().err


# --- phones ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", [True, False], ids=["with the extra", "without it"])
def test_phones_as_people_write_them(extra: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with the extra `phones` as without it."""
    if not extra:
        monkeypatch.setattr("mensatek_async.phones._library", lambda: None)
    spanish = ["600\ufe0d123456", "6\ufe0f\u20e30\ufe0f\u20e3" + "0123456", "600\U000e0101123\u180e456"]
    spanish += ["600\u3164123\u2800456\u034f", '="600123456"', "=600123456"]
    mexican = ["+5215545258448", "0052 1 55 4525 8448", "5215545258448", "+52 55 4525 8448"]
    for written in spanish:
        assert normalise(written, "ES") == "34600123456"
    for written in mexican:
        assert normalise(written, "ES") == "525545258448"
    for written in ("044 55 4525 8448", "045-55-4525-8448"):
        assert normalise(written, "MX") == "525545258448"
    for written, region in (
        ("700123456", "ES"),
        ("+34 700 123 456", "FR"),
        ("34700123456", "ES"),
        ("800123456", "ES"),
    ):
        with pytest.raises(InvalidPhone, match="special-rate"):
            normalise(written, region)


# --- senders and dates -------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["sms", "certified"])
def test_a_sender_beyond_the_advice_is_sent_with_a_warning(
    sync_client: Mensatek, script: Script, product: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which names the line of the program, also through the synchronous client; the command says it in a line."""
    send = getattr(sync_client, product).send
    with pytest.warns(SenderWarning, match="'ñ'") as caught:
        send("600000001", "Hola", sender="Peña")
    assert [warning.filename for warning in caught] == [__file__]
    assert script.params()["Remitente"] == "Peña"
    for sender in ("DOCELETRASXX", "1234567890123456"):
        with pytest.raises(InvalidSender):
            send("600000001", "Hola", sender=sender)
    if product == "sms":
        assert run(["send", "600000001", "--text", "Hola", "--sender", "MI PEÑA", "--sandbox", "--yes"]) == 0
        assert capsys.readouterr().err.count("does not advise") == 1


@pytest.mark.parametrize("product", ["sms", "certified"])
async def test_a_blank_sender_is_the_accounts_own(script: Script, product: str, tmp_path: Path) -> None:
    """Even where the client has a default, of which it warns once; in campaigns too."""
    with pytest.warns(SenderWarning):
        client = client_of(script, sender="MI EMPRESA", issuer=ISSUER)
    async with client, client.campaigns(tmp_path / "sender.db") as campaigns:
        for sender, sent in ((None, "MI EMPRESA"), ("", ""), ("OTRA", "OTRA")):
            await getattr(client, product).send("600000001", "Hola", sender=sender)
            assert script.params()["Remitente"] == sent
        options: Any = {"product": product, "sender": ""}
        await (await campaigns.start("x", "Hola", ["600000001"], **options)).complete()
    assert script.params()["Remitente"] == ""


@pytest.mark.parametrize(
    "when",
    [
        datetime(2027, 3, 28, 2, 30, tzinfo=MADRID),
        datetime(2027, 3, 28, 2, 0, tzinfo=MADRID, fold=1),
        datetime(2027, 3, 14, 2, 30, tzinfo=ZoneInfo("America/New_York")),
    ],
    ids=str,
)
def test_a_time_that_spring_skips_is_refused(sync_client: Mensatek, script: Script, when: datetime) -> None:
    """Nobody knows which hour was meant; of the zone it was given in."""
    for call in (
        lambda: sync_client.sms.send("600000001", "Hola", scheduled_at=when),
        lambda: sync_client.sms.send_bulk(["600000001"], "Hola", scheduled_at=when),
        lambda: sync_client.certified.send("600000001", "Hola", scheduled_at=when),
        lambda: sync_client.sms.reschedule(7, when),
        lambda: sync_client.certified.reschedule(7, when),
    ):
        with pytest.raises(InvalidDate, match="skip"):
            call()
    assert not script.requests


def test_the_second_of_autumns_double_hour_warns(sync_client: Mensatek, script: Script) -> None:
    """The wire cannot say it; the first does not warn, nor does any other hour."""
    second = datetime(2027, 10, 31, 2, 30, tzinfo=MADRID, fold=1)
    for when in (second, second.astimezone(UTC)):
        with pytest.warns(DateWarning, match="twice"):
            sync_client.sms.send("600000001", "Hola", scheduled_at=when)
        assert script.params()["Fecha"] == "2027-10-31 02:30"
    for when in (second.replace(fold=0), second.replace(hour=3)):
        sync_client.sms.send("600000001", "Hola", scheduled_at=when)


# --- voice, PDF, files -------------------------------------------------------------------------------------


def test_a_voice_call_comes_from_any_number_that_can_call(sync_client: Mensatek, script: Script) -> None:
    """Also from one that cannot be texted; what is no number is told before anything leaves."""
    for wrong in ("abc", "", "1004", "+34", "600 000 000 / 610 000 000", "1" * 16):
        with pytest.raises(InvalidPhone, match=r"caller|is empty"):
            sync_client.sms.send("600000001", "Hola", voice_fallback=VoiceFallback(caller=wrong))
    assert not script.requests
    spanish = {"900 123 456": "34900123456", "+34 902 123 456": "34902123456", "910000000": "34910000000"}
    for caller, digits in {
        **spanish,
        "600000000": "34600000000",
        "0033 1 42 68 53 00": "33142685300",
    }.items():
        sync_client.sms.send("600000001", "Hola", voice_fallback=VoiceFallback(caller=caller))
        assert str(script.params()["Remitentevoz"]) == digits


def test_a_pdf_inside_a_plain_text_warns(sync_client: Mensatek) -> None:
    """Only certified texts and contracts carry one; a file of the library is fine in both."""
    text = f"Lea {elements.pdf(b'%PDF-1.4 ...')}"
    with pytest.warns(ElementWarning, match="certified"):
        sync_client.sms.send("600000001", text)
    sync_client.certified.send("600000001", text)
    sync_client.sms.send("600000001", f"Lea {elements.file('contrato.pdf')}")
    assert issubclass(ElementWarning, MensatekWarning)


async def test_an_uploaded_file_may_keep_its_own_name(client: AsyncMensatek, tmp_path: Path) -> None:
    """Without a name none is sent, and the provider says how it is called."""
    file = tmp_path / "Contrato de José.pdf"
    file.write_bytes(b"%PDF-1.4 ...")
    script = Script(reply(Nombre="contrato7.pdf"), repeat_last=True)
    async with client_of(script) as scripted:
        assert (await scripted.files.upload(file)).name == "contrato7.pdf"
        assert b'name="Nombre"' not in script.requests[-1].content
        await scripted.files.upload(file, name="otro.pdf")
        assert b'name="Nombre"' in script.requests[-1].content
        wrong: list[dict[str, Any]] = [{"file": b"%PDF-"}, {"file": file, "encoding": "base64"}]
        for options in [*wrong, {"file": file, "name": "a b.pdf"}]:
            with pytest.raises(InvalidRequest):
                await scripted.files.upload(**options)
    stored = await client.files.upload(file)
    assert [one.name for one in await client.files.list()] == [stored.name]


# --- reports -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("default", "given", "email", "wire"),
    [
        *((default, None, None, wire) for default, wire in ((None, None), (True, 1), (False, 0))),
        (False, True, None, 1),
        (True, False, None, 0),
        *((default, None, "a@example.com", 1) for default in (None, False)),
        (None, False, "a@example.com", 0),
    ],
)
async def test_who_asks_for_reports(
    script: Script, default: Any, given: Any, email: str | None, wire: int | None, tmp_path: Path
) -> None:
    """The call, then an address for them, then the client; a campaign needs them and asks by itself."""
    async with client_of(script, report=default, issuer=ISSUER) as client:
        if email is None:
            for send, to in ((client.sms.send, "600000001"), (client.sms.send_bulk, ["600000001"])):
                await send(to, "Hola", report=given)  # type: ignore[operator]
                assert script.params().get("Report") == wire
        await client.certified.send("600000001", "Hola", report=given, report_email=email)
        assert script.params().get("Report") == wire
        async with Campaigns(client, store=tmp_path / "reports.db") as campaigns:
            options: Any = {"product": "certified", "report_email": email} if email else {}
            await (await campaigns.start("x", "Hola", ["600000001"], report=given, **options)).complete()
        assert script.params().get("Report") == (1 if wire is None else wire)
