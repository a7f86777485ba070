"""The paths of the sandbox as an ASGI application, and how an answer, or its absence, reaches the caller."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..page.gate import Gate
from . import openapi
from .operations import OPERATIONS
from .provider import ApiRequest, ApiResponse, Provider

_log = logging.getLogger("mensatek_async.sandbox")


class Droppable(Protocol):
    """A connection the application can cut; the server puts it into the scope's state."""

    def flush_and_close(self) -> None:
        """Close after what was written has left."""
        ...

    def drop(self, reset: bool) -> None:
        """Close at once, with a TCP reset if asked for."""
        ...


class Gateway:
    """The API's paths: each request goes to the provider, and what comes back goes out.

    Args:
        provider: who answers.
        gate: who knows which web pages may call.
    """

    def __init__(self, provider: Provider, gate: Gate) -> None:
        self._provider = provider
        self._gate = gate
        self._in_flight = 0
        self.max_in_flight: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        self._in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self._in_flight)
        try:
            await self._exchange(Request(scope, receive), scope, receive, send)
        except ClientDisconnect:
            pass  # The caller went away while sending: nothing was processed, nobody is left to answer.
        except Exception:
            _log.exception("The sandbox failed on a request")
            await PlainTextResponse("Sandbox failure, see its log", 500)(scope, receive, send)
        finally:
            self._in_flight -= 1

    async def _exchange(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        operation = request.path_params["operation"]
        if operation not in OPERATIONS:
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return
        if not self._gate.lets_call(request.headers):
            await PlainTextResponse("Not from a web page", 403)(scope, receive, send)
            return
        asked = ApiRequest(
            operation=operation,
            headers=dict(request.headers),
            query=scope["query_string"],
            body=await request.body(),
        )
        troubles = self._provider.troubles(asked)
        waits = [fault for fault in troubles if fault.kind == "latency"]
        final = next((fault for fault in troubles if fault.kind != "latency"), None)
        before = self._provider.latency + sum(fault.seconds for fault in waits if not fault.processed)
        if before:
            await asyncio.sleep(before)
        answer = self._provider.answer(asked, final)
        if waits:
            await asyncio.sleep(sum(fault.seconds for fault in waits if fault.processed))
        await _deliver(answer, scope["state"]["connection"], receive, send)


async def _deliver(answer: ApiResponse, connection: Droppable, receive: Receive, send: Send) -> None:
    if answer.status is None:
        connection.drop(answer.reset)
        await _gone(receive)
        return
    headers = [
        ("content-type", answer.content_type),
        ("content-length", str(len(answer.body))),
        *answer.headers,
    ]
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        }
    )
    body = answer.body[: len(answer.body) // 2] if answer.cut else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": answer.cut})
    if answer.cut:
        connection.flush_and_close()
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Wait until the server has noticed that the connection is closed: it then expects no answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


def build_app(gateway: Gateway, gate: Gate) -> Starlette:
    """The application: the API under `/v7`, its OpenAPI document, and the page behind its gate."""
    return Starlette(
        routes=[
            Route("/v7/{operation}", endpoint=gateway, methods=["POST"]),
            Route("/openapi.json", endpoint=openapi.serve, methods=["GET"]),
            Route("/", endpoint=gate),
            Route("/_sandbox/{rest:path}", endpoint=gate),
        ]
    )
