"""What a campaign sends, checked before anything is written down, and read again by any later process."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import AsyncMensatek, InvalidRequest, Issuer, Limits, Recipient, Template
from mensatek_async._wire.structure import dumps, loads
from mensatek_async.campaigns.journal.records import Settings
from mensatek_async.campaigns.options import Content, compose_plan

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000", check=False)
CLIENT = AsyncMensatek(
    "u",
    "the-token",
    base_url="http://127.0.0.1",
    sender="CLINICA",
    limits=Limits(sms_per_request=500, certified_per_request=100),
)


def plan(text: str | Template = "Hola", **options: Any) -> tuple[Content, Settings]:
    """What a client that is never opened would write down."""
    return compose_plan(CLIENT._context, text, options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"text": Template("Hola {nombre}, a las {hora}")},
        {"text": "😀 ñ 'quoted' \"twice\""},
        {"sender": "OTRA", "reference": "pedido 7", "report": True, "encoding": "unicode"},
        {"voice_fallback": True, "anchor": "600111222"},
        {"product": "certified", "issuer": ISSUER, "validity": timedelta(days=2), "acceptance_days": 3},
        {"scheduled_at": datetime(2099, 1, 8, 10, tzinfo=UTC)},
    ],
    ids=str,
)
def test_what_is_written_is_read_again(given: dict[str, Any]) -> None:
    """By another process, with another client: the same requests, byte for byte."""
    written, _ = plan(**given)
    read = loads(dumps(written), Content)

    assert read == written
    assert "the-token" not in dumps(written)
    assert read.digest() == written.digest()
    assert read.message(CLIENT._context) == written.message(CLIENT._context)


def test_what_makes_another_campaign() -> None:
    """Text, product, options and anchor do; how many go into a request does not."""
    others = [
        plan(),
        plan("Adios"),
        plan(sender="OTRA"),
        plan(reference="x"),
        plan(anchor="600111222"),
        plan(Template("Hola")),
        plan(product="certified", issuer=ISSUER),
    ]

    assert len({one.digest() for one, _ in others}) == len(others)
    assert plan(chunk_size=7)[0].digest() == plan()[0].digest()


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({}, 500),
        ({"chunk_size": 10}, 10),
        ({"chunk_size": 10_000}, 500),
        ({"rate": 50}, 50),
        ({"rate": 0.5}, 1),
        ({"rate": 5000, "chunk_size": 20}, 20),
        ({"product": "certified", "issuer": ISSUER}, 100),
    ],
)
def test_the_size_of_a_request(given: dict[str, Any], size: int) -> None:
    """As asked, as fits, and no more than a second's worth of the rate."""
    assert plan(**given)[0].size == size


NINE, AWARE = time(9), time(21, tzinfo=UTC)
NO_HOURS = [(NINE,), (NINE, NINE), ("09:00", "21:00"), (9, 21), NINE, (AWARE, NINE), (NINE, AWARE), 7]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"product": "voice"}, "product"),
        *(({"chunk_size": size}, "chunk_size") for size in (0, True, 2.5)),
        ({"issuer": ISSUER}, "issuer"),
        ({"acceptance_days": 3}, "acceptance_days"),
        ({"product": "certified", "issuer": ISSUER, "voice_fallback": True}, "voice_fallback"),
        ({"text": ""}, "text"),
        ({"sender": "far too long a sender"}, "sender"),
        ({"text": Template("Hola {nombre}"), "anchor": "600111222"}, "nombre"),
        ({"anchor": "12"}, "phone"),
        *(({"rate": rate}, "rate") for rate in (0, True, float("inf"), float("nan"), "fast")),
        ({"local_time": "martian"}, "local_time"),
        ({"unknown_policy": "forget"}, "unknown_policy"),
        ({"respect_opt_outs": "no"}, "respect_opt_outs"),
        *(({"unknown_after": after}, "unknown_after") for after in (-1, float("nan"))),
        *(({"max_credits": most}, "max_credits") for most in (0, "many", True, Decimal("Infinity"))),
        *(({"send_between": hours}, "send_between") for hours in NO_HOURS),
        (
            {"send_between": (time(9), time(21)), "scheduled_at": datetime(2099, 1, 8, 3, tzinfo=UTC)},
            "send_between",
        ),
    ],
    ids=str,
)
def test_what_cannot_be(given: dict[str, Any], why: str) -> None:
    """Each is named before anything is written down; so is an anchor, the first phone that is texted."""
    with pytest.raises(InvalidRequest, match=f"(?i){why}"):
        plan(**given)


def test_an_anchor_fills_the_template() -> None:
    """As any recipient does."""
    anchored, _ = plan(Template("Hola {n}"), anchor=Recipient("600 111 222", {"n": "yo"}))
    assert anchored.anchor == {"Movil": "34600111222", "Variable_1": "yo"}


times = st.times().map(lambda one: one.replace(tzinfo=None))


@given(
    rate=st.none() | st.floats(0.001, 1e6),
    hours=st.none() | st.tuples(times, times).filter(lambda two: two[0] != two[1]),
    local=st.sampled_from(["spanish", "recipient"]),
    credits=st.none() | st.decimals("0.000001", "1000000", places=6) | st.integers(1, 10**9),
    after=st.none() | st.floats(0, 1e6) | st.timedeltas(timedelta(0), timedelta(days=30)),
    policy=st.sampled_from(["keep", "assume_sent", "resend"]),
)
def test_settings_survive_the_journal(
    rate: float | None, hours: Any, local: str, credits: Any, after: Any, policy: str
) -> None:
    """To the microsecond and the millionth."""
    given = {"rate": rate, "send_between": hours, "local_time": local, "max_credits": credits}
    _, found = plan(**given, unknown_after=after, unknown_policy=policy)

    assert loads(dumps(found), Settings) == found
    assert found.cap == (None if credits is None else int(Decimal(str(credits)) * 1_000_000))
    assert (found.hours is None) is (hours is None)
