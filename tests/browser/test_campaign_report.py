"""A campaign's report in the browser: on a screen, on a phone, on paper; the picture of docs/campaigns.md."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mensatek_async import DeliveryReport, DeliveryStatus, Mensatek, Recipient, SyncCampaigns, Template
from mensatek_async.sandbox import Sandbox
from tests.browser.stage import SCREENSHOTS
from tests.browser.test_page_looks import PALE
from tests.browser.test_page_pictures import IMAGES, size_of

TEXT = "Hola {nombre}, le recordamos su cita de mañana a las {hora}. Si no puede venir: 900 000 000."
LONG = "recordatorios-de-enero-" * 7 + "<script>alert(1)</script>"
# What sticks out of its box, or is cut off by it.
_CUT = """
() => [...document.querySelectorAll("main *")]
  .filter((one) => one.checkVisibility() && !one.closest("svg, .overs"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline"
    || one.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map((one) => one.outerHTML.slice(0, 200))
"""
# Words of the curve's axes that lie on each other.
_OVERLAP = """
() => [".overs span", ".ups span"].flatMap((kind) => {
  const boxes = [...document.querySelectorAll(kind)].filter((one) => one.checkVisibility())
    .map((one) => one.getBoundingClientRect());
  return boxes.filter((a, at) => boxes.slice(at + 1).some((b) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of a clinic's reminders in both languages, of a campaign without rows, and of one with a long name."""
    place = tmp_path_factory.mktemp("reports")
    rows = [Recipient(str(600_000_100 + at), {"nombre": f"Ana {at}", "hora": "10:30"}) for at in range(200)]
    rows += [Recipient("60000", {"nombre": "Eva", "hora": "10:30"}), rows[7]]
    with (
        Sandbox(strict=False) as sandbox,
        Mensatek(sandbox.user, sandbox.token, base_url=sandbox.base_url, sender="CLINICA") as client,
        SyncCampaigns(client, place / "c.db") as campaigns,
    ):
        campaigns.start("vacía", "Hola", []).complete()
        for name in ("citas-2027-01-08", LONG):
            campaign = campaigns.start(name, Template(TEXT), rows, reference="CITAS")
            campaign.complete()
            chance = random.Random(7)
            message = campaign.progress().message_id
            for row in rows[:195]:
                seconds = chance.expovariate(1 / 90)
                code = 13 if chance.random() < 0.9 else chance.choice([53, 110, 131, 104])
                campaigns.record(
                    DeliveryReport(
                        service="SMS",
                        status=DeliveryStatus(code),
                        phone=f"34{row.phone}",
                        message_id=message,
                        reported_at=datetime.now(UTC) + timedelta(seconds=seconds),
                        seconds=round(seconds),
                    )
                )
            campaign.report(place / f"{name[:5]}.html", price=0.055)
            campaign.report(place / f"{name[:5]}-es.html", price=0.055, lang="es", with_phones=True)
        campaigns.get("vacía").report(place / "vacía.html", lang="es")
    return place


@pytest.mark.parametrize("width", [1280, 390, 688])
@pytest.mark.parametrize("name", ["citas", "recor-es", "vacía"])
def test_a_report_fits_its_place(browser: Browser, folder: Path, name: str, width: int) -> None:
    """Nothing is cut off or lies on another; all text reaches AA; nothing is fetched. 688 px are those of a paper."""
    heard: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900})
    page: Page = context.new_page()
    page.on("console", lambda message: heard.append(message.text))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: heard.append(request.url))
    page.emulate_media(media="print" if width == 688 else "screen")
    page.goto((folder / f"{name}.html").as_uri())
    assert heard == [(folder / f"{name}.html").as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for script in (_CUT, _OVERLAP, PALE):
        assert page.evaluate(script) == []
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"report-{name}-{width}.png", full_page=True)
    if (name, width) == ("citas", 1280):
        picture = SCREENSHOTS / "campaign-report.png"
        page.screenshot(path=picture, full_page=True, clip={"x": 120, "y": 0, "width": 1040, "height": 1240})
        assert size_of(IMAGES / picture.name) == size_of(picture)
    context.close()
