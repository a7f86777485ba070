"""What became of an item, written by whoever holds its claim; and what a delivery report says of it."""

from __future__ import annotations

from .._wire.marks import read_mark
from ..codes import DeliveryStatus, Phase
from ..durable.work import Finish, Lost, NotTaken, Taken, backoff, is_older
from ..models.events import DeliveryReport
from ..store import rate
from ..store.transaction import Tx
from .claims import MARK, ItemWork, left_behind
from .holds import Hold
from .rows import SELECT, ItemRow, by_id, change, end
from .schema import FAILED, QUEUED, SENDING, SENT, UNKNOWN

_OPEN = (QUEUED, SENDING, UNKNOWN)
_REJECTED = "Rejected: the provider took the request, and not the phone"


def finish(tx: Tx, done: Finish[ItemWork]) -> ItemRow | None:
    """Write an outcome down, but for what it means for other items; return the item if it ended by it."""
    row, outcome = by_id(tx, done.work.row.id), done.outcome
    if row is None:
        return None
    ours = row.token == done.work.token
    if isinstance(outcome, Taken):
        # A late answer is as good as any, but while somebody else sends the item again.
        return _taken(tx, row, outcome) if ours or row.state in (QUEUED, UNKNOWN) else None
    if not ours or row.state not in _OPEN:
        return None
    if row.state == UNKNOWN:
        if isinstance(outcome, Lost):
            return None
        # Given up too early: the late answer says that this request sent nothing.
        row = change(tx, row, lost=row.lost - 1)
        if row.lost:
            return None
    if isinstance(outcome, Lost):
        left = left_behind(tx, row, outcome.reason)
        return left if left.due_at is None else None
    return _not_taken(tx, row, outcome)


def affects(tx: Tx, done: Finish[ItemWork], hold: Hold) -> Hold:
    """Note what an outcome means for everything else of the account; return what its items wait for then."""
    outcome = done.outcome
    if isinstance(outcome, Lost):
        return hold.trouble(tx, outcome.reason)
    if isinstance(outcome, Taken) or outcome.failed:
        return hold.over(tx)
    if outcome.pause:
        return hold.pause(tx, outcome.reason, outcome.wait or 0.0)
    if outcome.too_many:
        rate.refused(tx, outcome.wait, lambda seconds: _accepted(tx, seconds))
    elif outcome.hold:
        rate.hold(tx, backoff(done.work.row.failures) if outcome.wait is None else outcome.wait)
    elif outcome.reason:
        return hold.trouble(tx, outcome.reason)
    return hold.tried(tx, 0.0) if hold.trial else hold


def _accepted(tx: Tx, seconds: float) -> int:
    """Return how many items were accepted within so many seconds, among those with the newest messages."""
    newest = (
        "SELECT sent_at FROM mensatek_outbox WHERE idmensaje IS NOT NULL ORDER BY idmensaje DESC LIMIT 500"
    )
    return sum(1 for (at,) in tx.all(newest) if at is not None and at > tx.wall - seconds)


def _taken(tx: Tx, row: ItemRow, outcome: Taken) -> ItemRow | None:
    credits = "" if outcome.credits is None else str(outcome.credits)
    if row.state == SENT:  # a delivery report came before the answer
        row = change(tx, row, credits=credits, idmensaje=row.idmensaje or outcome.message_id or None)
        return row if tx.repeated else None
    if row.state not in _OPEN:
        return None
    if not outcome.accepted:
        return end(tx, row, UNKNOWN if row.lost else FAILED, error=_REJECTED)
    number = outcome.message_id or None
    return end(tx, row, SENT, idmensaje=number, credits=credits, sent_at=tx.wall, error="")


def _not_taken(tx: Tx, row: ItemRow, outcome: NotTaken) -> ItemRow | None:
    if outcome.failed:
        # What is refused after an answer was lost may have been sent by the try before.
        return end(tx, row, UNKNOWN if row.lost else FAILED, error=f"{outcome.failed}: {outcome.reason}")
    if row.is_late(tx.wall):
        return end(tx, row, row.state_when_late)
    wait = backoff(row.failures) if outcome.wait is None else outcome.wait
    if outcome.pause:
        wait = 0.0  # the hold of its account keeps it
    failed = bool(outcome.reason and not outcome.pause)  # without a reason it only had to wait
    again = {"state": QUEUED, "due_at": tx.now + wait if wait else 0.0, "token": "", "owner": ""}
    change(tx, row, **again, failures=row.failures + failed, error=outcome.reason or row.error)
    return None


def record(tx: Tx, report: DeliveryReport) -> ItemRow | None:
    """Take a report in; return the item that it is about, as it is then.

    It may come twice, in any order, days late, or before the answer to its send.
    """
    row = _by_mark(tx, report)
    if row is not None and row.state in _OPEN:
        row = end(tx, row, SENT, idmensaje=report.message_id, sent_at=tx.wall, error="")
    row = row or _by_message(tx, report)
    if row is None or report.status.phase is Phase.INFO:
        return row
    moment = report.reported_at.timestamp() if report.reported_at is not None else None
    if row.status_code is not None:
        before = DeliveryStatus(row.status_code, certifies=report.status.certifies)
        if is_older(moment, row.status_at, report.status, before):
            return row
    return change(tx, row, status_code=report.status.code, status_at=moment)


def _by_mark(tx: Tx, report: DeliveryReport) -> ItemRow | None:
    mark = read_mark(report.mark or report.reference)
    if mark is None or mark.uid != MARK:
        return None
    row = by_id(tx, mark.seq)
    known = row is not None and row.mark == mark.token and row.phone in ("", report.phone)
    return row if known else None


def _by_message(tx: Tx, report: DeliveryReport) -> ItemRow | None:
    found = tx.one(f"{SELECT} WHERE idmensaje = ? AND phone = ?{tx.locking}", report.message_id, report.phone)
    return ItemRow(*found) if found else None
