"""What is known of each account, shared by all its clients in the process, across event loops, threads and forks."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict, deque
from decimal import Decimal
from typing import Any

import anyio
from anyio.lowlevel import EventLoopToken, RunVar, current_token
from attrs import Factory, define

from ...settings import Account

NEVER = float("-inf")
_MOST = 4096  # accounts kept in mind; the one used longest ago is forgotten first
_LOOK = 0.02  # seconds between two looks at what is under way in another event loop
_KEY = os.urandom(32)  # so that no digest of a token means anything outside this process

_shift: RunVar[float] = RunVar("mensatek_async_clock")


def now() -> float:
    """The time in seconds, on a clock that all event loops of the process share and that runs like this one's."""
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
        entries: the answers to reads, by what was asked.
        flights: the reads under way.
    """

    accepted: bool = False
    refused_until: float = NEVER
    refusals: int = 0
    credits: Decimal | None = None
    credits_at: float = NEVER
    entries: OrderedDict[Any, Any] = Factory(OrderedDict)
    flights: dict[Any, Any] = Factory(dict)
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
    logins: dict[bytes, Login] = Factory(dict)


_accounts: OrderedDict[tuple[str, str], AccountState] = OrderedDict()
_lock = threading.Lock()


def lock() -> threading.Lock:
    """Guards what several threads change; held for a few lines, never while anything waits."""
    return _lock


def known(account: Account) -> tuple[AccountState, Login]:
    """What is known of an account and its token, the same for every client of the two."""
    digest = hashlib.blake2b(account.token.reveal().encode(), key=_KEY, digest_size=16).digest()
    with _lock:
        state = _accounts.setdefault((account.base_url, account.user), AccountState())
        _accounts.move_to_end((account.base_url, account.user))
        if len(_accounts) > _MOST:
            _accounts.popitem(last=False)
        return state, state.logins.setdefault(digest, Login())


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
