"""Keeps the tests on this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class NetworkUsed(BaseException):
    """A test reached for another host; not an Exception, so that no code under test handles it."""


def stays_here(address: object) -> bool:
    """Whether a socket address is on this machine."""
    if not isinstance(address, tuple):
        return True  # a Unix socket's path
    host = address[0].decode() if isinstance(address[0], bytes) else str(address[0] or "")
    if host in ("", "localhost") or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def no_network() -> Iterator[list[object]]:
    """Refuses connections, datagrams and name lookups beyond loopback; yields the list of what was tried."""
    tried: list[object] = []

    def check(address: object) -> None:
        if not stays_here(address):
            tried.append(address)
            raise NetworkUsed(address)

    def guarded(original: Any) -> Any:
        def call(self: socket.socket, *args: Any) -> Any:
            check(args[-1])  # connect(address), connect_ex(address), sendto(data, [flags,] address)
            return original(self, *args)

        return call

    def guarded_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        check((host,))
        return lookup(host, *args, **kwargs)

    lookup = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        for method in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, method, guarded(getattr(socket.socket, method)))
        patch.setattr(socket, "getaddrinfo", guarded_lookup)
        yield tried
