"""Cancelling what the provider holds of a scheduled campaign."""

from __future__ import annotations

import anyio

from .._core import exchange
from .._core.context import Context
from ..errors import AlreadyCancelled, AlreadySent
from ..store.database import Database
from ..store.threads import in_thread
from ..store.transaction import Tx
from .journal.records import CampaignRow, set_state
from .journal.states import CANCELLED, PENDING, POSTING, SENT

_LOOK = 0.1  # seconds between two looks whether what is on its way was answered
_LOOKS = 100


async def recall(context: Context, db: Database, row: CampaignRow, operation: str) -> None:
    """Cancel every message of a campaign at the provider, and write down who will not be texted.

    Raises:
        MensatekError: as in `client.sms.cancel`; what was cancelled before is written down.
    """
    for _ in range(_LOOKS):
        if not await in_thread(db.read, lambda tx: _is_flying(tx, row.id)):
            break
        await anyio.sleep(_LOOK)
    cancelled = 0
    for number in await in_thread(db.read, lambda tx: _held(tx, row.id)):
        try:
            cancelled += (await exchange.cancel(context, operation, number)).cancelled
        except AlreadySent:
            continue
        except AlreadyCancelled:
            pass
        await in_thread(db.write, lambda tx, at=number, count=cancelled: _take_back(tx, row.id, at, count))


def _is_flying(tx: Tx, campaign: int) -> bool:
    return bool(
        tx.one(
            "SELECT 1 FROM mensatek_chunk WHERE campaign_id = ? AND state = ? AND due_at > ? LIMIT 1",
            *(campaign, POSTING, tx.now),
        )
    )


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
