"""A transport that answers from a script, for tests of one client without a network."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio.lowlevel
import httpx

from mensatek_async import AsyncMensatek

USER, TOKEN = "API-USER", "tOkEn-4711"
BASE_URL = "https://api.example/v7"

Answer = httpx.Response | Exception | Callable[[httpx.Request], Awaitable[httpx.Response]]


def reply(status: int = 200, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    """A JSON reply as the manuals show it; `Res` is 1 unless told."""
    return httpx.Response(status, json=[{"Res": 1, **fields}], headers=headers)


def page(status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """An HTML page where an answer should be."""
    return httpx.Response(
        status, html="<!DOCTYPE html><html><body><h1>Oops</h1></body></html>", headers=headers
    )


class Script(httpx.AsyncBaseTransport):
    """Gives the answers in order; the last one for ever when `repeat_last` is set."""

    def __init__(self, *answers: Answer, repeat_last: bool = False) -> None:
        self.answers = list(answers)
        self.repeat_last = repeat_last
        self.requests: list[httpx.Request] = []
        self.times: list[float] = []
        self.in_flight = self.most_in_flight = self.closed = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.times.append(anyio.current_time())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await anyio.lowlevel.checkpoint()
            assert self.answers, f"a request nobody expected: {request.url}"
            keep = self.repeat_last and len(self.answers) == 1
            answer = self.answers[0] if keep else self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, httpx.Response):
                return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
            return await answer(request)
        finally:
            self.in_flight -= 1

    async def aclose(self) -> None:
        self.closed += 1

    def params(self, number: int = -1) -> dict[str, Any]:
        """The decoded JSON body of one request."""
        decoded: dict[str, Any] = json.loads(self.requests[number].content)
        return decoded


def client_of(script: Script, **settings: Any) -> AsyncMensatek:
    """A client that asks the script."""
    return AsyncMensatek(USER, TOKEN, **{"base_url": BASE_URL, "transport": script, **settings})


def chain(error: BaseException | None) -> str:
    """All that can be shown of an exception and of those before it, with notes but without source lines."""
    told: list[str] = []
    while error is not None:
        told += [f"{type(error).__name__}: {error}", repr(error), *getattr(error, "__notes__", ())]
        error = error.__cause__ or error.__context__
    return "\n".join(told)
