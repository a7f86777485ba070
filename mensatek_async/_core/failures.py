"""How an attempt can fail, before it becomes one of the user's errors."""

from __future__ import annotations


class Failure(Exception):
    """An attempt without a readable answer. `reason` names no value of the call."""

    def __init__(self, reason: str, *, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


class NotReached(Failure):
    """Nothing reached the provider: no connection."""


class ToldToWait(Failure):
    """The provider turned the call away unread, and may have said for how long (`wait`, seconds)."""


class Blocked(Failure):
    """The provider turned the caller itself away (HTTP 403)."""


class Cut(Failure):
    """The request left, or part of it, and no whole answer came."""


class Unreadable(Cut):
    """An answer came that nobody can read; `problems` say why."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class NotStored(Exception):
    """What arrived could not be written down; `error` says why. No fault of the call, so it is not repeated."""

    def __init__(self, error: OSError | ValueError) -> None:
        super().__init__(str(error))
        self.error = error
