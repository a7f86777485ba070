"""Runs campaigns: the worker over their journal."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

from attrs import define, field

from .._core.messages.message import Message
from .._wire.names import REQUEST
from .._wire.structure import loads
from ..durable.work import Finish, Over, Request, Wait
from ..durable.worker import Worker
from ..store.failpoints import failpoint
from ..store.threads import in_thread
from ..store.transaction import Tx
from .journal.claims import Claimer, claim
from .journal.outcomes import finish, may_leave, renew
from .journal.records import by_id, options_of
from .journal.states import Work
from .options import Content

_log = logging.getLogger("mensatek_async.campaigns")


@define(eq=False, kw_only=True)
class Runner(Worker[Work, Claimer]):
    """Sends campaigns until nothing is left, they are paused, or the time is up."""

    account: str
    only: Sequence[int] | None  # the ids of those to send; None for all
    reading: Callable[[], bool]  # whether somebody in this process reads recipients
    seen: set[int] = field(factory=set, init=False)  # those of which it has sent something
    missing: bool = field(default=False, init=False)  # whether it ended for want of rows that nobody reads
    _messages: dict[int, Message] = field(factory=dict, init=False)
    _turn: int = field(default=0, init=False)

    async def run(self) -> None:
        """Run as any worker; the log says how each campaign stands then that it has sent something of."""
        await super().run()
        for campaign in self.seen if _log.isEnabledFor(logging.INFO) else ():
            row = await in_thread(self.db.read, partial(by_id, campaign=campaign))
            _log.info("Campaign %s: %s", row.name, f"{row.state} ({row.reason})" if row.reason else row.state)

    def claim(self, tx: Tx, tokens: Sequence[str]) -> list[Work | Wait | Over]:
        self._turn += len(tokens)
        return claim(tx, self.who, tokens, self.account, self.only, self._turn)

    def may_leave(self, tx: Tx, work: Work) -> bool:
        return may_leave(tx, self.who, work)

    def finish(self, tx: Tx, done: Finish[Work]) -> None:
        finish(tx, self.who, done)

    def renew(self, tx: Tx, works: Sequence[Work]) -> None:
        renew(tx, self.who, works)

    async def request(self, work: Work) -> Request:
        message, recipients = await self._message_of(work.campaign), work.content
        params = message.request(recipients.wire, recipients.unicode, work.join)
        if work.moved_to:
            params[REQUEST["scheduled_at"]] = work.moved_to
        reference = str(params.get(REQUEST["reference"], ""))
        return Request(message.operation, params, len(recipients), reference, "campaigns")

    def rest(self, over: Over) -> float | None:
        """Wait where a reader of this process is about to go on with rows that are missing."""
        if over.missing and self.reading():
            return self.poll
        self.missing = self.missing or over.missing
        return None

    def finished(self, done: Finish[Work]) -> None:
        """Let others go on: an opener lets every chunk join it, the last chunk ends a campaign."""
        _log.debug(
            "Campaign %d, chunk %d: %s", done.work.campaign, done.work.seq, type(done.outcome).__name__
        )
        self.wake()

    def claimed(self, work: Work) -> None:
        """Note whose chunk it is."""
        self.seen.add(work.campaign)
        failpoint("claim.opener" if work.join is None else "chunk.posting")

    async def _message_of(self, campaign: int) -> Message:
        if campaign not in self._messages:
            options = await in_thread(self.db.read, lambda tx: options_of(tx, campaign))
            self._messages[campaign] = loads(options, Content).message(self.context)
        return self._messages[campaign]
