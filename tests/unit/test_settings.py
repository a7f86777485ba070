"""Settings and the environment: what is taken, what is refused, what never shows."""

from __future__ import annotations

import copy
import pickle
from datetime import timedelta
from typing import Any

import attrs
import pytest

from mensatek_async import AsyncMensatek, ConfigurationError, Guard, Limits, Mensatek, Retry, Timeout
from mensatek_async.settings import DEFAULT_BASE_URL, Secret, check_base_url, load_account

TOKEN = "tOkEn-4711"


def test_defaults_are_those_of_the_documentation() -> None:
    """What a user gets who sets nothing."""
    assert Limits() == Limits(concurrency=8, per_second=None, sms_per_request=500, certified_per_request=50)
    assert (Guard().pause, Guard().pause_max, Guard().read_interval, Guard().wrong_calls) == (60, 900, 5, 5)
    assert Guard().wrong_window == 60
    assert Retry().attempts > 1
    assert Limits(concurrency=64, per_second=0.5).per_second == 0.5
    assert DEFAULT_BASE_URL == "https://api.mensatek.com/v7"


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (cls, field.name)
        for cls in (Timeout, Retry, Guard)
        for field in attrs.fields(cls)
        if field.type in (float, "float")
    ],
)
def test_times_are_seconds_or_timedeltas(cls: Any, name: str) -> None:
    """Both forms of a time give the same setting."""
    assert getattr(cls(**{name: timedelta(minutes=2)}), name) == getattr(cls(**{name: 120}), name) == 120.0


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        *((Timeout, "connect", value) for value in (0, -1, float("nan"), None, "10", True)),
        (Timeout, "grace", timedelta(seconds=-1)),
        *((Limits, "concurrency", value) for value in (0, 65, 2.0, True)),
        *((Limits, "per_second", value) for value in (0, "3", float("inf"))),
        (Limits, "sms_per_request", 0),
        (Limits, "certified_per_request", "50"),
        (Retry, "attempts", 0),
        (Retry, "wait_max", -1),
        (Retry, "trust_429", "yes"),
        *(
            (Guard, name, value)
            for name, value in (("wrong_calls", 0), ("wrong_window", 0), ("remember", -5))
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(cls: Any, name: str, value: object) -> None:
    """A wrong number is a ConfigurationError that names setting and rule, at construction; nor is it changed later."""
    with pytest.raises(ConfigurationError, match=rf"{name}|A time is seconds"):
        cls(**{name: value})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(cls(), name, 1)


# --- the environment ---------------------------------------------------------------------------------------


def test_the_environment_fills_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """All four variables are read; what is given wins."""
    values = {"API_USER": "env-user", "API_TOKEN": TOKEN, "SENDER": "ENV"}
    for name, value in {**values, "BASE_URL": "http://127.0.0.1:9/v7/"}.items():
        monkeypatch.setenv(f"MENSATEK_{name}", value)

    found = load_account(None, None, None, None)
    given = load_account("me", "mine", "https://other.example", "ME")

    for account, *expected in (
        (found, "env-user", TOKEN, "http://127.0.0.1:9/v7", "ENV"),
        (given, "me", "mine", "https://other.example", "ME"),
    ):
        assert [account.user, account.token.reveal(), account.base_url, account.sender] == expected
    assert load_account("me", "mine", None, "").sender == ""


@pytest.mark.parametrize(
    ("user", "token", "named"),
    [
        (None, None, ["MENSATEK_API_USER", "MENSATEK_API_TOKEN"]),
        ("me", None, ["MENSATEK_API_TOKEN"]),
        ("", "mine", ["MENSATEK_API_USER"]),
    ],
)
def test_missing_credentials_are_named(user: str | None, token: str | None, named: list[str]) -> None:
    """The error says which of the two is missing and where to get it, before any call."""
    for client in (AsyncMensatek, Mensatek):
        with pytest.raises(ConfigurationError, match="panel") as caught:
            client(user, token)
        names = ("MENSATEK_API_USER", "MENSATEK_API_TOKEN")
        assert [name for name in names if name in str(caught.value)] == named


@pytest.mark.parametrize(
    ("user", "token"),
    [
        *((user, TOKEN) for user in ("a:b", " me", 5)),
        *(("me", token) for token in (f"{TOKEN}\n", f"to\rk{TOKEN}", TOKEN.encode())),
    ],
)
def test_credentials_that_http_cannot_carry_are_refused(user: Any, token: Any) -> None:
    """A colon in the user, a line break copied along, or bytes: said at once, and without the token."""
    with pytest.raises(ConfigurationError) as caught:
        load_account(user, token, None, None)

    assert TOKEN not in f"{caught.value!r}"


# --- base_url ----------------------------------------------------------------------------------------------


LOOPBACK = ("localhost:8000", "LOCALHOST", "127.0.0.1", "127.8.9.1:80", "[::1]:8080", "api.localhost")


@pytest.mark.parametrize(
    "url",
    [
        *("https://api.mensatek.com/v7", "HTTPS://api.example:8443/v7/", "https://[2001:db8::1]/v7"),
        *(f"http://{host}/v7" for host in LOOPBACK),
    ],
)
def test_https_and_loopback_are_taken(url: str) -> None:
    """The provider's address, a test double's, and a trailing slash that does not matter."""
    assert check_base_url(url) == url.rstrip("/")
    assert AsyncMensatek("me", TOKEN, base_url=url)


PLAIN = (
    *("api.mensatek.com", "127.0.0.1.evil.example", "localhost.evil.example", "2130706433", "0.0.0.0"),
    "[::ffff:8.8.8.8]",
)
NO_ADDRESS = (
    *("ftp://api.mensatek.com/v7", "api.mensatek.com/v7", "https://", "https:///v7", "https://host:port/v7"),
    *("https://host:99999/v7", "https://[::1/v7", "https://exa mple.com/v7", " https://example.com/v7"),
    *("https://example.com/v7\n", "http://localhost\\.evil.example/v7", b"https://example.com/v7", 5),
    *("https://a..b/v7", "https://ñ..es/v7", f"https://{'a' * 64}.es/v7", "https://xn--zz/v7"),
)
SECRETIVE = (
    "user:geheim@host/v7",
    "geheim@host/v7",
    "@host/v7",
    "host/v7?key=geheim",
    "host/v7?",
    "host#geheim",
)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        *((f"http://{host}/v7", "not https") for host in PLAIN),
        *((url, "not a web address") for url in NO_ADDRESS),
        *((f"https://{rest}", "no credentials") for rest in SECRETIVE),
    ],
)
def test_an_address_that_would_show_the_token_is_refused(url: Any, why: str) -> None:
    """Plain http to another host, credentials or a query in the URL, and what is no address at all."""
    with pytest.raises(ConfigurationError, match=why) as caught:
        AsyncMensatek("me", TOKEN, base_url=url)

    assert "geheim" not in str(caught.value)
    assert caught.value.sent is False


# --- secrets -----------------------------------------------------------------------------------------------


def test_a_secret_never_shows() -> None:
    """Not in its own repr, nor in that of an account or a client, and not in a pickle."""
    secret = Secret(TOKEN)
    account = load_account("me", TOKEN, None, None)

    clients = (AsyncMensatek("me", TOKEN), Mensatek("me", TOKEN))
    assert TOKEN not in f"{secret} {secret!r} {[secret]} {account} {account!r} {clients!r}"
    assert secret.reveal() == TOKEN
    for held in (secret, *clients):
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(held)
    with pytest.raises(TypeError, match="cannot be pickled"):
        copy.copy(account.token)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("REQUEST_FORMAT", "xml"),
        ("REPORT", "maybe"),
        ("ASSUME_GROUPING", "2"),
        ("PATHS", "CancelarSMSCERTIFICADO"),
        ("PATHS", "CancelarSMSCERTIFICADO=a/b"),
        ("PATHS", "Cancela=Otra"),
    ],
)
def test_a_variable_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """Before any call; an argument counts instead of the variable."""
    monkeypatch.setenv(f"MENSATEK_{variable}", value)
    with pytest.raises(ConfigurationError):
        AsyncMensatek("me", TOKEN)
    AsyncMensatek("me", TOKEN, request_format="json", report=False, assume_grouping=True, paths={})
