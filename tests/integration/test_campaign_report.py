"""A campaign's report: one page, whole, in English or Spanish, of a campaign in whatever state."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async import (
    AsyncMensatek,
    Campaigns,
    InvalidRequest,
    Issuer,
    Mensatek,
    OptOuts,
    Recipient,
    SyncCampaigns,
    Template,
)
from mensatek_async.sandbox import Fault, Sandbox
from tests.callbacks import report
from tests.command_line import Command
from tests.sandbox_calls import ANA, EVA, phones

pytestmark = pytest.mark.mensatek_sandbox(credits=100_000, strict=True)

NAME = 'Navidad <script>alert("1")</script> & ñ'
TEXT = "Felices {fiestas}, <b>{nombre}</b> & co"
_VOID = {"meta", "link"}


class Seen(HTMLParser):
    """The words of a page, section by section, and what it holds; a tag that is not closed is an error."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.sections: list[str] = [""]
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "action")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "section":
            self.sections.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.sections[-1] += "".join(f"{word} " for word in data.split())

    def section(self, title: str) -> str:
        """The words of a section."""
        return next((one for one in self.sections if one.startswith(title)), "")


async def page_of(campaign: Any, path: Path, **options: Any) -> Seen:
    """Write the report and read it."""
    await campaign.report(path, force=True, **options)
    written = await anyio.Path(path).read_text(encoding="utf-8")
    seen = Seen(written)
    assert "script" not in seen.tags
    assert seen.links == ["data:,"]
    assert not re.search(r"https?://|url\(|@import", written)
    return seen


async def test_a_report_of_everything(
    client: AsyncMensatek, sandbox: Sandbox, store: str, tmp_path: Path
) -> None:
    """Each outcome with its number, the curve, the slowest and who was not reached; masked, escaped, two languages."""
    people = phones(12)
    rows: list[Any] = [Recipient(one, {"nombre": "Ana", "fiestas": "Pascuas"}) for one in people]
    rows += [
        Recipient("600 00x", {"nombre": "x", "fiestas": "y"}),
        Recipient(people[3], {"nombre": "x", "fiestas": "y"}),
    ]
    await OptOuts(store).add(people[11])
    async with Campaigns(client, store) as campaigns:
        campaign = await campaigns.start(NAME, Template(TEXT), rows, sender="ACME", reference="pedido-77")
        await campaign.complete()
        told = {
            one.phone: {"Movil": one.phone, "idMensaje": one.message_id, "Referencia": one.reference}
            for one in sandbox.texts
        }
        now = datetime.now()
        for at, (code, seconds) in enumerate(
            [(11, 3), (13, 4000), (14, 90), (53, 9), (131, 9), (53, 7), (777, 0), (0, 1)]
        ):
            when = f"{now + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}"
            assert await campaigns.record(
                report(Resultado=code, Segundos=seconds, Fecha=when, **told[people[at]])
            )
        stands = await campaign.progress()
        english = await page_of(campaign, tmp_path / "navidad.html", price=0.05)
        spanish = await page_of(campaign, tmp_path / "navidad.html", lang="es", with_phones=True)

    assert NAME in english.sections[0]
    assert (
        f"Rows {stands.total} Taken by the provider 11 79 % Delivered 3 27 % Not delivered 3"
        in english.sections[0]
    )
    assert f"Euros €{stands.credits_used * 5 / 100:.2f} at €0.05 a credit" in english.sections[0]
    assert f"{TEXT} Sender ACME Product SMS Reference pedido-77" in english.section("What was sent")
    assert "Half of them had it by" in english.section("Delivered over time")
    assert {"svg", "path", "rect"} <= english.tags
    outcomes = english.section("By outcome")
    for words in ("Delivered 3", "Taken, no report yet that it arrived 5", "Not delivered 3", "opted out 1"):
        assert words in outcomes
    why = english.section("Why some were not reached")
    assert "Expired: the phone stayed off 2 14 % The phone stayed off: try again another day" in why
    assert "Not sent: The phone has an extension, which a text cannot reach 1 7 % Correct these rows" in why
    assert (
        "Not sent: repeats the phone of an earlier row 1 7 % Their phone got the text of its first row."
        in why
    )
    assert "Unknown status (777) 1" in english.section("By delivery status")
    assert english.section("The slowest").startswith(
        "The slowest Row Phone Took Arrived 2 346***01 1 h 6 min "
    )
    assert "4 346***03 Expired: the phone stayed off" in english.section("Rows that were not reached")
    assert not [one for one in people if any(one in words for words in english.sections)]
    assert f"2 {people[1]} 1 h" in spanish.section("Los más lentos")
    assert f"4 {people[3]} El mensaje ha expirado" in spanish.section("Filas a las que no llegó")
    assert stat.S_IMODE((tmp_path / "navidad.html").stat().st_mode) == 0o600


async def test_a_report_of_a_campaign_in_any_state(
    client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Without rows, not begun, half sent, with an answer lost, without reports, forgotten, cancelled and purged."""
    page = tmp_path / "r.html"
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        empty = await campaigns.start("empty", "Hola", [])
        await empty.complete()
        seen = await page_of(empty, page, price=1)
        assert "It has no rows. Started" in seen.sections[0]
        assert "Euros €0.00" in seen.sections[0]
        assert len(seen.sections) == 3

        tomorrow = datetime.now(UTC) + timedelta(days=1)
        later = await campaigns.start("later", "Hola", [ANA], start_at=tomorrow)
        seen = await page_of(later, page)
        assert "Running, still to be sent: 1. it begins at" in seen.sections[0]
        assert "Still to be sent 1 100 %" in seen.section("By outcome")

        sandbox.fault(Fault.drop_after_accept(), times=1)
        people = phones(30)
        half = await campaigns.start("half", "Aviso", people, chunk_size=5, max_credits=12)
        await half.complete()
        stands = await half.progress()
        seen = await page_of(half, page)
        assert f"Paused, still to be sent: {stands.pending}. max_credits is reached" in seen.sections[0]
        assert f"Taken by the provider {stands.sent} " in seen.sections[0]
        assert "`" not in seen.section("Delivered over time")
        assert "No delivery report has come" in seen.section("Delivered over time")
        assert "Perhaps sent: EnviarSMS" in seen.section("Why some were not reached")
        assert "mensatek campaign reconcile half asks the provider once" in seen.section("Why some were")
        assert "1 346***00 Perhaps sent: EnviarSMS" in seen.section("Rows that were not reached")

        await half.cancel()
        await campaigns.forget(people[0])
        seen = await page_of(half, page, with_phones=True)
        assert "Cancelled." in seen.sections[0]
        assert people[0] not in "".join(seen.sections)
        await half.purge()
        seen = await page_of(half, page, lang="es", with_phones=True)
        assert "Sus teléfonos y textos se borraron" in seen.sections[0]
        assert f"Aceptados por el proveedor {stands.sent} " in seen.sections[0]
        assert not [one for one in (*people, "Aviso", "CLINICA") if one in "".join(seen.sections)]


async def test_contracts_and_certified_texts(client: AsyncMensatek, sandbox: Sandbox, tmp_path: Path) -> None:
    """Each stands where its newest status says, and arrived when it first was on the phone."""
    issuer = Issuer("EMPRESA S.L.", "900000000", "B00000000")
    async with Campaigns(client, tmp_path / "c.db") as campaigns:
        campaign = await campaigns.start("avisos", "Lea", phones(4), product="certified", issuer=issuer)
        await campaign.complete()
        begun = datetime.now()
        for one, codes in zip(sandbox.texts, ((13, 14), (13, 160, 190), (13, 195), (16,)), strict=True):
            for at, code in enumerate(codes):
                told = {"Movil": one.phone, "idMensaje": one.message_id, "Referencia": one.reference}
                when = f"{begun + timedelta(hours=at):%Y-%m-%d %H:%M:%S}"
                await campaigns.record(report(Resultado=code, Segundos=5 + 3600 * at, Fecha=when, **told))
        seen = await page_of(campaign, tmp_path / "r.html")
    assert "Product Certified SMS" in seen.section("What was sent")
    statuses = seen.section("By delivery status")
    assert "Contract: rejected (190) 1 25 % They rejected it" in statuses
    assert "Contract: expired (195) 1 25 % Their time ran out" in statuses
    assert "Certified SMS delivered and certified (14) 1" in statuses
    assert seen.section("The slowest").count(" 5 s ") == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        *(({"path": name}, "no name for the report") for name in ("r.csv", "-")),
        ({"path": "notes.html"}, "is no report"),
        ({"path": "c.db", "force": True}, "database"),
        ({"path": "copy.html", "force": True}, "database"),
        ({"path": "nowhere/r.html"}, "cannot be written"),
        ({"path": "."}, "cannot be written"),
        ({"path": "r.html", "lang": "fr"}, '"en" or "es"'),
        *(({"path": "r.html", "price": price}, "price") for price in (0, -1, float("nan"), "much", True)),
    ],
    ids=str,
)
def test_a_report_that_cannot_be_written_leaves_all_as_it_was(
    sandbox: Sandbox, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    """Somebody's notes, a database, a place that is none; another language or price."""
    notes, copy = tmp_path / "notes.html", tmp_path / "copy.html"
    notes.write_text("<p>mine</p>")
    copy.write_bytes(b"SQLite format 3\0")
    with Mensatek(sender="ACME") as client, SyncCampaigns(client, tmp_path / "c.db") as campaigns:
        campaign = campaigns.start("a", "Hola", [ANA, EVA])
        there = {*tmp_path.iterdir()}
        with pytest.raises(InvalidRequest, match=told):
            campaign.report(**options | {"path": tmp_path / options["path"]})
        assert {*tmp_path.iterdir()} == there
        assert (notes.read_text(), copy.read_bytes()) == ("<p>mine</p>", b"SQLite format 3\0")
        campaign.report(notes, force=True)
        campaign.report(notes)


def test_the_command_writes_reports(
    sandbox: Sandbox, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a campaign and of a bulk send, in the language of the command; nothing is sent where it has no place."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MENSATEK_SENDER", "ACME")
    Path("people.csv").write_text("name;phone\nAna;600000001\nEva;600000002\nX;12\n")
    rows = ("people.csv", "--text", "Hola {name}", "--yes")
    for wrong in (
        ("--report", "r.csv", "--html", "r.csv"),
        ("--html", "people.csv"),
        ("--html", "r.html", "--dry-run"),
    ):
        assert command("bulk", *rows, *wrong).code == 2
    assert not sandbox.counts
    said = command("bulk", *rows, "--html", "bulk.html", "--euros", "0.5", "--with-phones", "--json")
    assert (said.code, said.json["html"]) == (1, "bulk.html")
    assert "Euros €1.00" in Seen(Path("bulk.html").read_text()).sections[0]
    assert "Not sent: The phone is too short" in Path("bulk.html").read_text()

    assert command("campaign", "start", "navidad", *rows).code == 1
    said = command("campaign", "report", "navidad", "r.html", "--price", "0,05", "--lang", "es")
    assert (said.code, said.out.endswith(": r.html\n")) == (0, True)
    assert "Euros 0,10 € a 0,05 € por crédito" in Seen(Path("r.html").read_text()).sections[0]
    assert command("campaign", "report", "nobody", "x.html").code == 2
    assert not Path("x.html").exists()
