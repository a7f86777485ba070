"""Claims: the next piece of work, taken in the same transaction that says it is ours (transitions 1, 3, 7, 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import field, frozen

from ..._wire.marks import Mark
from ...durable import work
from ...durable.work import Over, Wait
from ...opt_outs.tables import CHANGES
from ...store import rate
from ...store.transaction import Tx
from . import chunks, left_out, openers
from .hours import zones_of
from .recipients import ChunkRecipients
from .records import CampaignRow, all_of, by_id, set_state
from .settling import settle_unknown, until_settled
from .states import CLAIMED, DONE, MICRO, POSTING, RUNNING, SENT, Work

_IDLE = 3600.0  # seconds; whoever waits looks again sooner
_FOR_ROWS = 0.25
_COLUMNS = f"seq, state, due_at, idmensaje, attempts, {CHANGES}, {chunks.BODY}, segments, zone"


@frozen
class Claimer(work.Claimer):
    """A worker on campaigns.

    Attributes:
        grouping: whether it may repeat what joins a message, whose answer was lost.
    """

    grouping: bool = True
    _openers: dict[tuple[int, int], set[str]] = field(factory=dict, repr=False)

    def phones_of_openers(self, tx: Tx, row: CampaignRow) -> set[str]:
        """Return the phones of a campaign's openers, looked up again when there is a new one."""
        key = row.id, row.opener_gen
        if key not in self._openers:
            self._openers[key] = openers.opener_phones(tx, row.id)
        return self._openers[key]


def claim(
    tx: Tx, who: Claimer, tokens: Sequence[str], account: str, only: Sequence[int] | None, turn: int
) -> list[Work | Wait | Over]:
    """Take the next pieces of work.

    Args:
        tx: a transaction.
        who: for whom.
        tokens: one for each claim; when it was taken already, in a transaction whose commit was not reported, it is
            found.
        account: the account whose campaigns are looked at.
        only: the ids of those to look at; None for all.
        turn: where to begin among several, so that each gets its share.
    """
    running = [row for row in all_of(tx, (RUNNING,), account) if only is None or row.id in only]
    standing = rate.standing(tx)
    nothing: Wait | Over | None = Wait(standing.held, sure=True) if running and standing.held else None
    claimed: list[Work | Wait | Over] = []
    for at, token in enumerate(tokens, turn):
        mine = _taken_before(tx, token) or nothing
        work = mine or _claim_in_turn(tx, who, token, running, at, standing.learnt)
        claimed.append(work)
        if not isinstance(work, Work):  # so there is nothing for the others either
            nothing = work
    return claimed


def _claim_in_turn(
    tx: Tx, who: Claimer, token: str, running: Sequence[CampaignRow], turn: int, paced: bool
) -> Work | Wait | Over:
    waits: list[Wait] = []
    missing = False
    for at in range(len(running)):
        work = _claim_of(tx, who, token, running[(turn + at) % len(running)], paced)
        if isinstance(work, Work):
            return work
        if isinstance(work, Wait):
            waits.append(work)
        else:
            missing = missing or work.missing
    if not waits:
        return Over(missing)
    return Wait(min(wait.seconds for wait in waits), all(wait.sure for wait in waits))


def _claim_of(tx: Tx, who: Claimer, token: str, row: CampaignRow, paced: bool) -> Work | Wait | Over:
    if starts := row.settings.until_start(tx.wall):
        read = row.ingest_done or row.is_read_by_somebody(tx.now)
        return Wait(starts, sure=True) if read else Over(missing=True)
    zones, opens = open_zones(tx, row)
    if zones == ():
        return Wait(opens, sure=True)
    if row.idmensaje is None:
        row = by_id(tx, row.id, lock=True)
        if row.state != RUNNING:
            return Over()
    for _ in range(100):
        due = _next_due(tx, row, zones, tried=True) if row.settings.cap is not None else None
        due = due or _next_due(tx, row, zones)
        if due is None and row.idmensaje is None and openers.cut_opener(tx, row, zones):
            row = by_id(tx, row.id)
            continue
        if due is None:
            return _nothing_due(tx, row, opens)
        seq, state, due_at, joined = due[:4]
        if due_at > tx.now:
            return Wait(min(due_at - tx.now, opens))
        alone = state == POSTING and joined is None
        if alone or (due[4] and not who.grouping):  # 7: nobody knows what became of it
            chunks.park(tx, row.id, seq, "its sender stopped before an answer came")
            continue
        if (booked := _book(tx, who, token, row, due, paced)) is not None:
            return booked
    return Wait(_FOR_ROWS)


def _next_due(tx: Tx, row: CampaignRow, zones: tuple[str, ...] | None, *, tried: bool = False) -> Any:
    """Return the chunk that is due first: among openers alone while there is no group to join.

    Of those tried before, only what is due now: under a cap they go first, since their share is set aside already.
    """
    kind = " AND seq <= 0" if row.idmensaje is None else ""
    kind += f" AND attempts > 0 AND due_at <= {tx.now!r}" if tried else ""
    return chunks.first_due(tx, _COLUMNS, row, zones, kind, tx.skipping)


def _nothing_due(tx: Tx, row: CampaignRow, opens: float) -> Wait | Over:
    if tx.one(
        "SELECT 1 FROM mensatek_chunk WHERE campaign_id = ? AND due_at IS NOT NULL LIMIT 1", row.id
    ):  # closed hours, somebody else's, or an opener on its way
        return Wait(min(opens, _IDLE))
    if not row.ingest_done:
        return Wait(_FOR_ROWS) if row.is_read_by_somebody(tx.now) else Over(missing=True)
    left = until_settled(tx, row)
    if left is not None and (left > 0 or settle_unknown(tx, row)):
        return Wait(max(left, 0.001))
    changed = tx.run(
        "UPDATE mensatek_campaign SET state = ?, reason = '', note = '', ended = ? WHERE id = ? AND state = ? AND "
        "ingest_done = 1 AND NOT EXISTS (SELECT 1 FROM mensatek_chunk WHERE campaign_id = ? AND due_at IS NOT NULL)",
        *(DONE, tx.wall, row.id, RUNNING, row.id),
    )
    return Over() if changed else Wait(_FOR_ROWS)


def open_zones(tx: Tx, row: CampaignRow, at: float | None = None) -> tuple[tuple[str, ...] | None, float]:
    """Return the zones within the campaign's hours, None for all; and the seconds until another opens.

    `at` is another moment than now, in civil time.
    """
    now = tx.wall if at is None else at
    hours = row.settings.hours
    if hours is None:
        return None, _IDLE
    if not row.settings.local:
        wait = hours.waits(zones_of(""), now)
        return ((), wait) if wait else (None, _IDLE)
    zones = tx.all("SELECT DISTINCT zone FROM mensatek_chunk WHERE campaign_id = ?", row.id)
    waits = {zone: hours.waits(zones_of(zone), now) for (zone,) in zones}
    if not waits:
        return None, _FOR_ROWS
    opens = min(filter(None, waits.values()), default=_IDLE)
    return tuple(zone for zone, wait in waits.items() if not wait), opens


def _book(tx: Tx, who: Claimer, token: str, row: CampaignRow, due: Any, paced: bool) -> Work | Wait | None:
    """Take a chunk that is due; None when it turned out to be nothing to send.

    `paced`: whether it needs a place in the rate also where the campaign has none of its own.
    """
    seq, _, _, _, attempts, changes, *packed = due
    part = ChunkRecipients.unpack(*packed)
    opener = row.idmensaje is None
    part = left_out.forgotten(tx, row.id, seq, part, attempts)
    if not opener and seq > 0 and not attempts:
        part = left_out.repeated(tx, row.id, seq, part, who.phones_of_openers(tx, row))
    if not attempts and len(part):
        part = left_out.opted_out(tx, row, seq, part, changes)
    if not len(part):
        return None
    price = row.settings.rate
    paced = paced or price is not None
    if paced and (wait := rate.waits(tx)):
        return Wait(wait)
    affordable = _within_cap(tx, row, seq, part, attempts)
    if isinstance(affordable, Wait):
        return affordable
    wait = rate.book(tx, len(affordable) / price if price else 0.0) if paced else 0.0
    until = tx.now + wait + who.lease
    tried = attempts + (not opener)
    state = CLAIMED if opener else POSTING
    ours = {"state": state, "token": token, "owner": who.owner, "attempts": tried, "due_at": until}
    chunks.change(tx, row.id, seq, **ours, idmensaje=row.idmensaje)
    if not opener:
        tx.leaves()
    return _work(row, seq, token, affordable, attempts, wait, changes or "")


def _work(
    row: CampaignRow,
    seq: int,
    token: str,
    part: ChunkRecipients,
    attempts: int,
    wait: float,
    opt_outs: str,
) -> Work:
    opener = row.idmensaje is None
    return Work(
        campaign=row.id,
        seq=seq,
        token=token,
        content=part,
        join=row.idmensaje,
        repeat=attempts > 0 and not opener,
        wait=wait,
        mark=Mark(row.uid, seq, token[:8]) if opener else None,
        moved_to=row.settings.moved_to,
        opt_outs=opt_outs,
    )


def _taken_before(tx: Tx, token: str) -> Work | None:
    """Return what this token has claimed already; asked only where a commit may not have been reported."""
    if not tx.repeated:
        return None
    chunk = tx.one(
        "SELECT campaign_id, seq, attempts, idmensaje FROM mensatek_chunk WHERE token = ? "
        "AND state IN ('claimed', 'posting')",
        token,
    )
    if chunk is None:
        return None
    campaign, seq, attempts, joined = chunk
    row = by_id(tx, campaign)
    if joined is None and row.idmensaje is not None:
        return None
    return _work(row, seq, token, chunks.recipients_of(tx, campaign, seq), attempts - 1, 0.0, "")


def _within_cap(
    tx: Tx, row: CampaignRow, seq: int, part: ChunkRecipients, attempts: int
) -> ChunkRecipients | Wait:
    """Return what of a chunk the campaign's cap still pays; `Wait` after pausing it, or until others have landed."""
    cap = row.settings.cap
    if cap is None or attempts or row.idmensaje is None:
        return part  # what was tried before has its share already, and goes again as it was
    price = row.price or MICRO  # where no answer names a price, a text counts as one credit
    # An answer that was lost may have cost as much as any, and its repeat names only what it cost itself.
    used, flying = tx.one(
        "SELECT coalesce(sum(CASE WHEN state = ? AND attempts < 2 THEN credits WHEN attempts > 0 THEN segments * ? "
        "ELSE 0 END), 0), "
        "coalesce(sum(CASE WHEN attempts > 0 AND due_at IS NOT NULL THEN 1 ELSE 0 END), 0) "
        "FROM mensatek_chunk WHERE campaign_id = ?",
        *(SENT, price, row.id),
    )
    left = cap - int(used)
    if part.segments * price <= left:
        return part
    each = max(part.segments // len(part), 1)
    affordable = min(left // (each * price), len(part) - 1)
    if affordable < 1:
        if not flying:
            note = "max_credits is reached: the next text would go beyond it"
            set_state(tx, row.id, "paused", "max_credits", note)
        return Wait(_FOR_ROWS)
    first, rest = part.split(affordable)
    chunks.rewrite(tx, row.id, seq, first)
    chunks.append(tx, row.id, rest)
    return first
