"""Where a text goes by itself: the statuses it passes, and what magic endings make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from . import statuses

VALIDITY_SECONDS = 72 * 3600.0
"""How long delivery is tried unless the send says otherwise: the longest the manual names for a phone that is off."""

CONTRACT_DAYS = 15
"""How long a contract waits for its recipient unless the send says otherwise (`Aceptacion`, at most 15)."""

MAGIC = "999"
_DAY = 86_400.0

Stage = tuple[float, int]
"""Seconds after the text left, and the status it reaches then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What decides the way of a text."""

    certified: bool
    contract: int = 0  # `Tipocontrato`
    validity: float = VALIDITY_SECONDS  # for so long delivery is tried
    contract_seconds: float = CONTRACT_DAYS * _DAY  # for so long its recipient is waited for
    asks_acceptance: bool = False  # `Aceptacion`: its content opens only once it is accepted
    voice: bool = False  # `Fail2voice`: a call says what cannot be delivered

    @property
    def certificate_ready(self) -> frozenset[int]:
        """The statuses in which there is a certificate: that of a delivery stays, whatever its recipient does."""
        return (
            statuses.CERTIFICATE_READY | statuses.FINAL_CONTRACT
            if self.asks_acceptance
            else statuses.CERTIFICATE_READY
        )


def magic_status(phone: str) -> int | None:
    """The status that a phone's last six digits ask for: 999 and a status of the manual in three digits."""
    if phone[-6:-3] != MAGIC or len(phone) < 6:
        return None
    status = int(phone[-3:])
    return status if has_ending(status) else None


def has_ending(status: int) -> bool:
    """Whether there is a magic ending for a status."""
    return status in statuses.GIVEN and status < int(MAGIC)


def usual_way(kind: Kind) -> list[int]:
    """The statuses after the first that a text goes through when nothing happens to it."""
    if not kind.certified:
        return [statuses.DELIVERED]
    if kind.contract == statuses.BY_REPLY:
        return [statuses.REPLY_AWAITED, statuses.REPLY_RECEIVED, statuses.REPLY_CERTIFIED]
    if kind.contract == statuses.WITH_PDF:
        return [
            statuses.RECEIVED,
            statuses.CONTRACT_OPENED,
            statuses.CONTRACT_READ,
            statuses.CONTRACT_YES,
            statuses.CONTRACT_ACCEPTED,
        ]
    return [statuses.RECEIVED, statuses.CERTIFIED]


@lru_cache(maxsize=256)
def _ways(kind: Kind) -> dict[int, list[int]]:
    """The statuses after the first that lead to each one that is a kind's own."""
    way = usual_way(kind)
    ways = {status: way[: number + 1] for number, status in enumerate(way)}
    if kind.contract in (statuses.BY_REPLY, statuses.WITH_PDF):
        ways[statuses.CONTRACT_REJECTED] = [way[0], statuses.CONTRACT_REJECTED]
        ways[statuses.CONTRACT_EXPIRED] = [way[0], statuses.CONTRACT_EXPIRED]
    if kind.contract == statuses.WITH_PDF:
        written = [*way[:-1], statuses.CONTRACT_WRITTEN]
        ways[statuses.CONTRACT_WRITTEN] = written
        ways[statuses.CONTRACT_SIGNED] = [*written, statuses.CONTRACT_SIGNED]
        ways[statuses.CONTRACT_REJECTED] = [way[0], statuses.CONTRACT_OPENED, statuses.CONTRACT_REJECTED]
    if kind.asks_acceptance:
        ways[statuses.CONTRACT_ACCEPTED] = [*way, statuses.CONTRACT_YES, statuses.CONTRACT_ACCEPTED]
        ways[statuses.CONTRACT_REJECTED] = [*way, statuses.CONTRACT_REJECTED]
        ways[statuses.CONTRACT_EXPIRED] = [*way, statuses.CONTRACT_EXPIRED]
    if kind.voice:
        ways |= {status: [statuses.TO_VOICE, statuses.RINGING, status] for status in statuses.VOICE}
        ways |= {
            statuses.TO_VOICE: [statuses.TO_VOICE],
            statuses.RINGING: [statuses.TO_VOICE, statuses.RINGING],
        }
    return ways


def fits(kind: Kind, status: int) -> bool:
    """Whether a text of this kind can come to a status of the manual."""
    # Certified is not what plain texts are; what is not certified by itself needs no 14 either.
    is_anybodys = status not in statuses.VOICE and status != statuses.CERTIFIED
    phase = statuses.PHASES.get(status)
    return status in _ways(kind) or (is_anybodys and phase in ("failed", "pending", "retrying", "delivered"))


def way_to(kind: Kind, outcome: int) -> list[int]:
    """The statuses after the first that end in a chosen one."""
    ways = _ways(kind)
    if outcome in ways:
        return ways[outcome]
    if kind.contract in (statuses.BY_REPLY, statuses.WITH_PDF) and outcome in statuses.FINAL_CONTRACT:
        return [usual_way(kind)[0], outcome]
    if (
        kind.voice
        and statuses.PHASES.get(outcome) == "failed"
        and statuses.LABELS[outcome] != statuses.LABELS[statuses.EXPIRED]
    ):
        return ways[statuses.VOICE_DELIVERED]
    return [outcome]


def stages(kind: Kind, pace: float, outcome: int | None = None, by_itself: bool = True) -> list[Stage]:
    """The statuses a text goes through by itself, `pace` seconds apart; `outcome` is a chosen one."""
    way = usual_way(kind) if outcome is None else way_to(kind, outcome)
    if kind.contract and not by_itself and outcome is None:
        way = way[:1]
    if way[0] == statuses.AWAITING:
        way = way[1:]
    timed: list[Stage] = [(pace * step, status) for step, status in enumerate([statuses.AWAITING, *way])]
    seconds, last = timed[-1]
    if last in statuses.WAITING:
        timed.append((max(kind.validity, seconds), statuses.EXPIRED))
    elif (
        kind.contract in (statuses.BY_REPLY, statuses.WITH_PDF) or kind.asks_acceptance
    ) and last in statuses.ARRIVED - statuses.FINAL_CONTRACT:
        timed.append((max(kind.contract_seconds, seconds), statuses.CONTRACT_EXPIRED))
    return timed


def delayed(timed: Sequence[Stage], arrives: float | None, validity: float) -> list[Stage]:
    """The way of a text whose phone was off, and is there `arrives` seconds after it left (None: not yet)."""
    if arrives is None or arrives > validity:
        return [timed[0], (max(validity, timed[1][0]), statuses.EXPIRED)]
    late = arrives - timed[1][0]
    return [timed[0], *((seconds + late, status) for seconds, status in timed[1:])]
