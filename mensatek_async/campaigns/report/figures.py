"""What a report shows, counted in the store."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import Any

from attrs import frozen

from ..._wire.names import REQUEST
from ...models.campaign import Progress
from ...store.database import Database
from ...store.schema import read_versions
from ...store.transaction import Tx
from ..export import numbered
from ..journal import lifecycle as journal
from ..journal.records import CampaignRow
from ..journal.schema import CAMPAIGNS
from ..journal.states import FAILED, SENT, UNKNOWN
from ..options import Content
from .curve import Curve, curve
from .lists import Listed, lists

_DISTINCT = 500  # reasons that are told apart
_masked = re.compile(r" ?[^\s*]*\*\*\*\S*")
Reasons = Counter[tuple[str, str | int]]


@frozen(kw_only=True)
class Figures:
    """What a report shows.

    Attributes:
        progress: the counts.
        content: what was sent.
        row: the campaign.
        segments: texts that the provider took, by this side's count.
        curve: when the texts were taken and when they arrived; None where nothing was.
        statuses: how many recipients stand at each delivery status, by its code.
        reasons: how many rows were not reached, by outcome and reason: a status's code where it is "undelivered".
        slowest: those that were reached last, the slowest first.
        missed: the first rows that were not reached.
    """

    progress: Progress
    content: Content
    row: CampaignRow
    segments: int
    curve: Curve | None
    statuses: dict[int, int]
    reasons: Reasons
    slowest: list[Listed]
    missed: list[Listed]

    def param(self, name: str) -> str:
        """Return what its message has for a parameter, "" for nothing."""
        return str(self.content.params.get(REQUEST[name], ""))


def figures(db: Database, row: CampaignRow, content: Content) -> Figures:
    """Count what a report shows; memory does not grow with the campaign."""
    if db.read(lambda tx: read_versions(tx, db.schemas, db.shown))[CAMPAIGNS.name] < len(CAMPAIGNS.steps):
        db.write(lambda tx: None)  # brings a store of an earlier version up to date
    progress = db.read(lambda tx: journal.progress(tx, row))
    scheduled = progress.scheduled_at.timestamp() if progress.scheduled_at else 0.0
    slowest, missed = lists(db, row, scheduled)
    return Figures(
        progress=progress,
        content=content,
        row=row,
        segments=db.read(partial(_segments, campaign=row.id)),
        curve=db.read(partial(curve, campaign=row.id, scheduled=scheduled)),
        statuses=dict(db.read(partial(_statuses, campaign=row.id))),
        reasons=_reasons(db, row, progress),
        slowest=slowest,
        missed=missed,
    )


def _segments(tx: Tx, campaign: int) -> int:
    taken = "CASE WHEN n > 0 THEN segments * accepted / n ELSE segments END"
    sql = f"SELECT coalesce(sum({taken}), 0) FROM mensatek_chunk WHERE campaign_id = ? AND state = ?"
    return int(tx.one(sql, campaign, SENT)[0])


def _statuses(tx: Tx, campaign: int, more: str = "") -> list[Any]:
    sql = f"SELECT code, count(*) FROM mensatek_delivery WHERE campaign_id = ?{more} GROUP BY code"
    return tx.all(sql, campaign)


def _reasons(db: Database, row: CampaignRow, progress: Progress) -> Reasons:
    found: Reasons = Counter()
    for code, count in db.read(partial(_statuses, campaign=row.id, more=" AND standing = -1")):
        found["undelivered", code] = count
    errors = (
        "SELECT state, error, sum(n) FROM mensatek_chunk WHERE campaign_id = ? AND state IN (?, ?) AND n > 0 "
        "GROUP BY state, error"
    )
    for state, error, count in db.read(lambda tx: tx.all(errors, row.id, FAILED, UNKNOWN)):
        _count(found, state, error, int(count))
    for _, reason in numbered(db, row, "reason", "mensatek_invalid"):
        _count(found, "invalid", reason, 1)
    told = sum(count for (outcome, _), count in found.items() if outcome == "unknown")
    # The others had a worker on their way that died, and all was cancelled.
    found["unknown", ""] += progress.unknown - told
    found["rejected", ""] = progress.rejected
    found["opted_out", ""] = progress.opted_out
    return +found


def _count(found: Reasons, outcome: str, reason: str, count: int) -> None:
    """Count a reason, without the phone that it quotes."""
    key = outcome, _masked.sub("", reason)
    found[key if key in found or len(found) < _DISTINCT else (outcome, "")] += count
