"""Whatever is in a text, a sender, a reference, a reply or a file's name: the page shows it, and runs none of it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.stage import PLACES, SandboxProcess, Visitor, Webhook

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"
MARKUP = f'"><svg onload=alert(3)>{SCRIPT}{IMAGE}'
NESTED = "(LINK:0:javascript:alert`4`)"


def test_markup_is_shown_as_text_everywhere_and_runs_nowhere(
    sandbox: SandboxProcess, visitor: Visitor, webhook: Webhook
) -> None:
    """Markup in text, sender, reference and reply stays text in every view; no script, no dialog, no CSP error."""
    with sandbox.client() as client:
        body = {
            "Remitente": "<b>x</b>",
            "Mensaje": f"{MARKUP} {NESTED}",
            "Destinatarios": [{"Movil": "34600000001"}],
            "Referenciausuario": IMAGE,
            "Resp": "JSON",
        }
        client.request("EnviarSMS", body)
        client.request("EnviarSMS", {**body, "Fecha": "2099-01-08 10:00"})
    page = visitor.open()
    row = page.locator(".row-link").first
    expect(row).to_contain_text(SCRIPT)
    expect(row).to_contain_text("<b>x</b>")
    expect(row).to_contain_text(IMAGE)
    row.click()
    expect(page.locator(".theirs .bubble").first).to_contain_text(MARKUP)
    page.get_by_role("textbox", name="Reply as +34 600 000 001").fill(MARKUP)
    page.get_by_role("button", name="Send the reply").click()
    expect(page.locator(".mine .bubble")).to_contain_text(MARKUP)
    assert webhook.wait_for("SMSRECIBIDO")["Mensaje"] == MARKUP
    for place in (*PLACES, "calls/callbacks/1"):
        page.goto(f"{visitor.url}/#/{place}")
        page.wait_for_timeout(300)
        assert page.locator("body script, #view img, #view svg[onload], #view [onerror]").count() == 0, place
        assert page.locator("#view b").filter(has_text=re.compile("^x$")).count() == 0, place
        assert page.locator('a[href^="javascript" i], [style], script:not([src])').count() == 0
    page.goto(f"{visitor.url}/#/scheduled")
    expect(page.locator(".cards")).to_contain_text(SCRIPT)
    page.goto(f"{visitor.url}/#/calls/1")
    expect(page.locator(".exchange")).to_contain_text(SCRIPT)


def test_addresses_of_the_page_inject_nothing(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """A crafted address shows an empty phone, or the messages; it runs nothing."""
    page = visitor.open("messages/%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E/%E0%A4%A")
    page.wait_for_timeout(300)
    visitor.expected += ["Failed to load resource"]  # there is no such phone
    page.goto(f"{visitor.url}/#/{MARKUP}/{MARKUP}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    assert page.locator("#view img, #view script").count() == 0


def test_behind_a_password_everything_works(browser: Browser, tmp_path: Path) -> None:
    """The browser asks for it once; after that the list is live and actions act."""
    secret = tmp_path / "password"
    secret.write_text("correct-horse\n")
    sandbox = SandboxProcess("--password-file", str(secret))
    visitor = Visitor(browser, sandbox.url)
    try:
        page = visitor.open(http_credentials={"username": "anybody", "password": "correct-horse"})
        with sandbox.client() as client:
            client.sms.send("600000001", "Hola")
        expect(page.locator(".row-link", has_text="Hola")).to_be_visible()
        page.get_by_role("button", name="Forward one minute").first.click()
        expect(page.locator(".row-link", has_text="Delivered")).to_be_visible()
        assert visitor.troubles() == []
        assert browser.new_context().request.get(sandbox.url).status == 401
    finally:
        for context in visitor.contexts:
            context.close()
        sandbox.stop()
