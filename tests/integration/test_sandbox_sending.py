"""EnviarSMS and EnviarSMSCERTIFICADO against the sandbox over HTTP."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mensatek_async.sandbox import Sandbox
from tests.sandbox_calls import ANA, EVA, ISSUER, LUIS, NOON, Caller, calling

BEYOND = {"Vpd": 21, "Vph": 24, "Vpm": 60, "Aceptacion": 16, "Tipocontrato": "x"}  # what the manual bounds
pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, block_after=1000, credits=100, certified_price=9)


def test_a_send_is_counted_charged_and_kept(sandbox: Sandbox, call: Caller) -> None:
    """Every count of the reply, and what the phones got."""
    reply = call.send(ANA, LUIS, ANA, "600", text="a" * 161, Referenciausuario="R1")
    message_id = reply["idMensaje"]
    counts = {"Destinatarios": 4, "Mensajes": 4, "NoEnviados": 2, "Enviados": 2, "Duplicados": 1}
    ids = {"Msgid": message_id, "idMensaje": message_id}
    assert reply == {"Res": 2, **counts, **ids, "Cred": 96, "CreditosUsados": 4}
    assert sandbox.credits == Decimal(96)
    ana, luis = sandbox.texts
    assert (ana.phone, luis.phone) == (ANA, LUIS)
    assert (ana.text, ana.sender, ana.reference, ana.message_id) == ("a" * 161, "MIEMPRESA", "R1", message_id)
    assert (ana.segments, ana.unicode, ana.certified, ana.status) == (2, False, False, 2)
    assert (ana.accepted_at, ana.scheduled_at) == (NOON, None)
    assert (sandbox.count(ANA), sandbox.count(EVA)) == (1, 0)
    assert sandbox.counts == {ANA: 1, LUIS: 1}
    assert not any(secret in repr(ana) for secret in ("aaa", ANA))


def test_variables_are_rendered_and_charged_one_by_one(sandbox: Sandbox, call: Caller) -> None:
    """Each phone gets its own text, and its own length is what is charged."""
    rows = [{"Movil": ANA, "Variable_1": "Ana"}, {"Movil": LUIS, "Variable_1": "L" * 160}]
    reply = call.send(Destinatarios=rows, text="Hola (Variable_1)")
    assert [text.text for text in sandbox.texts] == ["Hola Ana", "Hola " + "L" * 160]
    assert [text.segments for text in sandbox.texts] == [1, 2]
    assert (reply["Mensajes"], reply["CreditosUsados"]) == (3, 3)


@pytest.mark.parametrize(
    ("asked", "text", "shown", "segments"),
    [
        ({"Unicode": 0}, "Té: á 🎉" + "x" * 70, "Té: a ?" + "x" * 70, 1),
        ({"Unicode": "1"}, "á 🎉" + "x" * 70, "á 🎉" + "x" * 70, 2),
        ({"Fixutf8": 1}, "maÃ±ana", "mañana", 1),
    ],
)
def test_encoding_decides_what_is_shown(
    sandbox: Sandbox, call: Caller, asked: dict[str, Any], text: str, shown: str, segments: int
) -> None:
    """Without Unicode letters are replaced, with it texts are shorter; Fixutf8 repairs what was misread."""
    call.send(ANA, text=text, **asked)
    (got,) = sandbox.texts
    assert (got.text, got.segments, got.unicode) == (shown, segments, "1" in asked.values())


@pytest.mark.parametrize("written", ["+34600000001", "0034600000001", 34600000001, "447700900123"])
def test_ways_to_write_a_number(sandbox: Sandbox, call: Caller, written: Any) -> None:
    """A plus, two zeros and a bare number are the same phone."""
    assert call.send(written)["Res"] == 1
    assert list(sandbox.counts) == [str(written).lstrip("+0")]


@pytest.mark.parametrize(
    "written",
    [
        "600000001",
        "3460000000",
        "346000000011",
        "34500000000",
        "x",
        "",
        None,
        "0" * 12,
        "+",
        "٣" * 11,
        "1" * 16,
    ],
)
def test_wrong_numbers_are_not_sent(sandbox: Sandbox, call: Caller, written: Any) -> None:
    """A wrong number counts as not sent, costs nothing and does not stop the others; alone it leaves no message."""
    reply = call.send(written, ANA)
    assert (reply["Res"], reply["NoEnviados"], reply["Duplicados"]) == (1, 1, 0)
    assert sandbox.counts == {ANA: 1}
    none = dict.fromkeys(("Res", "Mensajes", "CreditosUsados", "Enviados", "Duplicados"), 0)
    assert call.send(written) == {**none, "Destinatarios": 1, "NoEnviados": 1, "Cred": 99}


def test_joining_refuses_repeats_and_forces_the_sender(sandbox: Sandbox, call: Caller) -> None:
    """Inside an Idmensaje nobody is texted twice, across requests, under the first sender."""
    first = call.send(ANA)
    joined = call.send(ANA, LUIS, Idmensaje=first["idMensaje"], Remitente="OTRA")
    assert (joined["Res"], joined["Duplicados"], joined["idMensaje"]) == (1, 1, first["idMensaje"])
    again = call.send(ANA, LUIS, Idmensaje=str(first["idMensaje"]))
    assert (again["Res"], again["Duplicados"], again["idMensaje"]) == (0, 2, first["idMensaje"])
    assert {text.sender for text in sandbox.texts} == {"MIEMPRESA"}
    assert sandbox.counts == {ANA: 1, LUIS: 1}
    assert call.send(ANA)["Res"] == 1
    assert sandbox.count(ANA) == 2


def test_replies_can_say_as_little_as_the_manuals_promise(sandbox: Sandbox, call: Caller) -> None:
    """With `detailed` off there are no Enviados and Duplicados, and no counts when nothing was sent."""
    sandbox.detailed = False
    assert not sandbox.detailed
    first = call.send(ANA)
    assert not {"Enviados", "Duplicados"} & first.keys()
    ids = {name: first[name] for name in ("Msgid", "idMensaje")}
    assert call.send(ANA, Idmensaje=ids["Msgid"]) == {"Res": 0, "Cred": 99, **ids}
    assert call.send("600") == {"Res": 0, "Cred": 99}


def test_without_credits_nobody_is_texted(sandbox: Sandbox, call: Caller) -> None:
    """Code -2 says what was needed, and nothing was taken."""
    sandbox.credits = Decimal("1.5")
    assert call.send(ANA, LUIS) == {"Res": -2, "Cred": 1.5, "CreditosNecesarios": 2}
    assert sandbox.texts == []
    assert call.send(ANA)["Cred"] == 0.5


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"Mensaje": " "}, "Mensaje"),
        ({"Mensaje": ["x"]}, "Mensaje"),
        ({"Mensaje": None}, "Mensaje"),
        ({"Destinatarios": []}, "Destinatarios"),
        ({"Destinatarios": None}, "Destinatarios"),
        ({"Destinatarios": "Ana"}, "Destinatarios"),
        ({"Destinatarios": ["34600000001"]}, "Destinatarios"),
        ({"Destinatarios": [{"Variable_1": "Ana"}]}, "Movil"),
        ({"Remitente": "DOCELETRASSS"}, "Remitente"),
        ({"Remitente": "1" * 16}, "Remitente"),
        ({"Fecha": "8/1/2027"}, "Fecha"),
        ({"Unicode": 2}, "Unicode"),
        ({"Fail2voice": "si"}, "Fail2voice"),
        ({"Idmensaje": 1}, "Idmensaje"),
    ],
)
def test_wrong_data_is_code_3_with_the_reason(call: Caller, change: dict[str, Any], error: str) -> None:
    """Each wrong or missing parameter is named in Error."""
    reply = call.send(ANA, **change)
    assert (reply["Res"], error in reply["Error"]) == (-3, True)


def test_a_send_names_its_sender(call: Caller) -> None:
    """Blank is not the same as missing."""
    reply = call("EnviarSMS", Destinatarios=[{"Movil": ANA}], Mensaje="Hola")
    assert (reply["Res"], "Remitente" in reply["Error"]) == (-3, True)


@pytest.mark.parametrize("sender", ["", "+34600000000", "600000000000000", "A&B_c"])
def test_senders_the_manual_allows(call: Caller, sender: str) -> None:
    """A blank one is the account's default; digits go up to 15, letters up to 11; recipients' data as of 5.8."""
    rows = [{"movil": ANA, "nombre": "Ana"}, {"Movil": LUIS, "Sexo": "H"}]
    assert call.send(Destinatarios=rows, Remitente=sender)["Res"] == 2


@pytest.mark.parametrize("strict", [None, True, False])
def test_unknown_parameters_are_ignored_and_noted_unless_strict(strict: bool | None) -> None:
    """As PHP does: what no manual knows changes nothing, in the call and in its recipients, and is remembered."""
    with Sandbox(strict=strict) as sandbox, calling(sandbox) as call:
        rows = [{"Movil": ANA, "Phone": "x"}, {"MOVIL": LUIS, "variable_2": 1}]
        assert call.send(Destinatarios=rows, Flash=1, Descuento="5")["Res"] == (-3 if strict else 2)
        assert call.send(Destinatarios=rows[:1])["Res"] == (-3 if strict else 1)
        first = ("Descuento", "Flash") if strict else ("Descuento", "Destinatarios.Phone", "Flash")
        assert [request.unknown for request in sandbox.requests] == [first, ("Destinatarios.Phone",)]


@pytest.mark.parametrize("strict", [True, False])
def test_parameters_in_the_query_matter_unless_strictness_is_off(strict: bool) -> None:
    """The live API takes them for refused credentials."""
    with Sandbox(strict=strict) as sandbox, calling(sandbox) as call:
        answer = call.http.post("GetCreditos?Resp=TXT", json={"Resp": "JSON"}).json()
        assert answer["Res"] == (-1 if strict else 1)


def test_limit_of_recipients() -> None:
    """A limit of recipients per request can be set."""
    with Sandbox(recipients_per_request=1) as sandbox, calling(sandbox) as call:
        assert call.send(ANA)["Res"] == 1
        assert call.send(ANA, LUIS)["Res"] == -3


def test_forms_and_any_case_of_names(sandbox: Sandbox, call: Caller) -> None:
    """Both forms carry the recipients as a JSON string; names count in any case."""
    fields = {
        "REMITENTE": "X",
        "destinatarios": json.dumps([{"Movil": ANA}]),
        "Mensaje": "a&b=ñ",
        "rEsP": "JSON",
    }
    assert call.post("EnviarSMS", data=fields).json()["Res"] == 1
    multipart = {name: (None, value) for name, value in fields.items()}
    assert call.post("EnviarSMS", files=multipart).json()["Res"] == 1
    assert [text.text for text in sandbox.texts] == ["a&b=ñ", "a&b=ñ"]
    assert [request.params["destinatarios"] for request in sandbox.requests] == [[{"Movil": ANA}]] * 2


def test_scheduled_text_waits_for_its_time(sandbox: Sandbox, call: Caller) -> None:
    """A date in Spanish time keeps the text back; one that has passed sends at once."""
    call.send(ANA, Fecha="2027-01-08 13:00")
    call.send(LUIS, Fecha="2027-01-08 11:00")
    ana, luis = sandbox.texts
    assert ana.scheduled_at == datetime(2027, 1, 8, 12, 0, tzinfo=UTC)
    assert (ana.status, luis.status) == (1, 2)
    sandbox.advance(3600)
    assert [text.status for text in sandbox.texts] == [2, 11]


def test_texts_need_not_be_kept() -> None:
    """Without keep_texts they are counted, joined and reported all the same."""
    with Sandbox(keep_texts=False) as sandbox, calling(sandbox) as call:
        rows = [{"Movil": ANA, "Variable_1": "Ana"}]
        message_id = call.send(Destinatarios=rows, text="Hola (Variable_1)")["idMensaje"]
        assert call.send(ANA, LUIS, Idmensaje=message_id)["Res"] == 1
        assert sandbox.texts == []
        assert sandbox.requests[0].params == {}
        assert sandbox.counts == {ANA: 1, LUIS: 1}
        assert call("GetReportSMS", Idmensaje=message_id)["Destinatarios"] == 2


# --- certified -------------------------------------------------------------------------------------------------


def test_certified_send_has_its_own_price(sandbox: Sandbox, call: Caller) -> None:
    """A certified text is charged at its price and marked."""
    reply = call.certify(ANA, Vpd=20, Vph="23", Vpm=59, Aceptacion=15, Identificar="CERTIFICADO-12345678E")
    assert (reply["Res"], reply["CreditosUsados"], reply["Cred"]) == (1, 9, 91)
    assert sandbox.texts[0].certified


@pytest.mark.parametrize(("name", "value"), [*BEYOND.items(), *((name, "") for name in ISSUER)])
def test_certified_send_needs_the_issuer_and_bounded_numbers(call: Caller, name: str, value: object) -> None:
    """Contact, phone and tax id are required; what the manual bounds is refused beyond; Error says which."""
    reply = call.certify(ANA, **{name: value})
    assert (reply["Res"], name in reply["Error"]) == (-3, True)


def test_certified_codes(sandbox: Sandbox, call: Caller) -> None:
    """The codes seen in the field: -15 no PDF, -16 not in the library, -4 no PDF inside, -5 no credits."""
    pdf = base64.b64encode(b"%PDF-1.4").decode()
    assert call.certify(ANA, Tipocontrato=18)["Res"] == -15
    assert call.certify(ANA, Tipocontrato=18, text="Firme (FILE:2:falta.pdf)")["Res"] == -16
    assert call.certify(ANA, text="Lea (BASE64:2:aG9sYQ==)")["Res"] == -4
    assert call.certify(ANA, text="Lea (BASE64:2:%%%)")["Res"] == -4
    assert call.certify(ANA, Tipocontrato=18, text=f"Firme (BASE64:2:{pdf})", Links=1)["Res"] == 1
    assert sandbox.texts[0].text == "Firme https://sandbox.example/x1Y2z3"
    sandbox.credits = 8
    assert call.certify(ANA) == {"Res": -5, "Cred": 8, "CreditosNecesarios": 9}


def test_plain_and_certified_do_not_join(call: Caller) -> None:
    """A certified send cannot join a plain message."""
    assert call.certify(ANA, Idmensaje=call.send(LUIS)["idMensaje"])["Res"] == -3
