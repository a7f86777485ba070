"""Callbacks into events: every field, every encoding, and everything that is no callback."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from attrs import fields
from attrs.exceptions import FrozenInstanceError
from hypothesis import example, given
from hypothesis import strategies as st

from mensatek_async import DeliveryStatus, Phase
from mensatek_async.webhooks import (
    DeliveryReport,
    DocumentEvent,
    IncomingMessage,
    InvalidWebhook,
    OtherEvent,
    parse,
)

MADRID = ZoneInfo("Europe/Madrid")
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "----x7MA4YWxkTrZu0gW"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"

# The samples of the two manuals.
REPORT: dict[str, Any] = {
    "Servicio": "SMSMASIVO",
    "Resultado": 11,
    "Remitente": "TUEMPRESA",
    "Movil": "34600123456",
    "Fecha": "2020-12-03 11:14:24",
    "Segundos": 3,
    "idMensaje": 10573758,
    "Referencia": "Su referencia si la indicó",
    "idReport": 1234567890,
}
CERTIFIED = {name: str(value) for name, value in REPORT.items()} | {"Servicio": "SMSCERTIFICADO"}
DOCUMENT = {
    "Servicio": "EVENTOSSMSCERTIFICADO",
    "Fichero": "Nombrefichero.pdf",
    "TipoAdjunto": "1",
    "Fecha": "2020-12-03 11:14:24",
    "Telefono": "34600000000",
    "TipoEvento": "1",
    "idEnvio": "123433379",
    "idMensaje": "123433379",
    "Valor": "00000000T",
    "Referencia": "19927743TR",
    "IP": "127.0.0.1",
    "Puerto": "56678",
}
INCOMING = {
    "Servicio": "SMSRECIBIDO",
    "timestamp": "1664795529",
    "Fecha": "2022-10-03 13:12:08",
    "Movil": "34600000000",
    "Remitente": "34600123456",
    "Mensaje": "Sí, acepto",
    "idR": "56399876",
    "idM": "78334454",
    "EsCert": "true",
    "Referencia": "19927743TR",
}


def as_json(values: object) -> tuple[bytes, str]:
    return json.dumps(values).encode(), "application/json"


def as_form(values: dict[str, Any], encoding: str = "utf-8") -> tuple[bytes, str]:
    return urlencode(values, encoding=encoding).encode(), FORM


def as_multipart(values: dict[str, Any], encoding: str = "utf-8") -> tuple[bytes, str]:
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    )
    return f"{''.join(parts)}--{BOUNDARY}--\r\n".encode(encoding), MULTIPART


ENCODINGS = [as_json, as_form, as_multipart]
in_every_encoding = pytest.mark.parametrize("encoded", ENCODINGS, ids=lambda encoded: encoded.__name__)


def report(**changes: Any) -> DeliveryReport:
    event = parse(*as_json(REPORT | changes))
    assert isinstance(event, DeliveryReport)
    return event


def incoming(**changes: Any) -> IncomingMessage:
    event = parse(*as_json(INCOMING | changes))
    assert isinstance(event, IncomingMessage)
    return event


def problems(body: bytes, content_type: str = "application/json") -> tuple[str, ...]:
    with pytest.raises(InvalidWebhook) as caught:
        parse(body, content_type)
    return caught.value.problems


@in_every_encoding
def test_a_delivery_report(encoded: Any) -> None:
    """The manual's sample, in each of the three encodings, gives all of its fields."""
    assert parse(*encoded(REPORT)) == DeliveryReport(
        service="SMSMASIVO",
        status=DeliveryStatus(11),
        sender="TUEMPRESA",
        phone="34600123456",
        reported_at=datetime(2020, 12, 3, 11, 14, 24, tzinfo=MADRID),
        seconds=3,
        message_id=10573758,
        reference="Su referencia si la indicó",
        report_id=1234567890,
    )


@in_every_encoding
def test_a_certified_report_has_its_numbers_as_texts(encoded: Any) -> None:
    """The certified manual's sample, all strings, reads as the same values."""
    event = parse(*encoded(CERTIFIED))

    assert isinstance(event, DeliveryReport)
    assert (event.service, event.status.code, event.seconds, event.message_id) == (
        "SMSCERTIFICADO",
        11,
        3,
        10573758,
    )


@in_every_encoding
def test_a_document_event(encoded: Any) -> None:
    """The manual's sample gives all of its fields; the old name of the message's id changes nothing."""
    assert parse(*encoded(DOCUMENT)) == DocumentEvent(
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
    )


@in_every_encoding
def test_an_incoming_message(encoded: Any) -> None:
    """A reply to a certified text gives all of its fields; the moment comes from the timestamp."""
    assert parse(*encoded(INCOMING)) == IncomingMessage(
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
    )


@pytest.mark.parametrize("value", [0, "0", "", None], ids=repr)
def test_a_message_that_replies_to_none_has_no_ids(value: Any) -> None:
    """A text that somebody begins with belongs to no message."""
    event = incoming(idM=value, idR=value)

    assert (event.message_id, event.original_id) == (None, None)


def test_without_a_timestamp_the_carriers_date_counts() -> None:
    """When it was received is told twice; either will do."""
    event = incoming(timestamp="")

    assert event.received_at == event.reported_at == datetime(2022, 10, 3, 13, 12, 8, tzinfo=MADRID)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("true", True), ("1", True), (0, False), ("false", False), ("", False)],
)
def test_yes_and_no_come_in_many_forms(value: Any, expected: bool) -> None:
    """`EsCert` may be a text, a number or nothing."""
    assert incoming(EsCert=value).is_certified is expected


def test_a_text_stays_as_it_came() -> None:
    """Blanks at its ends belong to a message, and to a reference."""
    assert incoming(Mensaje="  SI \n").text == "  SI \n"
    assert report(Referencia=" a b ").reference == " a b "


@pytest.mark.parametrize("phone", ["34600123456", 34600123456, "+34 600 12 34 56", "0034600123456"], ids=repr)
def test_phones_are_international_digits(phone: Any) -> None:
    """`Movil` may be a number or a text in any writing."""
    assert report(Movil=phone).phone == "34600123456"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-15 10:00:00", datetime(2026, 1, 15, 9, tzinfo=UTC)),
        ("2026-07-15 10:00:00", datetime(2026, 7, 15, 8, tzinfo=UTC)),
        ("20260715100000", datetime(2026, 7, 15, 8, tzinfo=UTC)),
        (20260715100000, datetime(2026, 7, 15, 8, tzinfo=UTC)),
        ("2026-07-15T10:00:00+00:00", datetime(2026, 7, 15, 10, tzinfo=UTC)),
        ("2026-10-25 02:30:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-03-29 02:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-03-29 03:30:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_dates_are_moments_in_spanish_time(written: Any, moment: datetime) -> None:
    """Winter and summer time, the form of 2017, the hour that comes twice and the one that never comes."""
    event = report(Fecha=written)

    assert event.reported_at is not None
    assert event.reported_at.tzinfo == MADRID
    assert event.reported_at.astimezone(UTC) == moment


@pytest.mark.parametrize("written", ["", "0000-00-00 00:00:00", None])
def test_a_date_not_told_is_none(written: Any) -> None:
    """A date of zeros is PHP's way to say nothing."""
    assert report(Fecha=written).reported_at is None


def test_an_unknown_status_is_kept_and_flagged() -> None:
    """A status that nobody has listed still is a report."""
    status = report(Resultado="7777").status

    assert (status.code, status.phase) == (7777, Phase.UNKNOWN)


def test_an_unknown_service_is_kept_and_flagged() -> None:
    """A contract comes under its own name; what it is shows in its fields."""
    event = report(Servicio="CONTRATO EMPRESA")

    assert (event.service, event.is_known_service) == ("CONTRATO EMPRESA", False)
    assert report().is_known_service
    assert isinstance(parse(*as_json(DOCUMENT | {"Servicio": "OTRO"})), DocumentEvent)
    assert isinstance(parse(*as_json(INCOMING | {"Servicio": "OTRO"})), IncomingMessage)


def test_fields_that_are_not_known_are_kept() -> None:
    """What the provider adds some day reaches the handler."""
    event = report(Operadora="X", Coste={"Importe": 1.5})

    assert event.raw == {"Operadora": "X", "Coste": {"Importe": 1.5}}


@pytest.mark.parametrize("variables", ['{"lat": "40.4", "lon": -3.7}', {"lat": "40.4", "lon": -3.7}])
def test_variables_of_a_contract_are_decoded(variables: Any) -> None:
    """They come as a text that holds JSON."""
    assert report(Resultado=5000, Variables=variables).variables == {"lat": "40.4", "lon": -3.7}


def test_names_are_read_in_any_case() -> None:
    """The provider's own samples differ in case."""
    lower = {name.lower(): value for name, value in REPORT.items()}
    upper = {f" {name.upper()} ": value for name, value in REPORT.items()}

    assert parse(*as_json(lower)) == parse(*as_json(upper)) == report()


def test_a_second_name_that_disagrees_is_kept_apart() -> None:
    """`idMensaje` counts, in whichever order the two come."""
    for order in (DOCUMENT | {"idEnvio": "5"}, {"idEnvio": "5"} | DOCUMENT | {"idEnvio": "5"}):
        event = parse(*as_json(order))

        assert (event.message_id, event.raw) == (123433379, {"idEnvio": "5"})


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("encoded", [as_form, as_multipart])
def test_forms_in_windows_1252(encoding: str, encoded: Any) -> None:
    """Old PHP sends what its page was written in, without saying so."""
    event = parse(*encoded(INCOMING | {"Mensaje": "Mañana, 10 €"}, encoding))

    assert isinstance(event, IncomingMessage)
    assert event.text == "Mañana, 10 €"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(INCOMING, ensure_ascii=False).encode("cp1252"), "application/json"),
        (json.dumps(INCOMING, ensure_ascii=False).encode("latin-1"), "application/json; charset=ISO-8859-1"),
        (b"\xef\xbb\xbf" + json.dumps(INCOMING, ensure_ascii=False).encode(), "application/json"),
        (json.dumps(INCOMING, ensure_ascii=False).encode("utf-16"), "application/json"),
        (urlencode(INCOMING, encoding="latin-1").encode(), f"{FORM}; charset=ISO-8859-1"),
        (urlencode(INCOMING).encode(), ""),
        (json.dumps([INCOMING]).encode(), FORM),
        (b"\r\n " + json.dumps(INCOMING, indent=2).encode() + b"\n", "text/plain"),
    ],
)
def test_the_same_message_in_other_dresses(body: bytes, content_type: str) -> None:
    """Charsets declared and not, byte order marks, an array around it, a content type that is wrong."""
    assert parse(body, content_type) == incoming()


def test_half_a_character_is_replaced() -> None:
    """A text cut in the middle of an emoji can still be written to a file."""
    body = json.dumps(INCOMING | {"Mensaje": "hola \ud83d"}).encode()

    event = parse(body)

    assert isinstance(event, IncomingMessage)
    assert event.text == "hola \ufffd"
    assert incoming(Mensaje="hola \U0001f600").text == "hola \U0001f600"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Resultado": "entregado"}, "expected a whole number, got a text @ Resultado"),
        ({"Resultado": None}, "missing @ Resultado"),
        ({"Resultado": True}, "expected a whole number, got yes or no @ Resultado"),
        ({"Resultado": 10**30}, "expected a whole number, got a number @ Resultado"),
        ({"Movil": ""}, "missing @ Movil"),
        ({"Movil": ["34600123456"]}, "expected a text, got a list @ Movil"),
        ({"idMensaje": {}}, "expected a whole number, got an object @ idMensaje"),
        ({"Servicio": ""}, "missing @ Servicio"),
        ({"Servicio": 5}, "missing @ Servicio"),
        ({"resultado": 13}, "one field has two values @ Resultado"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], problem: str) -> None:
    """The place on the wire, and the kind of what stood there."""
    assert problems(*as_json(REPORT | changes)) == (problem,)


def test_all_that_is_missing_is_named() -> None:
    """One look at the log tells everything."""
    assert problems(b'{"Servicio": "SMSMASIVO"}') == (
        "missing @ Resultado",
        "missing @ Movil",
        "missing @ idMensaje",
    )


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (b"", "", "the body is empty"),
        (b"  ", FORM, "the body is empty"),
        (b"", "application/json", "the JSON is broken or cut"),
        (b"hello", "text/plain", "missing @ Servicio"),
        (b'{"Servicio": "SMSMASIVO"', "application/json", "the JSON is broken or cut"),
        (b'{"Servicio": 1} {"Servicio": 2}', "application/json", "something follows the JSON"),
        (b'{"Servicio": NaN}', "application/json", "a number is not finite"),
        (b'{"Servicio": "a", "Servicio": "b"}', "application/json", "one field has two values"),
        (b"Servicio=a&Servicio=b", FORM, "one field has two values"),
        (b"[]", "application/json", "expected one JSON object"),
        (b"[{}, {}]", "application/json", "expected one JSON object"),
        (b'"text"', "application/json", "expected one JSON object"),
        (b"{}", "application/json", "missing @ Servicio"),
        (b"[" * 60_000, "application/json", "the JSON is nested too deeply"),
        (b"x" + b"[" * 60_000 + b"{", "text/plain", "missing @ Servicio"),
        (b"&".join(b"a%d=" % n for n in range(65)), FORM, "more than 64 fields"),
        (json.dumps({str(n): n for n in range(65)}).encode(), "application/json", "more than 64 fields"),
        (b"x" * 65_537, FORM, "the body is larger than 64 KiB"),
        (b"--x--\r\n", "multipart/form-data", "the multipart form has no boundary"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", "the multipart form is broken or cut"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_callback_is_refused(body: bytes, content_type: str, problem: str) -> None:
    """Anything else is one error, which says why."""
    assert problems(body, content_type) == (problem,)


def test_a_multipart_form_with_a_file_or_too_many_parts_is_refused() -> None:
    """Callbacks hold no files, and a form of thousands of parts is an attack."""
    with_file = as_multipart(REPORT)[0].replace(b'name="Movil"', b'name="Movil"; filename="a.txt"')

    assert problems(with_file, MULTIPART) == ("the multipart form holds a file",)
    assert problems(*as_multipart({str(n): n for n in range(65)})) == (
        "more than 64 fields, or too large ones",
    )


SECRETS = ("34600123456", "secreto", "600123456")


@pytest.mark.parametrize("name", [*REPORT, "Variables", "Mensaje", "Otro"])
def test_errors_show_nothing_of_what_came(name: str) -> None:
    """An error ends in a log, where phones and texts have no business."""
    body = json.dumps(REPORT | {"Resultado": "x", name: ["secreto 34600123456"]})

    with pytest.raises(InvalidWebhook) as caught:
        parse(body.encode())

    shown = f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    assert not [secret for secret in SECRETS if secret in shown]


def test_events_show_no_text_and_no_whole_phone() -> None:
    """An event in a log line does not bring a recipient's data along."""
    shown = repr([report(Variables='{"a": "secreto"}', x="secreto"), incoming(Mensaje="secreto")])

    assert not [secret for secret in SECRETS if secret in shown]
    assert "346***56" in shown


@pytest.mark.parametrize("values", [REPORT, DOCUMENT, INCOMING], ids=lambda values: values["Servicio"])
def test_events_can_be_pickled_and_put_into_a_set(values: dict[str, Any]) -> None:
    """A handler may pass an event on to a job runner, or collect it."""
    event = parse(*as_json(values | {"Otro": ["x"]}))

    assert pickle.loads(pickle.dumps(event)) == event
    assert {event, parse(*as_json(values | {"Otro": ["x"]}))} == {event}


@pytest.mark.parametrize("values", [REPORT, DOCUMENT, INCOMING], ids=lambda values: values["Servicio"])
def test_an_event_is_what_its_class_makes(values: dict[str, Any]) -> None:
    """However it was put together: the same attributes, nothing shared with the next one."""
    event, other = parse(*as_json(values)), parse(*as_json(values))

    made = type(event)(**{one.name: getattr(event, one.name) for one in fields(type(event))})
    assert vars(made) == vars(event)
    assert list(vars(parse(*as_json({"Servicio": "SMSMASIVO", **REPORT})))) == list(
        vars(parse(*as_json(REPORT)))
    )
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
    st.sampled_from([REPORT, DOCUMENT, INCOMING]),
    st.dictionaries(wire_names, scalars | st.lists(scalars, max_size=2), max_size=3),
)
content_types = st.sampled_from(
    [
        "",
        "application/json",
        FORM,
        MULTIPART,
        f"{FORM}; charset=utf-16",
        "application/json; charset=\xff",
        "x/y",
    ]
) | st.text(max_size=40)


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


@given(near_misses)
def test_random_json(values: dict[str, Any]) -> None:
    """JSON that is nearly a callback gives an event or `InvalidWebhook`."""
    only_events_or_invalid(*as_json(values))
    only_events_or_invalid(json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass"), "")


@given(near_misses, st.sampled_from(["utf-8", "cp1252", "utf-16"]), content_types)
def test_random_forms(values: dict[str, Any], encoding: str, content_type: str) -> None:
    """Forms that are nearly a callback, under any content type, give an event or `InvalidWebhook`."""
    form = urlencode(values, encoding=encoding, errors="replace").encode()

    only_events_or_invalid(form, FORM)
    only_events_or_invalid(form, content_type)


@given(near_misses, st.integers(0, 2000), st.binary(max_size=8))
def test_random_multipart(values: dict[str, Any], at: int, noise: bytes) -> None:
    """Multipart forms with noise in them give an event or `InvalidWebhook`."""
    clean = {name: str(value).encode("utf-8", "replace").decode() for name, value in values.items()}
    body, content_type = as_multipart(clean)

    only_events_or_invalid(body[:at] + noise + body[at:], content_type)
