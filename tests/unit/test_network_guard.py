"""The guard that keeps the tests on this machine."""

from __future__ import annotations

import socket

import anyio
import pytest

from tests.network_guard import NetworkUsed, no_network

# TEST-NET-1, which nobody has: without the guard these would time out rather than reach anyone.
OUTSIDE = ("192.0.2.1", 9)


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_connection_beyond_loopback_is_refused_and_remembered(method: str) -> None:
    """A plain socket cannot leave the machine, and the attempt is on record."""
    with no_network() as tried, socket.socket() as stream:
        stream.settimeout(0.1)
        with pytest.raises(NetworkUsed):
            getattr(stream, method)(OUTSIDE)

        assert tried == [OUTSIDE]


def test_a_datagram_beyond_loopback_is_refused() -> None:
    """Name servers are asked by datagram, so those are held back too."""
    with no_network() as tried, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        with pytest.raises(NetworkUsed):
            datagram.sendto(b"", OUTSIDE)

        assert tried == [OUTSIDE]


async def test_a_client_of_either_backend_is_refused() -> None:
    """Anyio's own connect, which clients end in, meets the guard on asyncio and trio."""
    with no_network() as tried:
        with pytest.raises(NetworkUsed):
            await anyio.connect_tcp("provider.example", 443)

        assert len(tried) == 1


def test_loopback_is_allowed() -> None:
    """The sandbox and the tests' own servers are reached as usual."""
    with no_network() as tried, socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname(), timeout=5):
            pass

        assert not tried
