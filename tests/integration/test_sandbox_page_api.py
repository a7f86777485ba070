"""The page's JSON over real HTTP: what it shows of texts, phones, calls, files and certificates."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from typing import Any

import pytest

from mensatek_async.sandbox import ERROR_KINDS, Callbacks, Fault, Sandbox
from tests.sandbox_calls import ANA, EVA, LUIS, NOON, Caller, calling
from tests.sandbox_page import PageCaller, visiting

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=1000)

PDF = b"%PDF-1.4 firme aqui"
BASE64 = base64.b64encode(PDF).decode()


def conversation(page: PageCaller, phone: str = ANA) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.get(f"/phones/{phone}")["items"]
    return found


def test_the_page_and_its_files_are_served(sandbox: Sandbox, page: PageCaller) -> None:
    """The root is HTML, what it needs comes with the right type, and nothing else of the package does."""
    index = page.http.get("/")
    assert (index.status_code, index.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert index.headers["cache-control"] == "no-cache"
    script = page.http.get("/_sandbox/static/app.js")
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    for name in ("nothing.js", "..%2Froutes.py", "%2e%2e/gate.py", "routes.py", ".hidden.css"):
        assert page.http.get(f"/_sandbox/static/{name}").status_code in (404, 307), name


def test_the_state_tells_how_the_sandbox_stands(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """Credits, counts, guard, faults, clock, callbacks without their secrets, statuses and endings."""
    sandbox.call_back(Callbacks("http://user@127.0.0.1:9/hook?key=secreto", token="secreto", retries=0))
    call.send(ANA, LUIS)
    call.send(EVA, Fecha="2027-01-09 10:00")
    call("EnviarSMS", Remitente="X")
    sandbox.reply(ANA, "hola")

    state = page.get("/state")

    assert state["credits"] == {"left": "99997", "used": "3", "price": "1", "certified_price": "1"}
    assert state["counts"] == {"texts": 3, "scheduled": 1, "calls": 3, "files": 0}
    assert (state["guard"]["wrong_calls"], state["guard"]["blocked"]) == (1, False)
    assert state["clock"] == {"now": "2027-01-08T11:00:00.000000Z", "scale": 1.0, "standing": True}
    assert state["faults"]["kinds"] == list(ERROR_KINDS)
    assert [one["url"] for one in state["callbacks"]] == ["http://127.0.0.1:9/hook"]
    assert not any(secret in json.dumps(state) for secret in ("secreto", sandbox.token))
    assert state["api"] == {"base_url": sandbox.base_url, "user": "demo"}
    assert (50, "failed") in [(one["code"], one["phase"]) for one in state["statuses"]]
    assert {"ending": "999050", "status": 50} in state["magic"]


def test_messages_are_listed_newest_first(call: Caller, page: PageCaller) -> None:
    """Each recipient is a row with all the list shows."""
    first = call.send(ANA, LUIS, Referenciausuario="cita 7")["idMensaje"]
    call.certify(EVA, text="Firme", Tipocontrato=1, Unicode=1)

    found = page.get("/messages")

    assert [row["phone"] for row in found["items"]] == [EVA, LUIS, ANA]
    assert (found["cursor"], found["total"]) == (None, 3)
    row = found["items"][2]
    names = ("message_id", "sender", "text", "status", "phase", "reference", "certified", "contract", "cost")
    shown = [first, "MIEMPRESA", "Hola", 2, "pending", "cita 7", False, None, "1"]
    assert [row[name] for name in names] == shown
    assert (row["id"], row["accepted_at"]) == (f"{first}-{ANA}", "2027-01-08T11:00:00.000000Z")
    assert (found["items"][0]["contract"], found["items"][0]["encoding"]) == ("reply", "unicode")


@pytest.mark.parametrize(
    ("query", "phones"),
    [
        ({"status": "50"}, [LUIS]),
        ({"status": "11"}, [EVA, ANA]),
        ({"phase": "failed"}, [LUIS]),
        ({"reference": "CITA"}, [LUIS, ANA]),
        ({"phone": "0003"}, [EVA]),
        ({"phone": f"+{EVA}"}, [EVA]),
        ({"q": "mañana"}, [EVA]),
        ({"q": "manana"}, []),
        ({"q": "OTRA"}, [EVA]),
        ({"status": "x"}, []),
        ({"q": "mañ", "status": "50"}, []),
        ({"q": ANA}, [ANA]),
        ({"message_id": "10573759"}, [EVA]),
        ({"message_id": "1"}, []),
    ],
)
def test_messages_can_be_searched(
    sandbox: Sandbox, call: Caller, page: PageCaller, query: dict[str, str], phones: list[str]
) -> None:
    """By status, kind of status, reference, message, phone, and words of text, sender and the rest."""
    sandbox.set_outcome(LUIS, 50)
    call.send(ANA, LUIS, Referenciausuario="Cita 7")
    call.send(EVA, text="Hasta mañana", Remitente="OTRAEMPRESA")
    sandbox.advance(3)

    assert [row["phone"] for row in page.get("/messages", **query)["items"]] == phones


@pytest.mark.parametrize(("path", "name"), [("/messages", "phone"), ("/calls", "number")])
def test_lists_come_in_pages(call: Caller, page: PageCaller, path: str, name: str) -> None:
    """Following the cursor gives every row once, also when new ones come in between."""
    for chunk in (range(1, 4), range(4, 8)):
        call.send(*(f"34600000{number:03}" for number in chunk))
    expected = [row[name] for row in page.get(path)["items"]]
    seen, cursor = [], ""
    while cursor is not None:
        found = page.get(path, limit=1 if path == "/calls" else 3, cursor=cursor)
        seen += [row[name] for row in found["items"]]
        cursor = found["cursor"]
        call.send("34611111111")
    assert seen == expected != []


def test_a_conversation_is_what_the_phone_shows(call: Caller, page: PageCaller) -> None:
    """Variables are filled, elements are links, letters are those that arrive, and it says what became of which."""
    call("CargarFichero", Tipo="BASE64", Nombre="cita.pdf", Contenido=BASE64)
    text = "Está (Variable_1) 😀 €: (FILE:2:cita.pdf) (LINK:1:example.com/a)"
    call.send(Destinatarios=[{"Movil": ANA, "Variable_1": "Álvaro"}], text=text, Links=1)
    call.send(LUIS, text="Está 😀", Unicode=1)

    (shown,) = conversation(page)

    link = "sandbox.example/x1Y2z3"
    url = "/_sandbox/files/cita.pdf"
    file = {"type": "FILE", "content": "cita.pdf", "url": url, "link": f"https://{link}"}
    away = {"type": "LINK", "content": "example.com/a", "url": None, "link": f"http://{link}"}
    assert shown["pieces"] == [{"text": "Esta Alvaro ? €: "}, file, {"text": " "}, away]
    assert shown["written"] == text.replace("(Variable_1)", "Álvaro")
    swapped = [(one["from"], one["to"], one["times"]) for one in shown["replaced"]]
    assert swapped == [("á", "a", 1), ("Á", "A", 1), ("😀", "?", 1)]
    assert (shown["encoding"], shown["segments"], shown["characters"]) == ("gsm", 1, len(shown["text"]) + 1)
    first = {"at": "2027-01-08T11:00:00.000000Z", "status": 2}
    assert (shown["arrived"], shown["history"]) == (False, [first])
    (other,) = conversation(page, LUIS)  # with Unicode nothing is replaced; characters are what is charged
    names = ("text", "replaced", "encoding", "characters")
    assert [other[name] for name in names] == ["Está 😀", [], "unicode", 7]


def test_a_conversation_has_replies_and_what_has_not_come(
    sandbox: Sandbox, call: Caller, page: PageCaller
) -> None:
    """Texts and replies in the order they come; scheduled and cancelled texts say so."""
    call.send(ANA, text="Uno")
    sandbox.advance(60)
    sandbox.reply(ANA, "Gracias")
    call.send(ANA, text="Luego", Fecha="2027-01-09 10:00")
    call("CancelarSMS", Idmensaje=call.send(ANA, text="Nunca", Fecha="2027-01-09 11:00")["idMensaje"])

    uno, reply, *rest = conversation(page)

    assert (uno["arrived"], [one["status"] for one in uno["history"]]) == (True, [2, 11])
    said = {"kind": "reply", "at": "2027-01-08T11:01:00.000000Z", "text": "Gracias", "number": "34600999999"}
    assert reply == {**said, "message_id": uno["message_id"]}
    shown = [(one["status"], one["actions"], [step["status"] for step in one["history"]]) for one in rest]
    assert shown == [(1, ["cancel", "reschedule"], [1]), (29, [], [1, 29])]


def test_phones_are_listed_by_their_newest_text(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """Each phone with its last words, whoever said them."""
    call.send(ANA, LUIS)
    sandbox.advance(60)
    call.send(LUIS, text="Otra vez")
    sandbox.advance(60)
    sandbox.reply(ANA, "Sí")
    sandbox.switch_off(LUIS)

    names = ("phone", "texts", "replies", "last_text", "last_is_reply", "switched_off")
    shown = [tuple(one[name] for name in names) for one in page.get("/phones")["items"]]
    assert shown == [(ANA, 1, 1, "Sí", True, False), (LUIS, 2, 0, "Otra vez", False, True)]
    assert [one["phone"] for one in page.get("/phones", q="0002")["items"]] == [LUIS]
    assert len(page.get("/phones", limit=1)["items"]) == 1
    assert conversation(page, "34699999999") == []


def test_scheduled_messages_are_cancelled_and_moved(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """The soonest first; a cancelled one is refunded, a moved one leaves when told."""
    late = call.send(ANA, LUIS, Fecha="2027-02-01 10:00")["idMensaje"]
    soon = call.send(EVA, Fecha="2027-01-09 10:00", Referenciausuario="r")["idMensaje"]
    found = page.get("/scheduled")["items"]
    rows = [(one["message_id"], one["recipients"], one["cost"]) for one in found]
    assert rows == [(soon, 1, "1"), (late, 2, "2")]
    assert (found[0]["leaves_at"], found[0]["reference"]) == ("2027-01-09T09:00:00.000000Z", "r")

    assert page.act(f"/messages/{late}/cancel") == {"ok": True, "cancelled": 2, "refunded": "2"}
    assert page.act(f"/messages/{soon}/reschedule", at="2027-01-08T13:00:00+01:00")["rescheduled"] == 1

    refused = {"2020-01-01T00:00:00Z": 409, "2027-01-09T00:00:00": 400, "mañana": 400}
    for at, code in refused.items():
        assert page.post(f"/messages/{soon}/reschedule", {"at": at}).status_code == code
    assert page.post(f"/messages/{late}/cancel").status_code == 409
    assert page.post("/messages/1/cancel").status_code == 404
    (left,) = page.get("/scheduled")["items"]
    assert left["leaves_at"] == "2027-01-08T12:00:00.000000Z"
    sandbox.advance(3600)
    assert page.get("/scheduled")["items"] == []


def test_the_library_is_listed_fetched_and_emptied(call: Caller, page: PageCaller) -> None:
    """A file is downloaded as one, never shown, and deleted."""
    call("CargarFichero", Tipo="BASE64", Nombre="cita.pdf", Contenido=BASE64, Autoborrado="Si")
    found = page.get("/files")
    assert (found["used_bytes"], found["max_files"], found["max_bytes"]) == (len(PDF), 50, 50_000_000)
    (file,) = found["items"]
    assert (file["name"], file["size"], file["delete_after_certification"]) == ("cita.pdf", len(PDF), True)
    assert (file["uploaded_at"], file["url"]) == ("2027-01-08T11:00:00.000000Z", "/_sandbox/files/cita.pdf")

    fetched = page.http.get("/_sandbox/files/cita.pdf")
    assert fetched.content == PDF
    assert fetched.headers["content-disposition"] == 'attachment; filename="cita.pdf"'
    assert fetched.headers["content-type"] == "application/pdf"
    token = {"X-Sandbox-Token": page.get("/state")["csrf"]}
    assert page.http.delete("/_sandbox/files/cita.pdf", headers=token).json() == {"ok": True}
    assert page.http.delete("/_sandbox/files/cita.pdf", headers=token).status_code == 404
    assert page.http.get("/_sandbox/files/cita.pdf").status_code == 404


def test_certificates_and_documents_are_downloaded(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """Each certified text has its PDF, each message its ZIP; a document stays after the library forgot it."""
    message_id = call.certify(ANA, LUIS, text=f"Firme (BASE64:2:{BASE64})")["idMensaje"]
    assert page.get("/certificates")["items"] == []
    assert page.http.get(f"/_sandbox/certificates/{message_id}").status_code == 404
    sandbox.advance(10)

    luis, ana = page.get("/certificates")["items"]

    assert (ana["phone"], ana["status"], ana["at"]) == (ANA, 14, "2027-01-08T11:00:06.000000Z")
    assert luis["url"] == f"/_sandbox/certificates/{message_id}/{LUIS}"
    pdf = page.http.get(ana["url"])
    assert (pdf.content[:5], pdf.headers["content-type"]) == (b"%PDF-", "application/pdf")
    names = zipfile.ZipFile(io.BytesIO(page.http.get(ana["zip_url"]).content)).namelist()
    assert names == [f"{message_id}-{ANA}.pdf", f"{message_id}-{LUIS}.pdf", "resultado.csv"]
    (shown,) = conversation(page)
    digest = hashlib.sha256(PDF).hexdigest()
    assert shown["certificate"] == ana["url"]
    assert shown["documents"] == [
        {"name": "documento.pdf", "sha256": digest, "size": len(PDF), "url": f"/_sandbox/documents/{digest}"}
    ]
    assert page.http.get(shown["documents"][0]["url"]).content == PDF
    assert page.http.get("/_sandbox/documents/abc").status_code == 404


def test_calls_show_request_and_reply_and_no_secret(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """The guard's view of every call; credentials are in none, wherever they were put."""
    call.send(ANA)
    call("GetCreditos")
    call("GetCreditos")
    call("GetCreditos", Passwd="oculto", Nota=sandbox.token)
    call.http.post("GetCreditos", json={"Resp": "JSON"}, auth=("demo", "falsa"))
    sandbox.fault(Fault.status_503())
    call.post("GetCreditos")
    sandbox.block(60)
    call.post("GetCreditos")

    found = page.get("/calls")

    assert [one["verdict"] for one in found["items"]] == [
        *("blocked", "fault", "wrong", "read", "quick", "read", "work")
    ]
    assert [one["http"] for one in found["items"]] == [403, 503, 200, 200, 200, 200, 200]
    assert [one["number"] for one in page.get("/calls", verdict="wrong")["items"]] == [5]
    assert [one["unknown"] for one in found["items"]] == [0, 0, 0, 2, 0, 0, 0]
    assert page.get("/calls/4")["request"]["unknown"] == ["Nota", "Passwd"]
    assert [one["number"] for one in page.get("/calls", operation="EnviarSMS")["items"]] == [1]
    detail = page.get("/calls/1")
    assert detail["reply"]["fields"]["Res"] == 1
    assert json.loads(detail["reply"]["body"])["Res"] == 1
    assert json.loads(detail["request"]["body"]) == detail["request"]["params"]
    assert "authorization" not in detail["request"]["headers"]
    shown = json.dumps([page.get(f"/calls/{number}") for number in range(1, 8)])
    basic = base64.b64encode(f"demo:{sandbox.token}".encode()).decode()
    assert all(secret not in shown for secret in (sandbox.token, basic, "oculto", "falsa"))
    assert page.http.get("/_sandbox/calls/99").status_code == 404


def test_long_and_binary_bodies_are_cut(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """A log is to be read: a file is told by its size, a long body ends early and says so."""
    call.http.post("CargarFichero", data={"Tipo": "FILES"}, files={"f": ("a.pdf", PDF)})
    call.send(*(str(34600000000 + number) for number in range(2000)))
    upload, sent = page.get("/calls/1"), page.get("/calls/2")
    assert upload["request"]["body"].endswith("bytes of multipart/form-data)")
    assert upload["request"]["params"] == {"Tipo": "FILES"}
    assert (len(sent["request"]["body"]), sent["request"]["cut"]) == (20_000, True)


def test_callbacks_are_listed(sandbox: Sandbox, call: Caller, page: PageCaller) -> None:
    """What was posted where, and what came back."""
    callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/hook", retries=1, retry_seconds=0))
    call.send(ANA)
    assert callbacks.wait(10)

    found = page.get("/callbacks")

    (one,) = found["items"]
    names = ("number", "service", "answers", "taken", "waiting", "repeated")
    shown = [1, "SMSMASIVO", [None, None], False, False, False]
    assert (found["total"], [one[name] for name in names], one["fields"]["Resultado"]) == (1, shown, 2)
    assert page.get("/state")["callbacks"] == [{"url": one["url"]}] == [{"url": "http://127.0.0.1:9/hook"}]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        *(
            ("GET", f"{asked}=x", 400, "bad_request")
            for asked in ("messages?cursor", "calls?cursor", "phones?limit")
        ),
        ("GET", "nothing", 404, "not_found"),
        ("GET", "reset", 405, "bad_request"),
        ("POST", "state", 405, "bad_request"),
    ],
)
def test_senseless_questions_are_refused(
    page: PageCaller, method: str, path: str, status: int, code: str
) -> None:
    """A number that is none, and what the page does not have, is said in JSON, and is no failure."""
    token = {"X-Sandbox-Token": page.get("/state")["csrf"]}
    answer = page.http.request(method, f"/_sandbox/{path}", headers=token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_sandbox_that_keeps_no_texts_shows_none() -> None:
    """Without texts the page works, and says why it is empty."""
    with Sandbox(keep_texts=False) as sandbox, calling(sandbox) as call, visiting(sandbox) as page:
        call.certify(ANA, text=f"Firme (BASE64:2:{BASE64})")
        assert page.get("/messages") == {"items": [], "cursor": None, "total": 0}
        assert page.get("/state")["keep_texts"] is False
        for path in ("/phones", "/scheduled", "/certificates", f"/phones/{ANA}"):
            assert page.get(path)["items"] == []
        assert page.get("/calls/1")["request"]["body"] == ""
