"""Stops calls that the provider would count as spam. Pure: the time comes in from outside."""

from __future__ import annotations

from collections import deque

from ...errors import AccountPaused, TooManyRequests
from ...settings import Guard
from .account import AccountState, Login

_AUTH = "the provider refused the API user or token a moment ago"
_MOST_WRONG = 1000  # wrong calls kept of one operation, whatever the clients' settings
_BLOCK = "the provider has blocked this account or address for a while"


class CircuitBreaker:
    """What the provider said of an account, and what follows for the next call of one of its clients.

    Args:
        settings: the client's.
        account: what its clients share.
        login: what those of them share that have the same token.
    """

    def __init__(
        self, settings: Guard, account: AccountState | None = None, login: Login | None = None
    ) -> None:
        self._settings = settings
        self._account = account or AccountState()
        self._login = login or Login()

    def check(self, operation: str, now: float) -> None:
        """Let a call pass or refuse it.

        Raises:
            AccountPaused: the credentials were refused, or the account blocked, not long ago.
            TooManyRequests: this operation was called wrongly too often within the window.
        """
        refused, blocked = self._login.refused_until, self._account.blocked_until
        if now < refused or now < blocked:
            why = _BLOCK if now < blocked else _AUTH
            paused = AccountPaused(
                f"{operation} was not called: {why}.", retry_after=max(refused, blocked) - now
            )
            paused.by_credentials = why == _AUTH
            raise paused
        made = self._account.wrong.get(operation)
        if made is None:
            return
        calls = [at for at in tuple(made) if now - at < self._settings.wrong_window]
        calls = calls[-self._settings.wrong_calls :]
        if len(calls) >= self._settings.wrong_calls:
            raise TooManyRequests(
                f"{operation} was not called: {len(calls)} wrong calls in {self._settings.wrong_window:.0f} s, "
                "and the provider treats more as spam.",
                retry_after=calls[0] + self._settings.wrong_window - now,
            )

    def allow_rare(self, operation: str, now: float) -> None:
        """Let a call pass that the provider wants made very rarely, or refuse it.

        Raises:
            TooManyRequests: the last one is too young.
        """
        wait = self.until_rare(operation, now)
        if wait > 0:
            raise TooManyRequests(
                f"{operation} was not called: the provider blocks who asks for a whole period often, so it goes out "
                f"once in {self._settings.period_interval:.0f} s.",
                retry_after=wait,
            )
        self._account.rare[operation] = now

    def until_rare(self, operation: str, now: float) -> float:
        """Seconds until such a call may go out."""
        last = self._account.rare.get(operation, float("-inf"))
        wait = last + self._settings.period_interval - now
        return wait if wait > 0.001 else 0.0  # a sleep may end a hair early

    def forget_rare(self, operation: str) -> None:
        """The last such call never reached the provider."""
        self._account.rare.pop(operation, None)

    def hold(self, now: float) -> float:
        """Seconds every call has to wait because the provider said so."""
        return max(self._account.held_until - now, 0.0)

    def told_to_wait(self, seconds: float, now: float) -> None:
        """The provider named a time (429, 503): everything waits for it."""
        self._account.held_until = max(self._account.held_until, now + seconds)

    def refused_credentials(self, now: float) -> None:
        """Pause, longer each time; refusals of calls that were on their way together count once."""
        login = self._login
        login.accepted = False
        if now < max(login.refused_until, self._account.blocked_until):
            return
        pause = min(self._settings.pause * 2**login.refusals, self._settings.pause_max)
        login.refusals = min(login.refusals + 1, 30)
        login.refused_until = now + pause

    def blocked(self, seconds: float | None, now: float) -> float:
        """The provider blocked us (403): pause as told, else by the settings. Returns the seconds."""
        pause = self._settings.block_pause if seconds is None else seconds
        self._account.blocked_until = max(self._account.blocked_until, now + pause)
        return pause

    def wrong_call(self, operation: str, now: float) -> None:
        """Count a call that the provider found wrong."""
        self._account.wrong.setdefault(operation, deque(maxlen=_MOST_WRONG)).append(now)

    def accepted(self) -> None:
        """The credentials work: the next refusal starts with the short pause again."""
        self._login.accepted, self._login.refusals = True, 0
