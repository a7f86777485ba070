"""Calls applications as their servers do: ASGI, WSGI, handlers of events, and URLs over HTTP."""

from __future__ import annotations

import http.client
import inspect
import io
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import partial
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread
import sniffio

from ..models.events import Event

_HOST, _PEER = "testserver", ("127.0.0.1", 50000)
_BY_PARAMETERS: Mapping[int, Literal["asgi", "wsgi", "handler"]] = {1: "handler", 2: "wsgi", 3: "asgi"}


class Request(NamedTuple):
    """A request to a webhook.

    Attributes:
        path: of the URL.
        query: of the URL, without `?`.
        headers: but for host and length.
        body: as it travels.
    """

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def in_event_loop() -> bool:
    """Whether an event loop is running in this thread, of asyncio or trio."""
    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        return False
    return True


def kind_of(target: Any) -> Literal["asgi", "wsgi", "handler", "url"]:
    """Tell what something is by the number of its parameters: one takes an event, two are WSGI, three ASGI.

    Raises:
        TypeError: they do not tell.
    """
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


def is_async(handler: Any) -> bool:
    """Whether a handler is a coroutine function, or an object that is called as one."""
    while isinstance(handler, partial):
        handler = handler.func
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)


async def call_handler(handler: Callable[[Event], Any], event: Event) -> None:
    """Call a handler; one that is a plain function in a worker thread, as webhooks do."""
    if is_async(handler):
        await handler(event)
    else:
        # In a list: trio takes a function that returns an awaitable for a mistake.
        (done,) = await anyio.to_thread.run_sync(lambda: [handler(event)])
        if inspect.isawaitable(done):
            await done


async def call_asgi(app: Any, request: Request) -> tuple[int, str]:
    """Call an ASGI application; gives status and body."""
    headers = {**request.headers, "Host": _HOST, "Content-Length": str(len(request.body))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode("ascii"),
        "root_path": "",
        "query_string": request.query.encode("ascii"),
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        ],
        "client": _PEER,
        "server": (_HOST, 80),
        "extensions": {},
        "state": {},
    }
    waiting = [{"type": "http.request", "body": request.body, "more_body": False}]
    answered = anyio.Event()
    status, pieces = 0, []

    async def receive() -> MutableMapping[str, Any]:
        if waiting:
            return waiting.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                answered.set()

    await app(scope, receive, send)
    return status, b"".join(pieces).decode("utf-8", "replace")


def call_wsgi(app: Any, request: Request) -> tuple[int, str]:
    """Call a WSGI application; gives status and body."""
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(request.path, "latin-1"),
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": request.headers["Content-Type"],
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": _HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": _PEER[0],
        "HTTP_HOST": _HOST,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in request.headers.items()
            if name != "Content-Type"
        },
    }
    told: list[str] = []
    pieces: list[bytes] = []

    def start_response(status: str, _headers: object, _error: object = None) -> Callable[[bytes], None]:
        told.append(status)
        return pieces.append

    answer: Iterable[bytes] = app(environ, start_response)
    try:
        pieces.extend(answer)
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    return int(told[-1].split()[0]), b"".join(pieces).decode("utf-8", "replace")


def call_url(url: str, request: Request, timeout: float) -> tuple[int, str]:
    """Post to a URL; gives status and body.

    Raises:
        ValueError: it is no HTTP URL.
        OSError: nobody answers there.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("A webhook's URL begins with http:// or https:// and has a host")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout)
    try:
        path = f"{request.path}?{request.query}" if request.query else request.path
        connection.request("POST", path, request.body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()
