"""Texts on their way: what is new about them since somebody asked last."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ..account.account import Account
from ..account.records import Batch
from .statuses import CANCELLED, SCHEDULED


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
    _due: float = 0.0  # nothing comes by itself before so many seconds after it left
    _version: int = -1  # of the delivery states that this was worked out from

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
        if elapsed >= 0 and (elapsed >= self._due or self._version != account.delivery.version):
            for seconds, _, status, phone in sorted(self._go_on(account, elapsed), key=lambda step: step[:2]):
                news.append(News(batch, phone, status, batch.moment(seconds), seconds))
        return news

    def _go_on(self, account: Account, elapsed: float) -> list[tuple[float, int, int, str]]:
        """The steps that are due and were not reported: seconds, number, status, whose."""
        delivery, batch, before = account.delivery, self.batch, self.step
        common = delivery.path(batch)
        self._due, self._version = math.inf, delivery.version
        steps: list[tuple[float, int, int, str]] = []
        for phone in self.phones:
            is_special = delivery.is_special(batch, phone)
            way = delivery.path(batch, phone) if is_special else common
            begun = self.own.get(phone, before)
            reached = max(begun, sum(seconds <= elapsed for seconds, _ in way))
            due = enumerate(way[begun:reached], begun)
            steps += [(seconds, number, status, phone) for number, (seconds, status) in due]
            if is_special:
                self.own[phone] = reached
            else:
                self.step = reached
            if reached < len(way):
                self._due = min(self._due, way[reached][0])
        self.finished = self._due == math.inf
        return steps
