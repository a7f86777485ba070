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

pytestmark = pytest.mark.mensatek_sandbox(starts_at=NOON, credits=100, certified_price=9, block_after=1000)


def test_a_send_is_counted_charged_and_kept(sandbox: Sandbox, call: Caller) -> None:
    """Every count of the reply, and what the phones got."""
    reply = call.send(ANA, LUIS, ANA, "600", text="a" * 161, Referenciausuario="R1")
    message_id = reply["idMensaje"]
    assert reply == {
        "Res": 2,
        "Destinatarios": 4,
        "Msgid": message_id,
        "idMensaje": message_id,
        "Cred": 96,
        "Mensajes": 4,
        "NoEnviados": 2,
        "CreditosUsados": 4,
        "Enviados": 2,
        "Duplicados": 1,
    }
    assert sandbox.credits == Decimal(96)
    ana, luis = sandbox.texts
    assert (ana.phone, luis.phone) == (ANA, LUIS)
    assert (ana.text, ana.sender, ana.reference, ana.message_id) == ("a" * 161, "MIEMPRESA", "R1", message_id)
    assert (ana.segments, ana.unicode, ana.certified, ana.status) == (2, False, False, 2)
    assert (ana.accepted_at, ana.scheduled_at) == (NOON, None)
    assert (sandbox.count(ANA), sandbox.count(EVA)) == (1, 0)
    assert sandbox.counts == {ANA: 1, LUIS: 1}
    assert "aaa" not in repr(ana)
    assert ANA not in repr(ana)


def test_variables_are_rendered_and_charged_one_by_one(sandbox: Sandbox, call: Caller) -> None:
    """Each phone gets its own text, and its own length is what is charged."""
    rows = [{"Movil": ANA, "Variable_1": "Ana"}, {"Movil": LUIS, "Variable_1": "L" * 160}]
    reply = call.send(Destinatarios=rows, text="Hola (Variable_1)")
    assert [text.text for text in sandbox.texts] == ["Hola Ana", "Hola " + "L" * 160]
    assert [text.segments for text in sandbox.texts] == [1, 2]
    assert (reply["Mensajes"], reply["CreditosUsados"]) == (3, 3)


@pytest.mark.parametrize(
    ("unicode", "text", "shown", "segments"),
    [(0, "Té: á 🎉" + "x" * 70, "Té: a ?" + "x" * 70, 1), ("1", "á 🎉" + "x" * 70, "á 🎉" + "x" * 70, 2)],
)
def test_encoding_decides_what_is_shown(
    sandbox: Sandbox, call: Caller, unicode: Any, text: str, shown: str, segments: int
) -> None:
    """Without Unicode letters are replaced, with it they stay and texts are shorter."""
    call.send(ANA, text=text, Unicode=unicode)
    (got,) = sandbox.texts
    assert (got.text, got.segments, got.unicode) == (shown, segments, unicode == "1")


def test_broken_utf8_is_fixed_on_request(sandbox: Sandbox, call: Caller) -> None:
    """Fixutf8=1 repairs what was read in the wrong encoding."""
    call.send(ANA, text="maÃ±ana", Fixutf8=1)
    assert sandbox.texts[0].text == "mañana"


@pytest.mark.parametrize(
    ("written", "as_phone"),
    [
        ("+34600000001", "34600000001"),
        ("0034600000001", "34600000001"),
        (34600000001, "34600000001"),
        ("447700900123", "447700900123"),
    ],
)
def test_ways_to_write_a_number(sandbox: Sandbox, call: Caller, written: Any, as_phone: str) -> None:
    """A plus, two zeros and a bare number are the same phone."""
    assert call.send(written)["Res"] == 1
    assert sandbox.count(as_phone) == 1


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
    """A wrong number counts as not sent, costs nothing and does not stop the others."""
    reply = call.send(written, ANA)
    assert (reply["Res"], reply["NoEnviados"], reply["Duplicados"]) == (1, 1, 0)
    assert sandbox.counts == {ANA: 1}


def test_nothing_sent_is_res_0(sandbox: Sandbox, call: Caller) -> None:
    """When every number is wrong nothing is charged and no message exists."""
    reply = call.send("600")
    assert reply == {
        "Res": 0,
        "Cred": 100,
        "Destinatarios": 1,
        "Mensajes": 0,
        "NoEnviados": 1,
        "CreditosUsados": 0,
        "Enviados": 0,
        "Duplicados": 0,
    }


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
    message_id = first["idMensaje"]
    assert call.send(ANA, Idmensaje=message_id) == {
        "Res": 0,
        "Cred": 99,
        "Msgid": message_id,
        "idMensaje": message_id,
    }
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
        ({"Destinatarios": []}, "Destinatarios"),
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
    """Each wrong or unknown parameter is named in Error."""
    reply = call.send(ANA, **change)
    assert reply["Res"] == -3
    assert error in reply["Error"]


@pytest.mark.parametrize("missing", ["Remitente", "Destinatarios", "Mensaje"])
def test_missing_parameters_are_named(call: Caller, missing: str) -> None:
    """What is required and not there is named."""
    params: dict[str, Any] = {"Remitente": "X", "Destinatarios": [{"Movil": ANA}], "Mensaje": "Hola"}
    del params[missing]
    reply = call("EnviarSMS", **params)
    assert (reply["Res"], missing in reply["Error"]) == (-3, True)


@pytest.mark.parametrize("sender", ["", "+34600000000", "600000000000000", "A&B_c"])
def test_senders_the_manual_allows(call: Caller, sender: str) -> None:
    """A blank one is the account's default; digits go up to 15, letters up to 11."""
    assert call.send(ANA, Remitente=sender)["Res"] == 1


def test_other_recipient_data_of_old_versions_pass(call: Caller) -> None:
    """Names of 5.8 and any case of names are known."""
    rows = [{"movil": ANA, "nombre": "Ana"}, {"Movil": LUIS, "Sexo": "H"}]
    assert call.send(Destinatarios=rows)["Res"] == 2


@pytest.mark.parametrize("strict", [None, True, False])
def test_unknown_parameters_are_ignored_and_noted_unless_strict(strict: bool | None) -> None:
    """As PHP does: what no manual knows changes nothing, in the call and in its recipients, and is remembered."""
    with Sandbox(strict=strict) as sandbox, calling(sandbox) as call:
        rows = [{"Movil": ANA, "Phone": "x"}, {"MOVIL": LUIS, "variable_2": 1}]
        reply = call.send(Destinatarios=rows, Flash=1, Descuento="5")
        assert reply["Res"] == (-3 if strict else 2)
        known = call.send(Destinatarios=rows[:1])
        assert known["Res"] == (-3 if strict else 1)
        unknown = [request.unknown for request in sandbox.requests]
        first = ("Descuento", "Flash")
        assert unknown == [
            first if strict else (first[0], "Destinatarios.Phone", "Flash"),
            ("Destinatarios.Phone",),
        ]


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
    for request in sandbox.requests:
        assert request.params["destinatarios"] == [{"Movil": ANA}]


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


def test_many_recipients_at_once() -> None:
    """Twenty thousand recipients in requests of 500, all there once."""
    with Sandbox() as sandbox, calling(sandbox) as call:
        message_id = call.send(ANA)["idMensaje"]
        for chunk in range(40):
            phones = [str(34700000000 + chunk * 500 + n) for n in range(500)]
            assert call.send(*phones, Idmensaje=message_id)["Res"] == 500
        assert len(sandbox.counts) == len(sandbox.texts) == 20_001
        assert sandbox.connections == 1


# --- certified -------------------------------------------------------------------------------------------------


def test_certified_send_has_its_own_price(sandbox: Sandbox, call: Caller) -> None:
    """A certified text is charged at its price and marked."""
    reply = call.certify(ANA, Vpd=20, Vph="23", Vpm=59, Aceptacion=15, Identificar="CERTIFICADO-12345678E")
    assert (reply["Res"], reply["CreditosUsados"], reply["Cred"]) == (1, 9, 91)
    assert sandbox.texts[0].certified


@pytest.mark.parametrize("missing", ISSUER)
def test_certified_send_needs_the_issuer(call: Caller, missing: str) -> None:
    """Contact, phone and tax id are required."""
    reply = call.certify(ANA, **{missing: ""})
    assert (reply["Res"], missing in reply["Error"]) == (-3, True)


@pytest.mark.parametrize(
    "wrong", [{"Vpd": 21}, {"Vph": 24}, {"Vpm": 60}, {"Aceptacion": 16}, {"Tipocontrato": "x"}]
)
def test_certified_numbers_have_bounds(call: Caller, wrong: dict[str, Any]) -> None:
    """What the manual bounds is refused beyond."""
    assert call.certify(ANA, **wrong)["Res"] == -3


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
