"""The only file that imports httpx: bytes out, bytes in, foreign errors mapped to ours."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import anyio
import httpx
from anyio.lowlevel import EventLoopToken, current_token
from attrs import field, frozen

from .._version import __version__
from ..errors import ConfigurationError
from ..settings import Account, Limits, Timeout
from .failures import Cut, NotReached, Unreadable

# Below the five seconds after which common web servers drop an idle connection: reusing one at that very moment
# would turn a send into an unknown.
_KEEPALIVE = 4.0
_LARGEST = 64 * 2**20  # bytes of an answer; a report of half a million recipients fits
_LONGEST_WAIT = 86400.0  # seconds of a Retry-After that are believed

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
        self._home: EventLoopToken | None = None
        login = base64.b64encode(f"{account.user}:{account.token.reveal()}".encode()).decode("ascii")
        self._url("")
        self.secrets: tuple[str, ...] = (account.token.reveal(), login)
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

    def check(self) -> None:
        """Refuse to work when closed, or in another event loop than the first, whose connections are of no use here.

        Raises:
            ConfigurationError: it is so.
        """
        if self._closed:
            raise ConfigurationError("This client is closed.", advice="Open a new one.")
        here = current_token()
        if self._home is None:
            self._home = here
        elif self._home != here:
            raise ConfigurationError(
                "This client was used in another event loop before, and belongs to it.",
                advice="Open a client in each event loop.",
            )

    def _open(self) -> httpx.AsyncClient:
        self.check()  # once more: the client may have been closed while the call waited for its turn
        if self._http is None:
            most = self._limits.concurrency
            tls = self._url("").scheme == "https"  # anything else is this machine
            try:
                self._http = httpx.AsyncClient(
                    transport=self._given,  # type: ignore[arg-type]
                    limits=httpx.Limits(
                        max_connections=most, max_keepalive_connections=most, keepalive_expiry=_KEEPALIVE
                    ),
                    follow_redirects=False,
                    # No proxy leads to this machine, whatever the environment says, and the certificates of
                    # authorities, which take long to load, are for TLS.
                    trust_env=tls,
                    verify=tls,
                )
            except Exception as error:  # which may quote a proxy's password
                raise ConfigurationError(
                    f"The HTTP client cannot be set up: {type(error).__name__}.",
                    advice="Look at the environment: HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE.",
                ) from None
        return self._http

    def _url(self, path: str) -> httpx.URL:
        url = self._urls.get(path)
        if url is None:
            try:
                url = self._urls[path] = httpx.URL(f"{self._account.base_url}/{path}")
                _ = url.host  # decoded only now
            except (httpx.InvalidURL, UnicodeError):
                raise ConfigurationError("base_url is not a web address.") from None
        return url

    async def post(self, path: str, body: bytes, content_type: str) -> Reply:
        """POST one body and read the whole answer.

        Raises:
            NotReached: no connection could be opened.
            Cut: anything else went wrong before the answer was whole.
            ConfigurationError: the client is closed, or cannot be set up.
        """
        http = self._open()
        request = httpx.Request(
            "POST", self._url(path), headers={**self._headers, "Content-Type": content_type}, content=body,
            extensions=self._extensions,
        )  # fmt: skip
        reply = None
        try:
            with anyio.move_on_after(self._timeout.total):
                reply = await _exchange(http, request)
        except Cut:
            raise
        except Exception as error:
            raise _mapped(error) from error
        if reply is None:
            raise Cut(f"no whole answer within {self._timeout.total:g} s")
        return reply

    async def aclose(self) -> None:
        """Close every connection; a second time does nothing. Calls after it are refused."""
        if self._closed:
            return
        self._closed = True
        http, self._http = self._http, None
        if http is None:
            if self._given is not None:
                await self._given.aclose()
        elif self._home == current_token():  # else its connections ended with their event loop
            await http.aclose()


async def _exchange(http: httpx.AsyncClient, request: httpx.Request) -> Reply:
    response = await http.send(request, stream=True)
    try:
        body = await _whole(response)
    finally:
        await response.aclose()
    headers = response.headers
    return Reply(
        response.status_code,
        headers.get("content-type", ""),
        body,
        parse_retry_after(headers.get("retry-after")),
    )


async def _whole(response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    with anyio.CancelScope() as scope:
        async for part in response.aiter_bytes():
            size += len(part)
            if size <= _LARGEST:
                parts.append(part)
            else:
                # Cancelling ends the generators under this loop; leaving them half read would not.
                scope.cancel()
    if size > _LARGEST:
        raise Unreadable((f"the answer is larger than {_LARGEST >> 20} MiB",))
    return b"".join(parts)


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
    for _ in range(3):  # it may be a ring, when one exception is raised again
        if error is None:
            break
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
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None
