"""What one call has done so far, readable from outside while it runs or after it was cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import anyio
from attrs import Factory, define

from .failures import Cut
from .sink import Sink


@define(eq=False)
class InFlightShield:
    """Requests on their way that a cancellation does not cut off at once.

    Attributes:
        lost: how many of them were cut off all the same.
    """

    _scopes: set[anyio.CancelScope] = Factory(set)
    _deadline: float | None = None
    lost: int = 0

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
        """Give every request on its way `grace` seconds more."""
        self._deadline = anyio.current_time() + grace
        for scope in self._scopes:
            scope.deadline = self._deadline


# Where the requests of a call that changes something are shielded when its own state does not say: the synchronous
# client sets it, so that Ctrl-C can tell what became of a send.
in_flight_shield: ContextVar[InFlightShield | None] = ContextVar("in_flight_shield", default=None)


@define(eq=False)
class CallState:
    """One call's attempts.

    Attributes:
        attempts: how often a request was tried.
        left: whether an attempt may have reached the provider.
        maybe_done: whether an attempt left and got no readable answer.
        shield: where its requests are shielded from cancellation, if anywhere.
        sink: where a document goes that comes as its answer.
        rare: whether the provider wants this call made very rarely.
        bulk: whether it is one of many that nobody waits for by itself: single calls go first.
        once: whether whoever calls decides on repeats, so that none is made here.
        latest: the moment, by anyio's clock, from which it must not leave any more; None for never.
        leaving: awaited right before a request leaves, when it has waited for everything; what it raises stops it.
    """

    attempts: int = 0
    left: bool = False
    maybe_done: bool = False
    shield: InFlightShield | None = None
    sink: Sink | None = None
    rare: bool = False
    bulk: bool = False
    once: bool = False
    latest: float | None = None
    leaving: Callable[[], Awaitable[None]] | None = None
