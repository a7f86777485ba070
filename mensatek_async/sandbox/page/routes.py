"""The page's paths."""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from ..account.account import Account
from ..api.bodies import Params
from ..api.provider import Provider
from ..api.tracking import certificate
from ..callbacks.callbacks import Callbacks
from ..controls import Controls
from .access import error_answer
from .actions import ACTIONS, BadAction, Body, method
from .forms import json_form, picked
from .live import follow_changes
from .log import list_callbacks, list_calls, show_call
from .overview import overview
from .texts import Search, certificates, conversation, find_phones, find_texts, scheduled

_log = logging.getLogger("mensatek_async.sandbox")

_LARGEST_BODY = 100_000
_CODES = {404: "not_found", 409: "conflict", 413: "too_large"}
_OWN_WORDS = {"Not Found": "There is no such thing", "Method Not Allowed": "The page does not ask that"}

Handler = Callable[[Request], Awaitable[Response]]


class Page:
    """The page of a sandbox, to be put behind an `AccessControl` that knows its `token`."""

    def __init__(self, controls: Controls, provider: Provider, webhooks: list[Callbacks]) -> None:
        self._controls = controls
        self._provider = provider
        self._webhooks = webhooks
        self._app: Starlette | None = None
        self.token: str = secrets.token_urlsafe(24)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        # Built when somebody looks: most sandboxes live in tests, for a moment, and nobody does.
        if self._app is None:
            self._app = Starlette(routes=self._routes(), exception_handlers=_HANDLERS)
        await self._app(scope, receive, send)

    def _routes(self) -> list[BaseRoute]:
        reads: dict[str, Callable[[Request], Any]] = {
            "/state": lambda request: overview(self._controls, self._provider, self._webhooks, self.token),
            "/messages": lambda request: find_texts(self._account, _search(request)),
            "/phones": lambda request: find_phones(
                self._account, request.query_params.get("q", "").strip(), _limit(request)
            ),
            "/phones/{phone}": lambda request: conversation(self._account, request.path_params["phone"]),
            "/scheduled": lambda request: scheduled(self._account),
            "/files": lambda request: self._files(),
            "/certificates": lambda request: certificates(self._account),
            "/calls": self._calls,
            "/calls/{number:int}": lambda request: show_call(self._provider, request.path_params["number"]),
            "/callbacks": lambda request: list_callbacks(self._webhooks, _limit(request)),
            "/certificates/{message_id:int}": self._certificate,
            "/certificates/{message_id:int}/{phone}": self._certificate,
            "/documents/{digest}": self._document,
            "/files/{name}": self._file,
        }
        return [
            Route("/", _index),
            Mount("/_sandbox/static", _assets()),
            Route("/_sandbox/events", self._events),
            Route("/_sandbox/files/{name}", self._act(method("delete_file")), methods=["DELETE"]),
            *(Route(f"/_sandbox{path}", self._read(read)) for path, read in reads.items()),
            *(Route(f"/_sandbox{path}", self._act(run), methods=["POST"]) for path, run in ACTIONS.items()),
        ]

    @property
    def _account(self) -> Account:
        return self._provider.account

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
            body = await _body(request)
            try:
                # One action is one step for everybody who looks on.
                with self._provider.lock:
                    done = run(self._controls, body, **request.path_params)
                return _json({"ok": True, **(done or {})})
            except KeyError as error:
                raise HTTPException(404, str(error.args[0])) from None
            except ValueError as error:
                raise HTTPException(409, str(error)) from None

        return handle

    def _calls(self, request: Request) -> Any:
        query = request.query_params
        cursor = _whole(query.get("cursor"), "cursor")
        return list_calls(
            self._provider, query.get("operation", ""), query.get("verdict", ""), _limit(request), cursor
        )

    def _files(self) -> dict[str, Any]:
        account = self._provider.account
        account.tidy_library()
        held = account.library.files()
        return {
            "items": [
                {
                    **picked(file, "name", "uploaded_at", "delete_after_certification"),
                    "size": len(file.content),
                    "url": f"/_sandbox/files/{file.name}",
                }
                for file in held
            ],
            **picked(account.library, "max_files", "max_bytes"),
            "used_bytes": sum(len(file.content) for file in held),
        }

    def _file(self, request: Request) -> Response | None:
        name = request.path_params["name"]
        library = self._provider.account.library
        return _download(library[name].content, name) if name in library else None

    def _document(self, request: Request) -> Response | None:
        digest = request.path_params["digest"]
        content = self._provider.account.documents.get(digest)
        return None if content is None else _download(content, f"{digest[:12]}.pdf")

    def _certificate(self, request: Request) -> Response | None:
        asked = request.path_params
        params = {"Idmensaje": asked["message_id"], "Telefono": asked.get("phone", "")}
        reply = certificate(self._provider.account, Params(params))
        if reply.file is None:
            return None
        kind = "pdf" if "phone" in asked else "zip"
        return _download(reply.file, "-".join(str(part) for part in asked.values()) + f".{kind}")


def _json(value: Any) -> Response:
    return Response(json_form(value), media_type="application/json")


async def _body(request: Request) -> Body:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > _LARGEST_BODY:
            raise HTTPException(413, "That is too much")
    try:
        body = json.loads(data or b"{}")
    except (ValueError, RecursionError):
        raise BadAction("The body is not JSON") from None
    if not isinstance(body, dict):
        raise BadAction("The body is not a JSON object")
    return body


def _search(request: Request) -> Search:
    query = request.query_params
    cursor = re.fullmatch(r"([0-9]{1,12})\.([0-9]{1,12})", query.get("cursor", ""))
    return Search(
        status=_whole(query.get("status"), "status"),
        phase=query.get("phase", ""),
        reference=query.get("reference", "").strip(),
        message_id=_whole(query.get("message_id"), "message_id"),
        phone=re.sub(r"[^0-9]", "", query.get("phone", "")),
        words=query.get("q", "").strip(),
        limit=_limit(request),
        before=(int(cursor[1]), int(cursor[2])) if cursor else None,
    )


def _whole(text: str | None, name: str) -> int | None:
    text = (text or "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadAction(f"{name} is a whole number")
    return int(text)


def _limit(request: Request) -> int:
    return min(max(_whole(request.query_params.get("limit"), "limit") or 100, 1), 500)


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


@cache
def _assets() -> _Assets:
    return _Assets(packages=[("mensatek_async.sandbox.page", "static")])


async def _index(request: Request) -> Response:
    return await _assets().get_response("index.html", request.scope)


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "bad_request")
    return error_answer(error.status_code, code, _OWN_WORDS.get(error.detail, error.detail))


async def _failure(_request: Request, error: Exception) -> Response:
    _log.error("The sandbox's page failed on a request", exc_info=error)
    return error_answer(500, "failure", "Sandbox failure, see its log")


_HANDLERS = {HTTPException: _refusal, Exception: _failure}
