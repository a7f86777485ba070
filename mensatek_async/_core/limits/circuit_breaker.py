"""Stops calls that the provider would count as spam. Pure: the time comes in from outside."""

from __future__ import annotations

from collections import deque

from ...errors import AccountPaused, TooManyRequests
from ...settings import Guard

_AUTH = "the provider refused the API user or token a moment ago"
_BLOCK = "the provider has blocked this account or address for a while"


class Gate:
    """What the provider said of this account, and what follows for the next call."""

    def __init__(self, settings: Guard) -> None:
        self._settings = settings
        self._paused_until = float("-inf")
        self._why = _AUTH
        self._refusals = 0
        self._held_until = float("-inf")
        self._wrong: dict[str, deque[float]] = {}
        self._spared: dict[str, float] = {}

    def check(self, operation: str, now: float) -> None:
        """Let a call pass or refuse it.

        Raises:
            AccountPaused: the credentials were refused, or the account blocked, not long ago.
            TooManyRequests: this operation was called wrongly too often within the window.
        """
        if now < self._paused_until:
            paused = AccountPaused(
                f"{operation} was not called: {self._why}.", retry_after=self._paused_until - now
            )
            paused.by_credentials = self._why == _AUTH
            raise paused
        calls = self._wrong.get(operation)
        if calls is None:
            return
        while calls and now - calls[0] >= self._settings.wrong_window:
            calls.popleft()
        if len(calls) >= self._settings.wrong_calls:
            raise TooManyRequests(
                f"{operation} was not called: {len(calls)} wrong calls in {self._settings.wrong_window:.0f} s, "
                "and the provider treats more as spam.",
                retry_after=calls[0] + self._settings.wrong_window - now,
            )

    def spare(self, operation: str, now: float) -> None:
        """Let a call pass that the provider wants made very rarely, or refuse it.

        Raises:
            TooManyRequests: the last one is too young.
        """
        wait = self.until_spare(operation, now)
        if wait > 0:
            raise TooManyRequests(
                f"{operation} was not called: the provider blocks who asks for a whole period often, so it goes out "
                f"once in {self._settings.period_interval:.0f} s.",
                retry_after=wait,
            )
        self._spared[operation] = now

    def until_spare(self, operation: str, now: float) -> float:
        """Seconds until such a call may go out."""
        last = self._spared.get(operation, float("-inf"))
        wait = last + self._settings.period_interval - now
        return wait if wait > 0.001 else 0.0  # a sleep may end a hair early

    def unspare(self, operation: str) -> None:
        """The last such call never reached the provider."""
        self._spared.pop(operation, None)

    def hold(self, now: float) -> float:
        """Seconds every call has to wait because the provider said so."""
        return max(self._held_until - now, 0.0)

    def told_to_wait(self, seconds: float, now: float) -> None:
        """The provider named a time (429, 503): everything waits for it."""
        self._held_until = max(self._held_until, now + seconds)

    def refused_credentials(self, now: float) -> None:
        """Pause, longer each time; refusals of calls that were on their way together count once."""
        if now < self._paused_until:
            return
        pause = min(self._settings.pause * 2**self._refusals, self._settings.pause_max)
        self._refusals = min(self._refusals + 1, 30)
        self._paused_until, self._why = now + pause, _AUTH

    def blocked(self, seconds: float | None, now: float) -> float:
        """The provider blocked us (403): pause as told, else by the settings. Returns the seconds."""
        pause = self._settings.block_pause if seconds is None else seconds
        self._paused_until, self._why = max(self._paused_until, now + pause), _BLOCK
        return pause

    def wrong_call(self, operation: str, now: float) -> None:
        """Count a call that the provider found wrong."""
        self._wrong.setdefault(operation, deque(maxlen=self._settings.wrong_calls)).append(now)

    def accepted(self) -> None:
        """The credentials work: the next refusal starts with the short pause again."""
        self._refusals = 0
