"""Callbacks into events: every field, every encoding, and everything that is no callback."""

from __future__ import annotations

import json
import pickle
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async import DeliveryStatus, Location, Phase
from mensatek_async.webhooks import (
    DeliveryReport,
    DocumentEvent,
    Event,
    IncomingMessage,
    InvalidWebhook,
    OtherEvent,
    parse,
)
from tests.callbacks import (
    CONTRACT,
    DOCUMENT,
    FORM,
    INCOMING,
    MULTIPART,
    REPORT,
    SAMPLES,
    as_form,
    as_json,
    as_multipart,
    event_of,
    in_every_encoding,
    incoming,
    report,
)

MADRID = ZoneInfo("Europe/Madrid")


def problems(body: bytes, content_type: str = "application/json") -> tuple[str, ...]:
    with pytest.raises(InvalidWebhook) as caught:
        parse(body, content_type)
    return caught.value.problems


@in_every_encoding
@pytest.mark.parametrize(
    ("values", "event"),
    [
        (
            REPORT,
            DeliveryReport(
                service="SMSMASIVO",
                status=DeliveryStatus(11),
                sender="TUEMPRESA",
                phone="34600123456",
                reported_at=datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
                seconds=3,
                message_id=10573758,
                reference="Su referencia si la indicó",
                report_id=1234567890,
            ),
        ),
        (
            DOCUMENT,
            DocumentEvent(
                service="EVENTOSSMSCERTIFICADO",
                file="Nombrefichero.pdf",
                protection="1",
                occurred_at=datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
                phone="34600000000",
                kind="1",
                message_id=123433379,
                value="00000000T",
                reference="19927743TR",
                ip="127.0.0.1",
                port=56678,
            ),
        ),
        (
            INCOMING,
            IncomingMessage(
                service="SMSRECIBIDO",
                received_at=datetime(2022, 10, 3, 13, 12, 9, tzinfo=MADRID),
                reported_at=datetime(2022, 10, 3, 13, 12, 8, tzinfo=MADRID),
                number="34600000000",
                sender="34600123456",
                text="Sí, acepto",
                original_id=56399876,
                message_id=78334454,
                is_certified=True,
                reference="19927743TR",
            ),
        ),
    ],
    ids=["report", "document", "incoming"],
)
def test_the_manuals_samples(encoded: Any, values: dict[str, Any], event: Event) -> None:
    """In each of the three encodings they give all of their fields; `raw` keeps nothing."""
    assert parse(*encoded(values)) == event


@pytest.mark.parametrize(
    ("values", "changes", "attribute", "expected"),
    [
        *((INCOMING, {"idM": blank, "idR": blank}, name, None)
          for blank in (0, "0", "", None) for name in ("message_id", "original_id")),
        (INCOMING, {"timestamp": ""}, "received_at", datetime(2022, 10, 3, 13, 12, 8, tzinfo=MADRID)),
        *((INCOMING, {"EsCert": yes}, "is_certified", True) for yes in (True, "true", "1")),
        *((INCOMING, {"EsCert": no}, "is_certified", False) for no in (0, "false", "")),
        (INCOMING, {"Mensaje": "  SI \n"}, "text", "  SI \n"),
        (INCOMING, {"Mensaje": "hola \ud83d"}, "text", "hola \ufffd"),
        (INCOMING, {"Mensaje": "hola \U0001f600"}, "text", "hola \U0001f600"),
        (REPORT, {"Referencia": " a b "}, "reference", " a b "),
        *((REPORT, {"Movil": one}, "phone", "34600123456")
          for one in (34600123456, "+34 600 12 34 56", "0034600123456")),
        (REPORT, {"Fecha": "20260715100000"}, "reported_at", datetime(2026, 7, 15, 10, tzinfo=MADRID)),
        *((REPORT, {"Fecha": blank}, "reported_at", None) for blank in ("", "0000-00-00 00:00:00", None)),
        (REPORT, {"Operadora": "X", "Coste": {"a": 1.5}}, "raw", {"Operadora": "X", "Coste": {"a": 1.5}}),
        (DOCUMENT, {"idEnvio": "5"}, "message_id", 123433379),
        (DOCUMENT, {"idEnvio": "5"}, "raw", {"idEnvio": "5"}),
        ({"idEnvio": "5"}, DOCUMENT | {"idEnvio": "5"}, "raw", {"idEnvio": "5"}),
        (CONTRACT, {}, "seconds", 3),
        (CONTRACT, {"Variables": " "}, "variables", {}),
        (CONTRACT, {}, "message_id", 10573758),
    ],
    ids=repr,
)  # fmt: skip
def test_how_a_field_is_read(
    values: dict[str, Any], changes: dict[str, Any], attribute: str, expected: Any
) -> None:
    """Blanks and zeros, numbers as texts, texts as they came, and what no attribute tells in `raw`."""
    assert getattr(event_of(values, **changes), attribute) == expected


def test_what_nobody_has_listed_is_kept_and_flagged() -> None:
    """A status still is a report; a contract comes under its own name, and shows in its fields what it is."""
    status = report(Resultado="7777").status

    assert (status.code, status.phase) == (7777, Phase.UNKNOWN)
    assert report().is_known_service
    for values in (DOCUMENT, INCOMING):
        event = event_of(values, Servicio="OTRO")
        assert (type(event), event.is_known_service) == (type(event_of(values)), False)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        *(
            (variables, True)
            for variables in (
                {"Latitud": "40.4168", "Longitud": "-3.7038"},
                {"LATITUDE": 40.4168, "longitude": -3.7038},
                {"lat": "40,4168", "lng": "-3,7038"},
                {"GPS": "40.4168,-3.7038"},
                {"coordenadas": " (40.4168; -3.7038) "},
                {"Localización": {"Lat": 40.4168, "Lon": -3.7038}},
            )
        ),
        *(({"Latitud": odd, "Longitud": 0}, False) for odd in ("91", float("nan"), float("inf"), 10**400)),
        *(
            ({"Latitud": a, "Longitud": b}, False)
            for a, b in (("0", "180.5"), ("norte", "oeste"), (True, False))
        ),
        *(({"GPS": odd}, False) for odd in ("1,2,3", "1.2.3 4", ["40", "3"], {"lat": None})),
        *((other, False) for other in ({}, {"IP": "127.0.0.1"}, {"Latitud": "40.4168"})),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_position_in_any_usual_form(variables: dict[str, Any], found: bool) -> None:
    """By two names, in one text, or in an object, with either decimal sign; what cannot be read is no error: the
    variables still have it. Status 5000 never says who."""
    event: Any = event_of(CONTRACT, Resultado="5000", Variables=json.dumps(variables))

    assert event.location == (Location(40.4168, -3.7038) if found else None)
    assert set(event.variables) == set(variables)
    assert not event.status.is_signed
    assert "40.41" not in repr(event)


def test_names_are_read_in_any_case() -> None:
    """The provider's own samples differ in case."""
    lower = {name.lower(): value for name, value in REPORT.items()}
    upper = {f" {name.upper()} ": value for name, value in REPORT.items()}

    assert parse(*as_json(lower)) == parse(*as_json(upper)) == report()


DRESSED = json.dumps(INCOMING, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (DRESSED.encode("cp1252"), "application/json"),
        (DRESSED.encode("latin-1"), "application/json; charset=ISO-8859-1"),
        (b"\xef\xbb\xbf" + DRESSED.encode(), "application/json"),
        (DRESSED.encode("utf-16"), "application/json"),
        (urlencode(INCOMING, encoding="latin-1").encode(), f"{FORM}; charset=ISO-8859-1"),
        as_form(INCOMING, "cp1252"),
        as_multipart(INCOMING, "cp1252"),
        *((as_form(INCOMING)[0], kind) for kind in ("application/json", "text/plain", "")),
        (json.dumps([INCOMING]).encode(), FORM),
        (b"\r\n " + json.dumps(INCOMING, indent=2).encode() + b"\n", "text/plain"),
    ],
)
def test_the_same_message_in_other_dresses(body: bytes, content_type: str) -> None:
    """Charsets declared and not, byte order marks, an array around it, a content type that is wrong."""
    assert parse(body, content_type) == incoming()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Resultado": "entregado"}, "expected a whole number, got a text @ Resultado"),
        ({"Resultado": True}, "expected a whole number, got yes or no @ Resultado"),
        ({"Resultado": 10**30}, "expected a whole number, got a number @ Resultado"),
        ({"Movil": ["34600123456"]}, "expected a text, got a list @ Movil"),
        ({"idMensaje": {}}, "expected a whole number, got an object @ idMensaje"),
        *(({"Servicio": odd}, "missing @ Servicio") for odd in ("", 5)),
        ({"resultado": 13}, "one field has two values @ Resultado"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], problem: str) -> None:
    """The place on the wire, and the kind of what stood there; all that is missing at once."""
    assert problems(*as_json(REPORT | changes)) == (problem,)
    missing = tuple(f"missing @ {name}" for name in ("Resultado", "Movil", "idMensaje"))
    assert problems(*as_json({"Servicio": "SMSMASIVO", "Resultado": None, "Movil": ""})) == missing


JSON_BROKEN = {
    "the JSON is broken or cut": (b"", b'{"Servicio": "SMSMASIVO"'),
    "something follows the JSON": (b'{"Servicio": 1} {"Servicio": 2}',),
    "a number is not finite": (b'{"Servicio": NaN}',),
    "one field has two values": (b'{"Servicio": "a", "Servicio": "b"}',),
    "expected one JSON object": (b"[]", b"[{}, {}]", b'"text"'),
    "missing @ Servicio": (b"{}",),
    "the JSON is nested too deeply": (b"[" * 60_000,),
    "more than 64 fields": (json.dumps({str(n): n for n in range(65)}).encode(),),
}


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        *((body, "application/json", problem) for problem, bodies in JSON_BROKEN.items() for body in bodies),
        *((body, kind, "the body is empty") for body, kind in ((b"", ""), (b"  ", FORM))),
        *((body, "text/plain", "missing @ Servicio") for body in (b"hello", b"x" + b"[" * 60_000 + b"{")),
        (b"Servicio=a&Servicio=b", FORM, "one field has two values"),
        (b"&".join(b"a%d=" % n for n in range(65)), FORM, "more than 64 fields"),
        (b"x" * 65_537, FORM, "the body is larger than 64 KiB"),
        (b"--x--\r\n", "multipart/form-data", "the multipart form has no boundary"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", "the multipart form is broken or cut"),
        (*as_multipart({str(n): n for n in range(65)}), "more than 64 fields, or too large ones"),
        (
            as_multipart(REPORT)[0].replace(b'name="Movil"', b'name="Movil"; filename="a.txt"'),
            *(MULTIPART, "the multipart form holds a file"),
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_callback_is_refused(body: bytes, content_type: str, problem: str) -> None:
    """Anything else is one error, which says why."""
    assert problems(body, content_type) == (problem,)


@pytest.mark.parametrize("reference", ["", "--", "\r\n", "a\r\nContent-Disposition: x"])
def test_multipart_forms_as_some_programs_write_them(reference: str) -> None:
    """An empty value without a line break of its own (Werkzeug's test client); lines that end as in Unix."""
    body, content_type = as_multipart(REPORT | {"Referencia": reference})
    expected = parse(*as_form(REPORT | {"Referencia": reference}))

    assert parse(body, content_type) == expected
    assert parse(body.replace(b"\r\n\r\n\r\n--", b"\r\n\r\n--"), content_type).status == expected.status
    assert parse(body.replace(b"\r\n", b"\n"), content_type).phone == expected.phone


SECRETS = ("34600123456", "secreto", "600123456")


@pytest.mark.parametrize("name", [*REPORT, "Variables", "Mensaje", "Otro"])
def test_errors_and_events_show_nothing_of_what_came(name: str) -> None:
    """Both end in a log, where texts and whole phones have no business."""
    with pytest.raises(InvalidWebhook) as caught:
        event_of(REPORT, **{"Resultado": "x", name: ["secreto 34600123456"]})

    shown = repr([report(Variables='{"a": "secreto"}', x="secreto"), incoming(Mensaje="secreto")])
    assert "346***56" in shown
    shown += f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize("values", SAMPLES, ids=lambda values: values["Servicio"])
def test_an_event_is_a_value(values: dict[str, Any]) -> None:
    """It can be pickled for a job runner, collected in a set, and not changed; `raw` is its own."""
    event, other = event_of(values, Otro=["x"]), event_of(values, Otro=["x"])

    assert pickle.loads(pickle.dumps(event)) == event
    assert {event, other} == {event}
    assert event.raw is not other.raw
    with pytest.raises(FrozenInstanceError):
        event.service = "x"  # type: ignore[misc]


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "11", "2020-12-03 11:14:24", "34600123456", "SMSMASIVO", "SMSRECIBIDO", "\ud800"])
)
wire_names = st.sampled_from([*REPORT, *DOCUMENT, *INCOMING, "Variables", "otro"])
near_misses = st.builds(
    lambda base, changes: base | changes,
    st.sampled_from(SAMPLES),
    st.dictionaries(wire_names, scalars | st.lists(scalars, max_size=2), max_size=3),
)
content_types = st.text(max_size=40) | st.sampled_from(
    [
        "",
        "application/json",
        FORM,
        MULTIPART,
        f"{FORM}; charset=utf-16",
        "application/json; charset=\xff",
        "x/y",
    ]
)


def only_events_or_invalid(body: bytes, content_type: str) -> None:
    try:
        event = parse(body, content_type)
    except InvalidWebhook:
        pass
    else:
        assert isinstance(event, DeliveryReport | DocumentEvent | IncomingMessage | OtherEvent)
        repr(event), hash(event)
        json.dumps(event.raw, ensure_ascii=False).encode()


@given(st.binary(max_size=300), content_types)
@example(b"\xff\xfe{", "application/json")
@example(b"[1e999999]", "")
@example(b'{"Servicio":"SMSMASIVO","Resultado":1' + b"0" * 5000 + b"}", "")
def test_random_bytes(body: bytes, content_type: str) -> None:
    """Only an event or `InvalidWebhook` comes out, whatever comes in."""
    only_events_or_invalid(body, content_type)


charsets = st.sampled_from(["utf-8", "cp1252", "utf-16"])


@given(near_misses, charsets, content_types, st.integers(0, 2000), st.binary(max_size=8))
def test_random_near_misses(
    values: dict[str, Any], encoding: str, content_type: str, at: int, noise: bytes
) -> None:
    """What is nearly a callback, in every encoding, under any name or with noise: an event or `InvalidWebhook`."""
    only_events_or_invalid(*as_json(values))
    only_events_or_invalid(json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"), "")
    form = urlencode(values, encoding=encoding, errors="replace").encode()
    only_events_or_invalid(form, FORM)
    only_events_or_invalid(form, content_type)
    body, multipart = as_multipart(
        {name: str(one).encode("utf-8", "replace").decode() for name, one in values.items()}
    )
    only_events_or_invalid(body[:at] + noise + body[at:], multipart)
