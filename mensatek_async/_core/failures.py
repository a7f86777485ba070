"""How an attempt can fail, before it becomes one of the user's errors; and what the HTTP library's errors mean."""

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


_NOT_SENT = {
    "ConnectError",
    "ConnectTimeout",
    "PoolTimeout",
    "UnsupportedProtocol",
    "ProxyError",
    "LocalProtocolError",
}
# httpx-aiohttp calls a connection that broke under a request a ConnectTimeout, too. What aiohttp itself said is the
# truth: only these of its connection errors come before anything leaves.
_BROKEN = "ClientConnectionError"
_BROKEN_BEFORE = {"ClientConnectorError", "ConnectionTimeoutError"}


def mapped(error: Exception) -> Cut | NotReached:
    """Return what an error of the HTTP library means; what is not certainly unsent may have been sent."""
    reason = " <- ".join(_chain(error))
    if _names(error) & _NOT_SENT and not _broke_later(error.__cause__):
        return NotReached(reason)
    return Cut(reason)


def _names(error: BaseException | None) -> set[str]:
    return {cls.__name__ for cls in type(error).__mro__}


def _broke_later(cause: BaseException | None) -> bool:
    names = _names(cause)
    return _BROKEN in names and not names & _BROKEN_BEFORE


def _chain(error: BaseException | None) -> list[str]:
    # On trio a TLS failure says nothing itself; the reason is down the chain.
    chain: list[str] = []
    for _ in range(3):  # it may be a ring, when one exception is raised again
        if error is None:
            break
        text = str(error).strip()
        shown = f"{type(error).__name__}: {text}" if text else type(error).__name__
        if shown not in chain:
            chain.append(shown)
        error = error.__cause__ or error.__context__
    return chain
