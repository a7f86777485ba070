"""The webhook as an ASGI application: for Starlette, FastAPI, Quart, or a server alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from ..tracebacks import hide_frames
from .body import MAX_BODY
from .receiver import TOO_LARGE, Receiver, Request, Response

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class WebhookApp(Receiver):
    """A complete ASGI application that hands the provider's callbacks to a handler; mount it anywhere::

        async def handle(event):
            ...

        app = WebhookApp(handle, username="mensatek", password="...")

    It takes the arguments of `Receiver`, and answers any path. A callback is answered 200 only after the handler has
    returned; see `Receiver` for what happens otherwise.
    """

    # Not wrapped by `private`: uvicorn takes an application that can be called without arguments for a factory.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        try:
            await self._serve(scope, receive, send)
        except BaseException as error:
            del scope, receive, send
            hide_frames(error)
            raise

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            response = await self._answer(scope, receive)
            if response is not None:
                await _send(response, send, head=scope["method"] == "HEAD")
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        headers = {name.lower(): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        request = Request(
            method=scope["method"],
            authorization=headers.get(b"authorization"),
            query=scope.get("query_string", b"").decode("latin-1"),
            peer=(scope.get("client") or (None,))[0],
            content_type=headers.get(b"content-type", ""),
        )
        # Who may not post is told so before the body is read.
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        body = await _body(receive)
        if body is None:
            return None
        if len(body) > MAX_BODY:
            return self.refuse(TOO_LARGE, "too_large")
        return await self.take(body, request.content_type)


async def _body(receive: Receive) -> bytes | None:
    """Return the request's body, or a little more of it than is allowed; None when the caller has gone."""
    pieces: list[bytes] = []
    size = 0
    while size <= MAX_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if not message.get("more_body", False):
            break
    return b"".join(pieces)


async def _send(response: Response, send: Send, *, head: bool) -> None:
    body = response.text.encode()
    headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body)))]
    headers += [(name.lower(), value) for name, value in response.headers]
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": b"" if head else body})


async def _live(receive: Receive, send: Send) -> None:
    """Start and stop with the server, where nothing is to be done."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
