"""Certified texts and contracts from end to end: client, sandbox, real HTTP, a PDF reader's eyes."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from fpdf import FPDF
from pypdf import PdfReader

from mensatek_async import (
    AsyncMensatek,
    ContractType,
    FileNotFound,
    Guard,
    Issuer,
    Phase,
    Retry,
    open_certificates,
)
from mensatek_async.sandbox import Sandbox
from mensatek_async.text import elements
from tests.sandbox_calls import ANA, LUIS, wait_until

pytestmark = pytest.mark.mensatek_sandbox(starts_at=datetime(2027, 1, 8, 12, tzinfo=UTC), read_interval=0)


ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000")
QUICK = Retry(wait_initial=0.005, wait_max=0.02, timeout=10)


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox) -> Sandbox:
    """A sandbox whose clock stands still, and whose contracts wait for their signer."""
    mensatek_sandbox.contracts_by_themselves = False
    return mensatek_sandbox


def hasty() -> AsyncMensatek:
    """A client of the sandbox that need not wait between two reads."""
    return AsyncMensatek(issuer=ISSUER, retry=QUICK, guard=Guard(read_interval=0))


def contract() -> bytes:
    """A contract, as a PDF library writes it."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.cell(text="Contrato de servicio")
    return bytes(pdf.output())


SIGN = "Firme " + elements.pdf(contract())


def stated(pdf: bytes) -> str:
    """The words of a PDF."""
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf), strict=True).pages)


async def test_a_contract_from_its_pdf_to_its_certificate(sandbox: Sandbox, tmp_path: Path) -> None:
    """Sent with its PDF inside, opened, signed, followed, and its certificate on disk says all of it."""
    document = contract()
    async with hasty() as client:
        sent = await client.certified.send(
            "600 000 001", "Firme su contrato: " + elements.pdf(document), contract_type=ContractType.PDF
        )
        seen = []
        for step in (
            lambda: None,
            lambda: sandbox.advance(5),
            lambda: sandbox.open_contract(ANA),
            lambda: sandbox.sign_contract(ANA, biometric=True),
        ):
            step()
            (one,) = (await client.certified.report(sent.message_id, max_age=0)).recipients
            seen.append((one.status.code, one.status.phase, one.status.is_certified))
        ready = await client.certified.wait_certified(sent.message_id, "600000001", timeout=5)
        path = tmp_path / "certificate.pdf"
        got = await client.certified.download(path, message_id=sent.message_id, phone=ready.phone)

    assert (sent.accepted, sent.segments) == (1, 1)
    assert seen == [
        (2, Phase.PENDING, False),
        (13, Phase.DELIVERED, False),
        (160, Phase.CONTRACT, False),
        (181, Phase.CONTRACT, True),
    ]
    assert ready.status.is_signed
    assert (got.media_type, got.size) == ("application/pdf", path.stat().st_size)
    words = stated(path.read_bytes())
    assert all(word in words for word in ("Firme su contrato", "EMPRESA S.L.", ANA, str(sent.message_id)))
    assert hashlib.sha256(document).hexdigest() in words


async def test_two_hundred_certified_texts_in_one_call(sandbox: Sandbox, tmp_path: Path) -> None:
    """Fifty a request, one message, nobody twice, and one ZIP with every certificate."""
    phones = [str(34600000000 + number) for number in range(200)]
    async with hasty() as client:
        result = await client.certified.send_bulk(phones, "Le notificamos la multa de España")
        sandbox.advance(60)
        await client.certified.download(tmp_path / "all.zip", message_id=result.message_id)

    bundle = open_certificates(tmp_path / "all.zip")
    assert (result.accepted, result.all_sent) == (200, True)
    assert set(sandbox.counts.values()) == {1}
    sizes = sorted(len(call.params["Destinatarios"]) for call in sandbox.calls("EnviarSMSCERTIFICADO"))
    assert sizes == [1, 49, 50, 50, 50]
    assert sorted(row.phone for row in bundle.rows) == phones
    assert all(row.status is not None and row.status.is_certified for row in bundle.rows)
    assert len(bundle.certificates) == 200
    assert "Le notificamos la multa de España" in stated(bundle.certificates[77].content)


async def test_a_document_of_the_library(sandbox: Sandbox) -> None:
    """A contract may name a file uploaded before; one that is not there is the provider's refusal."""
    text = "Firme " + elements.file("contrato.pdf")
    async with hasty() as client:
        with pytest.raises(FileNotFound):
            await client.certified.send(ANA, text, contract_type=ContractType.PDF)
        await client.files.upload(contract(), name="contrato.pdf", delete_after_certification=True)
        sent = await client.certified.send(ANA, text, contract_type=ContractType.PDF)
        sandbox.advance(5)
        sandbox.sign_contract(ANA)
        assert (await client.certified.report(sent.message_id)).recipients[0].status.code == 180
        assert await client.files.list() == []


@pytest.mark.parametrize(
    ("act", "signed", "rejected"),
    [("sign_contract", True, False), ("reject_contract", False, True), ("expire_contract", False, False)],
)
async def test_waiting_ends_with_the_contract(
    sandbox: Sandbox, act: str, signed: bool, rejected: bool
) -> None:
    """Whatever its end, waiting for the certificate stops there and tells it."""

    def calls() -> int:
        return len(sandbox.calls("GetReportSMSCERTIFICADO"))

    async with hasty() as client, anyio.create_task_group() as group:
        sent = await client.certified.send(ANA, SIGN, contract_type=ContractType.PDF)
        sandbox.advance(5)
        asked = calls()

        async def later() -> None:
            await anyio.to_thread.run_sync(wait_until, lambda: calls() > asked)
            getattr(sandbox, act)(ANA)

        group.start_soon(later)
        report = await client.certified.wait_certified(sent.message_id, ANA, timedelta(seconds=10))

    assert report.status.is_final
    assert (report.status.is_certified, report.status.is_rejected) == (signed, rejected)


async def test_waiting_has_an_end(sandbox: Sandbox) -> None:
    """A contract that nobody signs: TimeoutError tells where it stands, and shows no whole phone; meanwhile no more
    questions leave than the guard allows, of 0.2 s here."""
    async with AsyncMensatek(issuer=ISSUER, guard=Guard(read_interval=0.2)) as client:
        sent = await client.certified.send(ANA, SIGN, contract_type=ContractType.PDF)
        sandbox.advance(5)
        with pytest.raises(TimeoutError, match="Delivered to the phone") as caught:
            await client.certified.wait_certified(sent.message_id, ANA, 1)
        assert 2 <= len(sandbox.calls("GetReportSMSCERTIFICADO")) <= 5
        with pytest.raises(TimeoutError, match="not in the report"):
            await client.certified.wait_certified(sent.message_id, LUIS, 0.5)

    assert ANA not in str(caught.value)
