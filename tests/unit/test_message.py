"""A message checked once and turned into requests: parameters, recipients, dates, and what a reply left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mensatek_async import (
    InvalidDate,
    InvalidField,
    InvalidPhone,
    InvalidRequest,
    InvalidSender,
    Recipient,
    Template,
    TextAltered,
    VoiceFallback,
)
from mensatek_async._core.messages.message import compose, recipients_of
from mensatek_async._core.messages.options import message_number, wire_date
from mensatek_async._core.operations import OPERATIONS
from mensatek_async.text import elements

MADRID = ZoneInfo("Europe/Madrid")
NEXT_YEAR = datetime.now(UTC).year + 1


def message(text: Any = "Hola", **options: Any) -> Any:
    """A message of EnviarSMS."""
    return compose(OPERATIONS["EnviarSMS"], text, **{"sender": None, "region": "ES", **options})


# --- parameters --------------------------------------------------------------------------------------------


def test_the_least_a_message_says() -> None:
    """Text and sender, which must be there even when it is empty; nothing that was not asked for."""
    assert dict(message().params) == {"Remitente": "", "Mensaje": "Hola"}


def test_everything_a_message_can_say() -> None:
    """Each option under its wire name, yes and no as 1 and 0."""
    params = dict(
        message(
            sender="ACME",
            scheduled_at=datetime(NEXT_YEAR, 1, 8, 10, 0, tzinfo=MADRID),
            reference="cita 5",
            report=False,
            join="77",
            voice_fallback=VoiceFallback("es-ES:2", caller="911 234 567"),
            fix_utf8=True,
            extra={"Vpd": 3},
        ).params
    )

    assert params == {
        "Remitente": "ACME",
        "Mensaje": "Hola",
        "Fecha": f"{NEXT_YEAR}-01-08 10:00",
        "Referenciausuario": "cita 5",
        "Report": 0,
        "Idmensaje": 77,
        "Fail2voice": 1,
        "Lenguajevoz": "es-ES:2",
        "Remitentevoz": "34911234567",
        "Fixutf8": 1,
        "Vpd": 3,
    }


def test_a_text_with_elements_asks_for_links() -> None:
    """The certified manual says to send `Links` with them."""
    assert message("Vea " + elements.link("https://example.com/a")).params["Links"] == 1
    assert "Links" not in message("Vea https://example.com/a").params


@pytest.mark.parametrize(("fallback", "language"), [(True, "es-ES"), (VoiceFallback("en-GB:1"), "en-GB:1")])
def test_voice_fallback(fallback: Any, language: str) -> None:
    """True takes the usual voice; a caller is left to the provider unless given."""
    params = message(voice_fallback=fallback).params

    assert (params["Fail2voice"], params["Lenguajevoz"]) == (1, language)
    assert "Remitentevoz" not in params
    for none in (False, None):
        assert not {"Fail2voice", "Lenguajevoz", "Remitentevoz"} & set(message(voice_fallback=none).params)


def test_a_voice_caller_is_read_in_the_clients_region() -> None:
    """As every other phone is."""
    pytest.importorskip("phonenumbers")
    fallback = VoiceFallback("pt-PT:2", caller="210 000 000")

    assert message(voice_fallback=fallback, region="PT").params["Remitentevoz"] == "351210000000"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"text": ""}, InvalidRequest),
        ({"text": "  \n"}, InvalidRequest),
        ({"text": None}, InvalidRequest),
        ({"text": b"Hola"}, InvalidRequest),
        ({"encoding": "utf-8"}, InvalidRequest),
        ({"encoding": None}, InvalidRequest),
        ({"sender": "DEMASIADOLARGO"}, InvalidSender),
        ({"text": "Hola \ud83d"}, InvalidRequest),
        ({"text": "Hola\0"}, InvalidRequest),
        ({"reference": "r\ud83d"}, InvalidRequest),
        ({"text": "a" * 40_000}, InvalidRequest),
        ({"report": "yes"}, InvalidRequest),
        ({"reference": 5}, InvalidRequest),
        ({"join": 0}, InvalidRequest),
        ({"join": "abc"}, InvalidRequest),
        ({"scheduled_at": datetime(NEXT_YEAR, 1, 8)}, InvalidDate),
        ({"scheduled_at": "2027-01-08 10:00"}, InvalidDate),
        ({"scheduled_at": datetime(2020, 1, 8, tzinfo=UTC)}, InvalidDate),
        ({"voice_fallback": "es-ES"}, InvalidRequest),
        ({"voice_fallback": VoiceFallback("español")}, InvalidRequest),
        ({"voice_fallback": VoiceFallback(caller="abc")}, InvalidPhone),
    ],
)
def test_what_cannot_be_right_is_refused_by_kind(options: dict[str, Any], error: type[Exception]) -> None:
    """Before any recipient is looked at, and without quoting the text."""
    with pytest.raises(error):
        message(**{"text": "Hola", **options})


def test_a_forced_alphabet_warns_of_what_is_lost() -> None:
    """The warning names the characters; accents, which the provider replaces, are no loss."""
    with pytest.warns(TextAltered, match="🎉"):
        message("Fiesta 🎉", encoding="gsm")
    message("Mañana, José", encoding="gsm")


# --- recipients --------------------------------------------------------------------------------------------


def test_a_recipient_becomes_a_phone_and_variables() -> None:
    """The phone in international digits, the template's fields by number."""
    built = message(Template("Hola {nombre}, el {día}"))
    addressed = built.address(Recipient("600 12 34 56", {"nombre": "Ana", "día": 8}))

    assert addressed.wire == {"Movil": "34600123456", "Variable_1": "Ana", "Variable_2": "8"}
    assert (addressed.phone, addressed.unicode, addressed.segments) == ("34600123456", False, 1)
    assert built.params["Mensaje"] == "Hola (Variable_1), el (Variable_2)"


@pytest.mark.parametrize(
    ("recipient", "error"),
    [
        ("600", InvalidPhone),
        (Recipient("abc", {"nombre": "Ana"}), InvalidPhone),
        (Recipient("600123456"), InvalidField),
        ("600123456", InvalidField),
        (Recipient("600123456", {"nombre": "(LINK:2:evil.example)"}), InvalidField),
        (34600123456, InvalidRequest),
        (None, InvalidRequest),
        (("600123456", {"nombre": "Ana"}), InvalidRequest),
    ],
)
def test_a_recipient_that_cannot_be_is_refused(recipient: Any, error: type[Exception]) -> None:
    """A wrong phone, a missing field, a field that holds an element, or no recipient at all."""
    with pytest.raises(error) as caught:
        message(Template("Hola {nombre}")).address(recipient)

    assert "600123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "encoding", "field", "unicode", "segments"),
    [
        ("Hola {n}", "auto", "Ana", False, 1),
        ("Hola {n}", "auto", "José", False, 1),
        ("Hola {n}", "auto", "Ωmega", False, 1),
        ("Hola {n}", "auto", "Łukasz", True, 1),
        ("Hola {n}", "gsm", "José", False, 1),
        ("Hola {n}", "unicode", "Ana", True, 1),
        ("Hola 🎉 {n}", "auto", "Ana", True, 1),
        ("{n}", "auto", "a" * 160, False, 1),
        ("{n}", "auto", "a" * 161, False, 2),
        ("{n}", "auto", "€" * 80, False, 1),
        ("{n}", "auto", "€" * 81, False, 2),
        ("{n}", "auto", "€" * 153, False, 3),
        ("{n}", "auto", "Ł" * 70, True, 1),
        ("{n}", "auto", "Ł" * 71, True, 2),
        ("{n}", "auto", "🎉" * 35, True, 1),
        ("{n}", "auto", "🎉" * 36, True, 2),
        ("a" * 150 + "{n}", "auto", "a" * 11, False, 2),
        ("{n}{phone}", "auto", "€" * 74, False, 1),
        ("{n}{phone}{phone}", "auto", "€" * 69, False, 1),
        ("{n}{phone}{phone}", "auto", "€" * 70, False, 2),
    ],
)
def test_encoding_and_segments_of_one_recipient(
    text: str, encoding: Any, field: str, unicode: bool, segments: int
) -> None:
    """Per recipient, since a name may need Unicode or make the text longer."""
    addressed = message(Template(text), encoding=encoding).address(Recipient("600123456", {"n": field}))

    assert (addressed.unicode, addressed.segments) == (unicode, segments)


@pytest.mark.parametrize("text", ["a" * 153 + "(Movil)", Template("a" * 153 + "{phone}")])
def test_a_phone_in_the_text_counts_as_long_as_it_is(text: Any) -> None:
    """Eleven digits where the text has a placeholder of seven characters."""
    built = message(text)

    assert not built.is_plain
    assert built.address("600123456").segments == 2
    assert built.address("600123456").wire == {"Movil": "34600123456"}


# --- to whom -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [[], "", None, 34600123456, b"600123456", [b"6"], {}])
def test_recipients_that_are_none_are_refused(to: Any) -> None:
    """Nobody, a number, bytes: said clearly, whatever it is."""
    with pytest.raises(InvalidRequest):
        [message().address(one) for one in recipients_of(to, 5)]


def test_more_than_one_request_holds_names_the_remedy() -> None:
    """An endless iterable is not read to its end."""
    endless = (str(600_000_000 + number) for number in iter(int, 1))

    with pytest.raises(InvalidRequest, match=r"More than 3 recipients.*send_bulk"):
        recipients_of(endless, 3)
    assert len(recipients_of(["1", "2", "3"], 3)) == 3


# --- dates and ids -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "wire"),
    [
        (datetime(NEXT_YEAR, 1, 8, 10, 0, tzinfo=MADRID), "01-08 10:00"),
        (datetime(NEXT_YEAR, 1, 8, 9, 0, 59, 999, tzinfo=UTC), "01-08 10:00"),
        (datetime(NEXT_YEAR, 7, 8, 9, 0, tzinfo=UTC), "07-08 11:00"),
        (datetime(NEXT_YEAR, 7, 8, 9, 0, tzinfo=ZoneInfo("Atlantic/Canary")), "07-08 10:00"),
        (datetime(NEXT_YEAR, 7, 8, 0, 30, tzinfo=timezone(timedelta(hours=9))), "07-07 17:30"),
    ],
)
def test_a_date_travels_in_spanish_time_to_the_minute(when: datetime, wire: str) -> None:
    """Wherever it was given, summer and winter."""
    assert wire_date(when) == f"{NEXT_YEAR}-{wire}"


def test_a_date_may_be_this_minute() -> None:
    """The wire has no seconds and clocks differ, so "now" is no date that has passed; five minutes ago is."""
    wire_date(datetime.now(UTC) - timedelta(seconds=60))
    with pytest.raises(InvalidDate, match="passed"):
        wire_date(datetime.now(UTC) - timedelta(minutes=5))


@pytest.mark.parametrize("message_id", [77, "77", " 77 "], ids=repr)
def test_a_message_id_is_a_number(message_id: Any) -> None:
    """Given as one, or as its text."""
    assert message_number(message_id) == 77


@pytest.mark.parametrize(
    "message_id", [0, -5, "", "abc", "7,5", 7.5, True, None, float("inf"), [], "9" * 5000]
)
def test_what_is_no_message_id_is_refused(message_id: Any) -> None:
    """0 is what a send gives of which nothing was accepted: there is nothing to ask about."""
    with pytest.raises(InvalidRequest, match="Invalid message id"):
        message_number(message_id)
