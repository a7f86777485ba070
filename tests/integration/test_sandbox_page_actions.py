"""What can be done from the page, over real HTTP: recipients, carriers, clock, faults, credits."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import ERROR_KINDS, Callbacks, Sandbox
from tests.sandbox_calls import ANA, LUIS, NOON, Caller, calling
from tests.sandbox_page import PageCaller

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=1000)

BASE64 = "JVBERi0xLjQ="
PDF_TEXT = f"Firme (BASE64:2:{BASE64})"


@pytest.fixture(autouse=True)
def _contracts_wait(sandbox: Sandbox) -> None:
    sandbox.contracts_by_themselves = False


@pytest.fixture
def told(sandbox: Sandbox) -> Callbacks:
    """Callbacks to nowhere: what they would tell can be read."""
    return sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0))


def status(sandbox: Sandbox, phone: str = ANA) -> int:
    """Where the newest text to a phone stands."""
    return [text.status for text in sandbox.texts if text.phone == phone][-1]


def results(told: Callbacks) -> list[Any]:
    """The status of each callback; None of a reply or a document's event."""
    return [one.get("Resultado") for one in told.events]


def test_a_phone_replies(sandbox: Sandbox, call: Caller, page: PageCaller, told: Callbacks) -> None:
    """The reply is told with the newest message that arrived; nobody's message is no message."""
    message_id = call.send(ANA, Referenciausuario="cita 7")["idMensaje"]
    sandbox.advance(3)
    call.send(ANA, Fecha="2027-01-09 10:00")

    page.act(f"/phones/{ANA}/reply", text="Allí estaré")
    page.act(f"/phones/{LUIS}/reply", text="¿Quién es?")

    first, second = (one for one in told.events if one["Servicio"] == "SMSRECIBIDO")
    assert (first["Remitente"], first["Mensaje"], first["idM"]) == (ANA, "Allí estaré", message_id)
    assert (first["Referencia"], first["EsCert"], second["idM"]) == ("cita 7", "false", 0)
    assert [one.text for one in sandbox.incoming] == ["Allí estaré", "¿Quién es?"]
    assert page.post(f"/phones/{ANA}/reply", {"text": "x", "message_id": 1}).status_code == 404
    texts = [{"text": bad} for bad in (None, " ", 7, ["x"], "x" * 20_000)]
    for bad in ({}, *texts, *({"text": "x", "message_id": bad} for bad in ("x", -1, True))):
        assert page.post(f"/phones/{ANA}/reply", bad).status_code == 400
    assert page.post("/phones/evil'phone/reply", {"text": "x"}).status_code == 400


@pytest.mark.parametrize(("text", "end"), [("Sí", 17), ("ACEPTO.", 17), ("si quiero", 15), ("no", 15)])
def test_a_yes_closes_a_contract_by_reply(
    sandbox: Sandbox, call: Caller, page: PageCaller, told: Callbacks, text: str, end: int
) -> None:
    """SI and ACEPTO close it, first the reply and then the statuses; anything else leaves it open."""
    call.certify(ANA, Tipocontrato=1)
    sandbox.advance(3)
    assert status(sandbox) == 15

    page.act(f"/phones/{ANA}/reply", text=text)

    assert status(sandbox) == end
    assert results(told) == ["2", "15", None, *(["16", "17"] if end == 17 else [])]


@pytest.mark.parametrize(
    ("action", "end"), [("accept", 180), ("sign", 181), ("reject", 190), ("expire", 195), ("open", 160)]
)
def test_a_contract_is_dealt_with(
    sandbox: Sandbox, call: Caller, page: PageCaller, action: str, end: int
) -> None:
    """Each end of a contract, after which nothing more can be done with it."""
    message_id = call.certify(ANA, text=PDF_TEXT, Tipocontrato=18)["idMensaje"]
    sandbox.advance(3)
    path = f"/texts/{message_id}/{ANA}"
    (before,) = page.get(f"/phones/{ANA}")["items"]
    assert before["actions"] == ["deliver", "open", "accept", "sign", "reject", "expire"]

    for place in ([1], [91, 0], [0, -181], ["a", "b"], ["nan", "nan"], [True, 0], "here"):
        assert page.post(f"{path}/sign", {"location": place}).status_code == 400
    page.act(f"{path}/{action}", location=[40.4, -3.7])

    assert status(sandbox) == end
    (after,) = page.get(f"/phones/{ANA}")["items"]
    assert ("sign" in after["actions"]) is (action == "open")
    assert page.post(f"{path}/sign").status_code == (200 if action == "open" else 409)
    assert page.post(f"/texts/1/{ANA}/sign").status_code == 404


def test_documents_are_opened(sandbox: Sandbox, call: Caller, page: PageCaller, told: Callbacks) -> None:
    """Of a certified text it is an event alone, of a contract a status too, and again an event."""
    plain = call.certify(ANA, text=PDF_TEXT)["idMensaje"]
    assert page.post(f"/texts/{plain}/{ANA}/open").status_code == 409
    contract = call.certify(LUIS, text=PDF_TEXT, Tipocontrato=18)["idMensaje"]
    sandbox.advance(6)

    page.act(f"/texts/{plain}/{ANA}/open", document="documento.pdf")
    for _ in range(2):
        page.act(f"/texts/{contract}/{LUIS}/open")

    events = [one for one in told.events if one["Servicio"] == "EVENTOSSMSCERTIFICADO"]
    opened = [(one["Telefono"], int(one["idMensaje"])) for one in events]
    assert opened == [(ANA, plain), (LUIS, contract), (LUIS, contract)]
    assert (status(sandbox), status(sandbox, LUIS)) == (14, 160)
    assert page.post(f"/texts/{plain}/{ANA}/open", {"document": "otro.pdf"}).status_code == 404


def test_a_status_is_chosen_for_a_text(
    sandbox: Sandbox, call: Caller, page: PageCaller, told: Callbacks
) -> None:
    """The text has it at once, it is told, and time brings no other; a strange one is refused."""
    message_id = call.send(ANA)["idMensaje"]
    path = f"/texts/{message_id}/{ANA}/deliver"
    for bad in (777, 1, 29):
        assert page.post(path, {"status": bad}).status_code == 409
    page.act(path, status=134)
    sandbox.advance(3600)
    assert status(sandbox) == 134
    page.act(path, status=50)
    page.act(path)
    assert results(told) == [2, 134, 50, 11]
    (shown,) = page.get(f"/phones/{ANA}")["items"]
    assert [one["status"] for one in shown["history"]] == [2, 134, 50, 11]
    later = call.send(ANA, Fecha="2027-01-09 10:00")["idMensaje"]
    assert page.post(f"/texts/{later}/{ANA}/deliver", {"status": 11}).status_code == 409
    assert page.post(f"/texts/1/{ANA}/deliver", {"status": 11}).status_code == 404


def test_a_phone_is_switched_off_and_on(
    sandbox: Sandbox, call: Caller, page: PageCaller, told: Callbacks
) -> None:
    """Texts wait until it is on again; what had arrived before stays."""
    call.send(ANA)
    sandbox.advance(3)
    page.act(f"/phones/{ANA}/switch", on=False)
    assert page.get(f"/phones/{ANA}")["switched_off"] is True
    call.send(ANA)
    sandbox.advance(600)
    assert [text.status for text in sandbox.texts] == [11, 2]

    page.act(f"/phones/{ANA}/switch", on=True)

    assert [text.status for text in sandbox.texts] == [11, 11]
    for bad in ({}, {"on": "false"}, {"on": 1}):
        assert page.post(f"/phones/{ANA}/switch", bad).status_code == 400


def test_an_outcome_is_chosen_for_a_phone(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """Texts still to arrive end so, until the choice is taken back; what had arrived has arrived."""
    call.send(ANA)
    sandbox.advance(3)
    call.send(ANA)
    page.act(f"/phones/{ANA}/outcome", status=50)
    call.send(ANA)
    sandbox.advance(3)
    assert (status(sandbox), page.get(f"/phones/{ANA}")["outcome"]) == (50, 50)
    assert [text.status for text in sandbox.texts] == [11, 50, 50]
    page.act(f"/phones/{ANA}/outcome", status=None)
    assert page.get(f"/phones/{ANA}")["outcome"] is None
    for bad in ("no", -1, 10_000, True, 10**20):
        assert page.post(f"/phones/{ANA}/outcome", {"status": bad}).status_code == 400


def test_the_clock_is_moved(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """By seconds, to a moment, and at another pace; never back."""
    call.send(ANA, Fecha="2027-01-09 10:00")
    assert page.act("/clock", step=60)["clock"]["now"] == "2027-01-08T11:01:00.000000Z"
    assert status(sandbox) == 1
    assert page.act("/clock", to="2027-01-09T09:00:03Z")["clock"]["standing"] is True
    assert status(sandbox) == 11
    assert page.act("/clock", scale=60)["clock"]["scale"] == 60
    for bad in ({"step": -1}, {"step": 1e15}, {"to": "2020-01-01T00:00:00Z"}, {"scale": 0}, {"scale": 1e9}):
        assert page.post("/clock", bad).status_code == 409
    for bad, refused in (
        ({"step": "x"}, 400),
        ({"scale": True}, 400),
        ({"to": "tomorrow"}, 400),
        ({"to": "2030-01-01T00:00:00"}, 400),
    ):
        assert page.post("/clock", bad).status_code == refused


def test_errors_come_at_a_rate(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """Every call fails in the chosen way, until the faults are cleared; what needs credits runs out of them alone."""
    for kind in ERROR_KINDS:
        page.act("/faults", error_rate=1, error_kind=kind)
        assert page.get("/state")["faults"]["error_kind"] == kind
        with suppress(httpx.RemoteProtocolError):
            assert (call.post("GetCreditos").text[:12] == '{"Res": 1, "') is (kind == "credits")
    page.act("/faults", clear=True)
    assert call.send(LUIS)["Res"] == 1


def test_latency_and_wrong_faults(sandbox: Sandbox, page: PageCaller) -> None:
    """The latency is set and cleared; a rate beyond 1 or an unknown kind is refused and changes nothing."""
    page.act("/faults", latency=0.25)
    assert sandbox.latency == 0.25
    for bad in ({"error_rate": 1.5}, {"error_kind": "fire"}, {"latency": -1}):
        assert page.post("/faults", bad).status_code == 409
    assert page.post("/faults", {"error_rate": None}).status_code == 400
    page.act("/faults", clear=True)
    assert (sandbox.latency, sandbox.error_rate, sandbox.error_kind) == (0, 0, "503")


def test_a_rate_hits_some_calls_the_same_ones_each_time() -> None:
    """Half of the calls fail, and a second run fails at the same ones."""
    runs = []
    for _ in range(2):
        with Sandbox(error_rate=0.5, error_kind="500") as sandbox, calling(sandbox) as call:
            runs.append([call.post("EnviarSMS").status_code for _ in range(40)])
    assert runs[0] == runs[1]
    assert 8 < runs[0].count(500) < 32


def test_the_account_is_blocked_and_let_in_again(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """A block lasts as long as told, or until it is ended."""
    page.act("/block", seconds=600)
    assert call.post("GetCreditos").status_code == 403
    guard = page.get("/state")["guard"]
    assert (guard["blocked"], guard["blocked_until"]) == (True, "2027-01-08T11:10:00.000000Z")
    page.act("/unblock")
    assert call("GetCreditos")["Res"] == 1
    page.act("/block")
    assert sandbox.blocked
    for bad in ("x", -5, 0, 1e300, "nan"):
        assert page.post("/block", {"seconds": bad}).status_code == 400


def test_credits_run_out(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """What is left is set; a text that costs more is refused as the manual says."""
    page.act("/credits", left="1.5")
    assert sandbox.credits == Decimal("1.5")
    assert call.send(ANA, LUIS)["Res"] == -2
    assert page.get("/state")["credits"]["left"] == "1.5"
    for bad in ("x", None, "NaN", "sNaN", "-1", "Infinity", "1e30", True):
        assert page.post("/credits", {"left": bad}).status_code == 400


def test_contracts_go_on_by_themselves_or_wait(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """The page chooses; a contract nobody acts on expires in the end."""
    call.certify(ANA, text=PDF_TEXT, Tipocontrato=18)
    sandbox.advance(3600)
    assert status(sandbox) == 13
    sandbox.advance(15 * 86400)
    assert status(sandbox) == 195
    page.act("/contracts", by_themselves=True)
    call.certify(LUIS, text=PDF_TEXT, Tipocontrato=18)
    sandbox.advance(3600)
    assert status(sandbox, LUIS) == 180
    for bad in (None, "false"):
        assert page.post("/contracts", {"by_themselves": bad}).status_code == 400


def test_everything_is_forgotten(sandbox: Sandbox, call: Caller, page: PageCaller, told: Callbacks) -> None:
    """As new, but for settings and message ids."""
    first = call.send(ANA)["idMensaje"]
    call("CargarFichero", Tipo="BASE64", Nombre="a.pdf", Contenido=BASE64)
    sandbox.reply(ANA, "x")
    sandbox.switch_off(ANA)
    sandbox.block()

    page.act("/reset")

    state = page.get("/state")
    assert not any(state["counts"].values())
    assert (state["credits"]["left"], state["credits"]["used"]) == ("100000", "0")
    known = (sandbox.texts, sandbox.counts, sandbox.requests, sandbox.files, sandbox.incoming, told.events)
    assert not any(known)
    assert call.send(ANA)["idMensaje"] > first
    sandbox.advance(3)
    assert status(sandbox) == 11


@pytest.mark.parametrize(
    "body", [b"[", b"[]", b"7", b"\xff", b"[" * 100_000, rb'{"x": "\ud800"}'], ids=range(6)
)
def test_bodies_that_are_no_json_objects(page: PageCaller, body: bytes) -> None:
    """They are refused."""
    token = {"X-Sandbox-Token": page.get("/state")["csrf"]}
    answer = page.http.post("/_sandbox/clock", content=body, headers=token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
