"""What becomes of texts: outcomes chosen by phone, phones that are off, and what was done by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..account.records import Act, Batch
from ..clock import Clock
from .delivery import Stage, delayed, fits, magic_status, stages
from .statuses import ARRIVED, CANCELLED, CONTRACT_LOCATED, SCHEDULED

Standing = tuple[int, datetime, int]
"""A delivery status, since when, and the seconds it took from leaving."""


@dataclass(slots=True)
class Absence:
    """A time in which a phone was off; `after` is the last batch accepted before it."""

    start: datetime
    after: int
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What texts to a phone end with from a moment on; `after` is the last batch accepted before it."""

    start: datetime
    after: int
    status: int | None


@dataclass(eq=False, repr=False)
class DeliveryStates:
    """Where texts stand and what way they go."""

    clock: Clock
    pace: float  # seconds from one delivery status to the next
    magic: bool  # whether phones with a magic ending choose their outcome
    contracts_by_themselves: bool = True
    choices: dict[str, list[Choice]] = field(default_factory=dict)
    endings: dict[str, int] = field(default_factory=dict)
    absences: dict[str, list[Absence]] = field(default_factory=dict)
    acts: dict[int, dict[str, list[Act]]] = field(default_factory=dict)
    version: int = 0  # another one after every change

    def clear(self) -> None:
        """Forget phones and what was done."""
        for known in (self.choices, self.endings, self.absences, self.acts):
            known.clear()
        self.version += 1

    def expect(self, phones: Sequence[str]) -> None:
        """Note the magic endings among new recipients."""
        if self.magic:
            endings = {phone: status for phone in phones if (status := magic_status(phone)) is not None}
            if endings:
                self.endings.update(endings)
                self.version += 1

    def choose(self, phone: str, status: int | None, last_batch: int) -> None:
        """Choose what texts end with that are still to arrive at a phone; None takes it back."""
        self.choices.setdefault(phone, []).append(Choice(self.clock.now, last_batch, status))
        self.version += 1

    def chosen(self, phone: str) -> int | None:
        """What is chosen for a phone at this moment."""
        choices = self.choices.get(phone)
        return choices[-1].status if choices else None

    def is_off(self, phone: str) -> bool:
        """Whether a phone is off at this moment."""
        absences = self.absences.get(phone, [])
        return any(absence.end is None for absence in absences)

    def switch(self, phone: str, on: bool, last_batch: int) -> None:
        """Switch a phone on or off; nothing happens when it is so already."""
        if self.is_off(phone) is not on:
            return
        if on:
            self.absences[phone][-1].end = self.clock.now
        else:
            self.absences.setdefault(phone, []).append(Absence(self.clock.now, last_batch))
        self.version += 1

    def note(self, batch: Batch, phone: str, act: Act) -> None:
        """Something was done with a text; from then on it goes no further by itself."""
        self.acts.setdefault(batch.message_id, {}).setdefault(phone, []).append(act)
        self.version += 1

    def is_special(self, batch: Batch, phone: str) -> bool:
        """Whether a recipient of a batch may go another way than the others."""
        known = (self.choices, self.endings, self.absences, self.acts.get(batch.message_id, ()))
        return any(phone in some for some in known)

    def path(self, batch: Batch, phone: str | None = None) -> list[Stage]:
        """The statuses a text goes through by itself; without a phone, those of the usual recipient."""
        outcome = None if phone is None else self._outcome(batch, phone)
        timed = stages(batch.kind, batch.pace, outcome, self.contracts_by_themselves)
        if phone is None:
            return timed
        if phone in self.absences and timed[1][1] in ARRIVED:
            timed = self._late(batch, self.absences[phone], timed)
        acts = self.acts.get(batch.message_id, {}).get(phone, ())
        done = [(act.at - batch.leaves_at).total_seconds() for act in acts if act.status != CONTRACT_LOCATED]
        ended = min(done, default=math.inf)
        return [stage for stage in timed if stage[0] <= ended]

    def history(self, batch: Batch, phone: str, now: datetime) -> list[tuple[datetime, int]]:
        """When a text has reached which status so far, by itself and by what was done with it."""
        steps = [(batch.moment(seconds), status) for seconds, status in self._whole(batch, phone)]
        return [step for step in steps if step[0] <= now]

    def _whole(self, batch: Batch, phone: str) -> list[Stage]:
        """The way of a text with what was done with it."""
        acts = self.acts.get(batch.message_id, {}).get(phone, ())
        done = [((act.at - batch.leaves_at).total_seconds(), act.status) for act in acts]
        return sorted([*self.path(batch, phone), *done], key=lambda stage: stage[0])

    def standings(self, batch: Batch, now: datetime) -> Callable[[str], Standing]:
        """Where the texts of a batch stand, to be asked phone by phone."""
        common = self._standing(batch, self.path(batch), now)

        def standing(phone: str) -> Standing:
            if not self.is_special(batch, phone):
                return common
            # Where its signer is is no place for a text to stand.
            way = [stage for stage in self._whole(batch, phone) if stage[1] != CONTRACT_LOCATED]
            return self._standing(batch, way, now)

        return standing

    def _outcome(self, batch: Batch, phone: str) -> int | None:
        arrives = batch.moment(batch.pace)
        made = [choice for choice in self.choices.get(phone, ()) if _was_before(choice, batch, arrives)]
        if made and made[-1].status is not None:
            return made[-1].status
        ending = self.endings.get(phone)
        return ending if ending is not None and fits(batch.kind, ending) else None

    def _late(self, batch: Batch, absences: list[Absence], timed: list[Stage]) -> list[Stage]:
        """The way of a text to a phone that has been off."""
        arrives = batch.moment(timed[1][0])
        for absence in absences:
            if _was_before(absence, batch, arrives) and (absence.end is None or arrives < absence.end):
                if absence.end is None:
                    return delayed(timed, None, batch.kind.validity)
                arrives = absence.end
        return delayed(timed, (arrives - batch.leaves_at).total_seconds(), batch.kind.validity)

    def _standing(self, batch: Batch, path: list[Stage], now: datetime) -> Standing:
        if batch.cancelled_at:
            return CANCELLED, batch.cancelled_at, 0
        elapsed = (now - batch.leaves_at).total_seconds()
        if elapsed < 0:
            return SCHEDULED, batch.leaves_at, 0
        seconds, status = [stage for stage in path if stage[0] <= elapsed][-1]
        return status, batch.moment(seconds), int(seconds)


def _was_before(what: Absence | Choice, batch: Batch, arrives: datetime) -> bool:
    """Whether something began before a text arrived; at that very moment, what was accepted before it has arrived."""
    return what.start < arrives or (what.start == arrives and batch.number > what.after)
