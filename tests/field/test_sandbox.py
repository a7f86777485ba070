"""Sandbox: what real clients of the provider send is taken as the provider takes it, and the page says so."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from mensatek_async import DeliveryStatus
from mensatek_async.sandbox import Sandbox
from tests.sandbox_calls import ANA, EVA, LUIS, NO_TLS, NOON, Caller
from tests.sandbox_page import visiting

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=1000)
DAY = 86_400
PDF = base64.b64encode(b"%PDF-1.7\n" + bytes(range(256)) + b"\n%%EOF\n").decode()
IN_LINES = "\r\n".join(PDF[at : at + 76] for at in range(0, len(PDF), 76))
ORACLE = json.loads(
    (Path(__file__).parents[1] / "oracle" / "delivery_phases.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("given", "phones", "rest"),
    [
        (f"{ANA};{LUIS}", [ANA, LUIS], 0),
        (f"+{ANA}; 0034600000002 ;\r\n{EVA};", [ANA, LUIS, EVA], 0),
        (f"{ANA};600;{ANA}", [ANA], 2),
        (ANA, [ANA], 0),
    ],
)
def test_recipients_as_older_versions_took_them(
    sandbox: Sandbox, call: Caller, given: str, phones: list[str], rest: int
) -> None:
    """Numbers with semicolons between, in JSON and in a form; what is neither that nor an array is refused."""
    fields = {"Remitente": "X", "Mensaje": "Hola", "Destinatarios": given, "Resp": "JSON"}
    reply = call("EnviarSMS", **fields)
    assert (reply["Res"], reply["NoEnviados"]) == (len(phones), rest)
    assert call.post("EnviarSMS", data=fields).json()["Res"] == len(phones)
    assert sandbox.counts == dict.fromkeys(phones, 2)
    for wrong in (";", " ", 34600000001, "34600000001,34600000002", "Ana", {"Movil": ANA}):
        assert call("EnviarSMS", **{**fields, "Destinatarios": wrong})["Res"] == -3


def test_base64_in_lines_of_76(sandbox: Sandbox, call: Caller) -> None:
    """As most programs write it: in an upload, and as a PDF inside a text."""
    for content, kept in ((IN_LINES, 1), (PDF.replace("=", "") + "*", -17)):
        upload = call("CargarFichero", Nombre="a.pdf", Tipo="BASE64", Contenido=content)
        assert upload["Res"] == kept
    assert sandbox.files[0].content == base64.b64decode(PDF)
    assert call.certify(ANA, text=f"Lea (BASE64:2:{IN_LINES})", Tipocontrato=18)["Res"] == 1
    assert len(sandbox.texts[0].written) < 120


@pytest.mark.parametrize("sender", ["", "  "])
def test_a_blank_sender_is_the_accounts_own(sandbox: Sandbox, call: Caller, sender: str) -> None:
    """Nobody gets a text from nobody; whoever joins the message has its sender."""
    recorder = sandbox.record()
    first = call.send(ANA, Remitente=sender)
    call.send(LUIS, Remitente="OTRA", Idmensaje=first["idMensaje"])
    assert [text.sender for text in sandbox.texts] == ["SANDBOX", "SANDBOX"]
    assert {event["Remitente"] for event in recorder.take()} == {"SANDBOX"}


def statuses(sandbox: Sandbox, phone: str = ANA) -> list[int]:
    """Every status of a phone's text so far."""
    with visiting(sandbox) as page:
        (text,) = page.get(f"/phones/{phone}")["items"]
        return [step["status"] for step in text["history"]]


@pytest.mark.parametrize(
    ("act", "end"),
    [("accept_contract", [162, 180]), ("reject_contract", [190]), ("expire_contract", [195]), ("", [195])],
)
def test_a_certified_text_is_accepted_before_it_opens(
    sandbox: Sandbox, call: Caller, act: str, end: list[int]
) -> None:
    """`Aceptacion`: its content opens after that alone; left alone it expires after so many days."""
    sent = call.certify(ANA, text=f"(BASE64:2:{PDF})", Aceptacion=3)
    sandbox.advance(6)
    with pytest.raises(ValueError, match="accept the text"):
        sandbox.open_document(ANA)
    with visiting(sandbox) as page:
        (text,) = page.get(f"/phones/{ANA}")["items"]
        assert text["actions"] == ["deliver", "accept", "reject", "expire"]
    if act:
        getattr(sandbox, act)(ANA)
    sandbox.advance(4 * DAY)
    assert statuses(sandbox) == [2, 13, 14, *end]
    if act == "accept_contract":
        sandbox.open_document(ANA)
    else:
        with pytest.raises(ValueError, match="accept the text"):
            sandbox.open_document(ANA)
    pdf = call.post("GetSMSCERTIFICADO", {"Idmensaje": sent["idMensaje"], "Telefono": ANA})
    assert pdf.content.startswith(b"%PDF-")  # that it was delivered stays certified


@pytest.mark.parametrize(("ending", "end"), [("999180", 180), ("999190", 190), ("999195", 195)])
def test_phones_that_accept_or_reject_a_certified_text(
    sandbox: Sandbox, call: Caller, ending: str, end: int
) -> None:
    """The magic endings of contracts hold for it, and for a plain certified text they do not."""
    call.certify("34600" + ending, Aceptacion=15)
    call.certify("34601" + ending)
    sandbox.advance(14 * DAY)
    assert [text.status for text in sandbox.texts] == [end, 14]


@pytest.mark.parametrize(
    ("ending", "voice", "way"),
    [
        ("000001", 1, [2, 11]),
        *(("999050", voice, way) for voice, way in ((1, [2, 512, 501, 510]), (0, [2, 50]))),
        *(("999552", voice, way) for voice, way in ((1, [2, 512, 501, 552]), (0, [2, 11]))),
        ("999509", 1, [2, 512, 501, 509]),
        ("999053", 1, [2, 53]),
        ("999022", 0, [2, 22]),
    ],
)
def test_what_fails_is_said_by_a_call(
    sandbox: Sandbox, call: Caller, ending: str, voice: int, way: list[int]
) -> None:
    """`Fail2voice`: what the carrier cannot deliver rings instead, and the voice statuses tell how it went."""
    call.send("34600" + ending, Fail2voice=voice)
    sandbox.advance(60)
    assert statuses(sandbox, "34600" + ending) == way


def test_held_back_by_the_carrier_is_not_the_end(sandbox: Sandbox, call: Caller) -> None:
    """120, 122 and 150 are retried until the text expires."""
    call.send(*(f"34600999{status}" for status in (120, 122, 150)))
    for seconds, expected in ((60, [120, 122, 150]), (3 * DAY, [53, 53, 53])):
        sandbox.advance(seconds)
        assert [text.status for text in sandbox.texts] == expected


def test_the_sandbox_and_the_client_agree_on_every_status(sandbox: Sandbox) -> None:
    """Two tables typed apart: what kind of news each number is, held against each other and against a third."""
    with visiting(sandbox) as page:
        known = {row["code"]: row["phase"].upper() for row in page.get("/state")["statuses"]}
    third = {code: phase for phase, codes in ORACLE["phases"].items() for code in codes}
    client = {code: DeliveryStatus(code).phase.name for code in known}
    assert known == third
    assert {code: phase for code, phase in client.items() if phase != known[code]} == {}
    assert [known[code] for code in (120, 122, 150)] == ["RETRYING"] * 3


def test_a_position_is_no_place_to_stand(sandbox: Sandbox, call: Caller) -> None:
    """5000 says where the signer is: the text stands where it stood, and goes on."""
    call.certify(ANA, Tipocontrato=18, text=f"(BASE64:2:{PDF})")
    sandbox.contracts_by_themselves = False
    sandbox.deliver(ANA, 5000)
    assert sandbox.texts[0].status == 2
    sandbox.advance(3)
    assert sandbox.texts[0].status == 13
    sandbox.sign_contract(ANA, location=(40.4, -3.7))
    assert (sandbox.texts[0].status, 5000 in statuses(sandbox)) == (180, True)
    with pytest.raises(ValueError, match="position"):
        sandbox.set_outcome(LUIS, 5000)


def test_callbacks_come_where_reports_are_asked_for(sandbox: Sandbox, call: Caller) -> None:
    """`Report=0` has none; an address for reports asks for them; without a word the account's panel says yes."""
    recorder = sandbox.record()
    asked: list[tuple[dict[str, Any], bool]] = [({}, True), ({"Report": 1}, True), ({"Report": "0"}, False)]
    for params, told in (*asked, ({"Report": 0, "Emailreport": "a@b.es"}, True)):
        call.certify(ANA, **params)
        assert bool(recorder.take()) is told


@pytest.mark.parametrize("password", ["", " ", "\t\n", None])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "sandbox.test", "192.168.1.10", "", "127.0.0.1.nip.io"])
def test_a_blank_password_protects_nothing(host: str, password: str | None) -> None:
    """Where other machines reach the page it is refused; on this machine it asks for none."""
    with pytest.raises(ValueError, match="password"):
        Sandbox(host=host, password=password)
    assert Sandbox(host=host, password="secreto")
    with Sandbox(password=password) as sandbox:
        assert httpx.get(sandbox.page_url, verify=NO_TLS).status_code == 200


def test_wrong_passwords_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """After twenty within a minute not even the right one passes, until the minute has gone; the API goes on."""
    real, shift = time.monotonic, 0.0
    monkeypatch.setattr("time.monotonic", lambda: real() + shift)
    monkeypatch.setattr("mensatek_async.sandbox.page.access._WRONG_PASSWORD_SECONDS", 0.01)
    with Sandbox(host="0.0.0.0", password="secreto") as sandbox:
        _, _, port = sandbox.page_url.rstrip("/").rpartition(":")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=NO_TLS, timeout=30) as http:
            assert http.get("/", auth=("x", "secreto")).status_code == 200
            for number in range(20):
                assert http.get("/", auth=("x", f"falso{number}")).status_code == 401
            refused = http.get("/", auth=("x", "secreto"))
            assert (refused.status_code, 1 <= int(refused.headers["retry-after"]) <= 61) == (429, True)
            assert http.get("/").status_code == 429
            asked = http.post("/v7/GetCreditos", json={"Resp": "JSON"}, auth=(sandbox.user, sandbox.token))
            assert asked.json()["Res"] == 1
            shift = 61.0
            assert http.get("/", auth=("x", "secreto")).status_code == 200
