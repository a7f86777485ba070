"""What the page shows of texts: the list, the phones, a conversation, what is scheduled, certificates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from ..account.account import Account
from ..account.records import Batch, Incoming
from ..carrier.delivery_state import Standing
from ..carrier.statuses import CERTIFICATE_READY, phase
from .forms import PREVIEW, certificate_url, contract_form, one_page, picked, row_form, text_form

_CONVERSATION = 200
_CERTIFICATES = 500


@dataclass(frozen=True, kw_only=True)
class Search:
    """What the list is narrowed to; empty for all."""

    status: int | None = None
    phase: str = ""
    reference: str = ""
    message_id: int | None = None
    phone: str = ""
    words: str = ""
    limit: int = 100
    before: tuple[int, int] | None = None
    _shared: list[Batch | str] = field(default_factory=list)

    def wants_batch(self, batch: Batch) -> bool:
        """Whether any text of a batch may be among what is looked for."""
        return (
            self.message_id in (None, batch.message_id)
            and self.reference.casefold() in batch.reference.casefold()
            and (self.before is None or batch.number <= self.before[0])
        )

    def wants(self, batch: Batch, position: int, standing: Callable[[str], Standing]) -> bool:
        """Whether a text is among what is looked for."""
        phone = batch.phones[position]
        is_behind = self.before is None or (batch.number, position) < self.before
        if not is_behind or self.phone not in phone:
            return False
        if self.status is not None or self.phase:
            status = standing(phone)[0]
            if self.status not in (None, status) or self.phase not in ("", phase(status)):
                return False
        words = self.words.casefold()
        return not words or words in phone or words in self._text(batch, position)

    def _text(self, batch: Batch, position: int) -> str:
        """All that is searched of a text but its phone; worked out once where all recipients share it."""
        if batch.rendered is None and self._shared[:1] == [batch]:
            return str(self._shared[1])
        known = (batch.written(position)[0], batch.shown(position), batch.sender, batch.reference)
        text = "\n".join((*known, str(batch.message_id))).casefold()
        self._shared[:] = [batch, text]
        return text


def find_texts(account: Account, search: Search) -> dict[str, Any]:
    """The newest texts that are looked for."""
    total = sum(len(batch.phones) for batch in account.batches)
    return one_page(_matching(account, search), search.limit, total)


def _matching(account: Account, search: Search) -> Iterator[tuple[str, dict[str, Any]]]:
    now = account.clock.now
    for batch in filter(search.wants_batch, reversed(account.batches)):
        standing = account.delivery.standings(batch, now)
        for position in range(len(batch.phones) - 1, -1, -1):
            if search.wants(batch, position, standing):
                row = row_form(batch, position, standing(batch.phones[position])[0])
                yield f"{batch.number}.{position}", row


def find_phones(account: Account, words: str, limit: int) -> dict[str, Any]:
    """The phones of the newest texts and replies."""
    newest: dict[str, Incoming | tuple[Batch, int]] = {}
    for last in _newest_first(account):
        if isinstance(last, Incoming):
            newest.setdefault(last.phone, last)
        else:
            for position in range(len(last.phones) - 1, -1, -1):
                newest.setdefault(last.phones[position], (last, position))
        if not words and len(newest) >= limit:
            break
    chosen = islice(((phone, last) for phone, last in newest.items() if words in phone), limit)
    replies = Counter(incoming.phone for incoming in account.incoming)
    return {"items": [_talk_form(account, phone, last, replies[phone]) for phone, last in chosen]}


def _newest_first(account: Account) -> Iterator[Batch | Incoming]:
    """Texts and replies by when they leave or come; a reply after a text of the same moment."""
    batches = sorted(account.batches, key=lambda batch: batch.leaves_at)  # they nearly are
    incoming = list(account.incoming)
    while batches or incoming:
        if incoming and (not batches or incoming[-1].at >= batches[-1].leaves_at):
            yield incoming.pop()
        else:
            yield batches.pop()


def _talk_form(
    account: Account, phone: str, last: Incoming | tuple[Batch, int], replies: int
) -> dict[str, Any]:
    shown = last.text if isinstance(last, Incoming) else last[0].shown(last[1])
    return {
        "phone": phone,
        "texts": account.counts[phone],
        "replies": replies,
        "last_at": last.at if isinstance(last, Incoming) else last[0].leaves_at,
        "last_text": shown[:PREVIEW],
        "last_is_reply": isinstance(last, Incoming),
        "switched_off": account.delivery.is_off(phone),
        "outcome": account.delivery.chosen(phone),
    }


def conversation(account: Account, phone: str) -> dict[str, Any]:
    """Everything between one phone and the account, oldest first."""
    batches = (message.phones.get(phone) for message in account.messages.values())
    turns: list[tuple[Any, int, Any]] = [
        (batch.leaves_at, batch.number, batch) for batch in batches if batch is not None and batch.phones
    ]
    turns += [
        (one.at, account.last_batch + 1 + n, one)
        for n, one in enumerate(account.incoming)
        if one.phone == phone
    ]
    turns.sort(key=lambda one: one[:2])
    delivery = account.delivery
    return {
        "phone": phone,
        "switched_off": delivery.is_off(phone),
        "outcome": delivery.chosen(phone),
        "magic": delivery.endings.get(phone),
        "more": len(turns) > _CONVERSATION,
        "items": [
            text_form(account, one, one.phones.index(phone))
            if isinstance(one, Batch)
            else {"kind": "reply", **picked(one, "at", "text", "number", "message_id")}
            for _, _, one in turns[-_CONVERSATION:]
        ],
    }


def scheduled(account: Account) -> dict[str, Any]:
    """The messages that have not left, soonest first; a message is one row, and is cancelled as one."""
    now = account.clock.now
    messages = []
    for message in account.messages.values():
        if waiting := message.waiting(now):
            first = min(waiting, key=lambda batch: batch.leaves_at)
            messages.append((first.leaves_at, first, waiting))
    messages.sort(key=lambda one: (one[0], one[1].number))
    return {
        "items": [
            {
                **picked(batch, "message_id", "sender", "certified", "reference"),
                "recipients": sum(one.recipients for one in waiting),
                "text": (batch.shown(0) if batch.phones else "")[:PREVIEW],
                "leaves_at": leaves_at,
                "cost": sum((one.cost for one in waiting), start=Decimal(0)),
                "contract": contract_form(batch),
            }
            for leaves_at, batch, waiting in messages
        ]
    }


def certificates(account: Account) -> dict[str, Any]:
    """The newest texts with a certificate."""
    return {
        "items": [
            {
                **picked(batch, "message_id", "reference"),
                "phone": phone,
                "status": standing[0],
                "at": standing[1],
                "url": certificate_url(batch, phone, standing[0]),
                "zip_url": f"/_sandbox/certificates/{batch.message_id}",
            }
            for batch, phone, standing in islice(certified(account), _CERTIFICATES)
        ]
    }


def certified(account: Account) -> Iterator[tuple[Batch, str, Standing]]:
    """Every text that has a certificate, newest first."""
    now = account.clock.now
    for batch in reversed(account.batches):
        if batch.certified:
            standing = account.delivery.standings(batch, now)
            for phone in reversed(batch.phones):
                if standing(phone)[0] in CERTIFICATE_READY:
                    yield batch, phone, standing(phone)
