"""One callback from request to answer: who may post, reading it, handing it over once."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

import anyio
import anyio.to_thread
from attrs import field, frozen

from ..errors import ConfigurationError, InvalidWebhook
from ..loop_thread import portal
from ..models.events import Event
from ..observe.events import WebhookRefused
from ..observe.observer import notifier_of
from .auth import Authentication
from .body import MAX_BODY
from .dedupe import DedupeStore, KeepNothing, MemoryDedupe, Standing, event_key
from .observed import ObservedCallback
from .parse import parse

Handler: TypeAlias = Callable[[Event], Any]
"""A function or a coroutine function that takes an event; what it returns is ignored."""

_log = logging.getLogger("mensatek_async.webhooks")
_Value = TypeVar("_Value")
_PATIENCE = 10.0  # seconds that a repeated event waits for the first one's handler
_SHORT_PAUSE, _LONG_PAUSE = 0.01, 0.25


@frozen(kw_only=True)
class Request:
    """A request, as far as a mount needs it.

    Attributes:
        method: the HTTP method.
        authorization: the `Authorization` header.
        query: the URL's query string, as it came.
        peer: the address of the connection's other end.
        content_type: the `Content-Type` header.
        body: the body; 64 KiB at most are read.
    """

    method: str = "POST"
    authorization: str | None = field(default=None, repr=False)
    query: str = field(default="", repr=False)
    peer: str | None = None
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


@frozen
class Response:
    """An answer.

    Attributes:
        status: the HTTP status.
        text: the body, plain text.
        headers: further headers, names and values; the content type is text/plain.
    """

    status: int
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()


DONE = Response(200, "OK")
UNAUTHORIZED = Response(
    401, "Unauthorized", (("WWW-Authenticate", 'Basic realm="webhook", charset="UTF-8"'),)
)
ONLY_POST = Response(405, "Method Not Allowed", (("Allow", "GET, HEAD, POST"),))
TOO_LARGE = Response(413, "Content Too Large", (("Connection", "close"),))
FAILED = Response(500, "Internal Server Error")
BUSY = Response(503, "Service Unavailable", (("Retry-After", "5"),))


class Receiver:
    """Takes callbacks and hands each event to a handler once; the applications for ASGI and WSGI are made of it.

    It answers 200 only after the handler has returned, and 500 when the handler failed: such an event is not
    remembered, so that it is handed over again should the provider post it again. An event that was handled
    before is answered with 200 and not handed over; one whose first copy is being handled waits for the outcome.
    GET and HEAD, by which a panel may look whether the URL is there, are answered 200 whoever asks.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        networks: Iterable[str] = (),
        allow_unauthenticated: bool = False,
        dedupe: DedupeStore | bool = True,
        observer: object | None = None,
    ) -> None:
        """Check the settings; whoever mounts it gets an error at once.

        Args:
            handler: takes the event: a coroutine function, or a function, which an asynchronous server runs in a worker
                thread; under WSGI a coroutine function runs on one event loop in the background.
            username: HTTP Basic user, as set in the provider's panel.
            password: HTTP Basic password.
            token: what the URL's parameter `token` must be.
            networks: addresses or networks that may post, such as "192.0.2.0/24"; empty for any.
            allow_unauthenticated: True to do without both credentials and token.
            dedupe: where events handled are remembered: True for the memory of this process, False for nowhere, or a
                `DedupeStore` that several processes share.
            observer: an `Observer`, or an object with some of its methods, which is told of every callback.

        Raises:
            ConfigurationError: nothing says who may post; see `Authentication`.
        """
        if not callable(handler):
            raise ConfigurationError("The webhook's handler cannot be called.")
        self._handler = handler
        self._authentication = Authentication(
            username=username,
            password=password,
            token=token,
            networks=networks,
            allow_unauthenticated=allow_unauthenticated,
        )
        if isinstance(dedupe, bool):
            dedupe = MemoryDedupe() if dedupe else KeepNothing()
        self._dedupe = dedupe
        self._notifier = notifier_of(observer)

    def refusal(self, request: Request) -> Response | None:
        """Return the answer to a request whose body is not to be read; None when it may post."""
        if request.method in ("GET", "HEAD"):
            return DONE
        if not self._authentication.admits(
            authorization=request.authorization, query=request.query, peer=request.peer
        ):
            _log.warning("A callback was refused: not the credentials, token or network that are expected")
            return self.refuse(UNAUTHORIZED, "unauthorized")
        return None if request.method == "POST" else self.refuse(ONLY_POST, "method")

    def refuse(self, answer: Response, reason: str) -> Response:
        """Tell that a request is turned away, and return the answer to it."""
        if self._notifier is not None:
            why: Any = reason
            self._notifier.tell("webhook_refused", WebhookRefused(reason=why, http_status=answer.status))
        return answer

    async def receive(self, request: Request) -> Response:
        """Take a callback, on asyncio or trio.

        Returns:
            The answer; it never raises for what a request holds or a handler does.
        """
        return self.refusal(request) or await self.take(request.body, request.content_type)

    def receive_sync(self, request: Request) -> Response:
        """Take a callback, from code that is not async; a coroutine handler runs on a loop in the background.

        Returns:
            The answer; it never raises for what a request holds or a handler does.
        """
        return self.refusal(request) or self.take_sync(request.body, request.content_type)

    async def take(self, body: bytes, content_type: str) -> Response:
        """Take the callback of a request that may post, on asyncio or trio."""
        event = self._read(body, content_type)
        if isinstance(event, Response):
            return event
        with ObservedCallback(self._notifier, event) as observed:
            try:
                return await self._hand_over(event, observed)
            except Exception as error:
                return _failed(event, observed, error)

    def take_sync(self, body: bytes, content_type: str) -> Response:
        """Take the callback of a request that may post, from code that is not async."""
        event = self._read(body, content_type)
        if isinstance(event, Response):
            return event
        with ObservedCallback(self._notifier, event) as observed:
            try:
                return self._hand_over_sync(event, observed)
            except Exception as error:
                return _failed(event, observed, error)

    def _read(self, body: bytes, content_type: str) -> Event | Response:
        if len(body) > MAX_BODY:
            return self.refuse(TOO_LARGE, "too_large")
        try:
            return parse(body, content_type)
        except InvalidWebhook as error:
            _log.warning("%s", error)
            return self.refuse(Response(400, str(error)), "unreadable")
        except ConfigurationError as error:
            _log.error("%s", error)
            return self.refuse(FAILED, "unreadable")

    async def _hand_over(self, event: Event, observed: ObservedCallback) -> Response:
        key = event_key(event)
        deadline, pause = time.monotonic() + _PATIENCE, _SHORT_PAUSE
        while (standing := await _settled(self._dedupe.begin(key))) is Standing.BUSY:
            if time.monotonic() > deadline:
                observed.outcome = "busy"
                return BUSY
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONG_PAUSE)
        if standing is Standing.DONE:
            observed.outcome = "repeated"
            return DONE
        try:
            await call_handler(self._handler, event)
        except BaseException:
            await self._finish(key, False)
            raise
        await self._finish(key, True)
        observed.outcome = "handled"
        return DONE

    async def _finish(self, key: str, handled: bool) -> None:
        ending = self._dedupe.finish(key, handled)
        if isinstance(ending, Awaitable):
            with anyio.CancelScope(shield=True):  # what was handled is not to be forgotten by a shutdown
                await ending

    def _hand_over_sync(self, event: Event, observed: ObservedCallback) -> Response:
        key = event_key(event)
        deadline, pause = time.monotonic() + _PATIENCE, _SHORT_PAUSE
        while (standing := _now(self._dedupe.begin(key))) is Standing.BUSY:
            if time.monotonic() > deadline:
                observed.outcome = "busy"
                return BUSY
            time.sleep(pause)
            pause = min(2 * pause, _LONG_PAUSE)
        if standing is Standing.DONE:
            observed.outcome = "repeated"
            return DONE
        try:
            _now(self._handler(event))
        except BaseException:
            _now(self._dedupe.finish(key, False))
            raise
        _now(self._dedupe.finish(key, True))
        observed.outcome = "handled"
        return DONE


def _failed(event: Event, observed: ObservedCallback, error: Exception) -> Response:
    observed.error = error
    _log.exception("A %s could not be handed over; answered 500", type(event).__name__)
    return FAILED


async def _settled(value: _Value | Awaitable[_Value]) -> _Value:
    return await cast("Awaitable[_Value]", value) if isinstance(value, Awaitable) else value


def _now(value: _Value | Awaitable[_Value]) -> _Value:
    return portal().run(cast("Awaitable[_Value]", value)) if isinstance(value, Awaitable) else value


async def call_handler(handler: Handler, event: Event) -> None:
    """Call a handler; one that is a plain function in a worker thread."""
    if is_coroutine_function(handler):
        await handler(event)
    else:
        # In a list: trio takes a function that returns an awaitable for a mistake.
        (done,) = await anyio.to_thread.run_sync(lambda: [handler(event)])
        await _settled(done)


def is_coroutine_function(handler: Any) -> bool:
    """Whether a handler is a coroutine function, or an object that is called as one."""
    while isinstance(handler, partial):
        handler = handler.func
    # An object counts by its class's __call__, as Python calls it.
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)
