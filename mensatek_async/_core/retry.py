"""Which failed attempts may be repeated, and when."""

from __future__ import annotations

import random
from collections.abc import Callable

import anyio

from ..settings import Retry
from .failures import Cut, Failure
from .operations import Kind


def may_repeat(kind: Kind, joined: bool, failure: Failure) -> bool:
    """Whether a failed attempt may be repeated without a risk of doing the same thing twice.

    What certainly was not taken up (no connection, or told to wait) may be repeated by any call. What may have been
    taken up may be repeated by reads, by changes that end the same when done twice, and by sends that join a message:
    the provider sends nothing twice to one phone inside it.
    """
    if not isinstance(failure, Cut):
        return True
    return kind is not Kind.SEND or joined


def decider(kind: Kind, joined: bool, settings: Retry, started: float) -> Callable[[Exception], bool | float]:
    """The hook that the backoff asks after each failed attempt: stop, go on, or go on after so many seconds."""

    def decide(error: Exception) -> bool | float:
        if not isinstance(error, Failure) or not may_repeat(kind, joined, error):
            return False
        if error.wait is None:
            return True
        # The backoff does not bound a wait it is given, nor jitter it.
        wait = error.wait + random.uniform(0, min(1.0, settings.wait_initial))  # noqa: S311
        return wait if anyio.current_time() - started + wait <= settings.timeout else False

    return decide
