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


def test_an_open_door_must_be_asked_for() -> None:
    """For development, and said so in the code."""
    assert Authentication(allow_unauthenticated=True).admits()


@pytest.mark.parametrize(
    ("authorization", "admitted"),
    [
        (basic(), True),
        (basic(encoding="latin-1"), True),
        (basic().replace("Basic", "basic"), True),
        (basic(password="else"), False),
        (basic(user="else"), False),
        (basic() + "A", False),
        ("Basic", False),
        ("Basic !!!", False),
        (basic().replace("Basic", "Bearer"), False),
        ("", False),
        (None, False),
        ("Basic " + "A" * 100_000, False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_basic_credentials(authorization: str | None, admitted: bool) -> None:
    """Only the right pair gets in, in either encoding of its letters."""
    assert Authentication(username=USER, password=PASSWORD).admits(authorization=authorization) is admitted


@pytest.mark.parametrize(
    ("query", "admitted"),
    [
        ("token=s3cr3t-%C3%B1%26%3D%2B+%2F", True),
        ("a=b&token=s3cr3t-%C3%B1%26%3D%2B%20/", True),
        ("token=else", False),
        ("token=", False),
        ("Token=s3cr3t-%C3%B1%26%3D%2B+%2F", False),
        ("token=else&token=s3cr3t-%C3%B1%26%3D%2B+%2F", False),
        ("", False),
        ("&".join(["a=b"] * 1000), False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_token_in_the_url(query: str, admitted: bool) -> None:
    """Only the right token gets in, once."""
    assert Authentication(token=TOKEN).admits(query=query) is admitted


@pytest.mark.parametrize(
    ("peer", "admitted"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::1", True),
        ("2001:db8::1%eth0", True),
        ("198.51.100.1", False),
        ("unix:", False),
        ("", False),
        (None, False),
    ],
)
def test_source_networks(peer: str | None, admitted: bool) -> None:
    """The connection's other end must be in one of them."""
    door = Authentication(networks=["192.0.2.0/24", "2001:db8::1"], allow_unauthenticated=True)

    assert door.admits(peer=peer) is admitted


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
