"""The state of one account: credits, messages, phones, library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from .contracts import Act
from .delivery import (
    CANCELLED,
    CERTIFICATE_READY,
    CONTRACT_LOCATED,
    FINAL_CONTRACT,
    SCHEDULED,
    Clock,
    stages,
)
from .library import Library
from .records import Batch, Message, Text

_FIRST_MESSAGE = 10573758

Standing = tuple[int, datetime, int]
"""A delivery status, since when, and the seconds it took from leaving."""


class Account:
    """What the provider knows of a customer.

    Args:
        clock: the sandbox's clock.
        credits: what there is to spend.
        prices: credits per text, plain and certified.
        library: the file library.
        delivery_seconds: from one delivery status to the next.
        recipients_per_request: more of them in one call are refused; None for no limit.
        keep_texts: whether texts are kept; without, they are only counted.
        strict: whether parameters no manual knows are refused.
        trial: whether it is a trial account.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        credits: Decimal,
        prices: tuple[Decimal, Decimal],
        library: Library,
        delivery_seconds: float,
        recipients_per_request: int | None,
        keep_texts: bool,
        strict: bool,
        trial: bool,
    ) -> None:
        self.clock = clock
        self.credits: Decimal = credits
        self.library = library
        self.delivery_seconds = delivery_seconds
        self.recipients_per_request = recipients_per_request
        self.keep_texts = keep_texts
        self.strict = strict
        self.trial = trial
        self.detailed = True
        self.messages: dict[int, Message] = {}
        self.batches: list[Batch] = []
        self.counts: Counter[str] = Counter()
        self.outcomes: dict[str, int] = {}
        self.contracts_by_themselves = True
        self.acts: dict[tuple[int, str], list[Act]] = {}
        self.witnesses: list[Callable[[Batch, str, Act], None]] = []
        self.followers: list[Callable[[Batch, list[str]], None]] = []
        self._prices = prices
        self._ids = count(_FIRST_MESSAGE)

    def price(self, certified: bool) -> Decimal:
        """Credits per text."""
        return self._prices[certified]

    def new_message(self, sender: str, certified: bool) -> Message:
        """A message with an id of its own."""
        message = Message(message_id=next(self._ids), sender=sender, certified=certified)
        self.messages[message.message_id] = message
        return message

    def accept(self, message: Message, batch: Batch, phones: list[str]) -> None:
        """Add recipients to a message and take what they cost."""
        message.batches.append(batch)
        message.phones.update(dict.fromkeys(phones, batch))
        self.counts.update(phones)
        self.credits -= batch.cost
        if self.keep_texts:
            batch.phones = phones
            self.batches.append(batch)
        for follow in self.followers:
            follow(batch, phones)

    def cancel(self, batch: Batch) -> None:
        """Take recipients back whose text has not left, and refund them."""
        batch.cancelled_at = self.clock.now
        self.credits += batch.cost
        message = self.messages[batch.message_id]
        self.counts.subtract(phone for phone, its in message.phones.items() if its is batch)

    def standings(self, batch: Batch, now: datetime) -> Callable[[str], Standing]:
        """Where the texts of a batch stand, to be asked phone by phone."""
        common = self._standing(batch, None, now)
        others = {outcome: self._standing(batch, outcome, now) for outcome in set(self.outcomes.values())}
        acted = {phone for message_id, phone in self.acts if message_id == batch.message_id}
        if not others and not acted:
            return lambda phone: common

        def standing(phone: str) -> Standing:
            if phone in acted:
                return self._acted(batch, phone)
            return others[self.outcomes[phone]] if phone in self.outcomes else common

        return standing

    def act(self, batch: Batch, phone: str, acts: Sequence[Act]) -> None:
        """Note what the recipient of a contract did; from then on it goes no further by itself."""
        for one in acts:
            for witness in self.witnesses:
                witness(batch, phone, one)
            self.acts.setdefault((batch.message_id, phone), []).append(one)

    def path(self, batch: Batch, phone: str) -> list[tuple[float, int]]:
        """The statuses a text goes through by itself, each with the seconds after it left."""
        path = self._path(batch, self.outcomes.get(phone))
        acts = self.acts.get((batch.message_id, phone))
        if not acts:
            return path
        ended = (acts[0].at - batch.leaves_at).total_seconds()
        return [stage for stage in path if stage[0] <= ended]

    def history(self, batch: Batch, phone: str) -> list[tuple[datetime, int]]:
        """When a text reaches which status, by itself and by what its recipient did."""
        by_itself = [
            (batch.leaves_at + timedelta(seconds=after), status) for after, status in self.path(batch, phone)
        ]
        acts = self.acts.get((batch.message_id, phone), ())
        return [*by_itself, *((act.at, act.status) for act in acts)]

    def _path(self, batch: Batch, outcome: int | None) -> list[tuple[float, int]]:
        by_itself = self.contracts_by_themselves
        return stages(batch.certified, batch.contract, self.delivery_seconds, outcome, by_itself)

    def _acted(self, batch: Batch, phone: str) -> Standing:
        """Where a text stands whose recipient did something; where they are is no place for it to stand."""
        moment, status = [one for one in self.history(batch, phone) if one[1] != CONTRACT_LOCATED][-1]
        return status, moment, int((moment - batch.leaves_at).total_seconds())

    def _standing(self, batch: Batch, outcome: int | None, now: datetime) -> Standing:
        if batch.cancelled_at:
            return CANCELLED, batch.cancelled_at, 0
        elapsed = (now - batch.leaves_at).total_seconds()
        if elapsed < 0:
            return SCHEDULED, batch.leaves_at, 0
        path = self._path(batch, outcome)
        seconds, status = [stage for stage in path if stage[0] <= elapsed][-1]
        return status, batch.leaves_at + timedelta(seconds=seconds), int(seconds)

    def texts(self) -> list[Text]:
        """Every text accepted and kept so far."""
        now = self.clock.now
        found = []
        for batch in self.batches:
            standing = self.standings(batch, now)
            found += [
                self._text(batch, position, phone, standing(phone)[0])
                for position, phone in enumerate(batch.phones)
            ]
        return found

    def _text(self, batch: Batch, position: int, phone: str, status: int) -> Text:
        text, segments = batch.rendered[position] if batch.rendered else (batch.text, batch.segments)
        return Text(
            phone=phone,
            text=text,
            sender=batch.sender,
            message_id=batch.message_id,
            reference=batch.reference,
            certified=batch.certified,
            unicode=batch.unicode,
            segments=segments,
            status=status,
            accepted_at=batch.accepted_at,
            scheduled_at=batch.scheduled_at,
        )

    def tidy_library(self) -> None:
        """Delete the files that were to go once their message was certified."""
        now = self.clock.now
        leaving = self.library.deleted_after_certification()
        for message in self.messages.values() if leaving else ():
            for batch in message.batches:
                used = batch.files & leaving
                if used and self._is_certified(message, batch, now):
                    leaving -= used
                    for name in used:
                        self.library.delete(name)

    def _is_certified(self, message: Message, batch: Batch, now: datetime) -> bool:
        """Whether every text of a batch that goes its usual way has its certificate, or has ended without."""
        standing = self.standings(batch, now)
        usual = {
            standing(phone)[0]
            for phone, its in message.phones.items()
            if its is batch and phone not in self.outcomes
        }
        return bool(usual) and usual <= CERTIFICATE_READY | FINAL_CONTRACT
