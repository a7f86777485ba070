"""Connections: one a request in flight, kept alive between requests."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.request import getproxies

import anyio
import httpx
from anyio.lowlevel import EventLoopToken, current_token

from ..settings import certificate_files
from ..store.threads import in_thread

if TYPE_CHECKING:
    import ssl

_log = logging.getLogger("mensatek_async.call")
# Below the five seconds after which common web servers drop an idle connection: reusing one at that very moment
# would turn a send into an unknown.
_KEEPALIVE = 4.0
_ENDING = 1.0  # seconds that requests are given to end that were told to


class AsyncTransport(Protocol):
    """Anything with httpx's asynchronous transport interface."""

    async def handle_async_request(self, request: Any, /) -> Any:
        """Send one request and return its response."""

    async def aclose(self) -> None:
        """Close what is open."""


class ConnectionPool:
    """Connections to one host, each in a transport of its own; a client and its accounts share them.

    One pool for all would look through every connection and every waiting request each time; this way a request costs
    the same however many are in flight. A line that failed is closed and never used again.
    """

    def __init__(self, given: AsyncTransport | None, *, tls: bool, most: int) -> None:
        self.is_open: bool = given is not None  # whether lines can be taken
        self.closed: bool = False  # whether no request may leave any more
        # the event loop of the first use, to which the connections belong
        self.home: EventLoopToken | None = None
        self._tls, self._most = tls, most
        self._shared = given
        self._context: ssl.SSLContext | None = None
        self._free: list[AsyncTransport] = []
        self._all: set[AsyncTransport] = set()
        self._on_way: dict[anyio.CancelScope, str] = {}
        self._landed = anyio.Event()

    async def open(self) -> None:
        """Get ready for the first request; the certificates of authorities are loaded in a worker thread."""
        context = await _tls_context(self._tls)
        if not self.is_open:
            # This machine, which is reached without TLS, is behind no proxy, whatever the environment says.
            self._shared = _through_proxy(self._most, context) if self._tls else None
            self._context, self.is_open = context, True

    def take(self, scope: anyio.CancelScope, name: str) -> AsyncTransport:
        """Return a line nobody uses, the one used last first; the limit of requests stands before it.

        Should the pool be closed and the grace be over, `scope` ends the request, and `name` is what it is called then.
        """
        self._on_way[scope] = name
        if self._shared is not None:
            return self._shared
        if self._free:
            return self._free.pop()
        assert self._context is not None
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEPALIVE)
        line = httpx.AsyncHTTPTransport(verify=self._context, trust_env=False, limits=limits)
        self._all.add(line)
        return line

    def give(self, line: AsyncTransport, scope: anyio.CancelScope) -> None:
        if line in self._all:
            self._free.append(line)
        del self._on_way[scope]
        if self.closed and not self._on_way:
            self._landed.set()

    async def drop(self, line: AsyncTransport, scope: anyio.CancelScope) -> None:
        if line in self._all:
            self._all.remove(line)
            with anyio.CancelScope(shield=True), suppress(Exception):
                await line.aclose()
        self.give(line, scope)

    async def aclose(self, grace: float) -> None:
        """Let nothing leave any more, wait for the answers on their way, end the others, and close all.

        A cancellation does not cut it short: what a lost answer would have said is worth the wait.
        """
        self.closed = True
        if self.home not in (None, current_token()):
            return  # the connections ended with their event loop
        with anyio.CancelScope(shield=True):
            await self._all_landed(grace)
            if self._on_way:
                self._end_requests(grace)
                await self._all_landed(_ENDING)
            lines = [*self._all, *filter(None, [self._shared])]
            self._all.clear()
            self._free.clear()
            for line in lines:
                await line.aclose()

    async def _all_landed(self, seconds: float) -> None:
        if self._on_way:
            with anyio.move_on_after(seconds):
                await self._landed.wait()

    def _end_requests(self, grace: float) -> None:
        names = ", ".join(f"{name} ({times})" for name, times in Counter(self._on_way.values()).items())
        _log.warning(
            "The client was closed, and after %g s there was no answer to %s: whether the provider has done what was "
            "asked is not known",
            *(grace, names),
        )
        for scope in self._on_way:
            scope.cancel()


_contexts: dict[tuple[bool, str, str], ssl.SSLContext] = {}
_making = threading.Lock()
if hasattr(os, "register_at_fork"):
    # A child has no thread that would ever let go of the lock, or of those in OpenSSL.
    os.register_at_fork(
        before=_making.acquire, after_in_parent=_making.release, after_in_child=_making.release
    )


async def _tls_context(tls: bool) -> ssl.SSLContext:
    """Return the process's TLS context; it takes 0.1 to 0.2 s to make, which no event loop waits for."""
    key = (tls, *certificate_files()) if tls else (tls, "", "")
    found = _contexts.get(key)
    return found if found is not None else await in_thread(_make_context, key)


def _make_context(key: tuple[bool, str, str]) -> ssl.SSLContext:
    with _making:
        if key not in _contexts:
            _contexts[key] = httpx.create_ssl_context(verify=key[0], trust_env=key[0])
        return _contexts[key]


class _Proxied:
    """httpx's client as a transport."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()


def _through_proxy(most: int, context: ssl.SSLContext) -> AsyncTransport | None:
    if not {"https", "all"} & getproxies().keys():
        return None
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=_KEEPALIVE)
    return _Proxied(httpx.AsyncClient(verify=context, limits=limits, follow_redirects=False))
