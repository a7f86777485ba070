"""One piece of work through the client: the POST, and what its end means for the journal."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from math import inf
from typing import Generic

import anyio

from .._core.call_state import CallState, InFlightShield
from .._core.context import Context
from .._core.failures import ToldToWait
from .._core.messages.message import reconcile_repeat
from .._wire.marks import marked
from .._wire.names import REQUEST
from ..errors import (
    AccountPaused,
    AlreadyCancelled,
    AlreadySent,
    APIError,
    AuthenticationError,
    BadParameters,
    ConfigurationError,
    ConnectionFailed,
    InsufficientCredits,
    MensatekError,
    NotYours,
    OutcomeUnknown,
    Refused,
)
from ..models.results import SendResult
from ..store.failpoints import failpoint
from .work import Lost, NotTaken, Request, Taken, W, Work

_FRESH = 0.05  # seconds after which a claim is looked at again before it is sent: who opts out meanwhile is left out
_OWN = 5.0  # seconds after which a chunk is offered again that this client's own guard held back


class NotNow(Exception):
    """The request is no longer wanted, which was found out right before it would have left."""


class Post(Generic[W]):
    """Sends one piece of work once; repeats are the journal's business."""

    def __init__(self, context: Context, request: Request, work: W, claimed: float, lease: float) -> None:
        self._context = context
        self._request = request
        self.work: W = work
        self._limit = lease / 2
        self._claimed = claimed
        self._latest = inf if work.patience is None else anyio.current_time() + work.patience
        self._shield = InFlightShield()
        self._state = CallState(
            shield=self._shield,
            bulk=request.area == "campaigns",
            once=True,
            area=request.area,
            traceparent=request.traceparent,
        )
        self._stopped = False

    @property
    def left(self) -> bool:
        return self._state.left

    def stop(self, grace: float) -> None:
        """Let it leave no more; one that is on its way is given `grace` seconds."""
        self._stopped = True
        self._shield.release_in(grace)

    async def run(
        self, turns: anyio.Semaphore, wanted: Callable[[], bool], may_leave: Callable[[], Awaitable[bool]]
    ) -> Taken:
        """Send it, or raise NotNow.

        Args:
            turns: for requests in flight.
            wanted: asked when its turn has come.
            may_leave: asked right before it leaves, if it cannot be repeated or was claimed a while ago; its lease then
                begins anew.
        """

        waiting = anyio.CancelScope(deadline=self._latest)

        async def leaving() -> None:
            begun = self._claimed
            if self.work.join is None or time.monotonic() > begun + min(_FRESH, self._limit):
                begun = time.monotonic()
                if not await may_leave():
                    raise NotNow
                failpoint("post.leaving")
            # A worker that was stopped meanwhile must not send under a lease that is over, or too late.
            late = time.monotonic() > begun + self._limit or anyio.current_time() >= self._latest
            if self._stopped or late:
                raise NotNow
            waiting.deadline = inf
            self._shield.release_in(self._limit)
            failpoint("post.before")

        self._state.leaving = leaving
        self._state.latest = None if self.work.patience is None else self._latest
        with waiting:
            async with turns:
                if not wanted():
                    raise NotNow
                return await self._ask()
        raise NotNow  # its time passed while it waited for its turn

    async def _ask(self) -> Taken:
        work, request = self.work, self._request
        params = request.params
        # Left out by the user and by the client, reports are asked for: they settle what is unknown.
        wanted = self._context.report is not False or REQUEST["report_email"] in params
        params.setdefault(REQUEST["report"], int(wanted))
        if work.mark is not None:
            params[REQUEST["reference"]] = marked(request.reference, work.mark)
        result: SendResult = await self._context.caller.ask(request.operation, params, state=self._state)
        failpoint("post.after")
        final = reconcile_repeat(result, request.recipients, repeat=work.repeat, joined=work.join or 0)
        return Taken(
            message_id=final.message_id,
            accepted=final.accepted,
            repeated=result.repeated or 0,
            credits=result.credits_used,
            left=final.credits_left,
        )


def outcome_of(error: Exception, work: Work, left: bool) -> NotTaken | Lost:
    """Return what an error means for a piece of work. No text, token or phone stands in the reason."""
    reason = str(error.args[0]) if isinstance(error, MensatekError) and error.args else type(error).__name__
    if isinstance(error, OutcomeUnknown):
        return Lost(reason)
    if isinstance(error, AuthenticationError) or (isinstance(error, AccountPaused) and error.by_credentials):
        return NotTaken(reason=reason, pause="auth", wait=getattr(error, "retry_after", None))
    if isinstance(error.__cause__, ToldToWait):
        return NotTaken(reason=reason, wait=error.__cause__.wait, hold=True, too_many=True)
    if isinstance(error, Refused):
        wait = max(error.retry_after, 0.1)
        # What the provider said holds for everybody; what this client's own guard says, for this client.
        return NotTaken(reason=reason, wait=wait if left else min(wait, _OWN), hold=left)
    if isinstance(error, ConnectionFailed | ConfigurationError):
        return NotTaken(reason=reason)
    if isinstance(error, InsufficientCredits):
        return NotTaken(reason=reason, pause="no_credit")
    unknown = isinstance(error, BadParameters) and "idmensaje" in error.detail.casefold()
    if work.join is not None and (unknown or isinstance(error, NotYours | AlreadyCancelled | AlreadySent)):
        return NotTaken(reason=reason, pause="group_lost")
    return (
        NotTaken(reason=reason, failed=type(error).__name__) if isinstance(error, APIError) else Lost(reason)
    )
