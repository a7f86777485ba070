"""Connections: one a request in flight, kept alive between requests."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Protocol
from urllib.request import getproxies

import anyio
import httpx

# Below the five seconds after which common web servers drop an idle connection: reusing one at that very moment
# would turn a send into an unknown.
_KEEPALIVE = 4.0


class AsyncTransport(Protocol):
    """Anything with httpx's asynchronous transport interface."""

    async def handle_async_request(self, request: Any, /) -> Any:
        """Send one request and return its response."""

    async def aclose(self) -> None:
        """Close what is open."""


class ConnectionPool:
    """Connections to one host, each in a transport of its own.

    One pool for all would look through every connection and every waiting request each time; this way a request costs
    the same however many are in flight. A line that failed is closed and never used again.
    """

    def __init__(self, given: AsyncTransport | None, *, tls: bool, most: int) -> None:
        # This machine, which is reached without TLS, is behind no proxy, whatever the environment says.
        shared = self._shared = given or (_through_proxy(most) if tls else None)
        self._free: list[AsyncTransport] = []
        self._all: set[AsyncTransport] = set()
        # The certificates of authorities take long to load, and are for TLS.
        self._context = None if shared else httpx.create_ssl_context(verify=tls, trust_env=tls)

    def take(self) -> AsyncTransport:
        """Return a line nobody uses, the one used last first; the limit of requests stands before it."""
        if self._shared is not None:
            return self._shared
        if self._free:
            return self._free.pop()
        assert self._context is not None
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEPALIVE)
        line = httpx.AsyncHTTPTransport(verify=self._context, trust_env=False, limits=limits)
        self._all.add(line)
        return line

    def give(self, line: AsyncTransport) -> None:
        """Give a line back after a whole answer."""
        if line in self._all:
            self._free.append(line)

    async def drop(self, line: AsyncTransport) -> None:
        """Close a line that failed, or was cut off."""
        if line in self._all:
            self._all.remove(line)
            with anyio.CancelScope(shield=True), suppress(Exception):
                await line.aclose()

    async def aclose(self) -> None:
        """Close all."""
        lines = [*self._all, *filter(None, [self._shared])]
        self._all.clear()
        self._free.clear()
        for line in lines:
            await line.aclose()


class _Proxied:
    """httpx's client as a transport."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def aclose(self) -> None:
        await self._client.aclose()


def _through_proxy(most: int) -> AsyncTransport | None:
    """Return, where the environment names a proxy, httpx's own client, which knows when to use it."""
    if not {"https", "all"} & getproxies().keys():
        return None
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=_KEEPALIVE)
    return _Proxied(httpx.AsyncClient(limits=limits, follow_redirects=False))
