"""Callbacks and replies as the field has them: what is beside the point never costs the whole."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import httpx
import pytest

from mensatek_async import (
    AsyncMensatek,
    Campaigns,
    DeliveryReport,
    OtherEvent,
    Template,
)
from mensatek_async.webhooks import Event, InvalidWebhook, asgi, event_key, parse, wsgi
from tests.callbacks import (
    CONTRACT,
    DOCUMENT,
    FORM,
    INCOMING,
    REPORT,
    as_form,
    as_json,
    as_multipart,
    event_of,
    in_every_encoding,
    report,
)
from tests.webhook_servers import serve_asgi, serve_wsgi

DATA = Path(__file__).parent / "data"
CALLBACKS = sorted(DATA.glob("callback_*.json"))
BARE = {name: INCOMING[name] for name in ("Servicio", "Movil", "Remitente", "Mensaje")}


# --- what is beside the point --------------------------------------------------------------------------------


ODD_VARIABLES: list[tuple[Any, dict[str, Any]]] = [
    *(
        (odd, {})
        for odd in ("[]", "null", '[{"a": 1}, {"b": 2}]', "[1]", "{'Variable_1':'Ana'}", '{"a": 1', "Ana")
    ),
    *((odd, {}) for odd in ("7", "[" * 5000, '{"a":' * 100 + "1" + "}" * 100, [], None, True, 7)),
    *((odd, {"a": "1"}) for odd in ('[{"a": "1"}]', [{"a": "1"}])),
]


@in_every_encoding
@pytest.mark.parametrize(("variables", "read"), ODD_VARIABLES, ids=lambda value: repr(value)[:30])
def test_variables_never_cost_a_signed_contract(encoded: Any, variables: Any, read: dict[str, Any]) -> None:
    """PHP writes them in many ways, in JSON as values of their own; the status comes through, they stay in `raw`."""
    if not isinstance(variables, str) and encoded is not as_json:
        variables = json.dumps(variables)
    event = parse(*encoded(CONTRACT | {"Variables": variables}))

    assert isinstance(event, DeliveryReport)
    assert (event.status.code, event.variables, event.raw) == (180, read, {"Variables": variables})
    for right in ({"a": "1"}, '{"a": "1"}', json.dumps('{"a": "1"}')):
        as_it_should_be: Any = event_of(CONTRACT, Variables=right)
        assert (as_it_should_be.variables, as_it_should_be.raw) == ({"a": "1"}, {})


@in_every_encoding
@pytest.mark.parametrize(
    ("base", "name", "value", "attribute"),
    [
        (REPORT, "Segundos", "-", "seconds"),
        (REPORT, "Segundos", "00:00:03", "seconds"),
        (REPORT, "Fecha", "03/12/2020 11:14:24", "reported_at"),
        (REPORT, "Fecha", "2026-02-30 10:00:00", "reported_at"),
        (REPORT, "idReport", "abc", "report_id"),
        (DOCUMENT, "Puerto", "-", "port"),
        (DOCUMENT, "Fecha", "ayer", "occurred_at"),
        (BARE, "timestamp", "noon", "received_at"),
        (BARE, "timestamp", "1" + "0" * 17, "received_at"),
        (BARE, "idR", "n/a", "original_id"),
        (BARE, "idM", "-", "message_id"),
    ],
)
def test_an_odd_value_is_none_and_stays_in_raw(
    encoded: Any,
    base: dict[str, Any],
    name: str,
    value: str,
    attribute: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The event comes; the log names the field once, and never what stood in it."""
    event: Any = parse(*encoded(base | {name: value}))

    assert (getattr(event, attribute), event.raw) == (None, {name: value})
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert name in record.getMessage()
    assert len(value) < 3 or value not in record.getMessage()


@pytest.mark.parametrize(
    ("base", "name", "attribute", "value"),
    [
        *((REPORT, name, attribute, value)
          for name, attribute in (("Referencia", "reference"), ("Remitente", "sender"), ("CSV", "verification_code"))
          for value in (["x"], {"a": 1}, True)),
        (BARE, "EsCert", "is_certified", "quizás"),
    ],
    ids=repr,
)  # fmt: skip
def test_an_odd_text_is_blank(base: dict[str, Any], name: str, attribute: str, value: Any) -> None:
    """A reference that is a list is none; the status counts."""
    event = event_of(base, **{name: value})

    assert (bool(getattr(event, attribute)), event.raw) == (False, {name: value})


@pytest.mark.parametrize(
    ("written", "seconds"), [("3,5", 3.5), ("3.5", 3.5), (3.5, 3.5), ("3", 3), (3, 3), ("", None)], ids=repr
)
def test_seconds_may_have_a_fraction(written: Any, seconds: float | None) -> None:
    """A decimal comma is read, and a whole number stays one."""
    event = report(Segundos=written)

    assert (event.seconds, event.raw) == (seconds, {})
    assert type(event.seconds) is type(seconds)


@in_every_encoding
@pytest.mark.parametrize(
    ("base", "name", "value"),
    [
        (REPORT, "Resultado", "entregado"),
        (REPORT, "Resultado", "3,5"),
        (REPORT, "Movil", ""),
        (REPORT, "idMensaje", "abc"),
        (DOCUMENT, "idMensaje", "-"),
        (DOCUMENT, "Telefono", ""),
    ],
)
def test_identity_and_status_stay_strict(encoded: Any, base: dict[str, Any], name: str, value: str) -> None:
    """Nobody must act on a status or a message that was guessed."""
    with pytest.raises(InvalidWebhook, match=f"@ {name}"):
        parse(*encoded(base | {name: value}))


@in_every_encoding
def test_the_verification_code_is_a_field(encoded: Any) -> None:
    """Final statuses of a contract bring the code by which the signed document is checked."""
    event = parse(*encoded(CONTRACT | {"CSV": "A1B2-C3D4"}))

    assert isinstance(event, DeliveryReport)
    assert (event.verification_code, event.raw) == ("A1B2-C3D4", {})
    assert "A1B2" not in repr(event)
    assert report().verification_code == ""


NOISY = [
    b"<code>" + as_json(REPORT)[0] + b"</code>",
    as_json(REPORT)[0] + b"\n<!-- 0.003 s -->",
    as_json([REPORT])[0] + b" // end",
    b"Notice: x {main} [0] in a.php on line 3\n" + as_json(REPORT)[0],
    b"<pre>" + as_json(REPORT)[0].replace(b'"', b"&quot;") + b"</pre>",
    b"\xef\xbb\xbf\r\n" + as_json(REPORT)[0] + b"\x00",
]


@pytest.mark.parametrize("body", NOISY)
@pytest.mark.parametrize("content_type", ["application/json", "text/html", FORM, ""])
def test_a_callback_between_noise(body: bytes, content_type: str) -> None:
    """One object with a service is read, whatever stands around it."""
    assert parse(body, content_type) == report()


# --- other products ------------------------------------------------------------------------------------------


@in_every_encoding
@pytest.mark.parametrize(
    "service",
    ["EMAILCERTIFICADO", "EVENTOSEMAILCERTIFICADO", "EMAILMASIVO", "email", "WHATSAPP", "WHATSAPPRECIBIDO", "RCS",
     "RCSMASIVO", "RCS-CERTIFICADO", "EVENTOSRCS", "WHATSAPP CERTIFICADO", "email_masivo", "VIDEO",
     "BUROFAX", "LO QUE SEA"],
)  # fmt: skip
@pytest.mark.parametrize("code", ["15", "50", "5000", "-3"])
def test_another_products_callback_is_an_event_of_its_own(encoded: Any, service: str, code: str) -> None:
    """Its codes mean something else: it never becomes a status of the table of texts."""
    values = {"Servicio": service, "Resultado": code, "Destinatario": "ana@example.es", "idMensaje": "7"}
    event = parse(*encoded(values | {"Referencia": "EXP-1"}))

    assert isinstance(event, OtherEvent)
    assert (event.service, event.code, event.message_id, event.reference) == (service, int(code), 7, "EXP-1")
    assert event.raw == values | {"Referencia": "EXP-1"}
    assert "ana@" not in repr(event)
    assert hash(event) == hash(parse(*encoded(values | {"Referencia": "EXP-1"})))


@pytest.mark.parametrize(
    "service", ["WHATSAPP", "RCS", "EMAILCERTIFICADO", "WhatsAppCertificado", "RCSRECIBIDO"]
)
@pytest.mark.parametrize("base", [REPORT, DOCUMENT, INCOMING], ids=lambda base: base["Servicio"])
def test_another_product_may_have_the_fields_of_a_text(base: dict[str, Any], service: str) -> None:
    """WhatsApp goes to a mobile too; the service's name decides."""
    assert isinstance(parse(*as_json(base | {"Servicio": service})), OtherEvent)


@pytest.mark.parametrize(
    "values",
    [
        {"Servicio": "LO QUE SEA"},
        {"Servicio": "LO QUE SEA", "Resultado": "READ", "idMensaje": "wamid.x"},
        {"Servicio": "LO QUE SEA", "Resultado": ["x"], "idMensaje": None, "Referencia": 5},
        {"Servicio": "LO QUE SEA", "Resultado": "11", "Movil": "ana@example.es", "idMensaje": "7"},
        {"Servicio": "LO QUE SEA", "Resultado": "11", "Movil": "34600123456"},
    ],
)
def test_whatever_is_no_text_is_some_other_event(values: dict[str, Any]) -> None:
    """With a number, a message or neither; it is answered 200 and can be told apart."""
    event = parse(*as_json(values))

    assert isinstance(event, OtherEvent)
    assert not event.is_known_service
    assert event.raw == values
    assert event_key(event) != event_key(parse(*as_json(values | {"x": 1})))
    assert event_key(event) == event_key(parse(*as_json(values)))


def test_a_contract_under_its_own_name_is_a_text() -> None:
    """A contract's service is named by its sender; its fields are those of a text."""
    names = ("CONTRATO EMPRESA", "COMERCSA", "SMSCONTRATO", "Contrato Email Marketing", "ALTA FAX 2026")
    for service in names:
        event = event_of(CONTRACT | {"Servicio": service})
        assert (event.service, event.is_known_service) == (service, False)


# --- where a text stands -------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["SMSMASIVO", "SMSCERTIFICADO", "CONTRATO"])
def test_13_is_final_for_plain_texts_only(service: str) -> None:
    """A certified text or a contract is being certified; what failed has ended in either."""
    plain = service == "SMSMASIVO"
    for code, final in ((13, plain), (11, plain), (14, True), (51, True), (195, True)):
        assert report(Servicio=service, Resultado=code).status.is_final is final


async def test_a_campaign_counts_no_position(tmp_path: Path) -> None:
    """Neither its counts nor its export ever show 5000, whatever the order."""

    def answer(request: httpx.Request) -> httpx.Response:
        sent = len(json.loads(request.content)["Destinatarios"])
        return httpx.Response(200, json={"Res": sent, "Msgid": 7, "Cred": 100})

    transport = httpx.MockTransport(answer)
    async with (
        AsyncMensatek("u", "t", sender="S", base_url="https://x.example", transport=transport) as client,
        Campaigns(client, store=str(tmp_path / "a.db")) as campaigns,
    ):
        campaign = await campaigns.start("c", Template("Hola"), ["600000001", "600000002", "600000003"])
        await campaign.complete()
        for phone, code in ((1, 5000), (1, 13), (2, 51), (2, 5000), (3, 5000)):
            values = {"Resultado": code, "idMensaje": 7, "Movil": f"3460000000{phone}"}
            assert await campaigns.record(report(**values))
        progress = await campaign.progress()
        await campaign.export(tmp_path / "a.csv")

    assert (progress.delivered, progress.undelivered) == (1, 1)
    assert "5000" not in (tmp_path / "a.csv").read_text()


# --- receivers -----------------------------------------------------------------------------------------------


def post(
    url: str, body: bytes, content_type: str, method: str = "POST", user: str = "mensatek:secreto"
) -> tuple[int, bytes]:
    """Post as the provider does, by the standard library; gives the answer's status and body."""
    request = Request(url, data=body if method == "POST" else None, method=method)
    if user:
        request.add_header("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}")
    if method == "POST":
        request.add_header("Content-Type", content_type)
    try:
        with urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


Received = tuple[str, list[Event]]


@pytest.fixture(params=["asgi", "wsgi", "flask", "aiohttp"])
def receiver(request: pytest.FixtureRequest) -> Iterator[Received]:
    """A receiver of one kind, as docs/webhooks.md writes it; its URL, and what its handler was given."""
    events: list[Event] = []
    if request.param in ("asgi", "wsgi"):
        mount: Any = asgi.WebhookApp if request.param == "asgi" else wsgi.WebhookApp
        serve: Any = serve_asgi if request.param == "asgi" else serve_wsgi
        with serve(mount(events.append, username="mensatek", password="secreto")) as url:
            yield url, events
        return
    pytest.importorskip(request.param)
    from tests.integration import test_webhook_frameworks as frameworks

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBHOOK_PASSWORD", "secreto")
        telling = "from flask import Flask" if request.param == "flask" else "from aiohttp import web"
        names = frameworks.example(telling)
        server = serve_wsgi if request.param == "flask" else frameworks.serve_aiohttp
        with server(names["app"]) as url:
            yield f"{url}/mensatek", names["received"]


def test_a_receiver_takes_every_file_in_every_encoding(receiver: Received) -> None:
    """Each is answered 200, and comes to the handler once for each file."""
    url, events = receiver
    for file in CALLBACKS:
        values = json.loads(file.read_bytes())
        for encoded in (as_json, as_form, as_multipart):
            assert post(url, *encoded(values)) == (200, b"OK"), file.name

    # Two of the contract's are one event: the same status at the same moment, and no more than that.
    reports = [event for event in events if isinstance(event, DeliveryReport)]
    assert (len(events), sorted(one.status.code for one in reports)) == (4, [11, 180, 180])
    assert [one.verification_code for one in reports].count("A1B2-C3D4") == 1


def test_a_panel_may_look_whether_the_url_is_there(receiver: Received) -> None:
    """GET and HEAD are answered 200 with a word, to anybody; nothing else is without the credentials."""
    url, events = receiver

    assert post(url, b"", "", "GET", user="") == (200, b"OK")
    assert post(url, b"", "", "HEAD", user="") == (200, b"")
    assert post(url, *as_json(REPORT), user="")[0] == 401
    assert post(url, *as_json(REPORT), user="mensatek:else")[0] == 401
    assert events == []
