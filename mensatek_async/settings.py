"""Frozen settings and the environment: the only file that reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from attrs import Attribute, evolve, field, frozen

from .errors import ConfigurationError

DEFAULT_BASE_URL = "https://api.mensatek.com/v7"

Seconds = float | timedelta
_PLAIN = re.compile(r"[^\s\\\x00-\x1f\x7f]+")
_Check = Callable[[Any, "Attribute[Any]", Any], None]


def _seconds(value: Seconds) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if not _is_number(value):
        raise ConfigurationError(f"A time is seconds or a timedelta, not {type(value).__name__}.")
    return float(value)


def _must_be(wanted: str, is_right: Callable[[Any], bool]) -> _Check:
    def check(setting: Any, attribute: Attribute[Any], value: object) -> None:
        if not is_right(value):
            name = type(setting).__name__
            raise ConfigurationError(f"{name}({attribute.name}={value!r}): it must be {wanted}.")

    return check


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(most: float = float("inf")) -> _Check:
    wanted = "a whole number from 1" + (f" to {most}" if most < float("inf") else "")
    return _must_be(wanted, lambda it: isinstance(it, int) and _is_number(it) and 1 <= it <= most)


_more_than_zero = _must_be("more than 0", lambda seconds: seconds > 0)
_not_negative = _must_be("0 or more", lambda seconds: seconds >= 0)
_pace = _must_be(
    "a number above 0, or None", lambda it: it is None or (_is_number(it) and 0 < it < float("inf"))
)
_flag = _must_be("True or False", lambda it: isinstance(it, bool))


def _store(setting: Any, attribute: Attribute[Any], value: object) -> None:
    if not isinstance(value, str | os.PathLike | None):  # which may hold a password
        raise ConfigurationError(f"Guard(store=...) is a path or an address, not {type(value).__name__}.")


@frozen(kw_only=True)
class Timeout:
    """How long to wait, each in seconds (a float or a timedelta).

    Attributes:
        connect: to open a connection; nothing was sent when it runs out.
        read: between two pieces of the answer.
        write: between two pieces of the request.
        total: for one whole request, however it drips.
        grace: a cancelled bulk send, and `aclose()`, wait this long for the answers of requests already on their way,
            so that their texts need not be reported as unknown.
    """

    connect: float = field(default=10.0, converter=_seconds, validator=_more_than_zero)
    read: float = field(default=60.0, converter=_seconds, validator=_more_than_zero)
    write: float = field(default=30.0, converter=_seconds, validator=_more_than_zero)
    total: float = field(default=120.0, converter=_seconds, validator=_more_than_zero)
    grace: float = field(default=5.0, converter=_seconds, validator=_not_negative)


@frozen(kw_only=True)
class Limits:
    """How much at once.

    Attributes:
        concurrency: requests in flight, and so connections, of one client (1-64).
        per_second: requests a second at most; None sets no pace until the provider says "slow down".
        sms_per_request: recipients in one plain request.
        certified_per_request: recipients in one certified request.
    """

    concurrency: int = field(default=8, validator=_whole(64))
    per_second: float | None = field(default=None, validator=_pace)
    sms_per_request: int = field(default=500, validator=_whole())
    certified_per_request: int = field(default=50, validator=_whole())


@frozen(kw_only=True)
class Retry:
    """When a call that is safe to repeat is repeated.

    Attributes:
        attempts: tries in all, the first one included; 1 never repeats. A request of a bulk send that joins a
            message is given twice as many, since repeating it is harmless and nobody waits for it alone.
        wait_initial: seconds before the second try; doubles each time, with jitter.
        wait_max: seconds between two tries at most.
        timeout: seconds over all tries; a `Retry-After` beyond what is left ends the call at once.
        trust_429: whether HTTP 429, and 503 with `Retry-After`, mean that nothing was done, as HTTP has it. False takes
            such an answer to a send or a change for a lost one: it is repeated only where that is safe, else it ends
            in `OutcomeUnknown`.
    """

    attempts: int = field(default=4, validator=_whole())
    wait_initial: float = field(default=0.5, converter=_seconds, validator=_not_negative)
    wait_max: float = field(default=15.0, converter=_seconds, validator=_not_negative)
    timeout: float = field(default=90.0, converter=_seconds, validator=_not_negative)
    trust_429: bool = field(default=True, validator=_flag)


@frozen(kw_only=True)
class Guard:
    """What keeps the account from being blocked.

    Attributes:
        pause: seconds that calls are refused after the provider refused the credentials; doubles each time.
        pause_max: the longest such pause, seconds.
        block_pause: seconds to wait after a block (HTTP 403) that names no time.
        wrong_calls: wrong calls to one operation within `wrong_window` after which further ones are refused.
        wrong_window: seconds in which wrong calls are counted.
        read_interval: seconds before the same read may go out again.
        period_interval: seconds before the certificates of a period may be downloaded again: the provider means
            that call for rare use.
        remember: how many reads are remembered.
        store: where processes share all this but the answers of reads, so that a pause is everybody's: the path of a
            SQLite file, made when it is not there, or "postgresql://..." (extra `postgres`) for several machines.
            Default: MENSATEK_GUARD_STORE, else none; "" is none. Neither token, phone nor text is written there. When
            it does not work, a `StoreWarning` says so once, and the process goes on with what it knows itself.
    """

    pause: float = field(default=60.0, converter=_seconds, validator=_not_negative)
    pause_max: float = field(default=900.0, converter=_seconds, validator=_not_negative)
    block_pause: float = field(default=60.0, converter=_seconds, validator=_not_negative)
    wrong_calls: int = field(default=5, validator=_whole())
    wrong_window: float = field(default=60.0, converter=_seconds, validator=_more_than_zero)
    read_interval: float = field(default=5.0, converter=_seconds, validator=_not_negative)
    period_interval: float = field(default=60.0, converter=_seconds, validator=_not_negative)
    remember: int = field(default=1024, validator=_whole())
    store: str | os.PathLike[str] | None = field(
        default=None, validator=_store, repr=lambda store: "'***'" if store else repr(store)
    )


def as_setting(cls: type[S], value: object, example: str) -> S:
    """One of the client's settings, or its defaults for None."""
    if value is None:
        return cls()
    if not isinstance(value, cls):
        name = cls.__name__
        raise ConfigurationError(
            f"{name.lower()} is a {name}, not {type(value).__name__}.", advice=f"Write {name}({example})."
        )
    return value


def as_guard(value: object) -> Guard:
    """Return what keeps the account from being blocked, with the environment's store where it names none."""
    guard = as_setting(Guard, value, "pause=60")
    return guard if guard.store is not None else evolve(guard, store=variable("MENSATEK_GUARD_STORE"))


def variable(name: str) -> str | None:
    """Return a variable of the environment."""
    return os.environ.get(name)


def as_timeout(value: Timeout | Seconds | None) -> Timeout:
    """Return the times to wait; seconds alone, or a timedelta, are the total."""
    if isinstance(value, int | float | timedelta) and not isinstance(value, bool):
        return Timeout(total=value)
    return as_setting(Timeout, value, "total=30")


class Secret:
    """A value that never shows: not in repr, not in a log, not in a pickle.

    A plain class on purpose: attrs and cattrs would unfold one of their own.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled")


@frozen(kw_only=True)
class Account:
    """Where to call and as whom."""

    user: str
    token: Secret = field(repr=False)
    base_url: str
    sender: str | None


def load_account(user: str | None, token: str | None, base_url: str | None, sender: str | None) -> Account:
    """Fill what is missing from the environment and check it."""
    user = user or os.environ.get("MENSATEK_API_USER", "")
    token = token or os.environ.get("MENSATEK_API_TOKEN", "")
    url = base_url or os.environ.get("MENSATEK_BASE_URL") or DEFAULT_BASE_URL
    sender = sender if sender is not None else os.environ.get("MENSATEK_SENDER") or None
    return check_account(user, token, check_base_url(url), sender)


def check_account(user: str, token: str, base_url: str, sender: str | None) -> Account:
    """Return an account, of whose credentials nothing comes from the environment."""
    missing = [
        name for name, value in (("MENSATEK_API_USER", user), ("MENSATEK_API_TOKEN", token)) if not value
    ]
    if missing:
        raise ConfigurationError(
            f"No API credentials: {' and '.join(missing)} not given.",
            advice="Pass user and token, or set the environment variables; your panel shows both.",
        )
    for kind, value in (("user", user), ("token", token)):
        if not isinstance(value, str):
            raise ConfigurationError(f"The API {kind} is a text, not {type(value).__name__}.")
        if value != value.strip() or not value.isprintable():
            raise ConfigurationError(
                f"The API {kind} holds a line break, or a space at an end.",
                advice="It was probably copied with more than itself.",
            )
    if ":" in user:
        raise ConfigurationError("The API user holds a colon, which HTTP Basic cannot carry.")
    return Account(user=user, token=Secret(token), base_url=base_url, sender=sender)


def check_base_url(url: str) -> str:
    """Refuse an address that would show the token on the wire, or hide credentials in the URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port, host.encode("idna")
    except (AttributeError, TypeError, ValueError):
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not _PLAIN.fullmatch(url):
        raise ConfigurationError(
            "base_url is not a web address.", advice=f"The provider's is {DEFAULT_BASE_URL}."
        )
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ConfigurationError("base_url may hold no credentials, query or fragment.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            "base_url is not https, so the token would travel in the clear.",
            advice="Use https; plain http is taken for this machine only (localhost, 127.0.0.1, ::1).",
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether a host's name or address is this machine."""
    import ipaddress

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def certificate_files() -> tuple[str, str]:
    """Return where OpenSSL's environment says that the certificates of authorities are: a file, and a folder."""
    return os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")


def fault_points() -> str | None:
    """Return the module that a test of faults names, None in every other run."""
    return os.environ.get("MENSATEK_FAULT_POINTS") or None


def state_folder() -> Path:
    """Return the folder for what the command keeps, in XDG_STATE_HOME or ~/.local/state; it may not be there."""
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    try:
        base = given if given.is_absolute() else Path.home() / ".local" / "state"
    except RuntimeError:
        raise ConfigurationError("This user has no home.", advice="Set XDG_STATE_HOME.") from None
    return base / "mensatek"


S = TypeVar("S")
