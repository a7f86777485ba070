"""Which failed attempts may be repeated, and when.

The loop itself is in `call.py`. A retry library was tried and left: it logged a warning for each repeat into the
user's own program, and its process-wide switches decided over ours.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ...settings import Retry
from ..failures import Cut, Failure
from ..operations import Kind

_LONGEST_WAIT = 86400.0  # seconds of a Retry-After that are believed


def may_repeat(kind: Kind, joined: bool, failure: Failure) -> bool:
    """Return whether a failed attempt may be repeated without a risk of doing the same thing twice.

    What certainly was not taken up (no connection, or told to wait) may be repeated by any call. What may have been
    taken up may be repeated by reads, by changes that end the same when done twice, and by sends that join a message:
    the provider sends nothing twice to one phone inside it.
    """
    if not isinstance(failure, Cut):
        return True
    return kind is not Kind.SEND or joined


def wait_before(attempt: int, failure: Failure, settings: Retry) -> float:
    """Return the seconds before a further attempt: as the provider said, else doubling from the first; jittered.

    Args:
        attempt: the attempt to come, from 2.
        failure: how the one before failed.
        settings: the shortest and the longest wait.
    """
    if failure.wait is not None:
        return failure.wait + random.uniform(0, min(1.0, settings.wait_initial))  # noqa: S311
    longest = min(settings.wait_initial * 2.0 ** min(attempt - 2, 30), settings.wait_max)
    return random.uniform(longest / 2, longest)  # noqa: S311


def parse_retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After` header in either of its two forms; None when absent or unreadable."""
    if not value:
        return None
    value = value.strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            when = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        seconds = (when - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None
