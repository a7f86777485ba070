"""The page's paths."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from ..api.bodies import Params, read_json
from ..api.provider import Provider
from ..api.tracking import certificate
from ..callbacks.callbacks import Callbacks
from ..controls import Controls
from .access import error_answer
from .actions import ACTIONS, Body, method
from .forms import json_form, whole
from .live import follow_changes
from .overview import list_callbacks, list_calls, list_files, overview, show_call
from .texts import certificates, conversation, find_phones, find_texts, scheduled

_log = logging.getLogger("mensatek_async.sandbox")

_CODES = {404: "not_found", 409: "conflict"}

Handler = Callable[[Request], Awaitable[Response]]


class Page:
    """The page of a sandbox, to be put behind an `AccessControl` that knows its `token`."""

    def __init__(self, controls: Controls, provider: Provider, webhooks: list[Callbacks]) -> None:
        self._controls = controls
        self._provider = provider
        self._account = provider.account
        self._webhooks = webhooks
        self.token: str = secrets.token_urlsafe(24)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        await self._app(scope, receive, send)

    @cached_property
    def _app(self) -> Starlette:  # built when somebody looks: in most sandboxes, those of tests, nobody does
        reads: dict[str, Callable[[Request], Any]] = {
            "/state": lambda request: overview(self._controls, self._provider, self._webhooks, self.token),
            "/messages": lambda request: find_texts(self._account, request.query_params, _limit(request)),
            "/phones": lambda request: find_phones(
                self._account, request.query_params.get("q", "").strip(), _limit(request)
            ),
            "/phones/{phone}": lambda request: conversation(self._account, request.path_params["phone"]),
            "/scheduled": lambda request: scheduled(self._account),
            "/files": lambda request: list_files(self._account),
            "/certificates": lambda request: certificates(self._account),
            "/calls": lambda request: list_calls(self._provider, request.query_params, _limit(request)),
            "/calls/{number:int}": lambda request: show_call(self._provider, request.path_params["number"]),
            "/callbacks": lambda request: list_callbacks(self._webhooks, _limit(request)),
            "/certificates/{message_id:int}": self._certificate,
            "/certificates/{message_id:int}/{phone}": self._certificate,
            "/documents/{digest}": self._document,
            "/files/{name}": self._file,
        }
        assets = _Assets(packages=[("mensatek_async.sandbox.page", "static")])

        async def index(request: Request) -> Response:
            return await assets.get_response("index.html", request.scope)

        routes: list[BaseRoute] = [
            Route("/", index),
            Mount("/_sandbox/static", assets),
            Route("/_sandbox/events", self._events),
            Route("/_sandbox/files/{name}", self._act(method("delete_file")), methods=["DELETE"]),
            *(Route(f"/_sandbox{path}", self._read(read)) for path, read in reads.items()),
            *(Route(f"/_sandbox{path}", self._act(run), methods=["POST"]) for path, run in ACTIONS.items()),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _refusal, Exception: _failure})

    async def _events(self, _request: Request) -> Response:
        return follow_changes(self._provider, self.token)

    def _read(self, read: Callable[[Request], Any]) -> Handler:
        async def handle(request: Request) -> Response:
            with self._provider.lock:
                answer = read(request)
            if answer is None:
                raise HTTPException(404)
            return answer if isinstance(answer, Response) else _json(answer)

        return handle

    def _act(self, run: Callable[..., Body | None]) -> Handler:
        async def handle(request: Request) -> Response:
            body = _body(await request.body())
            try:
                # One action is one step for everybody who looks on.
                with self._provider.lock:
                    done = run(self._controls, body, **request.path_params)
                return _json({"ok": True, **(done or {})})
            except KeyError as error:
                raise HTTPException(404, str(error.args[0])) from None
            except (ValueError, OverflowError) as error:
                raise HTTPException(409, str(error)) from None

        return handle

    def _file(self, request: Request) -> Response | None:
        name = request.path_params["name"]
        file = self._account.files.get(name)
        return _download(file.content, name) if file else None

    def _document(self, request: Request) -> Response | None:
        digest = request.path_params["digest"]
        content = self._account.documents.get(digest)
        return None if content is None else _download(content, f"{digest[:12]}.pdf")

    def _certificate(self, request: Request) -> Response | None:
        asked = request.path_params
        params = {"Idmensaje": asked["message_id"], "Telefono": asked.get("phone", "")}
        reply = certificate(self._account, Params(params))
        if reply.file is None:
            return None
        kind = "pdf" if "phone" in asked else "zip"
        return _download(reply.file, "-".join(str(part) for part in asked.values()) + f".{kind}")


def _json(value: Any) -> Response:
    return Response(json_form(value), media_type="application/json")


def _body(data: bytes) -> Body:
    try:
        body = read_json(data or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "The body is not a JSON object")
    return body


def _limit(request: Request) -> int:
    return min(max(whole(request.query_params.get("limit") or "100"), 1), 500)


def _download(content: bytes, name: str) -> Response:
    """A file for the disk: whatever it holds, no browser shows it as a page of the sandbox."""
    kind = {"pdf": "application/pdf", "zip": "application/zip"}.get(name.rpartition(".")[2].lower())
    name = re.sub(r"[^A-Za-z0-9._-]", "", name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind or "application/octet-stream", headers=headers)


class _Assets(StaticFiles):
    """The files of the page, which a browser asks for anew each time."""

    def file_response(self, full_path: Any, *args: Any, **options: Any) -> Response:
        """Answer as Starlette does, but scripts whatever type the system has for them."""
        response = super().file_response(full_path, *args, **options)
        response.headers["Cache-Control"] = "no-cache"
        if str(full_path).endswith(".js"):
            response.headers["Content-Type"] = "text/javascript; charset=utf-8"
        return response


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return error_answer(error.status_code, _CODES.get(error.status_code, "bad_request"), error.detail)


async def _failure(_request: Request, error: Exception) -> Response:
    _log.error("The sandbox's page failed on a request", exc_info=error)
    return error_answer(500, "failure", "Sandbox failure, see its log")
