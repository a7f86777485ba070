"""The rate that the provider allows, learnt from what it accepts and refuses. Pure: the time comes in from outside."""

from __future__ import annotations

import math
from collections.abc import Callable

from attrs import define

_BACK_OFF = 0.15  # the part of the ceiling that a refusal costs
_SLOWEST = 0.5  # requests a second that leave, however often they are refused
_LONGEST = 60.0  # seconds until a ceiling that was refused again and again is tried once more
_REQUESTS = 30  # requests, at the least, before the ceiling is tried again
_TOGETHER = 1.0  # seconds within which refusals are one: those requests were on their way together
_DOUBLING = 8  # accepted requests after which the rate doubles while next to nothing is known


@define
class Pace:
    """What is known of the rate that the provider allows, by TCP's CUBIC (RFC 9438).

    After a refusal the rate falls below the rate that was accepted, climbs back fast, stays near it for long, and then
    tries more. A rate that was refused twice is tried half as often.
    """

    # requests a second that were accepted when one was refused last; None while nothing is known
    ceiling: float | None = None
    confirmed: bool = False  # whether the refusal before that said the same
    since: float = 0.0  # when the climb began
    span: float = 1.0  # seconds that it takes to the ceiling
    doublings: float | None = None  # how often the rate has doubled, where it is still looked for; else None
    refused_at: float = float("-inf")  # when a refusal counted last

    def rate(self, now: float) -> float | None:
        """Return the requests a second that may leave; None when there is no reason for a limit."""
        if self.ceiling is None:
            return None
        if self.doublings is not None:
            rate = self.ceiling * (1 - _BACK_OFF) * math.pow(2.0, min(self.doublings, 30.0))
        else:
            beyond = (now - self.since) / self.span - 1
            steep = 1.0 if beyond > 0 and not self.confirmed else _BACK_OFF
            rate = self.ceiling * (1 + steep * beyond**3)
        if rate > max(4 * self.ceiling, 500.0):
            self.ceiling = self.doublings = None
            return None
        return rate

    def accepted(self) -> None:
        """Note that a request was accepted."""
        if self.doublings is not None:
            self.doublings += 1 / _DOUBLING

    def refused(
        self, now: float, wait: float | None, accepted: Callable[[float], float], limit: float | None = None
    ) -> float:
        """Note that a request was refused because too many came; return seconds that nothing should leave.

        It tells nothing new when that is 0. The provider said to `wait` so many seconds; `accepted` gives how many
        requests were accepted within so many; `limit` are requests a second that leave at most for another reason.
        """
        if now - self.refused_at < max(_TOGETHER, wait or 0.0) or wait == 0:
            return 0.0  # a provider that says "again at once" has no rate in mind
        self.refused_at = now
        rate = self.rate(now) or limit
        if rate is None:
            seen = accepted(1.0)
            pause = wait or 1.0
        else:
            window = max(1.0, 8 / rate)
            seen = min(rate, max(accepted(window) / window, 0.7 * rate))
            pause = wait or min(1.0, 1 / max(seen, 1.0))
        # "Again in 0.1 s" is not said where one a second is allowed.
        seen = max(seen, _SLOWEST, 1 / wait if wait else 0.0)
        shortest = max(2.0, _REQUESTS / seen, 10 * (wait or 0.0))
        before, self.ceiling = self.ceiling, seen
        self.confirmed = before is not None and abs(seen / before - 1) < 0.25
        self.span = max(shortest, min(2 * self.span, _LONGEST)) if self.confirmed else shortest
        # A single accepted request says little about the rate: it is looked for before it is kept to.
        self.doublings = 0.0 if rate is None and seen <= 1 else None
        self.since = now + pause
        return pause
