"""The SDK over each transport that it takes; a way ends in what it does: `send` or `bulk`."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import ways_mensatek
from by_hand import Work
from common import CONCURRENCY


def httpx_own() -> Any:
    import httpx

    limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    return httpx.AsyncHTTPTransport(limits=limits)


def aiohttp() -> Any:
    import httpx
    from httpx_aiohttp import AiohttpTransport

    return AiohttpTransport(limits=httpx.Limits(max_connections=CONCURRENCY))


def httpx2_own() -> Any:
    import httpx2

    limits = httpx2.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    return httpx2.AsyncHTTPTransport(limits=limits)


TRANSPORTS = {"httpx": httpx_own, "aiohttp": aiohttp, "httpx2": httpx2_own}


def over(transport: str, way: str, base_url: str) -> AbstractAsyncContextManager[Work]:
    """`send`, `bulk` or `callers_8` of `ways_mensatek` over that transport; `default` is the client's own."""
    make = getattr(ways_mensatek, way)
    manager: AbstractAsyncContextManager[Work] = (
        make(base_url) if transport == "default" else make(base_url, transport=TRANSPORTS[transport]())
    )
    return manager


def __getattr__(name: str) -> Any:
    """`aiohttp_bulk` is `over("aiohttp", "bulk", ...)`."""
    transport, _, way = name.partition("_")
    if transport not in {"default", *TRANSPORTS} or not hasattr(ways_mensatek, way):
        raise AttributeError(name)
    return partial(over, transport, way)
