"""Texts on their way: what is new about them since somebody asked last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ..account.account import Account
from ..account.records import Batch
from .statuses import CANCELLED, SCHEDULED


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A text reached a status.

    Attributes:
        batch: what it belongs to.
        phone: whose text.
        status: the delivery status.
        moment: when it was reached; when it leaves, for one that is scheduled.
        seconds: how long after it left.
    """

    batch: Batch
    phone: str
    status: int
    moment: datetime
    seconds: float


@dataclass(slots=True)
class Journey:
    """The recipients of one request on their way through the statuses.

    Attributes:
        batch: what was sent.
        phones: to whom.
        step: how many statuses of the common way are told.
        own: the same for recipients who go a way of their own.
        announced: whether it is told that they are scheduled.
        finished: nothing more will come by itself.
    """

    batch: Batch
    phones: list[str]
    step: int = 0
    own: dict[str, int] = field(default_factory=dict)
    announced: bool = False
    finished: bool = False
    _seen: tuple[int, bool, list[tuple[float, int]], dict[str, list[tuple[float, int]]]] | None = None

    def news(self, account: Account, now: datetime) -> list[News]:
        """What happened up to this moment and was not told before, in order."""
        batch = self.batch
        told: list[News] = []
        if not self.announced:
            self.announced = True
            if batch.leaves_at > batch.accepted_at:
                told += [self._one(phone, SCHEDULED, batch.leaves_at, 0) for phone in self.phones]
        if batch.cancelled_at is not None:
            self.finished = True
            return told + [self._one(phone, CANCELLED, batch.cancelled_at, 0) for phone in self.phones]
        elapsed = (now - batch.leaves_at).total_seconds()
        if elapsed >= 0:
            told += [
                News(
                    batch=batch,
                    phone=phone,
                    status=status,
                    moment=batch.moment(seconds),
                    seconds=seconds,
                )
                for seconds, _, status, phones in sorted(self._steps(account, elapsed), key=_when)
                for phone in phones
            ]
        return told

    def _one(self, phone: str, status: int, moment: datetime, seconds: float) -> News:
        return News(batch=self.batch, phone=phone, status=status, moment=moment, seconds=seconds)

    def _ways(self, account: Account) -> tuple[list[tuple[float, int]], dict[str, list[tuple[float, int]]]]:
        """The common way and those of special recipients, worked out again only after something changed."""
        delivery = account.delivery
        key = delivery.version, delivery.contracts_by_themselves
        if self._seen is None or self._seen[:2] != key:
            special = delivery.special(self.batch, account.messages[self.batch.message_id])
            own = {phone: delivery.path(self.batch, phone) for phone in self.phones if phone in special}
            self._seen = *key, delivery.path(self.batch), own
        return self._seen[2], self._seen[3]

    def _steps(self, account: Account, elapsed: float) -> Iterator[tuple[float, int, int, list[str]]]:
        """The steps that are due and untold: seconds, number, status, whose."""
        common, own = self._ways(account)
        for phone in own:
            self.own.setdefault(phone, self.step)
        others = [phone for phone in self.phones if phone not in own] if own else self.phones
        self.finished = True
        for step, (seconds, status) in enumerate(common):
            if step >= self.step and others:
                if seconds > elapsed:
                    self.finished = False
                    break
                self.step = step + 1
                yield seconds, step, status, others
        for phone, way in own.items():
            for step, (seconds, status) in enumerate(way):
                if step >= self.own[phone]:
                    if seconds > elapsed:
                        self.finished = False
                        break
                    self.own[phone] = step + 1
                    yield seconds, step, status, [phone]


def _when(step: tuple[float, int, int, list[str]]) -> tuple[float, int]:
    return step[:2]
