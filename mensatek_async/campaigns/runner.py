"""Runs campaigns: a fixed number of slots, each of which claims, sends, and writes down what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from attrs import define, field

from .._core.context import Context
from .._core.limits.limiter import FIRST_WORKERS
from ..errors import CampaignError, ConfigurationError, MensatekError
from ..store.database import Database
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from ..store.transaction import Tx
from .journal.claims import Claimer, claim, new_token
from .journal.outcomes import finish, may_leave, renew
from .journal.records import options_of
from .journal.states import Finish, Lost, NotTaken, Over, Taken, Wait, Work
from .options import Content, load_content
from .posting import NotNow, Post, outcome_of

_SHORT = 0.5  # seconds in the rate's queue after which a claim is looked at again before it is sent


@define(eq=False)
class _Step:
    """What a slot wants of the journal: one piece of work to write down, if any, and another one to claim."""

    done: Finish | None
    token: str = field(factory=new_token)
    found: Work | Wait | Over | None = None
    error: Exception | None = None

    @property
    def ended(self) -> bool:
        """Return whether it was committed, or cannot be."""
        return self.found is not None or self.error is not None


@define(eq=False, kw_only=True)
class Runner:
    """Sends what the journal holds until nothing is left, a campaign is paused, or the time is up.

    Attributes:
        context: the client's.
        db: the store.
        who: whose name its claims carry.
        account: whose campaigns it sends.
        only: the ids of those to send; None for all.
        to_start: requests in flight at most.
        poll: seconds between two looks at what others have changed.
        until: when to stop, by the monotonic clock.
        peers: those of this process, itself among them while it runs.
        reading: whether somebody in this process reads recipients.
        seen: the campaigns that it has sent something of.
        missing: whether it ended for want of rows that nobody reads.
        failure: what ended it.
    """

    context: Context
    db: Database
    who: Claimer
    account: str
    only: Sequence[int] | None
    to_start: int
    poll: float
    until: float | None = None
    peers: set[Runner]
    reading: Callable[[], bool]
    seen: set[int] = field(factory=set, init=False)
    missing: bool = field(default=False, init=False)
    failure: Exception | None = field(default=None, init=False)
    _contents: dict[int, Content] = field(factory=dict, init=False)
    _posts: set[Post] = field(factory=set, init=False)
    _steps: list[_Step] = field(factory=list, init=False)
    _committing: anyio.Lock = field(factory=anyio.Lock, init=False)
    _turn: int = field(default=0, init=False)
    _ending: bool = field(default=False, init=False)
    _news: anyio.Event = field(factory=anyio.Event, init=False)

    async def run(self) -> None:
        """Run until there is nothing more to do; a cancellation lets what is on its way land.

        Raises:
            StoreError: the journal cannot be written; nothing more was sent.
        """
        self.peers.add(self)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch)
                async with anyio.create_task_group() as slots:
                    self._start_slots(slots, FIRST_WORKERS)
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
                await anyio.sleep(self.who.lease / 3)
                await self._keep_waiting()
        finally:
            self._ending = True
            for post in self._posts:
                post.stop(self.context.timeout.grace)

    async def _keep_waiting(self) -> None:
        """Renew the leases of what waits for its turn: a provider that wants few requests may make that long."""
        waiting = {post.work.token: post for post in self._posts if not post.left}
        if not waiting:
            return
        begun = time.monotonic()
        works = [post.work for post in waiting.values()]
        try:
            kept = await in_thread(self.db.write, lambda tx: renew(tx, self.who, works))
        except Exception as error:
            self._end(error)
            return
        for token in kept:
            waiting[token].renewed(begun)

    # --- a slot ---------------------------------------------------------------------------------------------

    def _start_slots(self, group: TaskGroup, count: int) -> None:
        for _ in range(min(count, self.to_start)):
            self.to_start -= 1
            group.start_soon(self._slot, group)

    async def _slot(self, group: TaskGroup) -> None:
        """Claim and send, again and again; the first answer starts one more slot, until all have started."""
        done: Finish | None = None
        more = 1
        while True:
            try:
                found = await self._step(done)
            except Exception as error:  # the journal does not work: nothing more may leave
                self._end(error)
                return
            if done is not None:
                self.wake()
            done = None
            if isinstance(found, Work):
                done = await self._send(found)
                if more and isinstance(done.outcome, Taken):
                    self._start_slots(group, more)
                    more = 0
            elif isinstance(found, Wait) and not self._over_before(found.seconds if found.sure else 0.0):
                await self._idle(found.seconds)
            elif isinstance(found, Over) and found.missing and self.reading():
                await self._idle(self.poll)  # a reader of this process is about to go on with them
            else:
                self.missing = self.missing or (isinstance(found, Over) and found.missing)
                return

    async def _step(self, done: Finish | None) -> Work | Wait | Over:
        """Write down what became of the last piece of work and claim the next, in one transaction."""
        step = _Step(done)
        if done is not None:
            failpoint("finish.before")
        try:
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            await self._write_down(done)
            raise
        found = await self._commit(step)
        if done is not None:
            failpoint("finish.committed")
        if isinstance(found, Work):
            self.seen.add(found.campaign)
            failpoint("claim.opener" if found.join is None else "chunk.posting")
        return found

    async def _commit(self, step: _Step) -> Work | Wait | Over:
        """Commit a step together with those of all slots that came while the transaction before was under way.

        A cancellation waits for it, so that what was claimed is known to its slot.
        """
        self._steps.append(step)
        with anyio.CancelScope(shield=True):
            async with self._committing:
                if not step.ended:
                    steps, self._steps = self._steps, []
                    await in_thread(self._commit_all, steps)
        if step.error is not None:
            raise step.error
        assert step.found is not None
        return step.found

    def _commit_all(self, steps: Sequence[_Step]) -> None:
        try:
            found = self.db.write(lambda tx: self._in_one(tx, steps))
        except Exception as error:
            for step in steps:
                step.error = error
        else:
            for step, what in zip(steps, found, strict=True):
                step.found = what

    def _in_one(self, tx: Tx, steps: Sequence[_Step]) -> list[Work | Wait | Over]:
        # What ended first: everybody locks campaigns before the rate that claims book.
        for step in steps:
            if step.done is not None:
                finish(tx, step.done)
        return [self._claim(tx, step.token) for step in steps]

    def _claim(self, tx: Tx, token: str) -> Work | Wait | Over:
        if self._ending or self._over_before(0.0):
            return Over()
        self._turn += 1
        return claim(tx, self.who, token, self.account, self.only, self._turn)

    async def _write_down(self, done: Finish | None) -> None:
        if done is not None:
            with anyio.CancelScope(shield=True):
                await in_thread(self.db.write, lambda tx: finish(tx, done))

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

    async def _send(self, work: Work) -> Finish:
        """Send one piece of work; whatever happens, its end is known."""
        post: Post | None = None
        try:
            post = Post(self.context, await self._content_of(work.campaign), work, self.who.lease)
            self._posts.add(post)
            if work.wait:
                await anyio.sleep(work.wait)
            if self._ending:
                raise NotNow
            # An opener is written down before it leaves; a chunk was, unless it had to wait since.
            ask = work.join is None or work.wait > _SHORT
            return Finish(work, await post.run(lambda: self._may_leave(work), ask=ask))
        except Exception as error:
            if isinstance(error, CampaignError | ConfigurationError):
                self._end(error)
                return Finish(work, NotTaken(reason="", wait=0.0))
            if not isinstance(
                error, MensatekError | NotNow
            ):  # a fault of this package: stop, and lose nobody
                self._end(error)
                left = post is not None and post.left
                return Finish(work, Lost(type(error).__name__) if left else NotTaken(reason="", wait=0.0))
            return Finish(work, outcome_of(error, work, post is not None and post.left))
        except BaseException:
            lost = post is not None and post.left
            outcome = (
                Lost("it was cancelled before its answer came") if lost else NotTaken(reason="", wait=0.0)
            )
            await self._write_down(Finish(work, outcome))
            raise
        finally:
            if post is not None:
                self._posts.discard(post)

    async def _may_leave(self, work: Work) -> bool:
        allowed = await in_thread(self.db.write, lambda tx: may_leave(tx, self.who, work))
        if allowed and work.join is None:
            failpoint("opener.posting")
        return allowed

    async def _content_of(self, campaign: int) -> Content:
        if campaign not in self._contents:
            dumped = await in_thread(self.db.read, lambda tx: options_of(tx, campaign))
            self._contents[campaign] = load_content(self.context, dumped)
        return self._contents[campaign]
