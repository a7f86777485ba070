"""The page under load, and when the sandbox goes away and comes back."""

from __future__ import annotations

import threading

from playwright.sync_api import expect

from tests.browser.stage import SandboxProcess, Visitor


def send_many(sandbox: SandboxProcess, number: int) -> None:
    """A bulk send."""
    with sandbox.client() as client:
        client.sms.send_bulk((str(34600000000 + n) for n in range(number)), "Abrimos a las 9")


def test_ten_thousand_messages(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """They arrive while the page is open: it holds one page of them, answers meanwhile, and leafs through them."""
    page = visitor.open()
    sending = threading.Thread(target=send_many, args=(sandbox, 10_000))
    sending.start()
    while sending.is_alive():
        # Meanwhile it is used: each of these waits for the page to do it.
        page.get_by_role("link", name="Controls").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Controls")
        page.get_by_role("link", name="Messages").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    sending.join()
    expect(page.locator("#count-texts")).to_have_text("10,000")
    rows = page.locator(".row-link")
    expect(rows).to_have_count(100)
    assert page.evaluate("document.querySelectorAll('*').length") < 5_000
    first = rows.first.inner_text()
    page.get_by_role("button", name="Older").click()
    expect(page.get_by_text("Page 2")).to_be_visible()
    expect(rows).to_have_count(100)
    assert rows.first.inner_text() != first
    page.get_by_role("button", name="Newer").click()
    expect(page.get_by_text("Page 1")).to_be_visible()
    page.get_by_role("searchbox").fill("34600004321")
    expect(rows).to_have_count(1)


def test_the_sandbox_goes_away_and_comes_back(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """The page says that it is alone, keeps what it knew, and catches up by itself."""
    with sandbox.client() as client:
        client.sms.send("600000001", "Antes")
    page = visitor.open()
    visitor.expected += ["Failed to load resource: net::ERR_"]  # while nobody is there
    expect(page.locator(".row-link", has_text="Antes")).to_be_visible()
    sandbox.stop()
    expect(page.get_by_text("The sandbox does not answer.")).to_be_visible()
    expect(page.locator(".row-link", has_text="Antes")).to_be_visible()

    again = SandboxProcess(port=sandbox.port)
    try:
        with again.client() as client:
            client.sms.send("600000002", "Despues")
        expect(page.locator(".row-link", has_text="Despues")).to_be_visible(timeout=20_000)
        expect(page.locator(".row-link", has_text="Antes")).to_have_count(0)
        expect(page.locator("#banner")).to_be_hidden()
        # The token of actions is a new one.
        page.get_by_role("button", name="Forward one minute").first.click()
        expect(page.locator(".row-link", has_text="Despues")).to_contain_text("Delivered")
        page.close()
    finally:
        again.stop()
