"""What the page shows of texts: the list, the phones, a conversation, what is scheduled, certificates."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from ..account.account import Account
from ..account.records import Batch, Incoming
from ..carrier.statuses import phase
from .forms import PREVIEW, certificate_url, contract_form, one_page, picked, row_form, text_form, whole

_CONVERSATION = 200
_CERTIFICATES = 500
_FILTERS = ("status", "phase", "reference", "message_id", "phone", "q", "cursor")

Turn = Batch | Incoming


def find_texts(account: Account, query: Mapping[str, str], limit: int) -> dict[str, Any]:
    """The newest texts that are looked for, by the names of the page's filters."""
    total = sum(len(batch.phones) for batch in account.batches)
    return one_page(_matching(account, query), limit, total)


def _matching(account: Account, query: Mapping[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    now, wanted = account.clock.now, {name: query.get(name, "").strip().casefold() for name in _FILTERS}
    digits = re.sub(r"[^0-9]", "", wanted["phone"])
    before = tuple(map(whole, wanted["cursor"].split("."))) if wanted["cursor"] else (math.inf,)
    for batch in reversed(account.batches):
        is_other = wanted["message_id"] not in ("", str(batch.message_id))
        if is_other or wanted["reference"] not in batch.reference.casefold():
            continue
        standing = account.delivery.standings(batch, now)
        for position in range(len(batch.phones) - 1, -1, -1):
            phone = batch.phones[position]
            if digits not in phone or (batch.number, position) >= before:
                continue
            status = standing(phone)[0]
            is_wanted = wanted["status"] in ("", str(status)) and wanted["phase"] in ("", phase(status))
            if is_wanted and _says(batch, position, wanted["q"]):
                yield f"{batch.number}.{position}", row_form(batch, position, status)


def _says(batch: Batch, position: int, words: str) -> bool:
    own = (batch.phones[position], batch.written(position)[0], batch.shown(position))
    known = (*own, batch.sender, batch.reference, str(batch.message_id))
    return any(words in one.casefold() for one in known)


def find_phones(account: Account, words: str, limit: int) -> dict[str, Any]:
    """The phones of the newest texts and replies."""
    newest: dict[str, tuple[Turn, int]] = {}
    for turn in reversed(_in_order(account.batches, account.incoming)):
        phones = [turn.phone] if isinstance(turn, Incoming) else turn.phones
        for position in range(len(phones) - 1, -1, -1):
            newest.setdefault(phones[position], (turn, position))
        if not words and len(newest) >= limit:
            break
    chosen = islice(((phone, last) for phone, last in newest.items() if words in phone), limit)
    replies = Counter(incoming.phone for incoming in account.incoming)
    return {
        "items": [
            {
                "phone": phone,
                "texts": account.counts[phone],
                "replies": replies[phone],
                "last_at": _moment(turn),
                "last_text": (turn.text if isinstance(turn, Incoming) else turn.shown(position))[:PREVIEW],
                "last_is_reply": isinstance(turn, Incoming),
                "switched_off": account.delivery.is_off(phone),
                "outcome": account.delivery.chosen(phone),
            }
            for phone, (turn, position) in chosen
        ]
    }


def _moment(turn: Turn) -> datetime:
    return turn.at if isinstance(turn, Incoming) else turn.leaves_at


def _in_order(batches: Iterable[Batch], incoming: Iterable[Incoming]) -> list[Turn]:
    """Texts and replies by when they leave or come; a reply after a text of the same moment."""
    return sorted([*batches, *incoming], key=_moment)


def conversation(account: Account, phone: str) -> dict[str, Any]:
    """Everything between one phone and the account, oldest first."""
    turns = _in_order(
        (batch for batch in account.batches if account.messages[batch.message_id].phones.get(phone) is batch),
        (one for one in account.incoming if one.phone == phone),
    )
    return {
        "phone": phone,
        "switched_off": account.delivery.is_off(phone),
        "outcome": account.delivery.chosen(phone),
        "magic": account.delivery.endings.get(phone),
        "more": len(turns) > _CONVERSATION,
        "items": [
            text_form(account, turn, turn.phones.index(phone))
            if isinstance(turn, Batch)
            else {"kind": "reply", **picked(turn, "at", "text", "number", "message_id")}
            for turn in turns[-_CONVERSATION:]
        ],
    }


def scheduled(account: Account) -> dict[str, Any]:
    """The messages that have not left, soonest first; a message is one row, and is cancelled as one."""
    now = account.clock.now
    every = [message.waiting(now) for message in account.messages.values()]
    messages = [(min(waiting, key=_moment), waiting) for waiting in every if waiting]
    messages.sort(key=lambda one: (one[0].leaves_at, one[0].number))
    return {
        "items": [
            {
                **picked(batch, "message_id", "sender", "certified", "reference", "leaves_at"),
                "recipients": sum(one.recipients for one in waiting),
                "text": (batch.shown(0) if batch.phones else "")[:PREVIEW],
                "cost": sum((one.cost for one in waiting), start=Decimal(0)),
                "contract": contract_form(batch),
            }
            for batch, waiting in messages
        ]
    }


def certificates(account: Account) -> dict[str, Any]:
    """The newest texts with a certificate."""
    return {"items": list(islice(_certified(account), _CERTIFICATES))}


def _certified(account: Account) -> Iterator[dict[str, Any]]:
    now = account.clock.now
    for batch in reversed(account.batches):
        standing = account.delivery.standings(batch, now)
        for phone in reversed(batch.phones) if batch.certified else ():
            status, at, _ = standing(phone)
            if url := certificate_url(batch, phone, status):
                urls = {"url": url, "zip_url": f"/_sandbox/certificates/{batch.message_id}"}
                shown = picked(batch, "message_id", "reference")
                yield {**shown, **urls, "phone": phone, "status": status, "at": at}
