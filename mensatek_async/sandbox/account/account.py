"""The state of one account: credits, messages, library, what came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..carrier.delivery_state import DeliveryStates
from ..carrier.statuses import CERTIFICATE_READY, FINAL_CONTRACT
from ..clock import Clock
from .events import Accepted, Acted, Cleared, Documented, Event, Filed, Moved, Received
from .records import Act, Batch, Incoming, LibraryFile, Message, Text

FIRST_MESSAGE = 10573758
_SHARED = (
    *("sender", "message_id", "reference", "certified", "unicode", "contract"),
    *("accepted_at", "scheduled_at", "leaves_at"),
)


@dataclass(kw_only=True, eq=False, repr=False)
class Account:
    """What the provider knows of a customer."""

    clock: Clock
    credits: Decimal
    prices: tuple[Decimal, Decimal]  # per text, plain and certified
    max_files: int
    max_file_bytes: int
    library_bytes: int  # all files together
    delivery: DeliveryStates
    recipients_per_request: int | None  # more of them in one call are refused
    keep_texts: bool  # without, they are only counted
    strict: bool  # parameters that no manual knows are refused
    guarded: bool  # parameters in the query, and wrong or empty calls, have consequences
    trial: bool
    detailed: bool = True
    keeps_repeats: bool = True  # a message takes no phone twice
    reports_unasked: bool = True  # sends without `Report` have callbacks
    used: Decimal = Decimal(0)
    next_message: int = FIRST_MESSAGE
    last_batch: int = 0
    messages: dict[int, Message] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    incoming: list[Incoming] = field(default_factory=list)
    files: dict[str, LibraryFile] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)  # what has happened and was not handed out yet

    def __post_init__(self) -> None:
        self._start_credits = self.credits

    def clear(self) -> None:
        """Forget messages, files and what came in; ids are not used again."""
        self.credits, self.used = self._start_credits, Decimal(0)
        known = (self.messages, self.batches, self.counts, self.incoming, self.files, self.documents)
        for each in known:
            each.clear()
        self.delivery.clear()
        self.events.append(Cleared())

    def new_message(self, sender: str, certified: bool) -> Message:
        """A message with an id of its own."""
        message = Message(message_id=self.next_message, sender=sender, certified=certified)
        self.next_message += 1
        self.messages[message.message_id] = message
        return message

    def accept(self, message: Message, batch: Batch, phones: list[str]) -> None:
        """Add recipients to a message and take what they cost."""
        self.last_batch = batch.number
        self.restore(message, batch, phones)
        self.credits -= batch.cost
        self.used += batch.cost
        self.events.append(Accepted(batch, phones))

    def restore(self, message: Message, batch: Batch, phones: list[str]) -> None:
        """Add recipients to a message that are paid for."""
        message.batches.append(batch)
        message.phones.update(dict.fromkeys(phones, batch))
        if batch.cancelled_at is None:
            self.counts.update(phones)
        self.delivery.expect(phones)
        if self.keep_texts:
            batch.phones = phones
            self.batches.append(batch)

    def cancel(self, batch: Batch) -> None:
        """Take recipients back whose text has not left, and refund them."""
        batch.cancelled_at = self.clock.now
        self.credits += batch.cost
        self.used -= batch.cost
        message = self.messages[batch.message_id]
        self.counts.subtract(phone for phone, its in message.phones.items() if its is batch)
        self.events.append(Moved(batch))

    def reschedule(self, batch: Batch, moment: datetime) -> None:
        """Let a batch that has not left leave at another moment."""
        batch.scheduled_at = batch.leaves_at = moment
        self.events.append(Moved(batch))

    def act(self, batch: Batch, phone: str, acts: Sequence[Act]) -> None:
        """Note what was done with a text by hand; from then on it goes no further by itself."""
        for one in acts:
            self.delivery.note(batch, phone, one)
            self.events.append(Acted(batch, phone, one))

    def receive(self, phone: str, number: str, text: str, message_id: int | None) -> Incoming:
        """A phone writes to a number of the account."""
        incoming = Incoming(phone=phone, number=number, text=text, at=self.clock.now, message_id=message_id)
        self.incoming.append(incoming)
        self.events.append(Received(incoming))
        return incoming

    def keep_document(self, digest: str, content: bytes) -> None:
        """Keep what was sent, as the provider does when the library forgets it."""
        if self.keep_texts and digest not in self.documents:
            self.documents[digest] = content
            self.events.append(Documented(digest, content))

    def find(self, phone: str, message_id: int | None, wanted: Callable[[Batch], bool]) -> Batch | None:
        """The newest batch with a text to a phone that is as wanted, or None."""
        messages = self.messages.values() if message_id is None else [self.messages.get(message_id)]
        batches = (message.phones.get(phone) for message in messages if message)
        fitting = [batch for batch in batches if batch is not None and wanted(batch)]
        return max(fitting, key=lambda batch: batch.number, default=None)

    def status(self, batch: Batch, phone: str) -> int:
        """The delivery status of a text at this moment."""
        return self.delivery.standings(batch, self.clock.now)(phone)[0]

    def reached(self, batch: Batch, phone: str) -> set[int]:
        """The delivery statuses that a text has had so far."""
        return {status for _, status in self.delivery.history(batch, phone, self.clock.now)}

    def texts(self) -> list[Text]:
        """Every text accepted and kept so far."""
        now = self.clock.now
        texts: list[Text] = []
        for batch in self.batches:
            standing = self.delivery.standings(batch, now)
            shared: dict[str, Any] = {name: getattr(batch, name) for name in _SHARED}
            for position, phone in enumerate(batch.phones):
                written, segments = batch.written(position)
                shared |= {"phone": phone, "text": batch.shown(position), "written": written}
                status, cost = standing(phone)[0], segments * batch.price
                texts.append(Text(**shared, segments=segments, status=status, cost=cost))
        return texts

    def put_file(self, file: LibraryFile) -> None:
        """Store a file in the library; one of the same name is replaced."""
        self.files[file.name] = file
        self.events.append(Filed(file.name, file))

    def delete_file(self, name: str) -> bool:
        """Remove a file from the library; whether there was one."""
        was_there = self.files.pop(name, None) is not None
        if was_there:
            self.events.append(Filed(name, None))
        return was_there

    def tidy_library(self) -> None:
        """Delete the files that were to go once their message was certified."""
        now = self.clock.now
        leaving = {file.name for file in self.files.values() if file.delete_after_certification}
        for message in self.messages.values() if leaving else ():
            for batch in message.batches:
                used = batch.files & leaving
                if used and self._is_certified(message, batch, now):
                    leaving -= used
                    for name in used:
                        self.delete_file(name)

    def _is_certified(self, message: Message, batch: Batch, now: datetime) -> bool:
        """Whether every text of a batch that goes its usual way has its certificate, or has ended without."""
        standing = self.delivery.standings(batch, now)
        usual = {
            standing(phone)[0]
            for phone, its in message.phones.items()
            if its is batch and self.delivery.chosen(phone) is None
        }
        return bool(usual) and usual <= CERTIFICATE_READY | FINAL_CONTRACT
