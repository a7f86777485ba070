"""A bare caller of the sandbox's page for its tests: JSON, the token, and nothing of a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from mensatek_async.sandbox import Sandbox
from tests.sandbox_calls import NO_TLS


class PageCaller:
    """Asks the page for JSON, and acts with its token."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def get(self, path: str, **query: Any) -> Any:
        """What a path of the page answers, decoded."""
        answer = self.http.get(f"/_sandbox{path}", params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **request: Any) -> httpx.Response:
        """An action, with the token."""
        token = {"X-Sandbox-Token": self.get("/state")["csrf"]}
        return self.http.post(f"/_sandbox{path}", json={} if body is None else body, headers=token, **request)

    def act(self, path: str, **body: Any) -> Any:
        """An action that must succeed."""
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["ok"] is True
        return told


@contextmanager
def visiting(sandbox: Sandbox) -> Iterator[PageCaller]:
    """A caller of a running sandbox's page."""
    with httpx.Client(base_url=sandbox.page_url, verify=NO_TLS) as http:
        yield PageCaller(http)
