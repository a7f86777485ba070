"""The contracts that campaigns of the same store have sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .._wire.names import REQUEST
from .._wire.scalars import madrid_datetime
from .._wire.structure import loads
from ..campaigns.journal.recipients import phones_in
from ..campaigns.journal.records import all_of, options_of
from ..campaigns.journal.schema import CAMPAIGNS
from ..campaigns.journal.states import SENT
from ..campaigns.options import Content
from ..store.transaction import Tx
from .tables import Sending, add_sent

_AT_ONCE = 50  # requests to a transaction
_NEW = (
    "SELECT k.seq, COALESCE(k.idmensaje, c.idmensaje), k.since, p.body FROM mensatek_chunk k "
    "JOIN mensatek_campaign c ON c.id = k.campaign_id "
    "JOIN mensatek_payload p ON p.campaign_id = k.campaign_id AND p.seq = k.seq "
    "WHERE k.campaign_id = ? AND k.state = ? AND NOT EXISTS (SELECT 1 FROM mensatek_contract_chunk m "
    "WHERE m.campaign_id = k.campaign_id AND m.seq = k.seq) LIMIT ?"
)


def has_contracts(tx: Tx) -> bool:
    """Return whether campaigns of the store send contracts."""
    return bool(_with_contracts(tx))


def has_new(tx: Tx) -> bool:
    """Return whether campaigns have sent contracts that the table lacks."""
    return any(tx.all(_NEW, campaign, SENT, 1) for campaign, _ in _with_contracts(tx))


def take_in(tx: Tx) -> bool:
    """Add contracts that campaigns have sent, so many to a transaction; return whether there may be more."""
    left = _AT_ONCE
    for campaign, content in _with_contracts(tx):
        for seq, message_id, since, body in tx.all(_NEW, campaign, SENT, left):
            left -= 1
            mark = (
                "INSERT INTO mensatek_contract_chunk VALUES (?, ?) ON CONFLICT (campaign_id, seq) DO NOTHING"
            )
            if (
                tx.run(mark, campaign, seq)
                and message_id
                and (phones := [phone for phone in phones_in(body) if phone])
            ):
                add_sent(tx, _sending(int(message_id), content, since or tx.wall), phones)
        if left <= 0:
            return True
    return False


def _with_contracts(tx: Tx) -> list[tuple[int, Content]]:
    """Return the campaigns whose texts are signed or accepted, by their ids."""
    if tx.one("SELECT 1 FROM mensatek_meta WHERE name = ?", CAMPAIGNS.name) is None:
        return []
    contents = [(row.id, loads(options_of(tx, row.id), Content)) for row in all_of(tx)]
    names = ("contract_type", "acceptance_days")
    return [
        (id_, content)
        for id_, content in contents
        if content.product == "certified" and any(_number(content.params, name) for name in names)
    ]


def _sending(message_id: int, content: Content, since: float) -> Sending:
    params = content.params
    scheduled = params.get(REQUEST["scheduled_at"])
    date = madrid_datetime(scheduled) if scheduled else None
    at = since if date is None else max(since, date.timestamp())
    days, hours, minutes = (_number(params, f"validity_{unit}") for unit in ("days", "hours", "minutes"))
    validity = timedelta(days=days, hours=hours, minutes=minutes)
    acceptance = timedelta(days=_number(params, "acceptance_days"))
    return sending(message_id, content.reference, at, validity, acceptance)


def sending(
    message_id: int, reference: str, at: float, validity: timedelta | None, acceptance: timedelta | None
) -> Sending:
    """Return what contracts have in common that left at a moment; a period of 0 is the provider's own."""
    return Sending(
        message_id=message_id,
        reference=reference,
        sent_at=at,
        deliver_by=at + validity.total_seconds() if validity else None,
        accept_by=at + acceptance.total_seconds() if acceptance else None,
    )


def _number(params: Mapping[str, Any], name: str) -> int:
    return int(params.get(REQUEST[name]) or 0)
