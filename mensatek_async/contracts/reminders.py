"""Reminders: a text for each contract that waits, once a name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .._wire.scalars import madrid
from ..archive.tree import name_of
from ..durable.content import SendOptions
from ..errors import InvalidRequest, OutboxConflict
from ..models.contracts import Contract
from ..models.recipient import Recipient
from ..outbox.outbox import Outbox
from ..store.database import Database
from ..store.threads import in_thread
from ..text.template import Template
from . import tables


async def remind(
    db: Database,
    outbox: Outbox,
    contracts: Iterable[Contract],
    text: str | Template,
    name: str,
    options: SendOptions,
) -> int:
    """Put a text into an outbox for each contract without a reminder of this name; return how many were put."""
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 100:
        raise InvalidRequest("A reminder's name is a text of one line, of up to 100 characters.")
    put = 0
    for contract in contracts:
        key = f"{name}-{name_of(contract.message_id, contract.phone)}"
        if await outbox.get(key) is not None:
            continue
        given: SendOptions = {"reference": contract.reference or None, **options}
        try:
            await outbox.put(key, Recipient(contract.phone, _fields(contract)), text, **given)
        except OutboxConflict:  # somebody else has just reminded them
            continue
        await in_thread(db.write, partial(tables.reminded, contract=contract))
        put += 1
    return put


def _fields(contract: Contract) -> dict[str, str]:
    expires = contract.expires_at
    shown = "" if expires is None else f"{expires.astimezone(madrid()):%d/%m/%Y}"
    return {"reference": contract.reference, "expires": shown}
