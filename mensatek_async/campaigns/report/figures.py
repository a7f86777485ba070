"""What a report shows, counted in the store."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any

from attrs import field, frozen

from ..._wire.names import REQUEST
from ...models.campaign import Progress
from ...store.database import Database
from ...store.schema import read_versions
from ...store.transaction import Tx
from ..export import numbered, outcome_of
from ..journal import lifecycle as journal
from ..journal.recipients import ChunkRecipients
from ..journal.records import CampaignRow
from ..journal.schema import CAMPAIGNS
from ..journal.states import FAILED, SENT, UNKNOWN
from ..options import Content
from .curve import Curve, curve

_DISTINCT = 500  # reasons that are told apart
_MASKED = re.compile(r" ?[^\s*]*\*\*\*\S*")
_SLOWEST, _MISSED = 20, 100  # rows listed at most
_NO_REPORT = (None, 0, None, None, None)
_MAYBE_REACHED = ("sent", "sent_or_rejected")
Reasons = Counter[tuple[str, str | int]]


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
    slowest, missed = _lists(db, row, scheduled)
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


def _lists(db: Database, row: CampaignRow, scheduled: float) -> tuple[list[Listed], list[Listed]]:
    """Return those that were reached last, the slowest first, and the first rows that were not reached."""
    slowest: list[tuple[float, int, str, float]] = []
    broken = islice(numbered(db, row, "reason", "mensatek_invalid"), _MISSED)
    missed = [Listed(number, "", "invalid", reason) for number, reason in broken]
    for page in db.pages(
        "SELECT k.seq, k.state, k.n, k.accepted, k.error, k.since, p.body FROM mensatek_chunk k "
        "JOIN mensatek_payload p ON p.campaign_id = k.campaign_id AND p.seq = k.seq WHERE k.campaign_id = ? "
        f"AND k.n > 0 AND k.state IN ('{SENT}', '{FAILED}', '{UNKNOWN}') AND k.seq > ? ORDER BY k.seq LIMIT 50",
        row.id,
    ):
        for _, state, n, accepted, error, since, body in page:
            content = ChunkRecipients.unpack(body)
            reports = db.read(partial(_deliveries, campaign=row.id, phones=content.wire.phones))
            for number, phone in zip(content.rows, content.wire.phones, strict=True):
                code, standing, reported, arrived, seconds = reports.get(phone, _NO_REPORT)
                if standing > 0:
                    if seconds is None and None not in (arrived, since):
                        seconds = arrived - max(since, scheduled)
                    if seconds is not None:
                        slowest.append((-seconds, number, phone, arrived))
                elif standing < 0:
                    missed.append(Listed(number, phone, "undelivered", code, reported))
                elif (outcome := outcome_of(row, state, n, accepted, code is not None)) not in _MAYBE_REACHED:
                    missed.append(Listed(number, phone, outcome, error))
            slowest, missed = sorted(slowest)[:_SLOWEST], sorted(missed, key=attrgetter("row"))[:_MISSED]
    taken = (Listed(number, phone, "delivered", "", at, -ago) for ago, number, phone, at in slowest)
    return list(taken), missed


def _deliveries(tx: Tx, campaign: int, phones: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    found = tx.all(
        "SELECT phone, code, standing, reported_at, coalesce(delivered_at, reported_at), seconds "
        f"FROM mensatek_delivery WHERE campaign_id = ? AND phone{tx.among}",
        *(campaign, tx.listed(phones)),
    )
    return {phone: tuple(more) for phone, *more in found}


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
    key = outcome, _MASKED.sub("", reason)
    found[key if key in found or len(found) < _DISTINCT else (outcome, "")] += count
