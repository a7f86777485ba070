"""How the page looks: both schemes, both languages, a phone's width, less motion. Pictures go to build/browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from mensatek_async import ContractType, Issuer
from mensatek_async.text import elements
from tests.browser.stage import PLACES, SCREENSHOTS, SandboxProcess, Visitor, Webhook, small_pdf

LONG = "Sinespacios" * 30

# Text whose colour is too near to what is behind it: WCAG's ratio, 4.5, or 3 where it is large.
PALE = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
    if (element.closest(".unseen, noscript, option, :disabled")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgba(style.color)), light(behind(element))].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${element.className} ${walker.currentNode.data}`);
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """One sandbox for all of these tests, which only look, with something of everything."""
    issuer = Issuer("EMPRESA S.L.", "900000000", "B00000000", check=False)
    with Webhook() as webhook:
        process = SandboxProcess("--callbacks", webhook.url)
        with process.client() as client:
            client.files.upload(small_pdf(), name="contrato.pdf")
            client.sms.send(
                "600000001", "¿Vendrá mañana a las 10:30? Responda SI o llámenos.", reference="EXP-27/2027"
            )
            client.sms.send("600000001", f"Sin espacios: {LONG}", reference=LONG[:60])
            client.sms.send("600000002", "Cita 🦷 mañana", encoding="unicode")
            client.sms.send("34600999050", "No llegará")
            client.sms.send("600000003", "Más tarde", scheduled_at=datetime.now(UTC) + timedelta(days=2))
            text = "Su contrato: " + elements.file("contrato.pdf")
            client.certified.send("600000001", text, contract_type=ContractType.PDF, issuer=issuer)
            client.certified.send("600000004", "Le notificamos la resolución", issuer=issuer)
            client.credits()
        yield process
        process.stop()


def settle(page: Page, visitor: Visitor, place: str) -> None:
    """Go to a place and let it load."""
    page.goto(f"{visitor.url}/#/{place}")
    page.wait_for_timeout(400)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visitor: Visitor, scheme: str) -> None:
    """All text of all views reaches AA."""
    page = visitor.open(scheme=scheme)
    for place in PLACES:
        settle(page, visitor, place)
        assert page.evaluate(PALE) == [], place
        page.screenshot(path=SCREENSHOTS / f"{scheme}-{place.replace('/', '-')}.png")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    assert page.evaluate(PALE) == []


@pytest.mark.parametrize("locale", ["en-GB", "es-ES"])
def test_a_phone_s_width(visitor: Visitor, locale: str) -> None:
    """360 px are enough for every view, without scrolling sideways; what can be pressed is large enough."""
    page = visitor.open(width=360, height=740, locale=locale)
    for place in PLACES:
        settle(page, visitor, place)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
        assert page.evaluate(_SMALL) == [], place
        page.screenshot(path=SCREENSHOTS / f"360-{locale}-{place.replace('/', '-')}.png", full_page=True)


_SMALL = """
() => [...document.querySelectorAll("button, .sections a, select, .row-link")]
  .filter((one) => one.checkVisibility() && !one.matches(".link, .skip"))
  .filter((one) => one.getBoundingClientRect().height < 24 || one.getBoundingClientRect().width < 24)
  .map((one) => one.outerHTML)
"""


def test_on_a_phone_the_list_gives_way_to_the_message(visitor: Visitor) -> None:
    """Narrow, one thing is shown at a time, with a way back."""
    page = visitor.open(width=360, height=740)
    page.locator(".row-link", has_text="Cita").click()
    expect(page.locator(".list-pane")).to_be_hidden()
    expect(page.locator(".phone")).to_be_visible()
    expect(page.get_by_role("link", name="Back to the list")).to_be_focused()
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator(".list-pane")).to_be_visible()
    expect(page.locator(".phone")).to_have_count(0)


def test_spanish_for_who_reads_spanish(visitor: Visitor) -> None:
    """The browser's language decides; the switch overrides it and is remembered."""
    page = visitor.open(locale="es-ES")
    assert page.evaluate("document.documentElement.lang") == "es"
    expect(page.get_by_role("heading", level=1)).to_have_text("Mensajes")
    expect(page.get_by_role("link", name="Programados")).to_be_visible()
    for place in PLACES:
        settle(page, visitor, place)
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Controls")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Controls")


def test_other_languages_get_english(visitor: Visitor) -> None:
    """A language that is not there is answered in English, with Spanish time all the same."""
    page = visitor.open(locale="de-DE", timezone_id="Asia/Tokyo")
    assert page.evaluate("document.documentElement.lang") == "en"
    shown = page.locator("#gauge-clock").inner_text()
    spain = page.evaluate(
        "new Intl.DateTimeFormat('en-GB', {timeZone: 'Europe/Madrid', hour: '2-digit'}).format(new Date())"
    )
    assert shown.startswith(spain)
