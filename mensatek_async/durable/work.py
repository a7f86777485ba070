"""What passes between a journal and those who send: work that is claimed, and what became of it."""

from __future__ import annotations

import random
from decimal import Decimal
from secrets import token_hex
from typing import Generic, Literal, TypeVar

from attrs import field, frozen

from .._core.operations import Operation
from .._wire.encode import Params
from .._wire.marks import Mark

_LONGEST = 60.0  # seconds between two tries of the same work


@frozen
class Claimer:
    """A worker: what it claims carries its name.

    Attributes:
        owner: its name.
        lease: seconds that a claim lasts.
    """

    owner: str
    lease: float


@frozen(kw_only=True)
class Work:
    """A request that is ours to make until its lease ends.

    Attributes:
        token: whose claim it is.
        join: the message to join; None where the request opens one, which cannot be repeated.
        repeat: whether an earlier try may have been taken up.
        wait: seconds until its place in the rate.
        mark: what its reference carries on the wire, so that a report is known again; None for nothing.
        patience: seconds after which it must not leave any more; None for no such moment.
    """

    token: str
    join: int | None
    repeat: bool
    wait: float
    mark: Mark | None
    patience: float | None = None


W = TypeVar("W", bound=Work)
C = TypeVar("C", bound=Claimer)


@frozen
class Request:
    """What goes to the provider.

    Attributes:
        operation: the operation.
        params: its parameters by wire names.
        recipients: how many they are.
        reference: the user's own.
        area: who sends; the requests of campaigns let single calls go first.
        traceparent: the trace context that was stored with it; "" for none.
    """

    operation: Operation
    params: Params = field(repr=False)
    recipients: int
    reference: str
    area: Literal["campaigns", "outbox"]
    traceparent: str = ""


@frozen
class Wait:
    """Nothing can be claimed for so many seconds.

    Attributes:
        seconds: until it is worth looking again, at the latest.
        sure: whether nothing can change that: closed hours, or the provider's word.
    """

    seconds: float
    sure: bool = False


@frozen
class Over:
    """Nothing is left to claim: all that was asked for has ended, is paused, or waits for its rows.

    Attributes:
        missing: whether rows are missing that nobody reads.
    """

    missing: bool = False


@frozen(kw_only=True)
class Taken:
    """An answer of the provider."""

    message_id: int
    accepted: int
    repeated: int
    credits: Decimal | None
    left: Decimal | None


@frozen(kw_only=True)
class NotTaken:
    """Certainly not sent.

    Attributes:
        reason: what happened, without personal data.
        wait: seconds before it is tried again; None for a backoff.
        hold: whether everybody waits that long.
        too_many: whether the provider said that too many requests came.
        pause: why nothing of the account can be sent, "" where that is not so.
        failed: the class of the error with which it is refused for good; "" where it is not.
    """

    reason: str
    wait: float | None = None
    hold: bool = False
    too_many: bool = False
    pause: str = ""
    failed: str = ""


@frozen
class Lost:
    """A request that left and was not answered."""

    reason: str


@frozen
class Finish(Generic[W]):
    """What became of a piece of work."""

    work: W
    outcome: Taken | NotTaken | Lost


def new_token() -> str:
    """Return a token for a claim."""
    return token_hex(16)


def backoff(failures: int) -> float:
    """Return the seconds before the same work is tried again, after so many failures."""
    longest = min(0.5 * 2.0 ** min(failures, 10), _LONGEST)
    return random.uniform(longest / 2, longest)  # noqa: S311
