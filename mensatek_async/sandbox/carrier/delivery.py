"""Where a text goes by itself: the statuses it passes, and what magic endings make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .statuses import (
    ARRIVED,
    AWAITING,
    BY_REPLY,
    CERTIFICATE_READY,
    CERTIFIED,
    CONTRACT_ACCEPTED,
    CONTRACT_EXPIRED,
    CONTRACT_OPENED,
    CONTRACT_READ,
    CONTRACT_REJECTED,
    CONTRACT_SIGNED,
    CONTRACT_WRITTEN,
    CONTRACT_YES,
    DELIVERED,
    EXPIRED,
    FINAL_CONTRACT,
    GIVEN,
    LABELS,
    PHASES,
    RECEIVED,
    REPLY_AWAITED,
    REPLY_CERTIFIED,
    REPLY_RECEIVED,
    RINGING,
    TO_VOICE,
    VOICE,
    VOICE_DELIVERED,
    WAITING,
    WITH_PDF,
)

VALIDITY_SECONDS = 72 * 3600.0
"""How long delivery is tried unless the send says otherwise: the longest the manual names for a phone that is off."""

CONTRACT_DAYS = 15
"""How long a contract waits for its recipient unless the send says otherwise (`Aceptacion`, at most 15)."""

MAGIC = "999"
_ANSWERS = frozenset({CONTRACT_ACCEPTED, CONTRACT_REJECTED, CONTRACT_EXPIRED})
_DAY = 86_400.0

Stage = tuple[float, int]
"""Seconds after the text left, and the status it reaches then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What decides the way of a text.

    Attributes:
        certified: whether it is a certified text.
        contract: its `Tipocontrato`.
        validity: for how many seconds delivery is tried.
        contract_seconds: how long a contract, or a text to be accepted, waits for its recipient.
        asks_acceptance: its content opens only once the recipient has accepted it (`Aceptacion`).
        voice: what cannot be delivered is said by a call (`Fail2voice`).
    """

    certified: bool
    contract: int = 0
    validity: float = VALIDITY_SECONDS
    contract_seconds: float = CONTRACT_DAYS * _DAY
    asks_acceptance: bool = False
    voice: bool = False

    @property
    def certificate_ready(self) -> frozenset[int]:
        """The statuses in which there is a certificate: that of a delivery stays, whatever its recipient does."""
        return CERTIFICATE_READY | FINAL_CONTRACT if self.asks_acceptance else CERTIFICATE_READY


def magic_status(phone: str) -> int | None:
    """The status that a phone's last six digits ask for: 999 and a status of the manual in three digits."""
    if phone[-6:-3] != MAGIC or len(phone) < 6:
        return None
    status = int(phone[-3:])
    return status if has_ending(status) else None


def has_ending(status: int) -> bool:
    """Whether there is a magic ending for a status."""
    return status in GIVEN and status < int(MAGIC)


def usual_way(kind: Kind) -> list[int]:
    """The statuses after the first that a text goes through when nothing happens to it."""
    if not kind.certified:
        return [DELIVERED]
    if kind.contract == BY_REPLY:
        return [REPLY_AWAITED, REPLY_RECEIVED, REPLY_CERTIFIED]
    if kind.contract == WITH_PDF:
        return [RECEIVED, CONTRACT_OPENED, CONTRACT_READ, CONTRACT_YES, CONTRACT_ACCEPTED]
    return [RECEIVED, CERTIFIED]


def fits(kind: Kind, status: int) -> bool:
    """Whether a text of this kind can come to a status of the manual."""
    way = usual_way(kind)
    if status in VOICE:
        return kind.voice
    if kind.asks_acceptance and status in _ANSWERS:
        return True
    if status in way or PHASES.get(status) in ("failed", "pending", "retrying", "delivered"):
        # Certified is not what plain texts are; what is not certified by itself needs no 14 either.
        return status != CERTIFIED or CERTIFIED in way
    if kind.contract == WITH_PDF:
        return status in (CONTRACT_WRITTEN, CONTRACT_SIGNED, CONTRACT_REJECTED, CONTRACT_EXPIRED)
    return kind.contract == BY_REPLY and status in (CONTRACT_REJECTED, CONTRACT_EXPIRED)


def way_to(kind: Kind, outcome: int) -> list[int]:
    """The statuses after the first that end in a chosen one."""
    way = usual_way(kind)
    if outcome in way:
        return way[: way.index(outcome) + 1]
    if kind.contract == WITH_PDF and outcome in (CONTRACT_WRITTEN, CONTRACT_SIGNED):
        written = [*way[:-1], CONTRACT_WRITTEN]
        return written if outcome == CONTRACT_WRITTEN else [*written, CONTRACT_SIGNED]
    if kind.contract == WITH_PDF and outcome == CONTRACT_REJECTED:
        return [RECEIVED, CONTRACT_OPENED, CONTRACT_REJECTED]
    if kind.contract in (BY_REPLY, WITH_PDF) and outcome in FINAL_CONTRACT:
        return [way[0], outcome]
    if kind.asks_acceptance and outcome in _ANSWERS:
        return [*way, CONTRACT_YES, outcome] if outcome == CONTRACT_ACCEPTED else [*way, outcome]
    if kind.voice and outcome in VOICE:
        way = [TO_VOICE, RINGING, outcome]
        return way[: way.index(outcome) + 1]
    if kind.voice and PHASES.get(outcome) == "failed" and LABELS[outcome] != LABELS[EXPIRED]:
        return [TO_VOICE, RINGING, VOICE_DELIVERED]
    return [outcome]


def stages(kind: Kind, pace: float, outcome: int | None = None, by_itself: bool = True) -> list[Stage]:
    """The statuses a text goes through by itself, each with the seconds after it left.

    Args:
        kind: what it is.
        pace: seconds from one status to the next.
        outcome: the status chosen for this phone instead of a delivery.
        by_itself: whether a contract goes on once it is delivered.
    """
    way = usual_way(kind) if outcome is None else way_to(kind, outcome)
    if kind.contract and not by_itself and outcome is None:
        way = way[:1]
    if way[0] == AWAITING:
        way = way[1:]
    timed: list[Stage] = [(pace * step, status) for step, status in enumerate([AWAITING, *way])]
    seconds, last = timed[-1]
    if last in WAITING:
        timed.append((max(kind.validity, seconds), EXPIRED))
    elif (kind.contract in (BY_REPLY, WITH_PDF) or kind.asks_acceptance) and last in ARRIVED - FINAL_CONTRACT:
        timed.append((max(kind.contract_seconds, seconds), CONTRACT_EXPIRED))
    return timed


def delayed(timed: Sequence[Stage], arrives: float | None, validity: float) -> list[Stage]:
    """The way of a text whose phone was off when it should have arrived.

    Args:
        timed: the way it would have gone.
        arrives: seconds after it left at which the phone is there to take it; None when that is not known yet.
        validity: for how many seconds delivery is tried.
    """
    if arrives is None or arrives > validity:
        return [timed[0], (max(validity, timed[1][0]), EXPIRED)]
    late = arrives - timed[1][0]
    return [timed[0], *((seconds + late, status) for seconds, status in timed[1:])]
