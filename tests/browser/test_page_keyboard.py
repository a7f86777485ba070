"""The page without a mouse, and for those who listen to it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.stage import PLACES, SandboxProcess, Visitor, Webhook

# Every control that can be seen, without a name of its own.
_NAMELESS = """
() => [...document.querySelectorAll("a, button, input, select, textarea, summary, [role=switch], meter, dialog")]
  .filter((one) => one.checkVisibility())
  .filter((one) => {
    const labelled = [...(one.labels ?? [])].map((label) => label.textContent.trim()).join("");
    const by = (one.getAttribute("aria-labelledby") ?? "").split(" ").filter(Boolean)
      .map((id) => document.getElementById(id)?.textContent ?? "").join("");
    return !(one.getAttribute("aria-label") || by || labelled || one.textContent.trim());
  })
  .map((one) => one.outerHTML)
"""
# A line of what screen readers get, with a role that needs a name and without one.
_UNNAMED = re.compile(
    r"^ *- '?(?:button|link|textbox|searchbox|combobox|checkbox|switch|spinbutton|slider|navigation|meter|region)"
    r"(?! \").*$",
    re.MULTILINE,
)


def focused(page: Page) -> str:
    """The words of what has the focus."""
    return page.evaluate(
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"
    )


def tab_to(page: Page, words: str) -> None:
    """Press Tab until something with these words has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if words in focused(page):
            return
    raise AssertionError(f"Tab never came to {words!r}")


def test_the_main_flow_by_keyboard_alone(sandbox: SandboxProcess, visitor: Visitor, webhook: Webhook) -> None:
    """Tab, arrows, Enter and Escape: to a message, to its phone, a reply, and back to the list."""
    with sandbox.client() as client:
        for number in (1, 2, 3):
            client.sms.send(f"60000000{number}", f"Texto {number}")
    page = visitor.open()
    expect(page.locator(".row-link")).to_have_count(3)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    tab_to(page, "Texto 3")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "Texto 1" in focused(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Phone +34 600 000 002")).to_be_visible()
    tab_to(page, "Reply as +34 600 000 002")
    page.keyboard.type("Gracias 123?/r")
    page.keyboard.press("Enter")
    expect(page.locator(".mine .bubble")).to_contain_text("Gracias 123?/r")
    assert webhook.wait_for("SMSRECIBIDO")["Mensaje"] == "Gracias 123?/r"
    page.keyboard.press("Escape")
    assert "Texto 2" in focused(page)


def test_single_keys_act_and_can_be_turned_off(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """Digits go to the sections, / to the search, j and k walk, r replies, ? helps; a switch turns them off."""
    with sandbox.client() as client:
        client.sms.send(["600000001", "600000002"], "Hola")
    page = visitor.open()
    expect(page.locator(".row-link")).to_have_count(2)
    page.keyboard.press("5")
    expect(page.get_by_role("heading", level=1)).to_have_text("Controls")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator(".row-link")).to_have_count(2)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".row-link").first).to_have_attribute("aria-current", "true")
    page.keyboard.press("j")
    expect(page.locator(".row-link").nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("r")
    expect(page.locator(".reply input")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.get_by_label("Single keys act").press("Space")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("5")
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")


def test_every_control_has_a_name_and_every_view_its_landmarks(
    sandbox: SandboxProcess, visitor: Visitor
) -> None:
    """No control without a name; one banner, one main, one level-one heading, named navigations, no doubled id."""
    with sandbox.client() as client:
        client.sms.send("600000001", "Hola")
        client.sms.send("600000001", "Luego", scheduled_at=datetime.now(UTC) + timedelta(days=365))
    page = visitor.open()
    for place in PLACES:
        page.goto(f"{visitor.url}/#/{place}")
        page.wait_for_timeout(400)
        assert page.evaluate(_NAMELESS) == [], place
        assert _UNNAMED.findall(page.locator("body").aria_snapshot()) == [], place
        assert page.get_by_role("main").count() == 1
        assert page.get_by_role("banner").count() == 1
        assert page.get_by_role("heading", level=1).count() == 1, place
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
        assert len(ids) == len(set(ids)), place
        assert page.locator('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').count() == 0


def test_a_new_message_is_read_out(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """A polite live region says who got what, and only for what came since."""
    with sandbox.client() as client:
        client.sms.send("600000001", "El primero")
        page = visitor.open()
        expect(page.locator(".row-link")).to_have_count(1)
        region = page.locator('#announcer[aria-live="polite"]')
        expect(region).to_have_text("")
        client.sms.send("600000002", "El segundo")
        expect(region).to_have_text("New message for +34 600 000 002 from CLINICA: El segundo")


def test_the_focus_can_be_seen(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """Whatever Tab comes to has a visible outline."""
    page = visitor.open("tools")
    page.wait_for_timeout(300)
    for _ in range(40):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            """() => {
              const style = getComputedStyle(document.activeElement);
              return [document.activeElement.tagName, style.outlineStyle, parseFloat(style.outlineWidth)];
            }"""
        )
        if outline[0] == "BODY":
            break
        assert outline[1] != "none", outline
        assert outline[2] >= 2, outline
