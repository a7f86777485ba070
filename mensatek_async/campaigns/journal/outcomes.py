"""Finishes: what became of a piece of work, written by whoever holds its token (transitions 2, 4 to 7, 9, 10, 13)."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import fields_dict

from ...durable.work import Finish, Lost, NotTaken, Taken, backoff
from ...store import rate
from ...store.transaction import Tx
from . import chunks, left_out, openers
from .claims import Claimer
from .records import CampaignRow, add_to_campaign, by_id, reopen, set_campaign, set_state
from .settling import open_group
from .states import CANCELLED, CLAIMED, MICRO, PAUSED, PENDING, POSTING, RUNNING, SENT, UNKNOWN, Work

_OF_CAMPAIGN = ", ".join(f"c.{name}" for name in fields_dict(CampaignRow))
_LONGEST = 60.0  # seconds that everybody waits at most
_MOST_REFUSED = 3  # requests in a row that the provider refuses for good
_MOST_LOST = 8  # openers in a row whose answer is lost
_MANY = 4  # requests in a row, of any kind, that came to nothing
_PATIENCE = 0.25  # seconds for each of those
_MOST_REJECTED = 10  # openers in a row whose phone the provider does not take


def may_leave(tx: Tx, who: Claimer, work: Work) -> bool:
    """Return whether a request that is about to leave is still ours, and wanted (transition 2).

    An opener's is written down here, so that from now on nobody repeats it.
    """
    ours = _ours(tx, work)
    if ours is None:
        return False
    row, state, *_, owner = ours
    if row.state != RUNNING or owner != who.owner:
        return False  # one whose phone was forgotten is nobody's: it goes back without them
    if row.settings.until_start(tx.wall) or row.settings.moved_to != work.moved_to:
        return False  # a date was moved; it goes back, and leaves by the new one
    if not work.repeat and left_out.has_opted_out_since(tx, row, work.content, work.opt_outs):
        return False  # it goes back, and the next claim leaves them out
    if work.join is None:
        if row.idmensaje is not None or (state != CLAIMED and not (tx.repeated and state == POSTING)):
            return False
        chunks.change(tx, row.id, work.seq, state=POSTING, due_at=tx.now + who.lease, attempts=1)
        tx.leaves()
        return True
    if state != POSTING:
        return False
    chunks.change(tx, row.id, work.seq, due_at=tx.now + who.lease)
    return True


def renew(tx: Tx, who: Claimer, works: Sequence[Work]) -> None:
    tx.many(
        "UPDATE mensatek_chunk SET due_at = ? WHERE campaign_id = ? AND seq = ? AND token = ? AND state IN (?, ?)",
        [(tx.now + who.lease, work.campaign, work.seq, work.token, CLAIMED, POSTING) for work in works],
    )


def finish(tx: Tx, who: Claimer, done: Finish[Work]) -> None:
    """Write an outcome down; nothing where the token is another's by now."""
    work, outcome = done.work, done.outcome
    ours = _ours(tx, work)
    if ours is None:
        return
    row, state, failures, n, _ = ours
    # A delivery report may come before the answer, and has said already that it was taken; not what it cost.
    overtaken = state == SENT and isinstance(outcome, Taken) and work.join is None and not tx.repeated
    if state not in (CLAIMED, POSTING, UNKNOWN) and not overtaken:
        return
    if isinstance(outcome, Taken):
        _taken(tx, row, work, outcome, n)
    elif state == UNKNOWN:
        # Parked too early: the late answer says that nobody was texted.
        if isinstance(outcome, NotTaken) and not work.repeat:
            _not_taken(tx, row, work, outcome, failures, n)
            reopen(tx, row.id)
    elif isinstance(outcome, NotTaken):
        _not_taken(tx, row, work, outcome, failures, n)
    else:
        _lost(tx, who, row, work, outcome, failures)


def _ours(tx: Tx, work: Work) -> tuple[CampaignRow, str, int, int, str] | None:
    """Return a campaign, and its chunk's state, failures, rows and owner, locked; None where it is another's."""
    if work.join is None:  # the campaign first, as in a claim: who claims passes over chunks that are locked
        by_id(tx, work.campaign, lock=True)
    columns = tx.one(
        f"SELECT {_OF_CAMPAIGN}, k.state, k.failures, k.n, k.owner FROM mensatek_campaign c JOIN mensatek_chunk k "
        "ON k.campaign_id = c.id WHERE c.id = ? AND k.seq = ? AND k.token = ?"
        + (tx.locking and f"{tx.locking} OF k"),
        *(work.campaign, work.seq, work.token),
    )
    return (CampaignRow(*columns[:-4]), *columns[-4:]) if columns else None


def _taken(tx: Tx, row: CampaignRow, work: Work, outcome: Taken, n: int) -> None:
    credits = 0 if outcome.credits is None else int(outcome.credits * MICRO)
    accepted = min(outcome.accepted, n)  # an anchor is nobody's row, so it counts nothing
    left = "" if outcome.left is None else str(outcome.left)
    counts = {"accepted": accepted, "duplicated": outcome.repeated, "credits": credits, "credits_left": left}
    ended = {"state": SENT, "due_at": None, "since": tx.wall, "error": ""}
    chunks.change(tx, row.id, work.seq, **ended, **counts, idmensaje=outcome.message_id or work.join)
    if work.join is None and outcome.accepted and outcome.message_id:
        open_group(tx, work.campaign, outcome.message_id)
    elif work.join is None:
        _rejected_opener(tx, row)
    price = 0
    segments = work.content.segments
    if credits and outcome.accepted == len(work.content) and segments and not work.repeat:
        price = -(-credits // segments)
    # Written only when something changes: those who send would queue for the campaign's row.
    if price > row.price or row.troubles or (accepted and row.refusals):
        tx.run(
            "UPDATE mensatek_campaign SET price = CASE WHEN price < ? THEN ? ELSE price END, "
            "refusals = CASE WHEN ? > 0 THEN 0 ELSE refusals END, troubles = 0 WHERE id = ?",
            *(price, price, accepted, row.id),
        )


def _rejected_opener(tx: Tx, row: CampaignRow) -> None:
    """Count an opener that nobody took: calls that send nothing must not go on without end."""
    note = f"the provider rejected {row.refusals + 1} recipients in a row, and opened no message"
    _count_refusal(tx, row, _MOST_REJECTED, "refused", note)
    rate.hold(tx, min(0.05 * (row.refusals + 1), 1.0))


def _not_taken(tx: Tx, row: CampaignRow, work: Work, outcome: NotTaken, failures: int, n: int) -> None:
    if outcome.failed:
        _refused(tx, row, work, outcome.reason, n)
        return
    wait = backoff(failures) if outcome.wait is None else outcome.wait
    if outcome.too_many:
        wait = rate.refused(tx, outcome.wait, lambda seconds: _accepted(tx, seconds))
    elif outcome.hold:
        rate.hold(tx, wait)
    failed = bool(outcome.reason and not outcome.pause)  # without a reason it only had to wait
    _back(
        tx, work, 0.0 if outcome.pause else wait, outcome.reason, attempted=False, failures=failures + failed
    )
    if failed and not outcome.hold:
        _trouble(tx, row)
    lost_before = outcome.pause == "group_lost" and row.idmensaje != work.join
    if outcome.pause and row.state == RUNNING and not lost_before:
        set_state(tx, row.id, PAUSED, outcome.pause, outcome.reason)


def _accepted(tx: Tx, seconds: float) -> int:
    """Return how many requests were accepted within so many seconds."""
    since = "SELECT count(*) FROM mensatek_chunk WHERE state = ? AND since > ?"
    return int(tx.one(since, SENT, tx.wall - seconds)[0])


def _refused(tx: Tx, row: CampaignRow, work: Work, reason: str, n: int) -> None:
    """Fail what the provider refuses for good; after some in a row, pause the campaign."""
    if work.join is not None:
        # A repeat that is refused says nothing of the try before it, whose answer was lost.
        (chunks.park if work.repeat else chunks.fail)(tx, row.id, work.seq, reason)
    elif n and openers.cut_opener(tx, row, None, tx.now + backoff(row.refusals)):
        # It waits as a chunk, to join what the other one opens.
        part = chunks.recipients_of(tx, row.id, work.seq)
        chunks.remove(tx, row.id, work.seq)
        chunks.append(tx, row.id, part)
    else:
        chunks.fail(tx, row.id, work.seq, reason)
    _count_refusal(tx, row, _MOST_REFUSED, "refused", reason)


def _count_refusal(tx: Tx, row: CampaignRow, most: int, pause: str, reason: str) -> None:
    add_to_campaign(tx, row.id, refusals=1)
    if row.refusals + 1 >= most and row.state == RUNNING:
        set_state(tx, row.id, PAUSED, pause, reason)
        set_campaign(tx, row.id, refusals=0)


def _lost(tx: Tx, who: Claimer, row: CampaignRow, work: Work, outcome: Lost, failures: int) -> None:
    if work.join is not None and who.grouping and row.state != CANCELLED:
        _back(tx, work, backoff(failures), outcome.reason, attempted=True, failures=failures + 1)
        _trouble(tx, row)
        return
    chunks.park(tx, row.id, work.seq, outcome.reason)  # and what is cancelled is not tried again
    if work.join is not None and row.state != CANCELLED:
        _count_refusal(tx, row, _MOST_REFUSED, "no_answer", outcome.reason)
    if work.join is None and row.idmensaje is None:
        # A provider that answers nobody must not cost one recipient after the other.
        openers.cut_opener(tx, row, None, tx.now + backoff(row.refusals))
        _count_refusal(tx, row, _MOST_LOST, "no_answer", outcome.reason)


def _trouble(tx: Tx, row: CampaignRow) -> None:
    """Make everybody wait while nothing works, longer each time, instead of trying one chunk after the other."""
    add_to_campaign(tx, row.id, troubles=1)
    if row.troubles + 1 >= _MANY:
        rate.hold(tx, min(_PATIENCE * (row.troubles + 1), _LONGEST))


def _back(tx: Tx, work: Work, wait: float, reason: str, *, attempted: bool, failures: int) -> None:
    """Send it again later; with the same message and recipients if it had any chance to arrive."""
    tx.run(
        "UPDATE mensatek_chunk SET state = ?, due_at = ?, failures = ?, error = ?, since = NULL, "
        "attempts = CASE WHEN attempts > 0 THEN attempts - ? ELSE 0 END WHERE campaign_id = ? AND seq = ?",
        *(PENDING, tx.now + wait, failures, reason, int(not attempted), work.campaign, work.seq),
    )
