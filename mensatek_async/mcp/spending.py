"""What the server's texts have cost, kept in the outbox itself: no restart and no second server begins a new count.

A text counts from the transaction that puts it, before anything leaves: as much as it cost once an answer said so,
nothing where the provider refused it, else what it may cost. So one counts whose process was killed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from attrs import field, frozen

from .._wire.names import REQUEST
from ..errors import InvalidRequest, OutboxConflict
from ..models.outbox import OutboxItem
from ..outbox.entries import Entry, put
from ..outbox.rows import SELECT, ItemRow
from ..store import rate
from ..store.database import Database
from ..store.transaction import Tx

_OURS = "mcp:"
_FREE = ("failed", "expired", "cancelled")


class NotAllowed(InvalidRequest):
    """Raised when a text may not be sent by this server; nothing was sent."""


class Spending(NamedTuple):
    """What was spent so far.

    Attributes:
        used: credits spent, or set aside.
        price: what one segment costs: as the user said, or the most that an answer has named.
    """

    used: Decimal
    price: Decimal


@frozen
class Rules:
    """What the server may do.

    Attributes:
        live: whether it is the user's own account, and not a sandbox.
        allow: who may be texted, international digits; None is everybody, for a sandbox.
        max_credits: the most that may be spent, over all runs and all servers that share the store; None sets no limit.
        price: what a segment costs as far as the user knows.
    """

    live: bool
    allow: frozenset[str] | None = field(repr=False)
    max_credits: Decimal | None
    price: Decimal

    def refusal(self, spending: Spending, segments: int) -> str:
        """Return why so many segments may not be sent, "" when they may."""
        cost = segments * spending.price
        if self.max_credits is None or spending.used + cost <= self.max_credits:
            return ""
        return (
            f"It costs about {cost:f} credits, and of the {self.max_credits:f} that this server may spend over all its "
            f"runs {spending.used:f} are used. Only whoever runs the server can change --max-credits."
        )


def key_of(token: str, position: int, segments: int) -> str:
    """Return the outbox's key of a text."""
    return f"{_OURS}{token}:{position}:{segments}"


def spending(tx: Tx, account: str, expected: Decimal) -> Spending:
    """Return what an account's texts have cost, where a segment is expected to cost so much."""
    rows = tx.all(
        "SELECT item_key, state, credits FROM mensatek_outbox WHERE account = ? AND item_key LIKE ?",
        *(account, f"{_OURS}%"),
    )
    texts = [
        (int(key.rpartition(":")[2]), state, Decimal(paid) if paid else None) for key, state, paid in rows
    ]
    price = max([expected, *(paid / segments for segments, _, paid in texts if paid is not None)])
    open_ = (segments for segments, state, paid in texts if paid is None and state not in _FREE)
    return Spending(sum((paid for _, _, paid in texts if paid), Decimal(0)) + price * sum(open_), price)


def texts_of(tx: Tx, account: str, token: str, limit: int = 100_000) -> list[tuple[OutboxItem, str]]:
    """Return the texts put with a token, or with any, the newest first; each with its words, "" once purged."""
    columns = SELECT.replace("SELECT ", "SELECT body, ", 1)
    rows = tx.all(
        f"{columns} WHERE account = ? AND item_key LIKE ? ORDER BY id DESC LIMIT ?",
        *(account, f"{_OURS}{token}{':' if token else ''}%", limit),
    )
    return [
        (ItemRow(*row).item(tx.wall), json.loads(body)[REQUEST["text"]] if body else "")
        for body, *row in rows
    ]


def put_below(tx: Tx, db: Database, entries: Sequence[Entry], segments: int, rules: Rules) -> None:
    """Put texts, all or none of them; a token that has texts already puts no more, and has to name just these.

    Args:
        tx: the transaction.
        db: its store.
        entries: the texts.
        segments: what each is charged as.
        rules: what may be spent.

    Raises:
        NotAllowed: the cap would be passed.
        OutboxConflict: the token was used for something else.
    """
    rate.waits(tx)  # it locks a row: of several servers, each sees what the one before has set aside
    account, first = entries[0].values["account"], entries[0].values["item_key"]
    used = {item.key for item, _ in texts_of(tx, account, first.split(":")[1])}
    if used and used != {entry.values["item_key"] for entry in entries}:
        raise OutboxConflict("The token was used for another number of texts or segments.")
    if not used:
        why = rules.refusal(spending(tx, account, rules.price), segments * len(entries))
        if why:
            raise NotAllowed(why)
    for entry in entries:
        put(tx, db, entry)
