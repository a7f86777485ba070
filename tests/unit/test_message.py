"""A message checked once and turned into requests: parameters, recipients, dates, and what a reply left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
    """Text and sender, which must be there even when it is empty; `Links` with elements, as the manual says."""
    assert message().params == {"Remitente": "", "Mensaje": "Hola"}
    assert message("Vea " + elements.link("https://example.com/a")).params["Links"] == 1
    assert "Links" not in message("Vea https://example.com/a").params


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


@pytest.mark.parametrize(
    ("fallback", "language", "caller"),
    [
        (True, "es-ES", None),
        (VoiceFallback("en-GB:1"), "en-GB:1", None),
        (VoiceFallback("pt-PT:2", caller="210 000 000"), "pt-PT:2", "351210000000"),
        (False, None, None),
        (None, None, None),
    ],
)
def test_voice_fallback(fallback: Any, language: str | None, caller: str | None) -> None:
    """True takes the usual voice; a caller, read in the client's region, is left to the provider unless given."""
    params = message(voice_fallback=fallback, region="PT").params

    assert (params.get("Lenguajevoz"), params.get("Remitentevoz")) == (language, caller)
    assert params.get("Fail2voice") == (1 if language else None)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        *(({"text": text}, InvalidRequest) for text in ("", "  \n", None, b"Hola", "Hola \ud83d", "Hola\0")),
        ({"text": "a" * 40_000}, InvalidRequest),
        *(({"encoding": encoding}, InvalidRequest) for encoding in ("utf-8", None)),
        *(({"reference": reference}, InvalidRequest) for reference in ("r\ud83d", 5)),
        *(({"join": join}, InvalidRequest) for join in (0, "abc")),
        ({"sender": "DEMASIADOLARGO"}, InvalidSender),
        ({"report": "yes"}, InvalidRequest),
        ({"scheduled_at": datetime(NEXT_YEAR, 1, 8)}, InvalidDate),
        ({"scheduled_at": "2027-01-08 10:00"}, InvalidDate),
        ({"scheduled_at": datetime(2020, 1, 8, tzinfo=UTC)}, InvalidDate),
        *(({"voice_fallback": voice}, InvalidRequest) for voice in ("es-ES", VoiceFallback("español"))),
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
        *(("Hola {n}", "auto", name, False, 1) for name in ("Ana", "José", "Ωmega")),
        ("Hola {n}", "auto", "Łukasz", True, 1),
        ("Hola {n}", "gsm", "José", False, 1),
        ("Hola {n}", "unicode", "Ana", True, 1),
        ("Hola 🎉 {n}", "auto", "Ana", True, 1),
        *(("{n}", "auto", "a" * length, False, parts) for length, parts in ((160, 1), (161, 2))),
        *(("{n}", "auto", "€" * length, False, parts) for length, parts in ((80, 1), (81, 2), (153, 3))),
        *(("{n}", "auto", "Ł" * length, True, parts) for length, parts in ((70, 1), (71, 2))),
        *(("{n}", "auto", "🎉" * length, True, parts) for length, parts in ((35, 1), (36, 2))),
        ("a" * 150 + "{n}", "auto", "a" * 11, False, 2),
        ("{n}{phone}", "auto", "€" * 74, False, 1),
        *(("{n}{phone}{phone}", "auto", "€" * length, False, parts) for length, parts in ((69, 1), (70, 2))),
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
    """Nobody, a number, bytes: said clearly, whatever it is; and more than a request holds, without reading all."""
    with pytest.raises(InvalidRequest):
        [message().address(one) for one in recipients_of(to, 5)]
    with pytest.raises(InvalidRequest, match=r"More than 3 recipients.*send_bulk"):
        recipients_of((str(600_000_000 + number) for number in iter(int, 1)), 3)
    assert len(recipients_of(["1", "2", "3"], 3)) == 3


# --- dates and ids -----------------------------------------------------------------------------------------


def test_a_date_travels_in_spanish_time_to_the_minute() -> None:
    """No seconds, and clocks differ, so "now" is no date that has passed; five minutes ago is."""
    assert wire_date(datetime(NEXT_YEAR, 7, 8, 9, 0, 59, 999, tzinfo=UTC)) == f"{NEXT_YEAR}-07-08 11:00"
    wire_date(datetime.now(UTC) - timedelta(seconds=60))
    with pytest.raises(InvalidDate, match="passed"):
        wire_date(datetime.now(UTC) - timedelta(minutes=5))


@pytest.mark.parametrize(
    "message_id", [0, -5, "", "abc", "7,5", 7.5, True, None, float("inf"), [], "9" * 5000]
)
def test_a_message_id_is_a_number(message_id: Any) -> None:
    """Or its text; 0 is what a send gives of which nothing was accepted: there is nothing to ask about."""
    assert [message_number(one) for one in (77, "77", " 77 ")] == [77] * 3
    with pytest.raises(InvalidRequest, match="Invalid message id"):
        message_number(message_id)
