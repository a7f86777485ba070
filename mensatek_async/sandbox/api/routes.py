"""The paths of the sandbox as an ASGI application, and how an answer, or its absence, reaches the caller."""

from __future__ import annotations

import asyncio
import json
import logging
from importlib.resources import files

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..page.access import AccessControl
from ..server import Connection
from .bodies import read_body
from .provider import ApiRequest, Provider

_log = logging.getLogger("mensatek_async.sandbox")


class Gateway:
    """The API's paths: each request goes to the provider, and what comes back goes out."""

    def __init__(self, provider: Provider, access: AccessControl) -> None:
        self._provider = provider
        self._access = access
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
        operations = self._provider.operations_at(request.path_params["operation"])
        if not operations:
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
            return
        if not self._access.lets_call(request.headers):
            await PlainTextResponse("Not from a web page", 403)(scope, receive, send)
            return
        content_type, body = request.headers.get("content-type", ""), await request.body()
        asked = ApiRequest(
            operation=operations[0],
            others=operations[1:],
            headers=dict(request.headers),
            query=scope["query_string"],
            content_type=content_type,
            body=body,
            params=read_body(content_type, body, json_bodies=self._provider.json_bodies),
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
        connection: Connection = scope["state"]["connection"]
        if final is not None and final.kind == "drop":
            connection.drop(final.reset)
        elif final is not None and final.kind == "cut":
            start = {"status": answer.status_code, "headers": answer.raw_headers}
            await send({"type": "http.response.start", **start})
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            connection.transport.close()  # after what was written has left
        else:
            await answer(scope, receive, send)
            return
        await _gone(receive)


async def _gone(receive: Receive) -> None:
    """Wait until the server has noticed that the connection is closed: it then expects no answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _openapi(_request: Request) -> Response:
    """The API's document, pointed at this sandbox: what is tried out from it must not reach the provider."""
    document = json.loads(files("mensatek_async.sandbox").joinpath("openapi.json").read_bytes())
    document["servers"] = [{"url": "/v7", "description": "this sandbox"}]
    return Response(json.dumps(document, ensure_ascii=False), media_type="application/json")


def build_app(gateway: Gateway, access: AccessControl) -> Starlette:
    """The application: the API under `/v7`, its OpenAPI document, and the page behind its access control."""
    return Starlette(
        routes=[
            Route("/v7/{operation}", endpoint=gateway, methods=["POST"]),
            Route("/openapi.json", endpoint=_openapi, methods=["GET"]),
            Route("/", endpoint=access),
            Route("/_sandbox/{rest:path}", endpoint=access),
        ]
    )
