"""The sending itself: feeds the rows to the client, follows the outcomes, and stops cleanly on a signal."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime

import anyio
from attrs import define, evolve, field, frozen

from .._core.messages.message import Encoding
from ..bulk.outcomes import BulkStream
from ..errors import MensatekError
from ..models.bulk import BulkProgress, BulkResult, ChunkOutcome
from ..models.recipient import Recipient
from ..settings import Limits
from ..sources.reading import Reading
from ..sources.rows import BrokenRow
from ..text.template import Template
from .account import Connection
from .check import Problems
from .output import Output
from .progress import Display
from .report import Ledger, Report
from .selection import EVERY_ROW, Selection
from .signals import cancel_on_signal
from .stop import Stop

_TICK = 0.5  # seconds


@frozen(kw_only=True)
class Job:
    """What is to be sent, and how."""

    reading: Reading
    text: str | Template = field(repr=False)
    sender: str | None
    when: datetime | None
    encoding: Encoding
    reference: str | None = None
    limits: Limits
    selection: Selection = EVERY_ROW


@define
class Run:
    """A send while it runs and after.

    Attributes:
        job: what is sent.
        ledger: where each row stands.
        report: the report file, or None.
        broken: rows that were not even recipients.
        refusals: requests of which the provider refused some: first row, last row, how many.
        interrupted: whether a signal ended it.
        error: what else ended it.
        result: what became of the rows that were read.
        seconds: how long it took.
    """

    job: Job
    ledger: Ledger
    report: Report | None
    broken: Problems = field(factory=Problems)
    refusals: list[tuple[int, int, int]] = field(factory=list)
    interrupted: bool = False
    error: Exception | None = None
    result: BulkResult = field(factory=BulkResult)
    seconds: float = 0.0

    def feed(self) -> Generator[Recipient, None, None]:
        """The good rows for the client; the broken ones are noted on the way."""
        for item in self.job.reading:
            if isinstance(item, BrokenRow):
                self.broken.add(item.row, item.reason)
                self.ledger.refuse(item.row)
                if self.report is not None:
                    self.report.line(item.row, item.phone, "invalid", item.reason)
            else:
                if self.report is not None:
                    self.report.hand(item.row or 0, item.phone)
                yield item

    async def send(self, connection: Connection, display: Display, output: Output) -> None:
        """Send everything. A refused account, a signal, a full disk and the like end it early and are noted."""
        async with connection.client(self.job.limits) as client, anyio.create_task_group() as group:
            outcomes: BulkStream | None = None
            feed = self.feed()
            try:
                with anyio.CancelScope() as scope:
                    await group.start(cancel_on_signal, scope, output, self._interrupt)
                    async with client.sms.bulk(
                        feed,
                        self.job.text,
                        sender=self.job.sender,
                        scheduled_at=self.job.when,
                        encoding=self.job.encoding,
                        reference=self.job.reference,
                    ) as outcomes:
                        group.start_soon(self._tick, display, outcomes)
                        async for outcome in outcomes:
                            self._settle(outcome)
                            display.show(self._counts(outcomes))
            except (MensatekError, Stop, OSError) as error:
                self.error = error
            finally:
                feed.close()
                if outcomes is not None:
                    self._close(outcomes, display)
            group.cancel_scope.cancel()

    def _close(self, outcomes: BulkStream, display: Display) -> None:
        """Take what came while the send was being stopped."""
        for outcome in outcomes.remaining():
            self._settle(outcome)
        self.result = outcomes.result
        self.seconds = outcomes.progress.elapsed
        display.finish(self._counts(outcomes))

    async def _tick(self, display: Display, outcomes: BulkStream) -> None:
        while True:
            await anyio.sleep(_TICK)
            display.show(self._counts(outcomes))

    def _counts(self, outcomes: BulkStream) -> BulkProgress:
        """The client's counts, with the rows that never got to it."""
        progress = outcomes.progress
        broken = self.broken.count
        return evolve(progress, rows=progress.rows + broken, invalid=progress.invalid + broken)

    def _settle(self, outcome: ChunkOutcome) -> None:
        self.ledger.settle(outcome)
        if outcome.status == "sent" and outcome.rejected:
            self.refusals.append((min(outcome.rows), max(outcome.rows), outcome.rejected))
        if self.report is not None:
            try:
                self.report.settle(outcome)
            except Stop as error:
                # Going on without a record of who was texted would be worse than stopping.
                self.report, self.error = None, error
                raise

    def _interrupt(self) -> None:
        self.interrupted = True
