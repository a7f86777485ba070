"""Why nothing leaves just now: what a campaign waits for, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

from ..._wire.scalars import madrid
from ...store import rate
from ...store.owner import has_ended
from ...store.transaction import Tx
from . import chunks
from .claims import open_zones
from .records import CampaignRow
from .settling import until_settled
from .states import CLAIMED, PAUSED, PENDING, POSTING, RUNNING

_QUIET = 10.0  # seconds without a sign of life, after which nobody seems to be at it
PAUSED_BECAUSE = {
    "user": "somebody paused it",
    "no_credit": "the account cannot pay",
    "auth": "the account was refused",
    "group_lost": "the provider no longer knows its message",
    "refused": "the provider refuses its requests",
    "no_answer": "the provider answers nobody",
    "max_credits": "it has spent what it may",
}


@frozen
class Waiting:
    """What a campaign waits for, in a sentence, and when it goes on by itself, where that is known."""

    note: str = ""
    until: datetime | None = None


def what_waits(tx: Tx, row: CampaignRow) -> Waiting:
    """Return what a campaign waits for, by what the store says; nothing is changed."""
    if row.state == PAUSED:
        why = row.note.rstrip(".") or PAUSED_BECAUSE.get(row.reason, row.reason)
        return Waiting(f"{why}; it waits until it is resumed")
    if row.state != RUNNING:
        return Waiting(row.note)
    return next(filter(None, (cause(tx, row) for cause in _CAUSES)), Waiting())


def _until(tx: Tx, note: str, seconds: float) -> Waiting:
    when = _moment(tx.wall + seconds)
    return Waiting(f"{note}, until {when:%Y-%m-%d %H:%M:%S} Spanish time", when)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(round(at), madrid())


def _for_store(tx: Tx, _: CampaignRow) -> Waiting | None:
    process = tx.stopped_writer()
    note = f"process {process} holds the store and is stopped; everybody waits until it goes on or ends"
    return Waiting(note) if process else None


def _for_rows(tx: Tx, row: CampaignRow) -> Waiting | None:
    """Say so if the reader of its rows is gone."""
    if row.ingest_done or (not row.ingest_owner and tx.wall - row.created < _QUIET):
        return None
    if row.is_read_by_somebody(tx.now) and not _is_gone(row.ingest_owner):
        return None
    note = f"whoever read its rows is gone, after {row.ingested}"
    return Waiting(f"{note}; it waits until it is started with them again")


def _for_start(tx: Tx, row: CampaignRow) -> Waiting | None:
    seconds = row.settings.until_start(tx.wall)
    if not seconds:
        return None
    zones, closed = open_zones(tx, row, tx.wall + seconds)
    begins = _moment(tx.wall + seconds + (closed if zones == () else 0.0))
    return Waiting(f"it begins at {begins:%Y-%m-%d %H:%M:%S} Spanish time, if somebody runs it then", begins)


def _for_provider(tx: Tx, row: CampaignRow) -> Waiting | None:
    seconds = rate.ahead(tx)[1]
    if not seconds:
        return None
    return _until(tx, _trouble(tx, row) or "the provider asked to slow down; everybody waits", seconds)


def _for_hours(tx: Tx, row: CampaignRow) -> Waiting | None:
    zones, seconds = open_zones(tx, row)
    if zones is None or (zones and _next_due(tx, row, zones)) or not _next_due(tx, row, None):
        return None
    start, end = f"{row.settings.start:%H:%M}", f"{row.settings.end:%H:%M}"
    whose = "its recipients' hours" if row.settings.local else "its hours"
    return _until(tx, f"it is outside {whose}, {start} to {end}", seconds)


def _for_worker(tx: Tx, row: CampaignRow) -> Waiting | None:
    """Say so if the workers are gone that began to send what is not answered yet."""
    begun: list[Any] = tx.all(
        "SELECT owner, max(due_at) FROM mensatek_chunk WHERE campaign_id = ? AND due_at IS NOT NULL "
        "AND state IN (?, ?) GROUP BY owner",
        *(row.id, CLAIMED, POSTING),
    )
    if not begun:
        return None
    if any(until > tx.now and not _is_gone(owner) for owner, until in begun):
        return Waiting(_trouble(tx, row))
    left = max(until - tx.now for _, until in begun)
    note = "its worker is gone; run it again, or let `work` do it: what it had begun is taken over"
    return _until(tx, f"{note} when its lease ends, at the latest", left) if left > 0 else Waiting(note)


def _for_retry(tx: Tx, row: CampaignRow) -> Waiting | None:
    """Say so if what is next has to wait, or could leave and nobody sends it."""
    due = _next_due(tx, row, None)
    if due is None:
        return None
    seconds, error = due[0] - tx.now, due[1]
    if seconds > 0:
        why = f"a request is tried again: {error}" if error else "its next request waits"
        return _until(tx, _trouble(tx, row) or why, seconds)
    place = rate.ahead(tx)[0]
    if row.settings.rate and place > 0:
        return _until(tx, f"it keeps to the shared rate, {row.settings.rate:g} recipients a second", place)
    newest = tx.one("SELECT max(since) FROM mensatek_chunk WHERE campaign_id = ?", row.id)[0]
    quiet = tx.wall - max(newest or 0.0, row.created, row.settings.start_at or 0.0)
    if quiet > _QUIET:
        return Waiting(f"nobody has sent anything of it for {quiet:,.0f} s; run it, or let `work` do it")
    return None


def _for_unknown(tx: Tx, row: CampaignRow) -> Waiting | None:
    """Say so if unknown recipients are settled later, by the campaign's own policy."""
    left = until_settled(tx, row)
    if left is None or left <= 0:
        return None
    policy = row.settings.unknown_policy
    return _until(tx, f'reports on unknown recipients may still come; then "{policy}"', left)


def _next_due(tx: Tx, row: CampaignRow, zones: tuple[str, ...] | None) -> Any:
    """Return when the next chunk may be sent, and why not before; an opener's where there is no message to join."""
    pending, columns = f" AND state = '{PENDING}'", "due_at, error"
    due = chunks.first_due(tx, columns, row, zones, pending)
    if row.idmensaje is None:
        due = chunks.first_due(tx, columns, row, zones, f"{pending} AND seq <= 0") or due
    return due


def _trouble(tx: Tx, row: CampaignRow) -> str:
    """Return the request that was tried most often, "" where all goes well."""
    if row.state != RUNNING or not row.troubles:
        return ""
    worst = tx.one(
        "SELECT failures, error FROM mensatek_chunk WHERE campaign_id = ? AND due_at IS NOT NULL AND failures > 2 "
        "ORDER BY failures DESC LIMIT 1",
        row.id,
    )
    return f"a request was tried {worst[0]} times: {worst[1]}" if worst else ""


def _is_gone(owner: str) -> bool:
    return has_ended(owner.partition(" ")[2])


# In this order: what explains most comes first.
_CAUSES = (
    _for_store,
    _for_rows,
    _for_start,
    _for_provider,
    _for_hours,
    _for_worker,
    _for_retry,
    _for_unknown,
)
