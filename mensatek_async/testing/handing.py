"""Hands callbacks to the program under test: to its application or handler in this process, or to a URL."""

from __future__ import annotations

import base64
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

import anyio
import anyio.to_thread
from attrs import field, frozen

from ..models.events import Event
from ..webhooks import parse
from ..webhooks.receiver import call_handler, is_coroutine_function
from . import callers
from .payloads import Form, Payload

Kind: TypeAlias = Literal["asgi", "wsgi", "handler", "url"]
"""What a webhook is."""


@frozen
class Answer:
    """What a webhook answered to one callback.

    Attributes:
        status: the HTTP status; 200 for a handler that returned.
        text: the body.
    """

    status: int
    text: str = ""


@frozen(kw_only=True)
class Webhook:
    """Where callbacks go in a test, and what is asked for there.

    Attributes:
        target: an ASGI or WSGI application, a handler of events (a function or a coroutine function), or a URL.
        path: the path an application is called with.
        username: HTTP Basic user, if it asks for one.
        password: HTTP Basic password.
        token: a secret that goes into the URL as `token`.
        form: how callbacks are encoded: "json", "form" or "multipart".
        kind: what `target` is, where its parameters do not show it: "asgi", "wsgi", "handler" or "url".
        timeout: seconds that a URL has to answer.
    """

    target: Any = field(kw_only=False)
    path: str = "/"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    form: Form = "json"
    kind: Kind | None = None
    timeout: float = 10.0

    async def hand(self, payload: Payload) -> Answer:
        """Hand one callback over, in the event loop that is running.

        Raises:
            TypeError: the kind of the target is unknown.
            Exception: whatever an application or a handler raises.
        """
        kind = self.kind or callers.kind_of(self.target)
        if kind == "asgi":
            return Answer(*await callers.call_asgi(self.target, self._request(payload)))
        if kind == "handler":
            await call_handler(self.target, parse(*payload))
            return Answer(200)
        # Both hold their thread up, and what runs in this loop may be what answers.
        return await anyio.to_thread.run_sync(self.hand_now, payload)

    def hand_now(self, payload: Payload) -> Answer:
        """Hand one callback over, from code that is not async; errors as `hand`."""
        kind = self.kind or callers.kind_of(self.target)
        if kind == "wsgi":
            return Answer(*callers.call_wsgi(self.target, self._request(payload)))
        if kind == "url":
            return Answer(*callers.call_url(self._request(payload), self.timeout))
        if kind == "handler" and not is_coroutine_function(self.target):
            self.target(parse(*payload))
            return Answer(200)
        return anyio.run(partial(self.hand, payload))

    def _request(self, payload: Payload) -> callers.Request:
        url = self.target if isinstance(self.target, str) else f"http://testserver{self.path}"
        if self.token is not None:
            url += ("&" if urlsplit(url).query else "?") + urlencode({"token": self.token})
        headers = {"Content-Type": payload.content_type, "User-Agent": "mensatek-async-testing"}
        if self.username is not None:
            credentials = f"{self.username}:{self.password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
        return callers.build(url, headers, payload.body)


class CallbackResult:
    """Callbacks that were handed to a webhook, and its answers.

    In a test that is a coroutine function it has to be awaited, as the webhook may need the event loop to answer; in
    any other test everything is over when it is returned.

    Args:
        webhook: where they go.
        payloads: the callbacks.
        expect: the status each has to be answered with; None for any from 200 to 299.
    """

    def __init__(self, webhook: Webhook, payloads: Sequence[Payload], expect: int | None) -> None:
        self._webhook = webhook
        self._payloads = payloads
        self._expect = expect
        self._answers: list[Answer] = []
        self._over = False
        if not callers.in_event_loop():
            for payload in payloads:
                self._take(webhook.hand_now(payload))
            self._over = True

    def __await__(self) -> Generator[Any, Any, CallbackResult]:
        return self._hand_over().__await__()

    def __repr__(self) -> str:
        state = ", ".join(str(answer.status) for answer in self._answers) if self._over else "not awaited"
        return f"<CallbackResult: {len(self._payloads)} callbacks, {state}>"

    @property
    def is_over(self) -> bool:
        """Whether everything was handed over."""
        return self._over

    @property
    def events(self) -> list[Event]:
        """The events handed over, in order."""
        return [parse(*payload) for payload in self._payloads]

    @property
    def answers(self) -> list[Answer]:
        """What the webhook answered, in order.

        Raises:
            RuntimeError: it was not awaited yet.
        """
        if not self._over:
            raise RuntimeError("await it: in an asynchronous test nothing is handed over before")
        return list(self._answers)

    async def _hand_over(self) -> CallbackResult:
        if not self._over:
            self._over = True
            for payload in self._payloads:
                self._take(await self._webhook.hand(payload))
        return self

    def _take(self, answer: Answer) -> None:
        self._answers.append(answer)
        if answer.status != self._expect and (self._expect or not 200 <= answer.status < 300):
            asked = (
                "200 was expected, or expect= tells what"
                if not self._expect
                else f"{self._expect} was expected"
            )
            raise AssertionError(f"the webhook answered {answer.status} {answer.text[:200]!r}: {asked}")
