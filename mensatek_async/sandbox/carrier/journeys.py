"""Texts on their way: what is new about them since somebody asked last."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ..account.account import Account
from ..account.records import Batch
from .delivery import Stage
from .statuses import CANCELLED, SCHEDULED

Step = tuple[float, int, int, list[str]]
"""Seconds, number, status, whose."""


class News(NamedTuple):
    """A text reached a status, so many seconds after it left; a scheduled one, when it leaves."""

    batch: Batch
    phone: str
    status: int
    moment: datetime
    seconds: float


@dataclass(slots=True)
class Journey:
    """The recipients of one request on their way through the statuses."""

    batch: Batch
    phones: list[str]
    step: int = 0  # how many statuses of the common way were reported
    own: dict[str, int] = field(default_factory=dict)  # the same for recipients who go a way of their own
    announced: bool = False  # whether it was reported that they are scheduled
    finished: bool = False  # nothing more will come by itself
    _seen: tuple[int, bool, list[Stage], dict[str, list[Stage]]] | None = None

    def news(self, account: Account, now: datetime) -> list[News]:
        """What happened up to this moment and was not reported before, in order."""
        batch = self.batch
        news: list[News] = []
        if not self.announced:
            self.announced = True
            if batch.leaves_at > batch.accepted_at:
                news += [News(batch, phone, SCHEDULED, batch.leaves_at, 0) for phone in self.phones]
        if batch.cancelled_at is not None:
            self.finished = True
            return news + [News(batch, phone, CANCELLED, batch.cancelled_at, 0) for phone in self.phones]
        elapsed = (now - batch.leaves_at).total_seconds()
        if elapsed >= 0:
            for seconds, _, status, phones in sorted(
                self._steps(account, elapsed), key=lambda step: step[:2]
            ):
                news += [News(batch, phone, status, batch.moment(seconds), seconds) for phone in phones]
        return news

    def _ways(self, account: Account) -> tuple[list[Stage], dict[str, list[Stage]]]:
        """The common way and those of special recipients, worked out again only after something changed."""
        delivery = account.delivery
        key = delivery.version, delivery.contracts_by_themselves
        if self._seen is None or self._seen[:2] != key:
            special = delivery.special(self.batch, account.messages[self.batch.message_id])
            own = {phone: delivery.path(self.batch, phone) for phone in self.phones if phone in special}
            self._seen = *key, delivery.path(self.batch), own
        return self._seen[2], self._seen[3]

    def _steps(self, account: Account, elapsed: float) -> list[Step]:
        """The steps that are due and were not reported."""
        common, own = self._ways(account)
        others = [phone for phone in self.phones if phone not in own] if own else self.phones
        self.finished = True
        steps: list[Step] = []

        def go_on(way: list[Stage], step: int, phones: list[str]) -> int:
            reached = max(step, sum(seconds <= elapsed for seconds, _ in way))
            self.finished &= reached >= len(way)
            due = enumerate(way[step:reached], step)
            steps.extend((seconds, number, status, phones) for number, (seconds, status) in due)
            return reached

        for phone in own:
            self.own.setdefault(phone, self.step)
        if others:
            self.step = go_on(common, self.step, others)
        for phone, way in own.items():
            self.own[phone] = go_on(way, self.own[phone], [phone])
        return steps
