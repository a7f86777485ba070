"""Delivery reports: they settle openers whose answer was lost, and tell who received the text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..._core import exchange
from ..._core.context import Context
from ..._wire.marks import Mark, read_mark
from ...codes import DeliveryStatus, Phase
from ...durable.work import is_older
from ...errors import NotYours
from ...models.events import DeliveryReport
from ...models.results import RecipientReport
from ...store.database import Database
from ...store.threads import in_thread
from ...store.transaction import Tx
from . import left_out
from .chunks import recipients_of
from .records import CampaignRow, by_id
from .settling import adopt
from .states import POSTING, UNKNOWN


def record(tx: Tx, report: DeliveryReport) -> bool:
    """Take a report in; return whether it is about a campaign of this store.

    It may come twice, in any order, days late, or before the answer to its send.
    """
    mark = read_mark(report.mark or report.reference)
    campaign = _by_mark(tx, mark, report) if mark is not None else None
    if campaign is None:
        campaign = _by_message(tx, report.message_id)
    if campaign is None:
        return False
    _note(tx, campaign, report.message_id, report)
    return True


def _by_mark(tx: Tx, mark: Mark, report: DeliveryReport) -> int | None:
    chunk = tx.one(
        "SELECT c.id, k.state, k.n, k.token FROM mensatek_campaign c JOIN mensatek_chunk k ON k.campaign_id = c.id "
        "WHERE c.uid = ? AND k.seq = ?",
        *(mark.uid, mark.seq),
    )
    if chunk is None or not chunk[3].startswith(mark.token):
        return None
    campaign, state, n, _ = chunk
    by_id(tx, campaign, lock=True)
    if recipients_of(tx, campaign, mark.seq).wire.phones not in ([report.phone], [""]):  # blank: forgotten
        return None
    if state in (UNKNOWN, POSTING):
        adopt(tx, campaign, mark.seq, n, report.message_id)
    return int(campaign)


def _by_message(tx: Tx, message_id: int) -> int | None:
    campaign = tx.one("SELECT id FROM mensatek_campaign WHERE idmensaje = ?", message_id) or tx.one(
        "SELECT campaign_id FROM mensatek_chunk WHERE idmensaje = ? AND seq <= 0", message_id
    )
    return int(campaign[0]) if campaign else None


def _note(tx: Tx, campaign: int, message_id: int, report: DeliveryReport | RecipientReport) -> None:
    status, phone = report.status, report.phone
    if status.phase is Phase.INFO:
        return  # news such as the signer's position, which change nothing
    standing = 1 if status.is_delivered else -1 if status.is_failed else 0
    moment = report.reported_at.timestamp() if report.reported_at is not None else None
    arrived = (moment, report.seconds) if standing == 1 else (None, None)
    known = tx.one(
        "SELECT code, standing, reported_at, delivered_at, seconds FROM mensatek_delivery "
        f"WHERE campaign_id = ? AND phone = ?{tx.locking}",
        *(campaign, phone),
    )
    before = 0
    if known is None and left_out.is_forgotten(tx, campaign, phone):
        return
    if known is None:
        tx.run(
            "INSERT INTO mensatek_delivery (campaign_id, phone, message_id, code, standing, reported_at, "
            "delivered_at, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(campaign, phone, message_id, status.code, standing, moment, *arrived),
        )
    else:
        code, before, earlier, *arrival = known
        if is_older(moment, earlier, status, DeliveryStatus(code, certifies=status.certifies)):
            status, moment = DeliveryStatus(code), earlier
            standing = before or standing
        standing = standing or before  # "opened" after "delivered" takes nothing back
        if any(arrival) and not (arrived[0] and arrival[0] and arrived[0] < arrival[0]):
            arrived = (arrival[0], arrival[1])  # "certified" after "delivered" arrived no later
        tx.run(
            "UPDATE mensatek_delivery SET code = ?, standing = ?, reported_at = ?, delivered_at = ?, seconds = ? "
            "WHERE campaign_id = ? AND phone = ?",
            *(status.code, standing, moment, *arrived, campaign, phone),
        )
    if standing != before:
        tx.run(
            "UPDATE mensatek_campaign SET delivered = delivered + ?, undelivered = undelivered + ? WHERE id = ?",
            *(int(standing == 1) - int(before == 1), int(standing == -1) - int(before == -1), campaign),
        )


async def reconcile(context: Context, db: Database, row: CampaignRow, operation: str) -> None:
    """Ask the provider once where every recipient of a campaign's messages stands."""
    for number in await in_thread(db.read, lambda tx: messages_of(tx, row)):
        try:
            report = await exchange.report(context, operation, number, 60.0)
        except NotYours:
            continue
        for start in range(0, len(report.recipients), 1000):
            part = report.recipients[start : start + 1000]
            await in_thread(db.write, lambda tx, rows=part, at=number: _take_in(tx, row.id, at, rows))
        await in_thread(db.write, lambda tx, rows=report.recipients, at=number: _settle(tx, row.id, at, rows))


def messages_of(tx: Tx, row: CampaignRow) -> list[int]:
    numbers = tx.all(
        "SELECT DISTINCT idmensaje FROM mensatek_chunk WHERE campaign_id = ? AND idmensaje IS NOT NULL",
        row.id,
    )
    return sorted({int(number) for (number,) in [*numbers, (row.idmensaje,)] if number})


def _take_in(tx: Tx, campaign: int, number: int, rows: Iterable[RecipientReport]) -> None:
    for one in rows:
        _note(tx, campaign, number, one)


def _settle(tx: Tx, campaign: int, number: int, rows: Iterable[RecipientReport]) -> None:
    """Count unknown chunks as taken whose recipients the provider reports on."""
    phones = {one.phone for one in rows}
    unknown: list[Any] = tx.all(
        "SELECT seq FROM mensatek_chunk WHERE campaign_id = ? AND state = ? AND idmensaje = ?",
        *(campaign, UNKNOWN, number),
    )
    for (seq,) in unknown:
        known = sum(phone in phones for phone in recipients_of(tx, campaign, seq).wire.phones)
        if known:
            adopt(tx, campaign, seq, known, None)
    tx.run("UPDATE mensatek_campaign SET reconciled = 1 WHERE id = ?", campaign)
