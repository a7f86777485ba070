"""What one call has done so far: readable from outside while it runs, and told to an observer and the log."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import blake2b
from itertools import count
from time import perf_counter
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import anyio
from attrs import Factory, define, field

from .._wire.decode import number, whole_number
from .._wire.encode import Params
from .._wire.marks import unmarked
from .._wire.names import REPLIES, REQUEST, RESULT
from ..errors import APIError
from ..models.results import SendResult
from ..observe.events import Area, CallFinished, CallRetried, CallStarted, Paused
from ..observe.observer import Notifier
from ..settings import Account
from .failures import Cut, Failure, NotReached, NotStored, ToldToWait, Unreadable
from .limits.account import CircuitBreaker, Login, now
from .operations import Kind, Operation
from .reading import RawReply
from .sink import Sink

_log = logging.getLogger("mensatek_async.call")
_guard_log = logging.getLogger("mensatek_async.guard")
_MORE = 0.5  # seconds; what other processes were told is read with a little less precision each time
_numbers = count(1)
_KINDS = {Kind.READ: "read", Kind.CHANGE: "change", Kind.SEND: "send"}
_CAUSES = {NotReached: "not_reached", ToldToWait: "told_to_wait", Unreadable: "unreadable"}
_RECIPIENTS, _REFERENCE, _MESSAGE = (REQUEST[name].casefold() for name in ("recipients", "reference", "join"))
_SENT = {"result": (RESULT,), **REPLIES[SendResult]}
_NAMES = {what: [name.casefold() for name in names] for what, names in _SENT.items()}
(_CREDITS,) = _NAMES["credits_used"]


@define(eq=False)
class InFlightShield:
    """Requests on their way that a cancellation does not cut off at once."""

    _scopes: set[anyio.CancelScope] = Factory(set)
    _deadline: float | None = None
    lost: int = 0  # how many of them were cut off all the same

    @contextmanager
    def covering(self) -> Iterator[None]:
        """Shield one request from cancellation until `release_in` gives it a last moment.

        Raises:
            Cut: that moment passed without an answer.
        """
        with anyio.CancelScope(shield=True) as scope:
            if self._deadline is not None:
                scope.deadline = self._deadline
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
        if scope.cancelled_caught:
            self.lost += 1
            raise Cut("cancelled before its answer came")

    def release_in(self, grace: float) -> None:
        self._deadline = anyio.current_time() + grace
        for scope in self._scopes:
            scope.deadline = self._deadline


# Where the requests of a call that changes something are shielded when its own state does not say: the synchronous
# client sets it, so that Ctrl-C can tell what became of a send.
in_flight_shield: ContextVar[InFlightShield | None] = ContextVar("in_flight_shield", default=None)


@define(eq=False)
class CallState:
    """One call's attempts."""

    attempts: int = 0  # how often a request was tried
    left: bool = False  # whether an attempt may have reached the provider
    maybe_done: bool = False  # whether an attempt left and got no readable answer
    shield: InFlightShield | None = None  # where its requests are shielded from cancellation, if anywhere
    sink: Sink | None = None  # where a document goes that comes as its answer
    rare: bool = False  # whether the provider wants this call made very rarely
    bulk: bool = False  # whether it is one of many that nobody waits for by itself: single calls go first
    once: bool = False  # whether whoever calls decides on repeats, so that none is made here
    # the moment, by anyio's clock, from which it must not leave any more; None for never
    latest: float | None = None
    # awaited right before a request leaves, when it has waited for everything; what it raises stops it
    leaving: Callable[[], Awaitable[None]] | None = None
    area: Area = "client"  # who makes it, as an observer is told
    traceparent: str = ""  # the trace context that was stored with what it sends; "" for none
    # what tells an observer and the log of it; None where nobody listens
    observed: ObservedCall | None = None


def whose(account: Account) -> dict[str, Any]:
    """Return what observers are told of an account, whoever makes the call."""
    url = urlsplit(account.base_url)
    digest = blake2b(f"{account.base_url} {account.user}".encode(), digest_size=4).hexdigest()
    port = url.port or (80 if url.scheme == "http" else 443)
    return {"account": digest, "server_address": url.hostname or "", "server_port": port}


@contextmanager
def noting_pauses(
    notifier: Notifier | None, account: str, breaker: CircuitBreaker, operation: str
) -> Iterator[None]:
    """Tell of each pause of the guard that begins, or gets longer, inside the block."""
    before = breaker.pauses(operation, now())
    yield
    for reason, seconds in breaker.pauses(operation, now()).items():
        if seconds > before[reason] + _MORE:
            _guard_log.info("%s: paused for %.0f s (%s)", operation or "all calls", seconds, reason)
            if notifier is not None:
                about: Any = {"reason": reason, "operation": operation, "account": account}
                notifier.tell("paused", Paused(seconds=seconds, **about))


@define(eq=False)
class ObservedCall:
    """A call of which an observer and the log are told, as a context manager around it."""

    _notifier: Notifier | None
    _whose: Mapping[str, Any]
    _login: Login
    _operation: Operation
    _params: Params
    _state: CallState
    reply: Mapping[str, Any] = field(factory=dict)  # the decoded reply, once there is one
    _http_status: int | None = None
    _in_flight: float = 0.0
    _begun: float = field(init=False)
    _credits_at: float = field(init=False)
    _about: dict[str, Any] = field(init=False)
    _message: int | None = field(init=False)

    def __enter__(self) -> ObservedCall:
        self._begun, self._credits_at, self._state.observed = perf_counter(), self._login.credits_at, self
        given = {name.casefold(): value for name, value in self._params.items()}
        to, reference, message = given.get(_RECIPIENTS), given.get(_REFERENCE), given.get(_MESSAGE)
        self._message = message if isinstance(message, int) else None
        self._about = {
            "call": next(_numbers),
            "operation": self._operation.name,
            "kind": _KINDS[self._operation.kind],
            "area": self._state.area,
            "recipients": len(to) if isinstance(to, Sequence) and not isinstance(to, str | bytes) else 0,
            "reference": unmarked(reference)[0] if isinstance(reference, str) else "",
            **self._whose,
        }
        if self._notifier is not None:
            started = CallStarted(traceparent=self._state.traceparent, **self._about)
            self._notifier.tell("call_started", started)
        return self

    async def post(self, request: Awaitable[RawReply]) -> RawReply:
        left, self._http_status = perf_counter(), None
        try:
            reply = await request
            self._http_status = reply.status
            return reply
        finally:
            self._in_flight += perf_counter() - left

    def retried(self, attempt: int, failure: Failure, wait: float) -> None:
        cause = _CAUSES.get(type(failure), "no_answer")
        if self._notifier is not None:
            what: dict[str, Any] = {
                "attempt": attempt,
                "cause": cause,
                "http_status": self._http_status,
                "wait": wait,
            }
            self._notifier.tell("call_retried", CallRetried(**what, **self._about))
        _log.debug("%s: %s; attempt %d in %.2f s", self._operation.name, cause, attempt, wait)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        took = perf_counter() - self._begun
        cause = error.error if isinstance(error, NotStored) else error
        self._state.observed = None  # else the two would wait for a collection
        named = self._login.credits_at != self._credits_at
        told: dict[str, Any] = {
            "attempts": self._state.attempts,
            "seconds_waited": max(took - self._in_flight, 0.0),
            "seconds_in_flight": self._in_flight,
            "http_status": self._http_status,
            "result_code": error.code if isinstance(error, APIError) else self._whole("result"),
            "message_id": self._whole("message_id") or self._message,
            "segments": self._whole("segments"),
            "credits": number(self.reply, _CREDITS) if _CREDITS in self.reply else None,
            "credits_left": self._login.credits if named else None,
            "error_class": "" if cause is None else type(cause).__name__,
        }
        if self._notifier is not None:
            self._notifier.tell("call_finished", CallFinished(**told, **self._about))
        if _log.isEnabledFor(logging.INFO):
            about = {name: self._about[name] for name in ("operation", "area", "recipients")}
            done = f"message {told['message_id']}" if told["message_id"] else "done"
            values = (self._operation.name, told["error_class"] or done, self._state.attempts, took * 1000)
            extra = {**about, **told, "milliseconds": round(took * 1000, 1)}
            _log.info("%s: %s, attempts %d, %.0f ms", *values, extra=extra)

    def _whole(self, what: str) -> int | None:
        for name in _NAMES[what]:
            if (value := self.reply.get(name)) is not None:
                return value if type(value) is int else whole_number(self.reply, name)
        return None
