"""The only file that imports httpx: bytes out, bytes in, foreign errors mapped to ours."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import anyio
import httpx
from attrs import field, frozen

from .._version import __version__
from ..errors import ConfigurationError
from ..settings import Account, Limits, Timeout
from .failures import Cut, NotReached

# Below the five seconds after which common web servers drop an idle connection: reusing one at that very moment
# would turn a send into an unknown.
_KEEPALIVE = 4.0

# By name and over the whole class line, since httpx, its successors and other transports do not share classes.
_NOT_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "UnsupportedProtocol",
    "ProxyError",
    "LocalProtocolError",
}


class AsyncTransport(Protocol):
    """Anything with httpx's asynchronous transport interface."""

    async def handle_async_request(self, request: Any, /) -> Any:
        """Send one request and return its response."""

    async def aclose(self) -> None:
        """Close what is open."""


@frozen
class Reply:
    """A whole answer, still undecoded."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: float | None = None


class Transport:
    """A pool of kept-alive connections to one base URL. It opens nothing before the first request."""

    def __init__(
        self, account: Account, timeout: Timeout, limits: Limits, transport: AsyncTransport | None = None
    ) -> None:
        self._account = account
        self._timeout = timeout
        self._limits = limits
        self._given = transport
        self._http: httpx.AsyncClient | None = None
        self._urls: dict[str, httpx.URL] = {}
        self._closed = False
        login = base64.b64encode(f"{account.user}:{account.token.reveal()}".encode()).decode("ascii")
        self._headers = {
            "Authorization": f"Basic {login}",
            "Accept": "application/json, */*;q=0.5",
            "User-Agent": f"mensatek-async/{__version__}",
        }
        self._extensions = {
            "timeout": {
                "connect": timeout.connect,
                "read": timeout.read,
                "write": timeout.write,
                "pool": None,
            }
        }

    def _open(self) -> httpx.AsyncClient:
        if self._closed:
            raise ConfigurationError("This client is closed.", advice="Open a new one.")
        if self._http is None:
            most = self._limits.concurrency
            self._http = httpx.AsyncClient(
                transport=self._given,  # type: ignore[arg-type]
                limits=httpx.Limits(
                    max_connections=most, max_keepalive_connections=most, keepalive_expiry=_KEEPALIVE
                ),
                follow_redirects=False,
            )
        return self._http

    async def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """POST one body and read the whole answer.

        Raises:
            NotReached: no connection could be opened.
            Cut: anything else went wrong before the answer was whole.
            ConfigurationError: the client is closed.
        """
        http = self._open()
        url = self._urls.get(path)
        if url is None:
            url = self._urls[path] = httpx.URL(f"{self._account.base_url}/{path}")
        request = httpx.Request(
            "POST", url, headers={**self._headers, "Content-Type": content_type}, content=body,
            extensions=self._extensions,
        )  # fmt: skip
        response = None
        try:
            with anyio.move_on_after(self._timeout.total):
                response = await http.send(request)
        except Exception as error:
            raise _mapped(error) from error
        if response is None:
            raise Cut(f"no whole answer within {self._timeout.total:g} s")
        headers = response.headers
        return Reply(
            response.status_code,
            headers.get("content-type", ""),
            response.content,
            parse_retry_after(headers.get("retry-after")),
        )

    async def aclose(self) -> None:
        """Close every connection. Calls after it are refused."""
        self._closed = True
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()
        elif self._given is not None:
            await self._given.aclose()


def multipart(fields: Mapping[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    """Encode fields and one file as `multipart/form-data`; returns the body and its content type."""
    request = httpx.Request(
        "POST", "http://localhost/", data=dict(fields), files={"Fichero": (name, content)}
    )
    return b"".join(request.stream), request.headers["Content-Type"]  # type: ignore[arg-type]


def _mapped(error: Exception) -> Cut | NotReached:
    names = {cls.__name__ for cls in type(error).__mro__}
    told = " <- ".join(_chain(error))
    if names & _NOT_SENT:
        return NotReached(told)
    return Cut(told)


def _chain(error: BaseException | None) -> list[str]:
    # On trio a TLS failure says nothing itself; the reason is down the chain.
    told: list[str] = []
    while error is not None and len(told) < 3:
        text = str(error).strip()
        shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
        if shown not in told:
            told.append(shown)
        error = error.__cause__ or error.__context__
    return told


def parse_retry_after(value: str | None) -> float | None:
    """Seconds to wait by a `Retry-After` header, in either of its two forms; None when absent or unreadable."""
    if not value:
        return None
    value = value.strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if seconds == seconds and seconds != float("inf") else None
