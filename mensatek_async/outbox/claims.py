"""Claims of items: taken in the same transaction that says they are ours; what is late or left behind ends here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import field, frozen

from .._wire.marks import Mark
from ..durable import work
from ..durable.work import Claimer, Over, Wait
from ..store import rate
from ..store.transaction import Tx
from .holds import Hold
from .rows import SELECT, ItemRow, change, end
from .schema import CANCELLED, LATE, QUEUED, SENDING, UNKNOWN

MARK: Final = "outbox00"
"""What stands in an item's mark in the place of a campaign."""
MOST_LOST: Final = 5
"""Answers of one item that may get lost before it is repeated no more."""

_IDLE = 3600.0  # seconds; whoever waits is woken sooner
_LOCKED = 0.05
_CLAIM = 15.0
_MOST_LATE = 200
_BODY = SELECT.replace(" FROM", ", body, traceparent FROM")


@frozen(kw_only=True)
class ItemWork(work.Work):
    """An item that is ours to send until its lease ends; `body` is its parameters by wire names, as JSON."""

    row: ItemRow
    body: str = field(repr=False)
    traceparent: str


@frozen(kw_only=True)
class Claims:
    """How a worker claims.

    Attributes:
        who: whose name its claims carry.
        account: whose items it sends.
        rate: items a second over everybody who uses the store; None for as fast as it goes.
        forever: whether it waits for items that are put later.
    """

    who: Claimer
    account: str
    rate: float | None
    forever: bool

    def take(
        self, tx: Tx, tokens: Sequence[str], hold: Hold, ended: list[ItemRow]
    ) -> list[ItemWork | Wait | Over]:
        """Take the next items, one for each token as far as they go; `ended` gets the rows that end without being sent.

        What a token has taken before, in a transaction of which nobody knows whether it was committed, is found.
        """
        found: dict[str, ItemWork | Wait | Over] = {}
        if tx.repeated:
            found.update((token, mine) for token in tokens if (mine := self._taken_before(tx, token)))
        free = [token for token in tokens if token not in found]
        self._expire(tx, ended)
        standing = rate.standing(tx)
        seconds = max(standing.held, hold.until - tx.now)
        if seconds > 0:
            nothing: Wait | Over = Wait(seconds, sure=True)
        else:
            paced = self.rate is not None or standing.learnt
            nothing = self._take(tx, free[:1] if hold.is_suspect else free, paced, found, ended)
            if hold.is_suspect and found:
                hold.tried(tx, self.who.lease / 2)
        return [found.get(token, nothing) for token in tokens]

    def _take(
        self,
        tx: Tx,
        tokens: Sequence[str],
        paced: bool,
        found: dict[str, ItemWork | Wait | Over],
        ended: list[ItemRow],
    ) -> Wait | Over:
        """Claim what is due; return what those get for whom there is nothing."""
        free = list(tokens)
        while free:
            due = self._due(tx, len(free))
            for *columns, body, traceparent in due:
                row = ItemRow(*columns)
                if row.state == SENDING:
                    left = left_behind(tx, row, "its sender stopped before an answer came")
                    ended += [left] if left.due_at is None else []
                    continue
                if not row.phone:  # it was forgotten while a try was on its way
                    ended.append(end(tx, row, UNKNOWN if row.lost else CANCELLED, token=""))
                    continue
                if paced and (wait := rate.waits(tx)):
                    return Wait(wait)
                token = free.pop(0)
                found[token] = self._claim(tx, row, token, (body, traceparent), paced)
            if not due:
                break
        return self._nothing_due(tx)

    def _due(self, tx: Tx, most: int) -> Sequence[Any]:
        """Return what is due: first what was tried before or left behind, for which new items would leave no turn."""
        again = tx.all(
            f"{_BODY} WHERE account = ? AND due_at > 0 AND due_at <= ? ORDER BY due_at, id LIMIT ?{tx.skipping}",
            *(self.account, tx.now, most),
        )
        if len(again) == most:
            return again
        new = f"{_BODY} WHERE account = ? AND due_at = 0 ORDER BY id LIMIT ?{tx.skipping}"
        return [*again, *tx.all(new, self.account, most - len(again))]

    def _claim(self, tx: Tx, row: ItemRow, token: str, rest: tuple[str, str], paced: bool) -> ItemWork:
        wait = rate.book(tx, 1 / self.rate if self.rate else 0.0) if paced else 0.0
        until = tx.now + wait + claim_lease(self.who)
        row = change(tx, row, token=token, owner=self.who.owner, due_at=until)
        return self._work(tx, row, rest, wait)

    def _work(self, tx: Tx, row: ItemRow, rest: tuple[str, str], wait: float) -> ItemWork:
        return ItemWork(
            token=row.token,
            join=None,
            repeat=False,
            wait=wait,
            mark=Mark(MARK, row.id, row.mark),
            patience=None if row.not_after is None else row.not_after - tx.wall,
            row=row,
            body=rest[0],
            traceparent=rest[1],
        )

    def _taken_before(self, tx: Tx, token: str) -> ItemWork | None:
        found = tx.one(f"{_BODY} WHERE account = ? AND token = ? AND due_at IS NOT NULL", self.account, token)
        return self._work(tx, ItemRow(*found[:-2]), found[-2:], 0.0) if found else None

    def _expire(self, tx: Tx, ended: list[ItemRow]) -> None:
        late = tx.all(f"{SELECT} WHERE {LATE} LIMIT ?{tx.skipping}", self.account, tx.wall, _MOST_LATE)
        for row in (ItemRow(*columns) for columns in late):
            ended.append(end(tx, row, row.state_when_late))

    def _nothing_due(self, tx: Tx) -> Wait | Over:
        first = tx.one(
            "SELECT due_at FROM mensatek_outbox WHERE account = ? AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1",
            self.account,
        )
        if first is None:
            return Wait(_IDLE) if self.forever else Over()
        seconds = first[0] - tx.now
        if seconds <= 0:  # somebody else is at it
            return Wait(_LOCKED)
        return Wait(seconds, sure=not self.forever)


def claim_lease(who: Claimer) -> float:
    """Return the seconds that a claim lasts of an item that has not left yet; it is renewed while it waits.

    Whoever comes upon it later sends it, so that a code does not wait for long because its worker was killed.
    """
    return min(who.lease, _CLAIM)


def has_news(tx: Tx, account: str, hold: Hold) -> bool:
    """Return whether anything of an account can be claimed, or is late; nothing is changed."""
    if tx.one(f"SELECT 1 FROM mensatek_outbox WHERE {LATE} LIMIT 1", account, tx.wall):
        return True
    if hold.until > tx.now or rate.ahead(tx)[1]:
        return False
    due = "SELECT 1 FROM mensatek_outbox WHERE account = ? AND due_at <= ? LIMIT 1"
    return tx.one(due, account, tx.now) is not None


def left_behind(tx: Tx, row: ItemRow, reason: str) -> ItemRow:
    """Let an item be unknown whose request left and was not answered; or repeat it, where it says so."""
    lost = row.lost + 1
    if row.repeat_unknown and lost < MOST_LOST and not row.is_late(tx.wall):
        wait = work.backoff(row.failures)
        failed = {"failures": row.failures + 1, "lost": lost, "error": reason}
        return change(tx, row, state=QUEUED, due_at=tx.now + wait, token="", owner="", **failed)
    return end(tx, row, UNKNOWN, lost=lost, error=reason)


def may_leave(tx: Tx, who: Claimer, item: ItemWork) -> bool:
    """Return whether an item that is about to leave is still ours and in time; that it leaves is written down."""
    states = f"('{QUEUED}', '{SENDING}')" if tx.repeated else f"('{QUEUED}')"
    changed = tx.run(
        "UPDATE mensatek_outbox SET state = ?, due_at = ?, attempts = ? WHERE id = ? AND token = ? "
        f"AND state IN {states} AND (not_after IS NULL OR not_after > ?)",
        *(SENDING, tx.now + who.lease, item.row.attempts + 1, item.row.id, item.token, tx.wall),
    )
    if changed:
        tx.leaves()
    return bool(changed)


def renew(tx: Tx, who: Claimer, items: Sequence[ItemWork]) -> None:
    """Begin the leases anew of items that have not left yet, and are still ours."""
    tx.many(
        "UPDATE mensatek_outbox SET due_at = ? WHERE id = ? AND token = ? AND state = ?",
        [(tx.now + claim_lease(who), item.row.id, item.token, QUEUED) for item in items],
    )
