"""What a campaign sends, checked before anything is written down, and read again by any later process."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import AsyncMensatek, InvalidRequest, Issuer, Limits, Recipient, Template
from mensatek_async._core.context import Context
from mensatek_async._wire.structure import dumps, loads
from mensatek_async.campaigns.journal.records import Settings
from mensatek_async.campaigns.options import Content, compose_content, compose_settings

ISSUER = Issuer("EMPRESA S.L.", "900000000", "B00000000", check=False)
UNGIVEN = [
    "sender",
    "scheduled_at",
    "reference",
    "report",
    "voice_fallback",
    "issuer",
    "contract_type",
    "validity",
]
NOTHING: dict[str, Any] = {
    **dict.fromkeys([*UNGIVEN, "identify", "acceptance_days", "report_email"]),
    "encoding": "auto",
    "fix_utf8": False,
}


@pytest.fixture
def context() -> Context:
    """A client's, which is never opened."""
    limits = Limits(sms_per_request=500, certified_per_request=100)
    client = AsyncMensatek("u", "the-token", base_url="http://127.0.0.1", sender="CLINICA", limits=limits)
    return client._context


def compose(
    context: Context,
    text: str | Template = "Hola",
    product: str = "sms",
    size: Any = None,
    anchor: str | Recipient | None = None,
    rate: float | None = None,
    **options: Any,
) -> Content:
    return compose_content(context, text, product, NOTHING | options, size, anchor, rate)


def settings(**given: Any) -> Settings:
    usual: dict[str, Any] = dict.fromkeys(
        ["rate", "send_between", "max_credits", "unknown_after", "scheduled_at"]
    )
    usual |= {"local_time": "spanish", "unknown_policy": "keep", "respect_opt_outs": True}
    return compose_settings(**{**usual, **given})


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
def test_what_is_written_is_read_again(context: Context, given: dict[str, Any]) -> None:
    """By another process, with another client: the same requests, byte for byte."""
    written = compose(context, **given)
    read = loads(dumps(written), Content)

    assert read == written
    assert "the-token" not in dumps(written)
    assert read.digest() == written.digest()
    assert read.message(context) == written.message(context)


def test_what_makes_another_campaign(context: Context) -> None:
    """Text, product, options and anchor do; how many go into a request does not."""
    base = compose(context)
    others = [
        compose(context, "Adios"),
        compose(context, sender="OTRA"),
        compose(context, reference="x"),
        compose(context, anchor="600111222"),
        compose(context, Template("Hola")),
        compose(context, product="certified", issuer=ISSUER),
    ]

    assert len({one.digest() for one in [base, *others]}) == len(others) + 1
    assert compose(context, size=7).digest() == base.digest()


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({}, 500),
        ({"size": 10}, 10),
        ({"size": 10_000}, 500),
        ({"rate": 50}, 50),
        ({"rate": 0.5}, 1),
        ({"rate": 5000, "size": 20}, 20),
        ({"product": "certified", "issuer": ISSUER}, 100),
    ],
)
def test_the_size_of_a_request(context: Context, given: dict[str, Any], size: int) -> None:
    """As asked, as fits, and no more than a second's worth of the rate."""
    assert compose(context, **given).size == size


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"product": "voice"}, "product"),
        *(({"size": size}, "chunk_size") for size in (0, True, 2.5)),
        ({"issuer": ISSUER}, "issuer"),
        ({"acceptance_days": 3}, "acceptance_days"),
        ({"product": "certified", "issuer": ISSUER, "voice_fallback": True}, "voice_fallback"),
        ({"text": ""}, "text"),
        ({"sender": "far too long a sender"}, "sender"),
        ({"text": Template("Hola {nombre}"), "anchor": "600111222"}, "nombre"),
        ({"anchor": "12"}, "phone"),
    ],
)
def test_what_cannot_be_sent(context: Context, given: dict[str, Any], why: str) -> None:
    """Said before anything is written down; so is an anchor, the first phone that is texted."""
    with pytest.raises(InvalidRequest, match=f"(?i){why}"):
        compose(context, **given)
    anchored = compose(context, Template("Hola {n}"), anchor=Recipient("600 111 222", {"n": "yo"}))
    assert anchored.anchor == {"Movil": "34600111222", "Variable_1": "yo"}


BOTH = {"send_between": (time(9), time(21)), "scheduled_at": datetime(2099, 1, 8, 3, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        *(({"rate": rate}, "rate") for rate in (0, True, float("inf"), float("nan"), "fast")),
        ({"local_time": "martian"}, "local_time"),
        ({"unknown_policy": "forget"}, "unknown_policy"),
        ({"respect_opt_outs": "no"}, "respect_opt_outs"),
        *(({"unknown_after": after}, "unknown_after") for after in (-1, float("nan"))),
        *(({"max_credits": most}, "max_credits") for most in (0, "many", True, Decimal("Infinity"))),
        ({"send_between": (time(9), time(9))}, "send_between"),
        (BOTH, "send_between"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense(given: dict[str, Any], why: str) -> None:
    """Each is named."""
    with pytest.raises(InvalidRequest, match=why):
        settings(**given)


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
    found = settings(**given, unknown_after=after, unknown_policy=policy)

    assert loads(dumps(found), Settings) == found
    assert found.cap == (None if credits is None else int(Decimal(str(credits)) * 1_000_000))
    assert (found.hours is None) is (hours is None)
