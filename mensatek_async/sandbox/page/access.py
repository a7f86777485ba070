"""Who may see the page and act on it: host, password, origin, token; and the headers of every answer."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import time
from collections import deque
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..api.bodies import read_basic

PASSWORD_VARIABLE = "MENSATEK_SANDBOX_PASSWORD"  # noqa: S105  a name
TOKEN_HEADER = "x-sandbox-token"  # noqa: S105  a header's name
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITE = frozenset({"", "same-origin", "none"})
_WRONG_PASSWORD_SECONDS = 0.5
_WRONG_PASSWORDS = 20
_WRONG_WINDOW_SECONDS = 60.0
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::[0-9]+)?", re.IGNORECASE)

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine alone."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def choose_password(given: str | None, host: str) -> tuple[str | None, bool]:
    """The password for a sandbox, where others reach its page a new one; and whether it was made up here."""
    password = given or os.environ.get(PASSWORD_VARIABLE)
    if password or is_loopback(host):
        return password or None, False
    return secrets.token_urlsafe(12), True


class AccessControl:
    """Lets through to the page who may come; on loopback, by its own names only."""

    def __init__(
        self, app: ASGIApp, token: str, *, host: str, password: str | None, allowed_hosts: Collection[str]
    ) -> None:
        self._app = app
        self._token = token
        self._is_local = is_loopback(host)
        self._password = password
        self._hosts = frozenset(name.lower() for name in allowed_hosts)
        self._wrong: dict[str, deque[float]] = {}  # when, by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        refusal = await self._refusal(scope)

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        # The page has paths of its own: what the application outside matched is no parameter of theirs.
        await (refusal or self._app)({**scope, "path_params": {}}, receive, headed)

    def lets_call(self, headers: Mapping[str, str]) -> bool:
        """Whether a call to the API may come from where it does: no web page but the sandbox's own makes any."""
        if "origin" not in headers and "sec-fetch-site" not in headers:
            return True  # no browser: the API asks for its own credentials
        host = headers.get("host", "")
        return self._knows(host) and self._is_own(headers, host)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._knows(host):
            return error_answer(403, "host", "The sandbox's page is not known by this name")
        if refusal := await self._without_password(scope, headers):
            return refusal
        is_action = scope["method"] not in _SAFE_METHODS
        # A link from elsewhere may open the page; its data and actions are for the page itself.
        if (is_action or scope["path"] != "/") and not self._is_own(headers, host):
            return error_answer(403, "origin", "Only the sandbox's own page may ask this")
        if is_action and not secrets.compare_digest(
            headers.get(TOKEN_HEADER, "").encode(), self._token.encode()
        ):
            return error_answer(403, "csrf", "The token is missing or old: read /_sandbox/state again")
        return None

    async def _without_password(self, scope: Scope, headers: Headers) -> Response | None:
        """Refuse who does not give the password, and for a while who has given too many wrong ones."""
        if self._password is None:
            return None
        address = (scope.get("client") or ("",))[0]
        now = time.monotonic()
        wrong = self._wrong.get(address, deque())
        while wrong and now - wrong[0] > _WRONG_WINDOW_SECONDS:
            wrong.popleft()
        if len(wrong) >= _WRONG_PASSWORDS:
            # The right one is refused too: else trying would go on as before.
            answer = error_answer(429, "passwords", "Too many wrong passwords, wait a minute")
            answer.headers["Retry-After"] = str(int(_WRONG_WINDOW_SECONDS - (now - wrong[0])) + 1)
            return answer
        given = read_basic(headers.get("authorization", "")).partition(b":")[2]
        if secrets.compare_digest(given, self._password.encode()):
            return None
        if "authorization" in headers:
            wrong.append(now)
            self._wrong[address] = wrong
        await anyio.sleep(_WRONG_PASSWORD_SECONDS if "authorization" in headers else 0)
        answer = error_answer(401, "password", "The sandbox's page needs its password")
        answer.headers["WWW-Authenticate"] = 'Basic realm="Mensatek sandbox", charset="UTF-8"'
        return answer

    def _knows(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        if not match:
            return False
        name = match.group(1).lower()
        return not self._is_local or is_loopback(name) or name in self._hosts

    def _is_own(self, headers: Mapping[str, str], host: str) -> bool:
        if headers.get("sec-fetch-site", "") not in _OWN_SITE:
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def error_answer(status: int, code: str, message: str) -> JSONResponse:
    """An error as the page reads it."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)
