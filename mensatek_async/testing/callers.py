"""Calls applications as their servers do: ASGI, WSGI, handlers of events, and URLs over HTTP."""

from __future__ import annotations

import http.client
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import sniffio

if TYPE_CHECKING:
    import httpx
    from httpx import Request as Request

_PEER = ("127.0.0.1", 50000)
_BY_PARAMETERS: Mapping[int, Literal["asgi", "wsgi", "handler"]] = {1: "handler", 2: "wsgi", 3: "asgi"}


def in_event_loop() -> bool:
    """Whether an event loop is running in this thread, of asyncio or trio."""
    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        return False
    return True


def kind_of(target: Any) -> Literal["asgi", "wsgi", "handler", "url"]:
    """Tell what something is by its number of parameters: one is an event, two are WSGI, three are ASGI."""
    if isinstance(target, str):
        return "url"
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    gathering = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [one for one in parameters if one.default is one.empty and one.kind not in gathering]
    if len(needed) not in _BY_PARAMETERS:
        raise TypeError(
            f"the webhook, a {type(target).__name__} object, does not tell whether it is an application or a "
            "handler of events; say so: Webhook(target, kind='asgi'), 'wsgi' or 'handler'"
        )
    return _BY_PARAMETERS[len(needed)]


async def call_asgi(app: Any, request: httpx.Request) -> tuple[int, str]:
    """Call an ASGI application; gives status and body."""
    import httpx

    answer = await httpx.ASGITransport(app, client=_PEER).handle_async_request(request)
    return answer.status_code, (await answer.aread()).decode("utf-8", "replace")


def call_wsgi(app: Any, request: httpx.Request) -> tuple[int, str]:
    """Call a WSGI application; gives status and body."""
    import httpx

    answer = httpx.WSGITransport(app, remote_addr=_PEER[0]).handle_request(request)
    return answer.status_code, answer.read().decode("utf-8", "replace")


def build(url: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
    """A request that posts a callback."""
    import httpx  # at first use: most tests post no callback

    return httpx.Request("POST", url, headers=headers, content=body)


def call_url(request: httpx.Request, timeout: float) -> tuple[int, str]:
    """Post to a URL; gives status and body. A ValueError says that it is none, an OSError that nobody answers."""
    url = request.url
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("A webhook's URL begins with http:// or https:// and has a host")
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.host, url.port, timeout=timeout)
    try:
        connection.request("POST", url.raw_path.decode("ascii"), request.content, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
