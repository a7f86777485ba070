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
from ..codes import DeliveryStatus

_LONGEST = 60.0  # seconds between two tries of the same work


@frozen
class Claimer:
    """A worker: what it claims carries its name."""

    owner: str
    lease: float  # seconds that a claim lasts


@frozen(kw_only=True)
class Work:
    """A request that is ours to make until its lease ends."""

    token: str  # whose claim it is
    join: int | None  # the message to join; None where the request opens one, which cannot be repeated
    repeat: bool  # whether an earlier try may have been taken up
    wait: float  # seconds until its place in the rate
    mark: Mark | None  # what its reference carries on the wire, so that a report is known again
    patience: float | None = None  # seconds after which it must not leave any more


W = TypeVar("W", bound=Work)
C = TypeVar("C", bound=Claimer)


@frozen
class Request:
    """What goes to the provider."""

    operation: Operation
    params: Params = field(repr=False)
    recipients: int  # how many they are
    reference: str  # the user's own
    area: Literal["campaigns", "outbox"]  # the requests of campaigns let single calls go first
    traceparent: str = ""  # the trace context that was stored with it


@frozen
class Wait:
    """Nothing can be claimed for so many seconds at most."""

    seconds: float
    sure: bool = False  # whether nothing can change that: closed hours, or the provider's word


@frozen
class Over:
    """Nothing is left to claim: all that was asked for has ended, is paused, or waits for its rows."""

    missing: bool = False  # whether rows are missing that nobody reads


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
    """Certainly not sent."""

    reason: str  # what happened, without personal data
    wait: float | None = None  # seconds before it is tried again; None for a backoff
    hold: bool = False  # whether everybody waits that long
    too_many: bool = False  # whether the provider said that too many requests came
    pause: str = ""  # why nothing of the account can be sent
    failed: str = ""  # the class of the error with which it is refused for good


@frozen
class Lost:
    """A request that left and was not answered."""

    reason: str


@frozen
class Finish(Generic[W]):
    """What became of a piece of work."""

    work: W
    outcome: Taken | NotTaken | Lost


def is_older(
    moment: float | None, earlier: float | None, status: DeliveryStatus, before: DeliveryStatus
) -> bool:
    """Return whether a status is older than the one before it; moments are seconds since 1970, None when unknown."""
    if moment is not None and earlier is not None and moment != earlier:
        return moment < earlier
    return not status.replaces(before)


def new_token() -> str:
    return token_hex(16)


def backoff(failures: int) -> float:
    """Return the seconds before the same work is tried again, after so many failures."""
    longest = min(0.5 * 2.0 ** min(failures, 10), _LONGEST)
    return random.uniform(longest / 2, longest)  # noqa: S311
