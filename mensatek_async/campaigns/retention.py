"""What is kept of people: phones and texts of campaigns that have ended are purged, and one phone is forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from .._wire.names import REQUEST
from ..durable.forgetting import forget_contracts, forget_items, purge_contracts, tombstone
from ..errors import CampaignError
from ..opt_outs import tables
from ..store.database import note_deletion
from ..store.threads import in_thread
from ..store.transaction import Tx
from .journal import chunks, left_out
from .journal.deliveries import messages_of
from .journal.recipients import ChunkRecipients, phones_in
from .journal.records import CampaignRow, all_of, by_id, options_of, set_campaign
from .journal.states import CANCELLED, DONE
from .session import CampaignSession

_PURGED = "its phones and texts were purged"
_PAGE = "SELECT seq, body FROM mensatek_payload WHERE campaign_id = ? AND seq > ? ORDER BY seq LIMIT 200"
_BODY = "UPDATE mensatek_payload SET body = ? WHERE campaign_id = ? AND seq = ?"
_TAIL = 8  # last digits of a phone, by which a reason that quotes it is known however it is written


async def purge_older(session: CampaignSession, age: float) -> int:
    """Purge the campaigns that ended so many seconds ago, one to a transaction; return how many they were."""
    due = await session.look(
        lambda tx: [
            row.id
            for row in all_of(tx, (DONE, CANCELLED))
            if not row.is_purged and row.ended is not None and row.ended < tx.wall - age
        ]
    )
    for campaign in due:
        await session.change(partial(_purge_by_id, campaign=campaign))
    await in_thread(session.db.compact)
    return len(due)


def _purge_by_id(tx: Tx, campaign: int) -> None:
    purge(tx, by_id(tx, campaign, lock=True))


def purge(tx: Tx, row: CampaignRow) -> None:
    """Take phones and texts out of a campaign that has ended; its counts stay, and the outcome of each row."""
    if row.state not in (DONE, CANCELLED):
        raise CampaignError(
            f"The campaign {row.name!r} is {row.state}: only one that has ended is purged. Nothing was taken out.",
            advice="Let it end, or cancel it first. A single phone can be forgotten at any time.",
        )
    if row.is_purged:
        return
    options = json.loads(options_of(tx, row.id))
    kept = {name: value for name, value in options["params"].items() if name == REQUEST["scheduled_at"]}
    options |= {"text": "-", "template": False, "params": kept, "anchor": None}
    unnamed = {"content": "", "source_fingerprint": "", "source_file": ""}  # they could be guessed from
    set_campaign(tx, row.id, note=_PURGED, options=json.dumps(options), **unnamed)
    for page in _pages(tx, row.id):
        blank = [(ChunkRecipients.unpack(body).blank().pack(), row.id, seq) for seq, body in page]
        tx.many(_BODY, blank)
    tx.run(
        "UPDATE mensatek_invalid SET reason = '' WHERE campaign_id = ?", row.id
    )  # they quote what was wrong
    _blank_reasons(tx, row.id, rf"\d{{{_TAIL}}}", "purged")
    tx.run("DELETE FROM mensatek_delivery WHERE campaign_id = ?", row.id)
    for message_id in messages_of(tx, row):
        purge_contracts(tx, message_id)
    if tables.changes(tx) is not None:
        tx.run("UPDATE mensatek_left_out SET phone = '' WHERE campaign_id = ?", row.id)
    tx.run("DELETE FROM mensatek_meta WHERE name LIKE ?", tombstone(row.id, "") + "%")
    note_deletion(tx)


async def forget(session: CampaignSession, phone: str) -> int:
    """Take a phone out of all that a store keeps of it but its opt-out; return from how many rows and items."""
    found = 0
    for row in await session.look(all_of):
        found += await session.change(partial(_forget, campaign=row.id, phone=phone))
    return found + await session.erase(lambda tx: forget_items(tx, phone) + forget_contracts(tx, phone))


def _forget(tx: Tx, campaign: int, phone: str) -> int:
    row = by_id(
        tx, campaign, lock=True
    )  # so that no recipient becomes an opener behind the page that is read
    found = _forget_recipients(tx, campaign, phone)
    reports = tx.run("DELETE FROM mensatek_delivery WHERE campaign_id = ? AND phone = ?", campaign, phone)
    if tables.changes(tx) is not None:
        found += tx.run(
            "UPDATE mensatek_left_out SET phone = '' WHERE campaign_id = ? AND phone = ?", campaign, phone
        )
    options = json.loads(options_of(tx, campaign))
    if phone in (options["anchor"] or {}).values():
        set_campaign(tx, campaign, options=json.dumps(options | {"anchor": None}))
    if found and not row.is_purged:
        name = tombstone(campaign, phone)
        tx.run("INSERT INTO mensatek_meta VALUES (?, '') ON CONFLICT (name) DO NOTHING", name)
    found += _blank_reasons(tx, campaign, phone[-_TAIL:], left_out.FORGOTTEN)
    if found or reports:
        note_deletion(tx)
    return found


def _forget_recipients(tx: Tx, campaign: int, phone: str) -> int:
    """Blank a phone and its fields in every chunk; whoever has claimed one of them gives it back before it leaves."""
    found = 0
    for page in _pages(tx, campaign):
        for seq in [seq for seq, body in page if phone in phones_in(body)]:
            tx.one(
                f"SELECT 1 FROM mensatek_chunk WHERE campaign_id = ? AND seq = ?{tx.locking}", campaign, seq
            )
            part = chunks.recipients_of(tx, campaign, seq)
            found += part.wire.phones.count(phone)
            tx.run(_BODY, part.blank(phone).pack(), campaign, seq)
            chunks.change(tx, campaign, seq, owner="")
    return found


def _blank_reasons(tx: Tx, campaign: int, digits: str, instead: str) -> int:
    """Replace the reasons in which these digits are, a pattern, in whatever writing."""
    found = 0
    for table, column in (("mensatek_invalid", "reason"), ("mensatek_chunk", "error")):
        for (reason,) in tx.all(f"SELECT DISTINCT {column} FROM {table} WHERE campaign_id = ?", campaign):
            if re.search(digits, re.sub(r"\D", "", reason)):
                found += tx.run(
                    f"UPDATE {table} SET {column} = ? WHERE campaign_id = ? AND {column} = ?",
                    *(instead, campaign, reason),
                )
    return found


def _pages(tx: Tx, campaign: int) -> Iterator[list[Any]]:
    last = -(10**18)
    while page := tx.all(_PAGE, campaign, last):
        yield page
        last = page[-1][0]
