"""Frozen settings and the environment: the only file that reads it."""

from __future__ import annotations

import os
from datetime import timedelta
from urllib.parse import urlsplit

from attrs import field, frozen, validators

from .errors import ConfigurationError

DEFAULT_BASE_URL = "https://api.mensatek.com/v7"

Seconds = float | timedelta


def _seconds(value: Seconds) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def _optional_seconds(value: Seconds | None) -> float | None:
    return None if value is None else _seconds(value)


_positive = [validators.instance_of(int), validators.ge(1)]


@frozen(kw_only=True)
class Timeout:
    """How long to wait, each in seconds (a float or a timedelta).

    Attributes:
        connect: to open a connection; nothing was sent when it runs out.
        read: between two pieces of the answer.
        write: between two pieces of the request.
        total: for one whole request, however it drips.
        grace: a cancelled bulk send waits this long for the answers of requests already on their way, so that
            their rows need not be reported as unknown.
    """

    connect: float = field(default=10.0, converter=_seconds, validator=validators.gt(0))
    read: float = field(default=60.0, converter=_seconds, validator=validators.gt(0))
    write: float = field(default=30.0, converter=_seconds, validator=validators.gt(0))
    total: float = field(default=120.0, converter=_seconds, validator=validators.gt(0))
    grace: float = field(default=5.0, converter=_seconds, validator=validators.ge(0))


@frozen(kw_only=True)
class Limits:
    """How much at once.

    Attributes:
        concurrency: requests in flight, and so connections, of one client (1-64).
        per_second: requests a second at most; None sets no pace until the provider says "slow down".
        sms_per_request: recipients in one plain request.
        certified_per_request: recipients in one certified request.
    """

    concurrency: int = field(default=8, validator=[*_positive, validators.le(64)])
    per_second: float | None = field(default=None, validator=validators.optional(validators.gt(0)))
    sms_per_request: int = field(default=500, validator=_positive)
    certified_per_request: int = field(default=50, validator=_positive)


@frozen(kw_only=True)
class Retry:
    """When a call that is safe to repeat is repeated.

    Attributes:
        attempts: tries in all, the first one included; 1 never repeats. A request of a bulk send that joins a
            message is given twice as many, since repeating it is harmless and nobody waits for it alone.
        wait_initial: seconds before the second try; doubles each time, with jitter.
        wait_max: seconds between two tries at most.
        timeout: seconds over all tries; a `Retry-After` beyond what is left ends the call at once.
    """

    attempts: int = field(default=4, validator=_positive)
    wait_initial: float = field(default=0.5, converter=_seconds, validator=validators.ge(0))
    wait_max: float = field(default=15.0, converter=_seconds, validator=validators.ge(0))
    timeout: float = field(default=90.0, converter=_seconds, validator=validators.ge(0))


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
        remember: how many reads are remembered.
    """

    pause: float = field(default=60.0, converter=_seconds, validator=validators.ge(0))
    pause_max: float = field(default=900.0, converter=_seconds, validator=validators.ge(0))
    block_pause: float = field(default=60.0, converter=_seconds, validator=validators.ge(0))
    wrong_calls: int = field(default=5, validator=_positive)
    wrong_window: float = field(default=60.0, converter=_seconds, validator=validators.gt(0))
    read_interval: float = field(default=5.0, converter=_seconds, validator=validators.ge(0))
    remember: int = field(default=1024, validator=_positive)


class Secret:
    """A value that never shows: not in repr, not in a log, not in a pickle.

    A plain class on purpose: attrs and cattrs would unfold one of their own.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
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
    """Fill what is missing from the environment and check it.

    Raises:
        ConfigurationError: credentials are missing, or the URL is neither https nor loopback.
    """
    user = user or os.environ.get("MENSATEK_API_USER", "")
    token = token or os.environ.get("MENSATEK_API_TOKEN", "")
    missing = [
        name for name, value in (("MENSATEK_API_USER", user), ("MENSATEK_API_TOKEN", token)) if not value
    ]
    if missing:
        raise ConfigurationError(
            f"No API credentials: {' and '.join(missing)} not given.",
            advice="Pass user and token, or set the environment variables; your panel shows both.",
        )
    if ":" in user:
        raise ConfigurationError("The API user holds a colon, which HTTP Basic cannot carry.")
    url = base_url or os.environ.get("MENSATEK_BASE_URL") or DEFAULT_BASE_URL
    return Account(
        user=user,
        token=Secret(token),
        base_url=check_base_url(url),
        sender=sender if sender is not None else os.environ.get("MENSATEK_SENDER") or None,
    )


def check_base_url(url: str) -> str:
    """Refuse an address that would show the token on the wire, or hide credentials in the URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise ConfigurationError(
            "base_url is not a web address.", advice=f"The provider's is {DEFAULT_BASE_URL}."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("base_url may hold no credentials, query or fragment.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigurationError(
            "base_url is not https, so the token would travel in the clear.",
            advice="Use https; plain http is taken for this machine only (localhost, 127.0.0.1, ::1).",
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    import ipaddress

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
