"""Bytes out, bytes in, and the errors of the HTTP library mapped to ours."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from copy import copy
from functools import cache, partial
from typing import Any

import anyio
import httpx
from anyio.lowlevel import current_token

from .._version import __version__
from .._wire.encode import Body
from ..errors import ConfigurationError
from ..settings import Account, Limits, Secret, Timeout
from .failures import Cut, NotReached, NotStored, mapped
from .pool import AsyncTransport, ConnectionPool
from .reading import RawReply, receive
from .sink import Sink

_log = logging.getLogger("mensatek_async.call")


class Transport:
    """Kept-alive connections to one base URL, used as one account. It opens nothing before the first request."""

    def __init__(
        self, account: Account, timeout: Timeout, limits: Limits, transport: AsyncTransport | None = None
    ) -> None:
        # seconds that one request may take; nobody waits longer for that of another
        self.patience: float = timeout.total
        self._timeout = timeout
        self._closed = False
        self.owns: bool = True  # whether they are closed with it
        self._kit = _kit_of(transport)
        tls = account.base_url.startswith("https:")
        # the connections
        self.pool: ConnectionPool = ConnectionPool(transport, tls=tls, most=limits.concurrency)
        self._urls: dict[str, httpx.URL] = {}
        self._use(account)
        self._url("")
        times = {name: getattr(timeout, name) for name in ("connect", "read", "write")}
        self._extensions = {"timeout": {**times, "pool": None}}

    def for_account(self, account: Account) -> Transport:
        """Return one for another account, on the same connections; closing it leaves them open."""
        other = copy(self)
        other.owns, other._closed = False, False
        other._use(account)
        return other

    def _use(self, account: Account) -> None:
        self._account = account
        login = base64.b64encode(f"{account.user}:{account.token.reveal()}".encode()).decode("ascii")
        self.secrets: tuple[Secret, ...] = (account.token, Secret(login))
        self._headers = {
            "Authorization": f"Basic {login}",
            "Accept": "application/json, */*;q=0.5",
            "User-Agent": f"mensatek-async/{__version__}",
        }
        self._heads: dict[str, Any] = {}

    def check(self) -> None:
        """Refuse to work when closed, or in another event loop than the first, whose connections are of no use here."""
        pool = self.pool
        if self._closed:
            raise closed_error()
        if pool.closed:
            raise closed_error(of_parent=True)
        here = current_token()
        if pool.home is None:
            pool.home = here
        elif pool.home != here:
            raise ConfigurationError(
                "This client was used in another event loop before, and belongs to it.",
                advice="Open a client in each event loop.",
            )

    async def post(
        self,
        path: str,
        body: bytes,
        content_type: str,
        sink: Sink | None = None,
        name: str = "",
        latest: float | None = None,
    ) -> RawReply:
        """POST one body to a path below the base URL and read the whole answer; a document goes into the sink.

        It is called `name` in the log, and must not leave any more from `latest` on, by anyio's clock.

        Raises:
            NotStored: the sink failed.
            NotReached: no connection could be opened, or not in time.
            Cut: anything else went wrong before the answer was whole.
            ConfigurationError: the client is closed, or cannot be set up.
        """
        pool = self.pool
        if not pool.is_open:
            await self._open()
        if self._closed or pool.closed or pool.home is None:  # closed while the call waited for its turn
            self.check()
        request = self._request(path, body, content_type)
        if latest is not None:  # a connection that was slow to open must not take it along
            request.extensions = {**self._extensions, "trace": partial(_in_time, latest)}
        scope = anyio.CancelScope(deadline=anyio.current_time() + self._timeout.total)
        line = pool.take(scope, name or path)
        reply = None
        try:
            with scope:
                response = await line.handle_async_request(request)
                reply = await receive(response, sink, partial(self._longer, scope))
        except (Cut, NotReached, NotStored):
            raise
        except Exception as error:
            raise mapped(error) from error
        finally:
            if reply is None:
                await pool.drop(line, scope)
            else:
                pool.give(line, scope)
        if reply is None:
            closed = "the client was closed before the answer came"
            raise Cut(closed if pool.closed else f"no whole answer within {self._timeout.total:g} s")
        _log.debug("%s: HTTP %d", path, reply.status)
        return reply

    def _request(self, path: str, body: bytes, content_type: str) -> Any:
        kit, url = self._kit, self._urls.get(path) or self._url(path)
        headers = self._heads.get(content_type)
        if headers is None:
            host = {"Host": url.netloc.decode("ascii")}
            headers = kit.Headers({**host, **self._headers, "Content-Type": content_type})
            self._heads[content_type] = headers
        # A request made of a stream takes the headers as they are, at half the cost; reading it sets its content.
        stream = _body_class(kit)(body)
        request = kit.Request("POST", url, headers=headers, stream=stream, extensions=self._extensions)
        request.headers["Content-Length"] = str(len(body))
        request.read()
        return request

    def _longer(self, scope: anyio.CancelScope) -> None:
        """Give a download that goes on as much time again: its size is not known, only that it moves."""
        scope.deadline = anyio.current_time() + self._timeout.total

    async def _open(self) -> None:
        try:
            await self.pool.open()
        except Exception as error:  # which may quote a proxy's password
            raise ConfigurationError(
                f"The HTTP client cannot be set up: {type(error).__name__}.",
                advice="Look at the environment: HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE.",
            ) from None

    def _url(self, path: str) -> Any:
        try:
            url = self._urls[path] = self._kit.URL(f"{self._account.base_url}/{path}")
            _ = url.host  # decoded only now
        except (self._kit.InvalidURL, UnicodeError):
            raise ConfigurationError("base_url is not a web address.") from None
        return url

    async def aclose(self) -> None:
        """Close every connection that is not another's; a second time does nothing. Calls after it are refused."""
        closed, self._closed = self._closed, True
        if self.owns and not closed:
            await self.pool.aclose(self._timeout.grace)


async def _in_time(latest: float, event: str, _: object) -> None:
    """Stop a request whose time has passed; httpcore tells what it is about to do."""
    if event.endswith("send_request_headers.started") and anyio.current_time() >= latest:
        raise NotReached("its time had passed before a connection was open")


def closed_error(*, of_parent: bool = False) -> ConfigurationError:
    """Return the error of a call to a client that is closed, or whose connections were another's, which is closed."""
    if of_parent:
        return ConfigurationError(
            "The client whose connections this account uses is closed.",
            advice="Keep it open for as long as its accounts are used, or open a new one.",
        )
    return ConfigurationError("This client is closed.", advice="Open a new one.")


def _kit_of(transport: AsyncTransport | None) -> Any:
    """Return the library a transport is of: httpx, or a successor with the same names and classes of its own."""
    for cls in type(transport).__mro__:
        kit = sys.modules.get(cls.__module__.partition(".")[0])
        if cls.__name__ == "AsyncBaseTransport" and hasattr(kit, "AsyncByteStream"):
            return kit
    return httpx


@cache
def _body_class(kit: Any) -> Any:
    """Return a body's class: the kit's is a generator, and trio warns of one that a cancelled send left half read."""

    def read(self: Any) -> AsyncIterator[bytes]:
        return _Once(b"".join(self))

    return type("Body", (kit.ByteStream,), {"__aiter__": read})


class _Once(AsyncIterator[bytes]):
    def __init__(self, content: bytes) -> None:
        self._rest = [content]

    async def __anext__(self) -> bytes:
        if not self._rest:
            raise StopAsyncIteration
        return self._rest.pop()


def multipart(fields: Mapping[str, str], name: str, content: bytes) -> tuple[Body, str]:
    request = httpx.Request(
        "POST", "http://localhost/", data=dict(fields), files={"Fichero": (name, content)}
    )
    return Body(b"".join(request.stream)), request.headers["Content-Type"]  # type: ignore[arg-type]
