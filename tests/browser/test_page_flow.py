"""From the command line to the phone and back: texts, replies, contracts, certificates."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import expect
from pypdf import PdfReader

from mensatek_async import ContractType, Issuer
from mensatek_async.text import elements
from tests.browser.stage import SandboxProcess, Visitor, Webhook, small_pdf

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000", check=False)


def test_a_text_arrives_live_and_its_reply_reaches_the_webhook(
    sandbox: SandboxProcess, visitor: Visitor, webhook: Webhook
) -> None:
    """A text sent by the command shows without a reload; what the phone answers is posted, and shows too."""
    page = visitor.open()
    expect(page.get_by_text("No messages yet")).to_be_visible()
    sandbox.command("send", "600000001", "--sender", "CLINICA", "--text", "¿Vendrá mañana, Íñigo?", "--yes")

    row = page.get_by_role("link", name="+34 600 000 001")
    expect(row).to_contain_text("¿Vendra mañana, Iñigo?")
    row.click()
    phone = page.get_by_role("region", name="Phone +34 600 000 001")
    expect(phone.locator(".theirs .bubble")).to_have_text("¿Vendra mañana, Iñigo?")
    expect(page.locator(".swaps")).to_contain_text("á")
    expect(page.get_by_text("¿Vendrá mañana, Íñigo?", exact=True)).to_be_visible()

    page.get_by_role("textbox", name="Reply as +34 600 000 001").fill("Sí, allí estaré")
    page.get_by_role("button", name="Send the reply").click()
    expect(phone.locator(".mine .bubble")).to_contain_text("Sí, allí estaré")
    told = webhook.wait_for("SMSRECIBIDO")
    assert (told["Mensaje"], told["Remitente"]) == ("Sí, allí estaré", "34600000001")


def test_a_contract_is_signed_on_the_phone_and_its_certificate_downloaded(
    sandbox: SandboxProcess, visitor: Visitor, webhook: Webhook
) -> None:
    """A contract waits until its recipient signs it; then there is a certificate, and it is a PDF."""
    page = visitor.open("tools")
    page.get_by_label("Contracts go on to their end by themselves").uncheck()
    with sandbox.client() as client:
        text = "Firme su contrato: " + elements.pdf(small_pdf())
        sent = client.certified.send("600000002", text, contract_type=ContractType.PDF, issuer=ISSUER)
    page.get_by_role("button", name="Forward one minute").first.click()
    page.get_by_role("link", name="Messages").first.click()
    page.locator(".row-link", has_text="Firme su contrato").click()

    page.get_by_role("button", name="Open").first.click()
    opened = webhook.wait_for("EVENTOSSMSCERTIFICADO")
    assert opened["idMensaje"] == str(sent.message_id)
    page.get_by_role("button", name="Sign contract").click()
    expect(page.locator(".status-line .chip").first).to_contain_text("181")
    webhook.wait_for("SMSCERTIFICADO", Resultado="181")

    with page.expect_download() as download:
        page.get_by_role("link", name="Certificate (PDF)").click()
    saved = download.value.path()
    assert len(PdfReader(saved).pages) >= 1
    page.get_by_role("link", name="Files").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF, certificate of +34 600 000 002").click()
    assert PdfReader(io.BytesIO(download.value.path().read_bytes())).pages


def test_a_contract_closed_by_a_reply(sandbox: SandboxProcess, visitor: Visitor, webhook: Webhook) -> None:
    """SI on the phone closes a contract that waits for it."""
    page = visitor.open("tools")
    page.get_by_label("Contracts go on to their end by themselves").uncheck()
    with sandbox.client() as client:
        client.certified.send("600000003", "Responda SI", contract_type=ContractType.REPLY, issuer=ISSUER)
    page.get_by_role("button", name="Forward one minute").first.click()
    page.get_by_role("link", name="Messages").first.click()
    page.locator(".row-link", has_text="Responda SI").click()
    page.get_by_role("button", name="Reply SI").click()
    expect(page.locator(".status-line .chip").first).to_contain_text("17")
    webhook.wait_for("SMSCERTIFICADO", Resultado="17")


def test_scheduled_texts_are_moved_cancelled_and_stepped_to(
    sandbox: SandboxProcess, visitor: Visitor
) -> None:
    """What waits can be rescheduled and cancelled on the page, and the clock taken to it."""
    tomorrow = datetime.now(ZoneInfo("Europe/Madrid")).replace(hour=10, minute=30) + timedelta(days=1)
    with sandbox.client() as client:
        for phone, text in (("600000004", "El que se cancela"), ("600000005", "El que sale")):
            client.sms.send(phone, text, scheduled_at=tomorrow)
    page = visitor.open("scheduled")
    first = page.locator(".cards > li", has_text="El que se cancela")
    first.get_by_role("button", name="Reschedule").click()
    first.get_by_label("Leaves at (Spanish time)").fill(f"{tomorrow + timedelta(days=1):%Y-%m-%dT11:45}")
    first.get_by_role("button", name="Save").click()
    expect(first.locator("time")).to_contain_text("11:45:00")

    first.get_by_role("button", name="Cancel").click()
    expect(first).to_have_count(0)
    expect(page.locator("#toasts")).to_contain_text("1 cancelled, 1 credit")
    page.get_by_role("button", name="Step the clock to it").click()
    expect(page.get_by_text("Nothing is scheduled")).to_be_visible()
    page.get_by_role("link", name="Messages").first.click()
    expect(page.locator(".row-link", has_text="El que se cancela")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Forward one minute").first.click()
    expect(page.locator(".row-link", has_text="El que sale")).to_contain_text("Delivered")


def test_search_and_filters(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """The list is narrowed by words, status, reference and message id, and widened again."""
    with sandbox.client() as client:
        first = client.sms.send("600000006", "Su cita del martes", reference="EXP-1")
        client.sms.send("600000007", "Su pedido ha salido", reference="PED-2")
    page = visitor.open()
    rows = page.locator(".row-link")
    expect(rows).to_have_count(2)
    search = page.get_by_role("searchbox")
    search.fill("pedido")
    expect(rows).to_have_count(1)
    search.fill("nada de nada")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    page.locator(".empty").get_by_role("button", name="Clear filters").click()
    expect(rows).to_have_count(2)
    page.get_by_text("More filters").click()
    page.get_by_label("Reference", exact=True).fill("exp")
    expect(rows).to_have_count(1)
    page.get_by_label("Reference", exact=True).fill("")
    page.get_by_label("Message id", exact=True).fill(str(first.message_id))
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Su cita del martes")
    page.get_by_label("Message id", exact=True).fill("")
    expect(rows).to_have_count(2)
    page.get_by_role("combobox", name="Status", exact=True).select_option("failed")
    expect(rows).to_have_count(0)
    page.get_by_role("combobox", name="Status", exact=True).select_option("")
    page.get_by_role("button", name="Phones").click()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("1 message")
    expect(page.get_by_role("button", name="Phones")).to_be_focused()
    expect(page.get_by_role("combobox", name="Status", exact=True)).to_be_hidden()
    rows.first.click()
    page.get_by_role("button", name="PED-2: list what has the same").click()
    expect(page.get_by_role("button", name="Messages", pressed=True)).to_be_visible()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Reference", exact=True)).to_have_value("PED-2")
