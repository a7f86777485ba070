"""The recipients that a report names: those reached last, and the first ones that were not reached."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any

from attrs import define, field, frozen

from ...store.database import Database
from ...store.transaction import Tx
from ..export import numbered, outcome_of
from ..journal.recipients import ChunkRecipients
from ..journal.records import CampaignRow
from ..journal.states import FAILED, SENT, UNKNOWN

SLOWEST, MISSED = 20, 100  # rows listed at most
_NO_REPORT = (None, 0, None, None, None)
_MAYBE_REACHED = ("sent", "sent_or_rejected")


@frozen
class Listed:
    """A row that a report names.

    Attributes:
        row: its number.
        phone: its phone; "" where nobody knows it any more.
        outcome: as an export calls it, "delivered" or "undelivered".
        reason: why it was not reached: a sentence, or the code of its delivery status.
        moment: when that was reported, or when the text arrived, seconds since 1970; None when unknown.
        seconds: how long the text was on its way.
    """

    row: int
    phone: str = field(repr=False)
    outcome: str
    reason: str | int = ""
    moment: float | None = None
    seconds: float = 0.0


@define
class _First:
    """Those of many that come first by their rank."""

    most: int
    _heap: list[tuple[float, int, tuple[Any, ...]]] = field(factory=list, init=False)
    _count: int = field(default=0, init=False)

    def add(self, rank: float, *item: Any) -> None:
        self._count += 1
        entry = (-rank, -self._count, item)
        if len(self._heap) < self.most:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def in_order(self) -> list[Listed]:
        return [Listed(*item) for *_, item in sorted(self._heap, reverse=True)]


@define
class Lists:
    """Goes through all recipients, a chunk at a time.

    Attributes:
        db: the store.
        row: the campaign.
        scheduled: when the provider was to send, seconds since 1970; 0 for at once.
    """

    db: Database
    row: CampaignRow
    scheduled: float
    _slowest: _First = field(factory=lambda: _First(SLOWEST), init=False)
    _missed: _First = field(factory=lambda: _First(MISSED), init=False)

    def read(self) -> tuple[list[Listed], list[Listed]]:
        """Return those that were reached last, the slowest first, and the first rows that were not reached."""
        for number, reason in islice(numbered(self.db, self.row, "reason", "mensatek_invalid"), MISSED):
            self._missed.add(number, number, "", "invalid", reason)
        for page in self.db.pages(
            "SELECT k.seq, k.state, k.n, k.accepted, k.error, k.since, p.body FROM mensatek_chunk k "
            "JOIN mensatek_payload p ON p.campaign_id = k.campaign_id AND p.seq = k.seq WHERE k.campaign_id = ? "
            f"AND k.n > 0 AND k.state IN ('{SENT}', '{FAILED}', '{UNKNOWN}') AND k.seq > ? ORDER BY k.seq LIMIT 50",
            self.row.id,
        ):
            for _, *chunk, body in page:
                self._look_at(chunk, ChunkRecipients.unpack(body))
        return self._slowest.in_order(), self._missed.in_order()

    def _look_at(self, chunk: Sequence[Any], content: ChunkRecipients) -> None:
        state, n, accepted, error, since = chunk
        reports = self.db.read(partial(_reports, campaign=self.row.id, phones=content.wire.phones))
        for number, phone in zip(content.rows, content.wire.phones, strict=True):
            code, standing, reported, arrived, seconds = reports.get(phone, _NO_REPORT)
            if standing > 0:
                if seconds is None and None not in (arrived, since):
                    seconds = arrived - max(since, self.scheduled)
                if seconds is not None:
                    self._slowest.add(-seconds, number, phone, "delivered", "", arrived, seconds)
            elif standing < 0:
                self._missed.add(number, number, phone, "undelivered", code, reported)
            elif (
                outcome := outcome_of(self.row, state, n, accepted, code is not None)
            ) not in _MAYBE_REACHED:
                self._missed.add(number, number, phone, outcome, error)


def _reports(tx: Tx, campaign: int, phones: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    found = tx.all(
        "SELECT phone, code, standing, reported_at, coalesce(delivered_at, reported_at), seconds "
        f"FROM mensatek_delivery WHERE campaign_id = ? AND phone{tx.among}",
        *(campaign, tx.listed(phones)),
    )
    return {phone: tuple(more) for phone, *more in found}
