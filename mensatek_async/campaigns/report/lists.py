"""The recipients that a report names: those reached last, and the first ones that were not reached."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any

from attrs import field, frozen

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


def lists(db: Database, row: CampaignRow, scheduled: float) -> tuple[list[Listed], list[Listed]]:
    """Return those that were reached last, the slowest first, and the first rows that were not reached.

    Args:
        db: the store.
        row: the campaign.
        scheduled: when the provider was to send, seconds since 1970; 0 for at once.
    """
    slowest: list[tuple[float, int, str, float]] = []
    broken = islice(numbered(db, row, "reason", "mensatek_invalid"), MISSED)
    missed = [Listed(number, "", "invalid", reason) for number, reason in broken]
    for page in db.pages(
        "SELECT k.seq, k.state, k.n, k.accepted, k.error, k.since, p.body FROM mensatek_chunk k "
        "JOIN mensatek_payload p ON p.campaign_id = k.campaign_id AND p.seq = k.seq WHERE k.campaign_id = ? "
        f"AND k.n > 0 AND k.state IN ('{SENT}', '{FAILED}', '{UNKNOWN}') AND k.seq > ? ORDER BY k.seq LIMIT 50",
        row.id,
    ):
        for _, state, n, accepted, error, since, body in page:
            content = ChunkRecipients.unpack(body)
            reports = db.read(partial(_reports, campaign=row.id, phones=content.wire.phones))
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
            slowest, missed = sorted(slowest)[:SLOWEST], sorted(missed, key=attrgetter("row"))[:MISSED]
    taken = (Listed(number, phone, "delivered", "", at, -ago) for ago, number, phone, at in slowest)
    return list(taken), missed


def _reports(tx: Tx, campaign: int, phones: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    found = tx.all(
        "SELECT phone, code, standing, reported_at, coalesce(delivered_at, reported_at), seconds "
        f"FROM mensatek_delivery WHERE campaign_id = ? AND phone{tx.among}",
        *(campaign, tx.listed(phones)),
    )
    return {phone: tuple(more) for phone, *more in found}
