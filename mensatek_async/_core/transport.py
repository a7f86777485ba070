"""The only file that imports httpx: bytes out, bytes in, foreign errors mapped to ours."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

import anyio
import httpx
from anyio.lowlevel import EventLoopToken, current_token
from attrs import field, frozen

from .._version import __version__
from ..errors import ConfigurationError
from ..settings import Account, Limits, Timeout
from .failures import Cut, NotReached, NotStored, Unreadable
from .retry import parse_retry_after
from .sink import LONGEST_MAGIC, Sink, media_type_of

# Below the five seconds after which common web servers drop an idle connection: reusing one at that very moment
# would turn a send into an unknown.
_KEEPALIVE = 4.0
_LARGEST = 64 * 2**20  # bytes of an answer; a report of half a million recipients fits
_STRAY = b"\xef\xbb\xbf\r\n\t "
_PIECE = 2**20  # bytes of a download written at once

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
    """A whole answer, still undecoded.

    Attributes:
        stored: whether it is a document that went into the sink; None without a sink.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: float | None = None
    stored: bool | None = None


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

    async def post(self, path: str, body: bytes, content_type: str, sink: Sink | None = None) -> Reply:
        """POST one body and read the whole answer; a document goes into the sink if there is one.

        Raises:
            NotStored: the sink failed.
            NotReached: no connection could be opened.
            Cut: anything else went wrong before the answer was whole.
            ConfigurationError: the client is closed, or cannot be set up.
        """
        http = self._open()
        request = httpx.Request(
            "POST", self._url(path), headers={**self._headers, "Content-Type": content_type}, content=body,
            extensions=self._extensions,
        )  # fmt: skip
        request.stream = _Body(body)
        reply = None
        try:
            with anyio.move_on_after(self._timeout.total) as scope:
                reply = await _exchange(http, request, sink, partial(self._longer, scope))
        except (Cut, NotStored):
            raise
        except Exception as error:
            raise _mapped(error) from error
        if reply is None:
            raise Cut(f"no whole answer within {self._timeout.total:g} s")
        return reply

    def _longer(self, scope: anyio.CancelScope) -> None:
        """A download that goes on is given as much time again: its size is not known, only that it moves."""
        scope.deadline = anyio.current_time() + self._timeout.total

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


class _Body(httpx.AsyncByteStream):
    """A request's body: httpx's own is a generator, and trio warns of one that a cancelled send left half read."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self._content)


class _Once(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._rest = [content]

    async def __anext__(self) -> bytes:
        if not self._rest:
            raise StopAsyncIteration
        return self._rest.pop()


async def _exchange(
    http: httpx.AsyncClient, request: httpx.Request, sink: Sink | None, moved: Callable[[], None]
) -> Reply:
    response = await http.send(request, stream=True)
    try:
        stored = None
        if sink is not None and response.status_code == 200:
            body, stored = await _document(response, sink, moved)
        else:
            body = await _whole(response)
    finally:
        await response.aclose()
    headers = response.headers
    return Reply(
        response.status_code,
        headers.get("content-type", ""),
        body,
        parse_retry_after(headers.get("retry-after")),
        stored,
    )


async def _whole(response: httpx.Response) -> bytes:
    parts: list[bytes] = []

    async def take(part: bytes) -> bool:
        parts.append(part)
        return True

    await _each(response, take, most=_LARGEST)
    return b"".join(parts)


async def _document(response: httpx.Response, sink: Sink, moved: Callable[[], None]) -> tuple[bytes, bool]:
    """Put a PDF or ZIP into the sink, told by its first bytes; gives the body of any other answer."""
    waiting = bytearray()
    kind: str | None = None
    looked = False

    async def take(part: bytes) -> bool:
        nonlocal kind, looked
        waiting.extend(part)
        if not looked:
            # A stray line break or byte order mark before a document would shift all that it points to.
            waiting[:] = waiting.lstrip(_STRAY)
            if len(waiting) < LONGEST_MAGIC:
                return True
            kind, looked = media_type_of(bytes(waiting[:LONGEST_MAGIC])), True
            if kind is not None:
                await sink.start(kind)
        if kind is None:
            return len(waiting) <= _LARGEST
        if len(waiting) >= _PIECE:
            await sink.write(bytes(waiting))
            waiting.clear()
            moved()
        return True

    await _each(response, take)
    if kind is None:
        return bytes(waiting), False
    await sink.write(bytes(waiting))
    await sink.finish(framed=_is_framed(response))
    return b"", True


async def _each(
    response: httpx.Response, take: Callable[[bytes], Awaitable[bool]], most: float = float("inf")
) -> None:
    """Hand on the answer's parts, until `take` wants no more or there are more bytes than `most`.

    Raises:
        Unreadable: it ended so.
        Cut: the answer is shorter than it said.
    """
    size, failure = 0, None
    enough = False
    with anyio.CancelScope() as scope:
        async for part in response.aiter_bytes():
            size += len(part)
            try:
                if not enough and (size > most or not await take(part)):
                    enough = True
            except Exception as error:
                failure, enough = error, True
            if enough:
                # Cancelling ends the generators under this loop; leaving them half read would not.
                scope.cancel()
    if failure is not None:
        raise failure
    if enough:
        raise Unreadable((f"the answer is larger than {_LARGEST >> 20} MiB",))
    told = response.headers.get("content-length", "")
    # What is compressed is counted as it came; a transport that gives a whole answer at once counts nothing.
    if told.isdecimal() and (response.num_bytes_downloaded or size) < int(told):
        raise Cut("the answer ended early")


def _is_framed(response: httpx.Response) -> bool:
    """Whether HTTP told where the answer ends, so that a cut would have been noticed."""
    headers = response.headers
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()


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
