"""Cancel, reschedule, report, certificates and credits against the sandbox over HTTP."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from mensatek_async.sandbox import Sandbox
from tests.sandbox_calls import ANA, EVA, LUIS, NOON, Caller

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=1000, credits=100)

LATER, EVEN_LATER = "2027-01-08 13:00", "2027-01-08 14:00"


@pytest.mark.parametrize("suffix", ["", "CERTIFICADO"])
def test_cancel_refunds_and_takes_back(sandbox: Sandbox, call: Caller, suffix: str) -> None:
    """A scheduled message is cancelled once, its credits come back, nobody gets it."""
    send = call.certify if suffix else call.send
    message_id = send(ANA, LUIS, Fecha=LATER)["idMensaje"]
    cancelled = call(f"CancelarSMS{suffix}", Idmensaje=message_id)
    assert cancelled == {"Res": 2, "IDMENSAJE": message_id, "CRED": 100, "CREDR": 2}
    assert sandbox.counts == {}
    assert [text.status for text in sandbox.texts] == [29, 29]
    assert call(f"CancelarSMS{suffix}", Idmensaje=message_id) == {"Res": -5, "CRED": 100}
    assert call(f"ReprogramarSMS{suffix}", Idmensaje=message_id, Fecha=LATER)["Res"] == -5
    report = call(f"GetReportSMS{suffix}", Idmensaje=message_id)["Informe"][0]
    assert (report["Resultado"], report["Estado"]) == (29, "Cancelado antes del envío")


@pytest.mark.parametrize("suffix", ["", "CERTIFICADO"])
def test_cancel_comes_too_late(sandbox: Sandbox, call: Caller, suffix: str) -> None:
    """What has left can be neither cancelled nor rescheduled."""
    send = call.certify if suffix else call.send
    now, soon = send(ANA)["idMensaje"], send(LUIS, Fecha=LATER)["idMensaje"]
    sandbox.advance(3600)
    for message_id in (now, soon):
        assert call(f"CancelarSMS{suffix}", Idmensaje=message_id)["Res"] == -4
        assert call(f"ReprogramarSMS{suffix}", Idmensaje=message_id, Fecha=EVEN_LATER)["Res"] == -4


def test_only_what_waits_is_cancelled(sandbox: Sandbox, call: Caller) -> None:
    """Of a message with texts gone and texts waiting, those waiting are cancelled; then it counts as sent."""
    message_id = call.send(ANA)["idMensaje"]
    call.send(LUIS, EVA, Idmensaje=message_id, Fecha=LATER)
    assert call("CancelarSMS", Idmensaje=message_id)["Res"] == 2
    assert sandbox.counts == {ANA: 1}
    assert call("CancelarSMS", Idmensaje=message_id)["Res"] == -4


@pytest.mark.parametrize("suffix", ["", "CERTIFICADO"])
def test_reschedule(sandbox: Sandbox, call: Caller, suffix: str) -> None:
    """A new date moves all recipients; a wrong one and a past one have their codes."""
    send = call.certify if suffix else call.send
    message_id = send(ANA, LUIS, Fecha=LATER)["idMensaje"]
    operation = f"ReprogramarSMS{suffix}"
    assert call(operation, Idmensaje=message_id)["Res"] == -3
    assert call(operation, Idmensaje=message_id, Fecha="mañana")["Res"] == -6
    assert call(operation, Idmensaje=message_id, Fecha="2027-01-08 12:00")["Res"] == -7
    assert call(operation, Idmensaje=message_id, Fecha=EVEN_LATER) == {"Res": 2, "Cred": 98}
    sandbox.advance(3600)
    assert {text.status for text in sandbox.texts} == {1}
    assert sandbox.texts[0].scheduled_at == datetime(2027, 1, 8, 13, 0, tzinfo=UTC)
    sandbox.advance(3603)
    assert 1 not in {text.status for text in sandbox.texts}


@pytest.mark.parametrize("suffix", ["", "CERTIFICADO"])
@pytest.mark.parametrize("operation", ["CancelarSMS", "ReprogramarSMS", "GetReportSMS"])
def test_ids_of_others_and_missing_ids(call: Caller, operation: str, suffix: str) -> None:
    """An id of somebody else, or no id at all, is code -2; a missing one -3; one of the other kind is refused."""
    extra = {"Fecha": LATER} if operation == "ReprogramarSMS" else {}
    other = call.send(ANA)["idMensaje"] if suffix else call.certify(ANA)["idMensaje"]
    name = operation + suffix
    assert call(name, Idmensaje=1, **extra)["Res"] == -2
    assert call(name, Idmensaje="x", **extra)["Res"] == -2
    assert call(name, Idmensaje=other, **extra)["Res"] == (-4 if operation == "GetReportSMS" else -2)
    reply = call(name, **extra)
    assert (reply["Res"], "Idmensaje" in reply["Error"]) == (-3, True)


def test_report_moves_with_the_clock(sandbox: Sandbox, call: Caller) -> None:
    """Scheduled, awaiting, delivered or the chosen outcome, with dates in Spanish time."""
    sandbox.set_outcome(LUIS, 50)
    message_id = call.send(ANA, LUIS, Fecha=LATER)["idMensaje"]
    row = {"Fecha": "2027-01-08 13:00:00", "Tiempo": 0, "Resultado": 1, "Estado": "Programado"}
    rows = [{**row, "Telefono": phone} for phone in (ANA, LUIS)]
    scheduled = call("GetReportSMS", Idmensaje=message_id)
    assert scheduled == {"Res": 1, "Destinatarios": 2, "Cred": 98, "Informe": rows}
    sandbox.advance(3601)
    assert {row["Resultado"] for row in call("GetReportSMS", Idmensaje=message_id)["Informe"]} == {2}
    sandbox.advance(2)
    ana, luis = call("GetReportSMS", Idmensaje=message_id)["Informe"]
    assert (ana["Resultado"], ana["Estado"], ana["Tiempo"]) == (11, "Entregado al Teléfono", 3)
    assert (luis["Resultado"], luis["Estado"]) == (50, "La Red responde que el teléfono no existe")
    assert ana["Fecha"] == "2027-01-08 13:00:03"


def test_certified_report_has_bare_numbers(sandbox: Sandbox, call: Caller) -> None:
    """The certified manual writes phones as numbers; delivery comes before the certificate."""
    message_id = call.certify(ANA)["idMensaje"]
    seen = []
    for _ in range(3):
        (row,) = call("GetReportSMSCERTIFICADO", Idmensaje=message_id)["Informe"]
        seen.append((row["Telefono"], row["Resultado"]))
        sandbox.advance(3)
    assert seen == [(int(ANA), 2), (int(ANA), 13), (int(ANA), 14)]


def test_certificate_of_one_phone(sandbox: Sandbox, call: Caller) -> None:
    """A PDF by its content type, once certified; before, though delivered, and for strangers, a JSON error."""
    message_id = call.certify(ANA)["idMensaje"]
    params = {"Idmensaje": message_id, "Telefono": ANA}
    for _ in range(2):
        assert call("GetSMSCERTIFICADO", **params)["Res"] == -4
        assert call("GetSMSCERTIFICADO", Idmensaje=message_id)["Res"] == -4
        sandbox.advance(3)
    pdf = call.post("GetSMSCERTIFICADO", params)
    assert pdf.headers["content-type"] == "application/pdf"
    stated = PdfReader(io.BytesIO(pdf.content), strict=True).pages[0].extract_text()
    assert all(words in stated for words in (str(message_id), ANA, "EMPRESA", "Hola", "SHA-256"))
    assert call("GetSMSCERTIFICADO", Idmensaje=message_id, Telefono=LUIS)["Res"] == -4
    assert sandbox.requests[-2].reply is None
    assert sandbox.requests[-2].status == 200


def test_certificates_of_a_message_and_of_a_period(sandbox: Sandbox, call: Caller) -> None:
    """A ZIP with a PDF per recipient and a CSV; a period takes what left within it."""
    first = call.certify(ANA, LUIS)["idMensaje"]
    call.send(EVA)
    sandbox.advance(7200)
    second = call.certify(EVA)["idMensaje"]
    sandbox.advance(60)

    def names(**params: object) -> list[str]:
        answer = call.post("GetSMSCERTIFICADO", params)
        assert answer.headers["content-type"] == "application/zip"
        archive = zipfile.ZipFile(io.BytesIO(answer.content))
        rows = list(csv.DictReader(io.StringIO(archive.read("resultado.csv").decode()), delimiter=";"))
        assert [row["Resultado"] for row in rows] == ["14"] * (len(archive.namelist()) - 1)
        return archive.namelist()

    both = [f"{first}-{ANA}.pdf", f"{first}-{LUIS}.pdf"]
    assert names(Idmensaje=first) == [*both, "resultado.csv"]
    day = {"Fechainicio": "2027-01-08 00:00", "Fechafin": "2027-01-09 00:00"}
    assert names(**day) == [*both, f"{second}-{EVA}.pdf", "resultado.csv"]
    assert names(Fechainicio="2027-01-08 13:00", Fechafin="2027-01-08 15:00") == [
        f"{second}-{EVA}.pdf",
        "resultado.csv",
    ]
    assert call("GetSMSCERTIFICADO", Fechainicio="2026-01-08 13:00", Fechafin="2026-01-08 15:00")["Res"] == -4


def test_certificate_of_nobody(call: Caller) -> None:
    """A foreign id, a plain message, dates that are none or the wrong way round, nothing at all."""
    assert call("GetSMSCERTIFICADO", Idmensaje=1)["Res"] == -2
    assert call("GetSMSCERTIFICADO", Idmensaje=call.send(ANA)["idMensaje"])["Res"] == -2
    assert call("GetSMSCERTIFICADO")["Res"] == -3
    assert call("GetSMSCERTIFICADO", Fechainicio="ayer", Fechafin=LATER)["Res"] == -3
    assert call("GetSMSCERTIFICADO", Fechainicio=EVEN_LATER, Fechafin=LATER)["Res"] == -3
