"""The pictures of the README and of docs/sandbox.md: taken anew into build/browser, to be copied to docs/images."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mensatek_async import ContractType, Issuer, MensatekError
from mensatek_async.text import elements
from tests.browser.stage import SCREENSHOTS, SandboxProcess, Visitor, small_pdf

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDTH, HEIGHT, SCALE = 1320, 840, 1.5


def furnish(sandbox: SandboxProcess) -> None:
    """Some days of a clinic: reminders, a code, a contract, replies, calls that went wrong."""
    issuer = Issuer("CLÍNICA NORTE S.L.", "900000000", "B00000000", check=False)
    sandbox.act("contracts", by_themselves=False)
    with sandbox.client() as client:
        client.files.upload(small_pdf(), name="presupuesto.pdf")
        client.sms.send("600000012", "Su código es 493822. Caduca en 10 minutos.", sender="BANCO")
        client.sms.send("600999050", "Le esperamos el lunes a las 9:15.")
        sandbox.act("clock", step=4_000)
        client.sms.send(
            "600000001",
            "Hola Ana: su cita es mañana a las 10:30 en Íñigo 4. ¿Vendrá?",
            reference="CITA-88231",
        )
        sandbox.act("clock", step=300)
        sandbox.act("phones/34600000001/reply", text="Sí, allí estaré")
        with pytest.raises(MensatekError):
            client.request("EnviarSMS", {"Mensaje": "Hola", "Destinatarios": [{"Movil": "34600000007"}]})
        sandbox.act("clock", step=2_000)
        later = datetime.now(UTC) + timedelta(days=3)
        client.sms.send(["600000007", "600000008"], "Mañana cerramos a las 14:00.", scheduled_at=later)
        text = "Ana, lea y firme su presupuesto: " + elements.file("presupuesto.pdf")
        client.certified.send(
            "600000001", text, contract_type=ContractType.PDF, issuer=issuer, reference="PRES-2027/14"
        )
        sandbox.act("clock", step=30)


def size_of(picture: Path) -> tuple[int, int]:
    """The pixels of a PNG, of its header."""
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height


def test_the_pictures_of_the_documentation(sandbox: SandboxProcess, visitor: Visitor) -> None:
    """Both are taken without trouble, and those of the documentation have their form."""
    furnish(sandbox)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page = visitor.open("messages/34600000001", width=WIDTH, height=HEIGHT, device_scale_factor=SCALE)
    expect(page.locator(".bubble")).to_have_count(3)
    expect(page.get_by_role("button", name="Sign contract")).to_be_visible()
    page.wait_for_timeout(500)
    page.screenshot(path=SCREENSHOTS / "sandbox-phone.png")
    dark = visitor.open("calls", width=WIDTH, height=HEIGHT, device_scale_factor=SCALE, scheme="dark")
    dark.locator(".row-link", has_text="Wrong").click()
    expect(dark.locator(".sides")).to_contain_text('"Res": -3')
    dark.mouse.move(0, 0)
    dark.wait_for_timeout(500)
    dark.screenshot(path=SCREENSHOTS / "sandbox-calls.png")
    for name in ("sandbox-phone.png", "sandbox-calls.png"):
        assert size_of(IMAGES / name) == size_of(SCREENSHOTS / name)
