"""What the page can do to the sandbox: clock, credits, faults, block, phones, statuses, files, a fresh start."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from mensatek_async import AuthenticationError, Guard, InsufficientCredits, Mensatek, MensatekError, Retry
from mensatek_async.testing import forget_accounts
from tests.browser.stage import SandboxProcess, Visitor, Webhook, small_pdf

SEND = {"Remitente": "X", "Destinatarios": [{"Movil": "34600000001"}], "Mensaje": "Hola", "Flash": 1}


def hasty(sandbox: SandboxProcess, token: str = "demo-token") -> Mensatek:
    """A client that repeats nothing."""
    once, base_url = Retry(attempts=1), f"{sandbox.url}/v7"
    return Mensatek("demo", token, base_url=base_url, sender="CLINICA", retry=once, guard=Guard(pause=0))


def test_faults_are_switched_on_and_off(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """Calls are late and fail as chosen until the faults are cleared, on another page; the log says so."""
    page = visitor.open("tools")
    page.get_by_label("Latency of each call, seconds").fill("0.2")
    page.get_by_label("Calls that fail").fill("100")
    page.get_by_label("How they fail").select_option("503")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Faults are on")).to_be_visible()
    with hasty(sandbox) as client:
        with pytest.raises(MensatekError):
            client.sms.send("600000001", "No sale")
        other = visitor.open("tools")
        expect(other.get_by_label("Latency of each call, seconds")).to_have_value("0.2")
        other.get_by_role("button", name="No more faults").click()
        expect(page.get_by_text("All is well")).to_be_visible()
        client.sms.send("600000001", "Sale")
    page.goto(f"{visitor.url}/#/calls")
    expect(page.locator(".row-link").first).to_contain_text("Work")
    expect(page.locator(".row-link").nth(1)).to_contain_text("Fault")
    expect(page.locator(".row-link").nth(1)).to_contain_text("503")


def test_the_account_is_blocked_and_opened(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """A block shows in the frame and refuses calls; opening it lets them through."""
    page = visitor.open("tools")
    page.get_by_role("button", name="Block the account").click()
    expect(page.locator("#gauge-guard")).to_contain_text("Blocked until")
    with hasty(sandbox) as client, pytest.raises(MensatekError):
        client.sms.send("600000001", "No sale")
    page.locator("#gauge-guard").get_by_role("button", name="Unblock").click()
    expect(page.locator("#gauge-guard")).to_contain_text("Not blocked")
    forget_accounts()  # the clients of a process share what they know of a block
    with hasty(sandbox) as client:
        client.sms.send("600000001", "Sale")


def test_what_no_manual_knows_is_shown_with_its_call(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """A parameter that was ignored: in the list, and by name in the call."""
    with hasty(sandbox) as client:
        client.request("EnviarSMS", SEND)
    page = visitor.open("calls")
    page.get_by_text("Unknown parameters: 1").first.click()
    expect(page.locator("pre[aria-label='Unknown parameters: 1']")).to_have_text("Flash")


def test_credits_run_out_and_come_back(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """Without credits sends are refused; the page sets new ones."""
    page = visitor.open("tools")
    page.get_by_role("button", name="Run out now").click()
    expect(page.locator("#gauge-credits")).to_have_text("0 left")
    with hasty(sandbox) as client, pytest.raises(InsufficientCredits):
        client.sms.send("600000001", "No sale")
    page.get_by_label("Credits left").fill("5")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#gauge-credits")).to_have_text("5 left")
    with hasty(sandbox) as client:
        assert client.sms.send("600000001", "Sale").credits_left == 4
    expect(page.locator("#gauge-credits")).to_have_text("4 left")


def test_the_clock_is_stepped_and_sped_up(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """Steps and pace move the sandbox's clock, and the page shows it."""
    page = visitor.open("tools")
    day = page.locator("#gauge-day")
    before = day.inner_text()
    page.get_by_role("button", name="Forward one day").first.click()
    expect(day).not_to_have_text(before)
    page.get_by_label("Pace").select_option("3600")
    expect(day).to_contain_text("× 3,600")


def chosen_status(page: Page) -> object:
    """Where the status of the message open is shown."""
    return page.locator(".inspector .status-line .chip").first


def test_the_carrier_chooses_statuses_and_phones_go_silent(
    sandbox: SandboxProcess, visitor: Visitor, webhook: Webhook
) -> None:
    """A status by hand reaches the webhook; a phone that is off waits, one that does not exist fails."""
    page = visitor.open("messages/34600000001")
    page.get_by_label("The phone is switched on").uncheck()
    expect(page.locator(".phone")).to_have_attribute("data-off", "yes")
    with sandbox.client() as client:
        client.sms.send("600000001", "Con el telefono apagado")
    page.get_by_role("button", name="Forward one minute").first.click()
    expect(page.locator(".bubbles .absent")).to_contain_text("Con el telefono apagado")
    page.get_by_label("The phone is switched on").check()
    page.get_by_role("button", name="Forward one minute").first.click()
    expect(page.locator(".bubbles .theirs")).not_to_have_class(re.compile("absent"))
    webhook.wait_for("SMSMASIVO", Resultado="11")

    page.goto(f"{visitor.url}/#/messages/34600000002")
    page.get_by_label("The number exists").uncheck()
    expect(page.get_by_label("Messages to it end with")).to_have_value("50")
    with sandbox.client() as client:
        client.sms.send("600000002", "A nadie")
        client.sms.send("600000003", "A alguien")
    page.get_by_role("button", name="Forward one minute").first.click()
    expect(chosen_status(page)).to_contain_text("50")
    webhook.wait_for("SMSMASIVO", Resultado="50")

    page.goto(f"{visitor.url}/#/messages/34600000003")
    page.get_by_label("Next delivery status").select_option("131")
    page.get_by_role("button", name="Set status").click()
    expect(chosen_status(page)).to_contain_text("131")
    webhook.wait_for("SMSMASIVO", Resultado="131")


def test_calls_with_request_and_reply_and_the_guard(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """A wrong call is marked and counted; its request and reply stand side by side, without the token."""
    with hasty(sandbox) as client:
        client.sms.send("600000001", "Hola")
        with pytest.raises(MensatekError):
            client.request("EnviarSMS", {"Mensaje": "sin remitente", "Destinatarios": SEND["Destinatarios"]})
    with hasty(sandbox, "wrong") as stranger, pytest.raises(AuthenticationError):
        stranger.credits()
    page = visitor.open("calls")
    expect(page.locator(".guard")).to_contain_text("2 of 10")
    page.get_by_label("The guard's view").select_option("wrong")
    expect(page.locator(".row-link")).to_have_count(2)
    page.locator(".row-link", has_text="EnviarSMS").click()
    sides = page.locator(".sides > section")
    expect(sides.first).to_contain_text('"Mensaje": "sin remitente"')
    expect(sides.nth(1)).to_contain_text('"Res": -3')
    for folded in page.locator(".exchange summary").all():
        folded.click()
    words = page.locator(".exchange").inner_text()
    assert "demo-token" not in words
    assert "authorization" not in words.lower()
    page.get_by_role("link", name="Webhooks").click()
    expect(page.locator(".row-link", has_text="SMSMASIVO").first).to_be_visible()


def test_files_are_listed_downloaded_and_deleted(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """The library shows what was uploaded; deleting asks first."""
    content = small_pdf()
    with sandbox.client() as client:
        client.files.upload(content, name="contrato.pdf")
    page = visitor.open("files")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download contrato.pdf").click()
    assert download.value.path().read_bytes() == content
    page.get_by_role("button", name="Delete contrato.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave as it is").click()
    expect(page.get_by_text("contrato.pdf", exact=True)).to_be_visible()
    page.get_by_role("button", name="Delete contrato.pdf").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The library is empty")).to_be_visible()


def test_a_fresh_start(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """Everything is forgotten, once asked; Escape keeps it."""
    with sandbox.client() as client:
        client.sms.send("600000001", "Hola")
    page = visitor.open("tools")
    page.get_by_role("button", name="Forget everything").click()
    page.keyboard.press("Escape")
    expect(page.locator("#count-texts")).to_have_text("1")
    page.get_by_role("button", name="Forget everything").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget everything").click()
    expect(page.locator("#count-texts")).to_be_hidden()
    expect(page.locator("#gauge-credits")).to_have_text("20,000 left")
