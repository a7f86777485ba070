"""Contracts in the sandbox over HTTP: by themselves, by hand, and what their callbacks and certificates say."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from mensatek_async.sandbox import Callbacks, Sandbox
from tests.sandbox_calls import ANA, LUIS, Caller

pytestmark = pytest.mark.mensatek_sandbox(starts_at=datetime(2027, 1, 8, 12, tzinfo=UTC))


CONTRACT = b"%PDF-1.4 contrato"
TEXT = f"Firme (BASE64:2:{b64encode(CONTRACT).decode()})"
BY_REPLY, WITH_PDF = 1, 18


@pytest.fixture
def sandbox(mensatek_sandbox: Sandbox) -> Sandbox:
    mensatek_sandbox.contracts_by_themselves = False
    return mensatek_sandbox


def status(call: Caller, message_id: int) -> int:
    """Where the only recipient of a message stands."""
    (row,) = call("GetReportSMSCERTIFICADO", Idmensaje=message_id)["Informe"]
    return int(row["Resultado"])


@pytest.mark.parametrize(
    ("contract", "biometric", "end"), [(BY_REPLY, False, 17), (WITH_PDF, False, 180), (WITH_PDF, True, 181)]
)
def test_a_signed_contract_has_its_certificate(
    sandbox: Sandbox, call: Caller, contract: int, biometric: bool, end: int
) -> None:
    """Signing ends in the status of its kind, and the certificate names text, issuer, steps and the PDF's hash."""
    message_id = call.certify(ANA, text=TEXT, Tipocontrato=contract)["idMensaje"]
    sandbox.advance(10)
    params = {"Idmensaje": message_id, "Telefono": ANA}
    assert call("GetSMSCERTIFICADO", **params)["Res"] == -4

    sandbox.sign_contract(ANA, biometric=biometric)

    assert status(call, message_id) == end
    pages = PdfReader(io.BytesIO(call.post("GetSMSCERTIFICADO", params).content), strict=True).pages
    stated = pages[0].extract_text()
    assert all(one in stated for one in ("Firme", "EMPRESA", f"  {end}  ", "2027-01-08 13:00:10"))
    assert hashlib.sha256(CONTRACT).hexdigest() in stated


@pytest.mark.parametrize("by_themselves", [False, True])
def test_rejected_and_expired_contracts_have_no_certificate(
    sandbox: Sandbox, call: Caller, by_themselves: bool
) -> None:
    """Both are ends: nothing more can be done with them, nor by the clock, and there is nothing to download; the
    other one goes on."""
    sandbox.contracts_by_themselves = by_themselves
    message_id = call.certify(ANA, LUIS, text=TEXT, Tipocontrato=WITH_PDF)["idMensaje"]
    sandbox.advance(3)

    sandbox.reject_contract(ANA)
    if not by_themselves:
        sandbox.expire_contract(LUIS)
    sandbox.advance(3600)

    rows = call("GetReportSMSCERTIFICADO", Idmensaje=message_id)["Informe"]
    assert [row["Resultado"] for row in rows] == [190, 180 if by_themselves else 195]
    answer = call.post("GetSMSCERTIFICADO", {"Idmensaje": message_id})
    if by_themselves:
        names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
        assert names == [f"{message_id}-{LUIS}.pdf", "resultado.csv"]
    else:
        assert answer.json()["Res"] == -4
    with pytest.raises(ValueError, match="ended"):
        sandbox.sign_contract(ANA)


def test_the_newest_contract_is_meant_unless_told(sandbox: Sandbox, call: Caller) -> None:
    """Two contracts to one phone are told apart by their message."""
    first = call.certify(ANA, text=TEXT, Tipocontrato=WITH_PDF)["idMensaje"]
    second = call.certify(ANA, text=TEXT, Tipocontrato=WITH_PDF)["idMensaje"]
    sandbox.advance(10)

    sandbox.open_contract(ANA)
    sandbox.sign_contract(ANA, message_id=first)

    assert (status(call, first), status(call, second)) == (180, 160)


def test_what_cannot_be_done_with_a_contract(sandbox: Sandbox, call: Caller) -> None:
    """No contract, one that has not left, one that was cancelled, and a document where there is none."""
    with pytest.raises(KeyError):
        sandbox.sign_contract(ANA)
    later = call.certify(ANA, text=TEXT, Tipocontrato=WITH_PDF, Fecha="2027-01-08 15:00")["idMensaje"]
    with pytest.raises(ValueError, match="not left"):
        sandbox.sign_contract(ANA)
    call("CancelarSMSCERTIFICADO", Idmensaje=later)
    sandbox.advance(86400)
    with pytest.raises(ValueError, match="cancelled"):
        sandbox.reject_contract(ANA)
    call.certify(LUIS, Tipocontrato=BY_REPLY)
    with pytest.raises(ValueError, match="no document"):
        sandbox.open_contract(LUIS)


def test_each_step_is_called_back_in_order(sandbox: Sandbox, call: Caller) -> None:
    """A signer's steps come as callbacks, the place where they signed among them, after the delivery."""
    callbacks = Callbacks("http://127.0.0.1:9/", retries=0)
    sandbox.call_back(callbacks)
    call.certify(ANA, text=TEXT, Tipocontrato=WITH_PDF)
    sandbox.advance(3)

    sandbox.sign_contract(ANA, location=(40.416775, -3.70379), biometric=True)

    told: list[dict[str, Any]] = [one for one in callbacks.events if "Resultado" in one]
    assert [one["Resultado"] for one in told] == ["2", "13", "160", "161", "162", "5000", "163", "181"]
    assert json.loads(told[5]["Variables"]) == {"Latitud": "40.416775", "Longitud": "-3.703790"}
    assert any(one["Servicio"] == "EVENTOSSMSCERTIFICADO" for one in callbacks.events)
    sandbox.advance(3600)
    assert len([one for one in callbacks.events if "Resultado" in one]) == len(told)


def test_a_certificate_of_a_text_beyond_its_letters(sandbox: Sandbox, call: Caller) -> None:
    """The euro stands in the PDF; an emoji, which its font has not, does not break it."""
    message_id = call.certify(ANA, text="10 € 😀", Unicode=1)["idMensaje"]
    sandbox.advance(10)

    pdf = call.post("GetSMSCERTIFICADO", {"Idmensaje": message_id, "Telefono": ANA}).content

    assert "10 €" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
