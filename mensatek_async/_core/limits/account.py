"""What is known of each account, shared by all its clients in the process, and the calls that it stops."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import anyio
from anyio.lowlevel import EventLoopToken, RunVar, current_token
from attrs import Factory, define

from ...errors import (
    AccountPaused,
    AuthenticationError,
    BadParameters,
    MensatekError,
    NotYours,
    TooManyRequests,
)
from ...settings import Account, Guard
from ..failures import Blocked, Failure, ToldToWait

NEVER = float("-inf")
_MOST = 4096  # accounts kept in mind; the one used longest ago is forgotten first
_MOST_LOGINS = 64  # tokens kept in mind of each
_LOOK = 0.02  # seconds between two looks at what is under way in another event loop
_KEY = os.urandom(32)  # so that no digest of a token means anything outside this process

_AUTH = "the provider refused the API user or token a moment ago"
_MOST_WRONG = 1000  # wrong calls kept of one operation, whatever the clients' settings
_BLOCK = "the provider has blocked this account or address for a while"

_shift: RunVar[float] = RunVar("mensatek_async_clock")


def now() -> float:
    """Return the seconds of a clock that all event loops of the process share and that runs like this one's."""
    here = anyio.current_time()
    shift = _shift.get(None)
    if shift is None:
        shift = time.monotonic() - here
        _shift.set(shift)
    return here + shift


@define(eq=False)
class UnderWay:
    """Something that is being done and that others wait for, in whatever event loop they run."""

    ended: bool = False
    _home: EventLoopToken = Factory(current_token)
    _event: anyio.Event = Factory(anyio.Event)
    _process: int = Factory(os.getpid)

    @property
    def is_here(self) -> bool:
        """Whether it is done in this process, not in one that forked it."""
        return self._process == os.getpid()

    def end(self) -> None:
        """Let those who wait go on."""
        self.ended = True
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for its end, for so long at most; returns whether it has ended."""
        with anyio.move_on_after(seconds):
            if current_token() == self._home:
                await self._event.wait()
            while not self.ended:  # noqa: ASYNC110 - an event belongs to one event loop, and this may be another
                await anyio.sleep(_LOOK)
        return self.ended


@define(eq=False)
class Login:
    """What is known of one token of an account.

    Attributes:
        accepted: whether the newest answer accepted it.
        refused_until: when calls may go out again after it was refused.
        refusals: how often it was refused in a row.
        credits: the credits left by the newest reply.
        credits_at: when that came.
        credits_asked_at: when another process asked for them, where they came from there.
        entries: the answers to reads, by what was asked.
        flights: the reads under way.
        shared: by store, what processes share of it.
    """

    accepted: bool = False
    refused_until: float = NEVER
    refusals: int = 0
    credits: Decimal | None = None
    credits_at: float = NEVER
    credits_asked_at: float = NEVER
    entries: OrderedDict[Any, Any] = Factory(OrderedDict)
    flights: dict[Any, Any] = Factory(dict)
    shared: dict[Any, Any] = Factory(dict)
    _first: UnderWay | None = None

    async def turn(self, patience: float) -> UnderWay | None:
        """Wait while another call finds out whether the token is accepted.

        Args:
            patience: seconds after which the call goes out all the same.

        Returns:
            What to hand to `leave` when the call has ended; None when it need not stand alone.
        """
        until = anyio.current_time() + patience
        while True:
            with lock():
                if self.accepted:
                    return None
                first = self._first
                if first is None or not first.is_here:
                    self._first = mine = UnderWay()
                    return mine
            if not await first.wait(until - anyio.current_time()):
                return None

    def leave(self, turn: UnderWay) -> None:
        """End the turn that `turn` gave."""
        with lock():
            if self._first is turn:
                self._first = None
        turn.end()


@define(eq=False)
class AccountState:
    """What the provider said of one account, whatever the token.

    Attributes:
        blocked_until: when calls may go out again after a block.
        held_until: when they may after the provider asked to wait.
        wrong: when wrong calls were made, by operation.
        rare: when calls that are meant for rare use went out last, by operation.
        logins: by a digest of the token.
    """

    blocked_until: float = NEVER
    held_until: float = NEVER
    wrong: dict[str, deque[float]] = Factory(dict)
    rare: dict[str, float] = Factory(dict)
    logins: OrderedDict[bytes, Login] = Factory(OrderedDict)

    def add_wrong(self, operation: str, at: float) -> None:
        """Count a call that the provider found wrong."""
        self.wrong.setdefault(operation, deque(maxlen=_MOST_WRONG)).append(at)


_accounts: OrderedDict[tuple[str, str], AccountState] = OrderedDict()
_lock = threading.Lock()


def lock() -> threading.Lock:
    """Return the lock of what several threads change; held for a few lines, never while anything waits."""
    return _lock


def known(account: Account) -> tuple[AccountState, Login]:
    """Return what is known of an account and its token, the same for every client of the two."""
    digest = hashlib.blake2b(account.token.reveal().encode(), key=_KEY, digest_size=16).digest()
    with _lock:
        state = _accounts.setdefault((account.base_url, account.user), AccountState())
        _accounts.move_to_end((account.base_url, account.user))
        if len(_accounts) > _MOST:
            _accounts.popitem(last=False)
        login = state.logins.setdefault(digest, Login())
        state.logins.move_to_end(digest)
        if len(state.logins) > _MOST_LOGINS:
            state.logins.popitem(last=False)
        return state, login


def forget_all() -> None:
    """Begin afresh, for tests: clients made from now on know nothing of what was before."""
    with _lock:
        _accounts.clear()


def _renew_lock() -> None:
    # Another thread of the parent may have held it at the fork, and never gives it back here.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class CircuitBreaker:
    """What the provider said of an account, and what follows for the next call of one of its clients.

    Pure: the time comes in from outside.

    Args:
        settings: the client's.
        account: what its clients share.
        login: what those of them share that have the same token.
    """

    def __init__(self, settings: Guard, account: AccountState, login: Login) -> None:
        self._settings = settings
        self._account = account
        self._login = login

    def check(self, operation: str, now: float) -> float:
        """Let a call pass or refuse it; return the seconds it has to wait first, because the provider said so.

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
        if (made := self._account.wrong.get(operation)) and (wait := self._until_wrong(tuple(made), now)):
            raise TooManyRequests(
                f"{operation} was not called: {self._settings.wrong_calls} wrong calls in "
                f"{self._settings.wrong_window:.0f} s, and the provider treats more as spam.",
                retry_after=wait,
            )
        return max(self._account.held_until - now, 0.0)

    def _until_wrong(self, made: Iterable[float], now: float) -> float:
        """Return the seconds until an operation that was called wrongly so often may be called; 0 for now."""
        calls = [at for at in made if now - at < self._settings.wrong_window]
        calls = calls[-self._settings.wrong_calls :]
        return (
            calls[0] + self._settings.wrong_window - now if len(calls) >= self._settings.wrong_calls else 0.0
        )

    def pauses(self, operation: str, now: float) -> dict[str, float]:
        """Return the seconds left of whatever holds a call back, as observers are told."""
        until = {
            "credentials": self._login.refused_until,
            "block": self._account.blocked_until,
            "told_to_wait": self._account.held_until,
        }
        wrong = self._until_wrong(tuple(self._account.wrong.get(operation, ())), now)
        return {"wrong_calls": wrong, **{reason: max(at - now, 0.0) for reason, at in until.items()}}

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
        """Return the seconds until such a call may go out."""
        last = self._account.rare.get(operation, NEVER)
        wait = last + self._settings.period_interval - now
        return wait if wait > 0.001 else 0.0  # a sleep may end a hair early

    def forget_rare(self, operation: str) -> None:
        """Forget the last such call, which never reached the provider."""
        self._account.rare.pop(operation, None)

    def note(self, operation: str, error: Failure | MensatekError, now: float) -> Failure | MensatekError:
        """Note what a refusal means for the calls after it; return the error to raise."""
        if isinstance(error, Blocked):
            return AccountPaused(
                f"{operation} was turned away ({error.reason}): the provider has blocked this account or address.",
                retry_after=self.blocked(error.wait, now),
            )
        if isinstance(error, ToldToWait) and error.wait is not None:
            self.hold(error.wait, now)
        elif isinstance(error, AuthenticationError):
            self.refused_credentials(now)
        elif isinstance(error, BadParameters | NotYours):
            self._account.add_wrong(operation, now)
        return error

    def hold(self, seconds: float, now: float) -> None:
        """Let every call wait for the seconds that the provider named (429, 503)."""
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
        """Pause after a block (403), for the seconds that the provider named, else by the settings; return them."""
        pause = self._settings.block_pause if seconds is None else seconds
        self._account.blocked_until = max(self._account.blocked_until, now + pause)
        return pause

    def accepted(self) -> None:
        """Note that the credentials work: the next refusal starts with the short pause again."""
        self._login.accepted, self._login.refusals = True, 0
