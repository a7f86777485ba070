"""The webhook as a WSGI application: for Flask, Django, or a server alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias

from ..tracebacks import private
from .body import MAX_BODY
from .receiver import TOO_LARGE, Receiver, Request, Response

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]


class WebhookApp(Receiver):
    """A complete WSGI application that hands the provider's callbacks to a handler; mount it anywhere::

        def handle(event):
            ...

        app = WebhookApp(handle, username="mensatek", password="...")

    It takes the arguments of `Receiver`, and answers any path. A callback is answered 200 only after the handler has
    returned; see `Receiver` for what happens otherwise.
    """

    @private
    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Handle one request."""
        response = self._answer(environ)
        body = response.text.encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        # A WSGI server keeps the connection's own headers to itself.
        headers += [header for header in response.headers if header[0] != "Connection"]
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answer(self, environ: Environ) -> Response:
        request = Request(
            method=environ["REQUEST_METHOD"],
            authorization=environ.get("HTTP_AUTHORIZATION"),
            query=environ.get("QUERY_STRING", ""),
            peer=environ.get("REMOTE_ADDR"),
            content_type=environ.get("CONTENT_TYPE", ""),
        )
        # Who may not post is told so before the body is read.
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        body = _body(environ)
        if body is None:
            return self.refuse(TOO_LARGE, "too_large")
        return self.take_sync(body, request.content_type)


def _body(environ: Environ) -> bytes | None:
    """Return the request's body; None when it is larger than allowed."""
    written = environ.get("CONTENT_LENGTH") or ""
    if written.isascii() and written.isdigit():
        # No more than was announced: a plain server would wait for it for ever.
        size = int(written[:12])
    else:
        size = MAX_BODY + 1 if environ.get("wsgi.input_terminated") else 0
        body = bytes(environ["wsgi.input"].read(size))
        return body if len(body) <= MAX_BODY else None
    return bytes(environ["wsgi.input"].read(size)) if size <= MAX_BODY else None
