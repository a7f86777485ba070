"""The journal's own questions and orders about campaigns: create, look, pause, resume, cancel."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from secrets import choice
from string import ascii_lowercase, digits
from typing import Any

from attrs import evolve

from ..._wire.marks import Mark, marked
from ..._wire.names import REQUEST
from ..._wire.scalars import madrid, madrid_datetime
from ..._wire.structure import dumps
from ...errors import CampaignConflict, CampaignError, CampaignNotFound
from ...models.bulk import RowProblem
from ...models.campaign import Progress, UnknownRecipient
from ...store.transaction import Tx
from . import left_out, openers
from .chunks import recipients_of
from .records import CampaignRow, Settings, by_id, by_name, options_of, set_campaign, set_state
from .states import CANCELLED, CLAIMED, DONE, FAILED, MICRO, PAUSED, PENDING, POSTING, RUNNING, SENT, UNKNOWN
from .waiting import what_waits

_GONE = "FROM mensatek_chunk WHERE campaign_id = ? AND state = ? AND due_at <= ?"
_WAITING = (PENDING, CLAIMED, POSTING)


def find(tx: Tx, name: str) -> CampaignRow:
    """Return the campaign of a name, or raise CampaignNotFound."""
    row = by_name(tx, name)
    if row is None:
        raise CampaignNotFound(f"There is no campaign {name!r} in this store.")
    return row


def create(tx: Tx, name: str, account: str, options: str, settings: Settings, content: str) -> CampaignRow:
    """Create a campaign, or find the one of this name; if it sends something else, that is a CampaignConflict."""
    row = by_name(tx, name)
    if row is None:
        uid = "".join(choice(ascii_lowercase + digits) for _ in range(8))
        made = tx.run(
            "INSERT INTO mensatek_campaign (uid, name, account, state, options, settings, content, created) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
            *(uid, name, account, RUNNING, options, dumps(settings), content, tx.wall),
        )
        row = find(tx, name)  # somebody else's, if they were quicker
        if made:
            return row
    check_account(row, account)
    if row.is_purged:
        raise CampaignConflict(
            f"The campaign {row.name!r} has ended, and its phones and texts were purged: nothing is left to compare "
            "with. Nothing was sent.",
            advice="Give this one another name. The old one still shows what became of it.",
        )
    if row.content != content:
        raise CampaignConflict(
            f"The campaign {name!r} exists with another text or other options.",
            advice="Give this one another name. To go on with that one, start it as it was, or use get().",
        )
    row = by_id(tx, row.id, lock=True)
    set_campaign(tx, row.id, settings=dumps(row.settings.renewed(settings)))
    return by_id(tx, row.id)


def check_account(row: CampaignRow, account: str) -> None:
    """Refuse to send a campaign from another account: its message is not known there."""
    if row.account != account:
        raise CampaignConflict(
            f"The campaign {row.name!r} was started by another API user, or at another base_url.",
            advice="Its message belongs to that account: go on with the same credentials.",
        )


def progress(tx: Tx, row: CampaignRow) -> Progress:
    """Return how a campaign stands, counted from its chunks."""
    counted = {
        state: (int(n or 0), int(accepted or 0), int(credits or 0))
        for state, n, accepted, credits in tx.all(
            "SELECT state, sum(n), sum(accepted), sum(credits) FROM mensatek_chunk "
            "WHERE campaign_id = ? GROUP BY state",
            row.id,
        )
    }
    none = (0, 0, 0)
    waiting = sum(counted.get(state, none)[0] for state in _WAITING)
    taken, accepted, credits = counted.get(SENT, none)
    failed, unknown = counted.get(FAILED, none)[0], counted.get(UNKNOWN, none)[0]
    flying = counted.get(POSTING, none)[0] if row.state == CANCELLED else 0
    if flying:  # whoever sent them may be dead: then nobody will know
        gone = int(tx.one(f"SELECT coalesce(sum(n), 0) {_GONE}", row.id, POSTING, tx.now)[0])
        flying, unknown, waiting = flying - gone, unknown + gone, waiting - gone
    undelivered, opted_out = min(row.undelivered, accepted), left_out.count(tx, row.id)
    waiting_for, begins = what_waits(tx, row), row.settings.start_at
    return Progress(
        name=row.name,
        state=row.state,
        reason=row.reason,
        note=waiting_for.note,
        waiting_until=waiting_for.until,
        total=waiting + taken + failed + unknown + row.invalid + opted_out,
        reading=not row.ingest_done and row.state != CANCELLED,
        sent=accepted,
        rejected=max(taken - accepted, 0),
        invalid=row.invalid,
        opted_out=opted_out,
        pending=waiting if row.state != CANCELLED else flying,
        cancelled=waiting - flying if row.state == CANCELLED else 0,
        unknown=unknown,
        failed=failed + undelivered,
        undelivered=undelivered,
        delivered=min(row.delivered, accepted - undelivered),
        credits_used=(Decimal(credits) / MICRO).normalize() + 0,
        credits_left=_credits_left(tx, row.id),
        message_id=row.idmensaje or 0,
        start_at=None if begins is None else datetime.fromtimestamp(begins, madrid()),
        scheduled_at=scheduled_at(tx, row),
        elapsed=max((row.ended or tx.wall) - row.created, 0.0),
    )


def scheduled_at(tx: Tx, row: CampaignRow) -> datetime | None:
    """Return when the provider is to deliver what it takes; None for at once."""
    written = row.settings.moved_to or json.loads(options_of(tx, row.id))["params"].get(
        REQUEST["scheduled_at"]
    )
    return madrid_datetime(written) if written else None


def _credits_left(tx: Tx, campaign: int) -> Decimal | None:
    """Return what the newest answer said; each chunk keeps its own, so that those who send do not queue for one row."""
    newest = tx.one(
        "SELECT credits_left FROM mensatek_chunk WHERE campaign_id = ? AND state = ? AND credits_left <> '' "
        "ORDER BY since DESC LIMIT 1",
        *(campaign, SENT),
    )
    return Decimal(newest[0]) if newest else None


def progress_of(tx: Tx, name: str) -> Progress:
    return progress(tx, find(tx, name))


def pause(tx: Tx, name: str) -> Progress:
    """Stop claiming; what is on its way lands."""
    row = find(tx, name)
    if row.state == RUNNING:
        set_state(tx, row.id, PAUSED, "user")
    return progress_of(tx, name)


def resume(tx: Tx, name: str) -> Progress:
    """Go on with a paused campaign; with a new group where the provider lost the old one."""
    row = find(tx, name)
    if row.state == PAUSED:
        if row.reason == "group_lost":
            openers.regroup(tx, row.id)
        set_state(tx, row.id, RUNNING)
        tx.run(
            "UPDATE mensatek_chunk SET due_at = 0 WHERE campaign_id = ? AND due_at IS NOT NULL AND state = ?",
            *(row.id, PENDING),
        )
    return progress_of(tx, name)


def reschedule(tx: Tx, name: str, **moved: Any) -> CampaignRow:
    """Give a campaign other dates, settings by name; what has left keeps those it had."""
    row = by_id(tx, find(tx, name).id, lock=True)
    if row.state == CANCELLED or (row.state == DONE and "start_at" in moved):
        raise CampaignError(f"The campaign {row.name!r} is {row.state}: it has no date to move.")
    set_campaign(tx, row.id, settings=dumps(evolve(row.settings, **moved)))
    return by_id(tx, row.id)


def cancel(tx: Tx, name: str) -> Progress:
    """Send nothing more; what is on its way lands."""
    row = find(tx, name)
    if row.state not in (DONE, CANCELLED):
        set_state(tx, row.id, CANCELLED)
    # What was tried without an answer is not tried again, so nobody will know.
    tx.run(
        "UPDATE mensatek_chunk SET state = ?, due_at = NULL, since = ? WHERE campaign_id = ? AND attempts > 0 "
        "AND (state = ? OR state = ? AND due_at <= ?) AND EXISTS "
        "(SELECT 1 FROM mensatek_campaign c WHERE c.id = campaign_id AND c.state = ?)",
        *(UNKNOWN, tx.wall, row.id, PENDING, POSTING, tx.now, CANCELLED),
    )
    return progress_of(tx, name)


def unknown(tx: Tx, row: CampaignRow, reference: str) -> list[UnknownRecipient]:
    chunks: list[Any] = tx.all(
        "SELECT seq, token, since, error FROM mensatek_chunk WHERE campaign_id = ? AND state = ? ORDER BY seq",
        *(row.id, UNKNOWN),
    )
    if row.state == CANCELLED:
        chunks += tx.all(f"SELECT seq, token, since, error {_GONE} ORDER BY seq", row.id, POSTING, tx.now)
    listed = []
    for seq, token, since, error in chunks:
        content = recipients_of(tx, row.id, seq)
        mark = marked(reference, Mark(row.uid, seq, token[:8])) if seq <= 0 else reference
        moment = datetime.fromtimestamp(since or 0.0, UTC)
        listed += [
            UnknownRecipient(row=at, phone=phone, since=moment, reference=mark, reason=error)
            for at, phone in zip(content.rows, content.wire.phones, strict=True)
        ]
    return sorted(listed, key=lambda one: one.row)


def problems(tx: Tx, row: CampaignRow, outcome: str, most: int) -> list[RowProblem]:
    if outcome == "invalid":
        invalid = tx.all(
            "SELECT row_no, reason FROM mensatek_invalid WHERE campaign_id = ? ORDER BY row_no LIMIT ?",
            *(row.id, most),
        )
        return [RowProblem(number, reason) for number, reason in invalid]
    chunks = tx.all(
        "SELECT seq, error FROM mensatek_chunk WHERE campaign_id = ? AND state = ? AND n > 0 ORDER BY seq LIMIT ?",
        *(row.id, {"failed": FAILED}.get(outcome, UNKNOWN), most),
    )
    rows = [(number, error) for seq, error in chunks for number in recipients_of(tx, row.id, seq).rows]
    return [RowProblem(number, error) for number, error in sorted(rows)[:most]]
