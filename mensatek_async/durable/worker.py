"""A worker: a fixed number of slots, each of which claims, sends, and writes down what became of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Generic

import anyio
import anyio.lowlevel
from attrs import define, field

from .._core.context import Context
from .._core.limits.slow_start import start_slowly
from ..errors import CampaignError, ConfigurationError, MensatekError
from ..store.database import Database
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from ..store.transaction import Tx
from .posting import NotNow, Post, outcome_of
from .work import C, Finish, Lost, NotTaken, Over, Request, Taken, W, Wait, new_token

_NOT_NOW: Final = NotTaken(reason="", wait=0.0)


@define(eq=False)
class _Step(Generic[W]):
    """What a slot wants of the journal in one transaction with others."""

    done: Finish[W] | None = None  # work to write down the end of
    leaving: W | None = None  # work that is about to leave
    token: str = ""  # under which to claim more; "" for nothing
    claimed: W | Wait | Over = field(factory=Over)
    allowed: bool = False  # whether what is about to leave may
    error: Exception | None = None  # why it could not be committed
    ended: bool = False


@define(eq=False, kw_only=True)
class Worker(ABC, Generic[W, C]):
    """Sends what a journal holds until nothing is left, or the time is up."""

    context: Context
    db: Database
    who: C  # whose name its claims carry
    in_flight: int  # how many requests may be at once
    poll: float  # seconds between two looks at what others have changed
    until: float | None = None  # when to stop, by the monotonic clock
    peers: set[Worker[Any, Any]]  # those of this process, itself among them while it runs
    failure: Exception | None = field(default=None, init=False)
    _turns: anyio.Semaphore = field(init=False)
    _failures: int = field(default=0, init=False)
    _posts: set[Post[W]] = field(factory=set, init=False)
    _steps: list[_Step[W]] = field(factory=list, init=False)
    _committing: anyio.Lock = field(factory=anyio.Lock, init=False)
    _ending: bool = field(default=False, init=False)
    _news: anyio.Event = field(factory=anyio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._turns = anyio.Semaphore(self.in_flight, fast_acquire=True)

    # --- the journal ----------------------------------------------------------------------------------------

    @abstractmethod
    def claim(self, tx: Tx, tokens: Sequence[str]) -> list[W | Wait | Over]:
        """Take the next pieces of work, one for each token; one that its token has taken before is found."""

    @abstractmethod
    def may_leave(self, tx: Tx, work: W) -> bool:
        """Return whether work that is about to leave is still ours, and wanted; that it leaves is written down."""

    @abstractmethod
    def finish(self, tx: Tx, done: Finish[W]) -> None:
        """Write an outcome down."""

    @abstractmethod
    def renew(self, tx: Tx, works: Sequence[W]) -> None:
        """Begin the leases anew of work that has not left yet, and is still ours."""

    @abstractmethod
    async def request(self, work: W) -> Request:
        """Return what goes to the provider."""

    @property
    def claim_lease(self) -> float:
        """Return the seconds that the claim lasts of what has not left yet."""
        return self.who.lease

    def rest(self, over: Over) -> float | None:
        """Return the seconds after which a slot that found nothing looks again; None to end it."""
        return None

    def begin(self, tx: Tx) -> None:
        """Begin a transaction of steps; it may be begun again."""

    def committed(self) -> None:
        """Go on after the transaction of steps that `begin` began last."""

    def finished(self, done: Finish[W]) -> None:
        """Go on after an outcome is committed."""

    def claimed(self, work: W) -> None:
        """Go on after a claim is committed."""

    async def look_out(self) -> None:
        """Look, beside the slots, for what others have changed."""

    # --- running --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until there is nothing more to do; a cancellation lets what is on its way land."""
        self.peers.add(self)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch)
                group.start_soon(self.look_out)
                async with anyio.create_task_group() as slots:
                    # Some slots wait with what they have claimed: a request leaves at once when another has ended.
                    start_slowly(slots, self._slot, self.in_flight + self.in_flight // 4 + 1)
                group.cancel_scope.cancel()
        finally:
            self.peers.discard(self)
        if self.failure is not None:
            raise self.failure

    def wake(self) -> None:
        """Something has changed: whoever waits looks again."""
        self._news.set()
        self._news = anyio.Event()

    async def _watch(self) -> None:
        try:
            while True:
                await anyio.sleep(self.claim_lease / 3)
                # A provider that wants few requests may make what waits for its turn wait for long.
                if waiting := [post.work for post in self._posts if not post.left]:
                    try:
                        await in_thread(self.db.write, partial(self.renew, works=waiting))
                    except Exception as error:
                        self._end(error)
        finally:
            self._ending = True
            for post in self._posts:
                post.stop(self.context.timeout.grace)

    # --- a slot ---------------------------------------------------------------------------------------------

    async def _slot(self, accepted: Callable[[], None]) -> None:
        done: Finish[W] | None = None
        while True:
            begun, failures = time.monotonic(), self._failures
            try:
                claimed = await self._step(done)
            except Exception as error:  # the journal does not work: nothing more may leave
                self._end(error)
                return
            if done is not None:
                self.finished(done)
            done = None
            if isinstance(claimed, Over):
                seconds = self.rest(claimed)
                if seconds is None:
                    return
                await self._idle(seconds)
            elif isinstance(claimed, Wait):
                if self._over_before(claimed.seconds if claimed.sure else 0.0):
                    return
                await self._idle(claimed.seconds)
            else:
                done = await self._send(claimed, begun, failures)
                if isinstance(done.outcome, Taken):
                    accepted()

    async def _step(self, done: Finish[W] | None) -> W | Wait | Over:
        """Write down what became of the last piece of work and claim the next, in one transaction."""
        if done is not None:
            failpoint("finish.before")
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            if done is not None:
                await self._commit(_Step(done))
            raise
        claimed = (await self._commit(_Step(done, token=new_token()))).claimed
        if done is not None:
            failpoint("finish.committed")
        if not isinstance(claimed, Wait | Over):
            self.claimed(claimed)
        return claimed

    async def _commit(self, step: _Step[W]) -> _Step[W]:
        """Commit a step together with those of all slots that came while the transaction before was under way.

        A cancellation waits for it, so that what was claimed is known to its slot.
        """
        self._steps.append(step)
        with anyio.CancelScope(shield=True):
            async with self._committing:
                if not step.ended:
                    steps, self._steps = self._steps, []
                    await in_thread(self._commit_all, steps)
                    self.committed()
        if step.error is not None:
            raise step.error
        return step

    def _commit_all(self, steps: Sequence[_Step[W]]) -> None:
        try:
            self.db.write(lambda tx: self._in_one(tx, steps))
        except Exception as error:
            for step in steps:
                step.error = error
        for step in steps:
            step.ended = True

    def _in_one(self, tx: Tx, steps: Sequence[_Step[W]]) -> None:
        self.begin(tx)
        for step in steps:
            step.claimed = Over()
            if step.leaving is not None:
                step.allowed = self.may_leave(tx, step.leaving)
        # Everybody locks campaigns before the rate, which claims book and those lower who were told to wait.
        finished = [step.done for step in steps if step.done is not None]
        for done in sorted(finished, key=lambda one: isinstance(one.outcome, NotTaken) and one.outcome.hold):
            self.finish(tx, done)
        claiming = [step for step in steps if step.token]
        if claiming and not self._ending and not self._over_before(0.0):
            tokens = [step.token for step in claiming]
            for step, claimed in zip(claiming, self.claim(tx, tokens), strict=True):
                step.claimed = claimed

    async def _idle(self, seconds: float) -> None:
        news = self._news
        left = seconds if self.until is None else min(seconds, self.until - time.monotonic())
        with anyio.move_on_after(max(min(left, self.poll), 0.001)):
            await news.wait()

    def _over_before(self, seconds: float) -> bool:
        return self.until is not None and time.monotonic() + seconds >= self.until

    def _end(self, error: Exception) -> None:
        self.failure = self.failure or error
        self._ending = True
        self.wake()

    # --- sending --------------------------------------------------------------------------------------------

    async def _send(self, work: W, claimed: float, failures: int) -> Finish[W]:
        """Send work that was claimed then, after so many failures; whatever happens, its end is known."""
        post: Post[W] | None = None
        try:
            post = Post(self.context, await self.request(work), work, claimed, self.who.lease)
            self._posts.add(post)
            if work.wait:
                await anyio.sleep(work.wait)
            # What went wrong meanwhile may hold or pause what was claimed before.
            taken = await post.run(
                self._turns,
                lambda: not self._ending and failures == self._failures and not self._over_before(0.0),
                lambda: self._may_leave(work),
            )
            return Finish(work, taken)
        except NotNow:
            return Finish(work, _NOT_NOW)
        except Exception as error:
            self._failures += 1
            left = post is not None and post.left
            if isinstance(error, MensatekError) and not isinstance(error, CampaignError | ConfigurationError):
                return Finish(work, outcome_of(error, work, left))
            self._end(error)  # a fault of this package, perhaps: stop, and lose nobody
            return Finish(work, Lost(type(error).__name__) if left else _NOT_NOW)
        except BaseException:
            lost = post is not None and post.left
            cut = Lost("it was cancelled before its answer came") if lost else _NOT_NOW
            await self._commit(_Step(Finish(work, cut)))
            raise
        finally:
            if post is not None:
                self._posts.discard(post)

    async def _may_leave(self, work: W) -> bool:
        return (await self._commit(_Step(leaving=work))).allowed
