"""Who may post: credentials, token, networks."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mensatek_async import ConfigurationError
from mensatek_async.webhooks import Authentication, asgi, wsgi

USER, PASSWORD, TOKEN = "mensatek", "contraseña: ñ", "s3cr3t-ñ&=+ /"


def basic(user: str = USER, password: str = PASSWORD, encoding: str = "utf-8") -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode(encoding)).decode()}"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"username": USER},
        {"password": PASSWORD},
        {"username": "", "password": ""},
        {"username": USER, "password": "  "},
        {"token": ""},
        {"networks": ["192.0.2.0/24"]},
        {"username": "a:b", "password": PASSWORD},
        {"token": TOKEN, "networks": ["nowhere"]},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "made", [Authentication, asgi.WebhookApp, wsgi.WebhookApp], ids=lambda made: made.__module__
)
def test_a_door_that_is_none_is_refused(made: Any, settings: dict[str, Any]) -> None:
    """A webhook open to anybody, or one closed by a misprint, is found when the program starts."""
    arguments = () if made is Authentication else (print,)

    with pytest.raises(ConfigurationError):
        made(*arguments, **settings)


RIGHT = "token=s3cr3t-%C3%B1%26%3D%2B+%2F"
BY_BASIC = Authentication(username=USER, password=PASSWORD)
BY_TOKEN = Authentication(token=TOKEN)
BY_NETWORK = Authentication(networks=["192.0.2.0/24", "2001:db8::1"], allow_unauthenticated=True)
ADMITTED: list[tuple[Authentication, str, list[str | None]]] = [
    (Authentication(allow_unauthenticated=True), "peer", [None]),
    (BY_BASIC, "authorization", [basic(), basic(encoding="latin-1"), basic().replace("Basic", "basic")]),
    (BY_TOKEN, "query", [RIGHT, "a=b&token=s3cr3t-%C3%B1%26%3D%2B%20/"]),
    (BY_NETWORK, "peer", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "2001:db8::1%eth0"]),
]
REFUSED: list[tuple[Authentication, str, list[str | None]]] = [
    (BY_BASIC, "authorization", [basic(password="else"), basic(user="else"), basic() + "A", "Basic", "Basic !!!",
                                 basic().replace("Basic", "Bearer"), "", None, "Basic " + "A" * 100_000]),
    (BY_TOKEN, "query", ["token=else", "token=", f"T{RIGHT[1:]}", f"token=else&{RIGHT}", "", "&".join(["a=b"] * 1000)]),
    (BY_NETWORK, "peer", ["198.51.100.1", "unix:", "", None]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("door", "part", "value", "admitted"),
    [
        pytest.param(door, part, value, admitted, id=f"{door!r}-{admitted}-{number}")
        for rows, admitted in ((ADMITTED, True), (REFUSED, False))
        for door, part, values in rows
        for number, value in enumerate(values)
    ],
)
def test_who_may_post(door: Authentication, part: str, value: Any, admitted: bool) -> None:
    """The right pair in either encoding, the right token once, a peer in one of the networks; nobody else."""
    assert door.admits(**{part: value}) is admitted


@pytest.mark.parametrize("wrong", ["authorization", "query", "peer"])
def test_all_that_is_configured_must_be_right(wrong: str) -> None:
    """Two right parts do not make up for a third."""
    door = Authentication(username=USER, password=PASSWORD, token="t", networks="192.0.2.7")
    given = {"authorization": basic(), "query": "token=t", "peer": "192.0.2.7"}

    assert door.admits(**given)
    assert not door.admits(**given | {wrong: "else"})


def test_a_door_shows_no_secret() -> None:
    """Neither in a log nor in a debugger's list."""
    door = Authentication(username=USER, password=PASSWORD, token=TOKEN)

    assert repr(door) == "<Authentication by basic, token>"
    assert not [secret for secret in (PASSWORD, TOKEN) if secret in repr(vars(door))]


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=30))
def test_nothing_a_request_holds_makes_it_fail(authorization: str, query: str, peer: str) -> None:
    """Whoever knocks is let in or not; no header or query breaks the door."""
    door = Authentication(username=USER, password=PASSWORD, token=TOKEN, networks=["192.0.2.0/24"])

    assert not door.admits(authorization=authorization, query=query, peer=peer)
    assert not door.admits(authorization=f"Basic {authorization}", query=f"token={query}", peer=peer)
