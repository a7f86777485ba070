"""Cancelling and moving what the provider holds of a scheduled campaign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import anyio

from .._core import exchange
from .._core.context import Context
from .._core.messages.options import wire_date
from ..errors import AlreadyCancelled, AlreadySent, CampaignError
from ..store.database import Database
from ..store.threads import in_thread
from ..store.transaction import Tx
from .journal.lifecycle import reschedule
from .journal.records import CampaignRow, set_state
from .journal.states import CANCELLED, CLAIMED, DONE, PENDING, POSTING, SENT

_LOOK = 0.1  # seconds between two looks whether what is on its way was answered
_LOOKS = 100


async def recall(context: Context, db: Database, row: CampaignRow, operation: str) -> None:
    """Cancel every message of a campaign at the provider, and write down who will not be texted."""
    await _landed(db, row, await in_thread(db.read, lambda tx: _claims(tx, row.id, POSTING)))
    cancelled = 0
    for number in await in_thread(db.read, lambda tx: _held(tx, row.id)):
        try:
            cancelled += (await exchange.cancel(context, operation, number)).cancelled
        except AlreadySent:
            continue
        except AlreadyCancelled:
            pass
        await in_thread(db.write, lambda tx, at=number, count=cancelled: _take_back(tx, row.id, at, count))


async def postpone(context: Context, db: Database, row: CampaignRow, operation: str, when: datetime) -> None:
    """Have the provider deliver at another date what it holds of a campaign, and what it is sent from now on."""
    sent = await _move(context, db, row, operation, when)
    if sent is not None and row.state == DONE:  # nothing is left that could be moved
        raise sent

    def move(tx: Tx) -> list[str]:
        """Write the new date down; return the claims that were made with the old one."""
        return _claims(tx, reschedule(tx, row.name, moved_to=wire_date(when)).id, CLAIMED, POSTING)

    flying = await in_thread(db.write, move)
    landed = await _landed(db, row, flying)
    if flying:
        await _move(context, db, row, operation, when)
    if not landed:
        raise CampaignError(
            f"The campaign {row.name!r} has a new date, but some requests are still on their way with the old one.",
            advice="Move it again in a minute: what they brought is moved then.",
        )


async def _landed(db: Database, row: CampaignRow, flying: Sequence[str]) -> bool:
    """Wait until these claims have ended; return whether they have, in time."""
    for _ in range(_LOOKS):
        left = await in_thread(db.read, lambda tx: _claims(tx, row.id, CLAIMED, POSTING))
        if not set(flying) & set(left):
            return True
        await anyio.sleep(_LOOK)
    return False


async def _move(
    context: Context, db: Database, row: CampaignRow, operation: str, when: datetime
) -> AlreadySent | None:
    """Move every message that the provider holds; return why none could be, if there were any."""
    sent, moved = None, 0
    for number in await in_thread(db.read, lambda tx: _held(tx, row.id)):
        try:
            moved += (await exchange.reschedule(context, operation, number, when)).rescheduled
        except AlreadySent as error:
            sent = error
    return None if moved else sent


def _claims(tx: Tx, campaign: int, *states: str) -> list[str]:
    """Return the tokens of what is claimed, in these states, and whose lease has not ended."""
    marks = ", ".join("?" * len(states))
    sql = f"SELECT token FROM mensatek_chunk WHERE campaign_id = ? AND due_at > ? AND state IN ({marks})"
    return [token for (token,) in tx.all(sql, campaign, tx.now, *states)]


def _held(tx: Tx, campaign: int) -> list[int]:
    numbers = tx.all(
        "SELECT DISTINCT idmensaje FROM mensatek_chunk WHERE campaign_id = ? AND state = ? AND accepted > 0 "
        "AND idmensaje IS NOT NULL ORDER BY idmensaje",
        *(campaign, SENT),
    )
    return [int(number) for (number,) in numbers]


def _take_back(tx: Tx, campaign: int, number: int, count: int) -> None:
    """Count what the provider cancelled as not sent, which in a cancelled campaign it never will be."""
    tx.run(
        "UPDATE mensatek_chunk SET state = ?, accepted = 0, duplicated = 0, credits = 0, attempts = 0 "
        "WHERE campaign_id = ? AND state = ? AND idmensaje = ?",
        *(PENDING, campaign, SENT, number),
    )
    set_state(tx, campaign, CANCELLED, "", f"the provider cancelled {count} recipients that it still held")
