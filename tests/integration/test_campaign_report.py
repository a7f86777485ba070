"""A campaign's report: one page, whole, in English or Spanish, of a campaign in whatever state."""

from __future__ import annotations

import re
import stat
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anyio
import pytest

from mensatek_async import AsyncMensatek, Campaigns, OptOuts, Recipient, Template
from mensatek_async.sandbox import Sandbox
from tests.callbacks import report
from tests.sandbox_calls import phones

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
