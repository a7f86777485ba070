"""Where a text goes by itself: the statuses it passes, and what magic endings make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    def is_contract(self) -> bool:
        """Whether it is a contract of a kind that is known."""
        return self.contract in _CONTRACTS

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


_READ = [statuses.RECEIVED, statuses.CONTRACT_OPENED, statuses.CONTRACT_READ, statuses.CONTRACT_YES]
_CERTIFIED = [statuses.RECEIVED, statuses.CERTIFIED]
_CONTRACTS = {
    statuses.BY_REPLY: [
        [statuses.REPLY_AWAITED, statuses.REPLY_RECEIVED, statuses.REPLY_CERTIFIED],
        [statuses.REPLY_AWAITED, statuses.CONTRACT_REJECTED],
        [statuses.REPLY_AWAITED, statuses.CONTRACT_EXPIRED],
    ],
    statuses.WITH_PDF: [
        [*_READ, statuses.CONTRACT_ACCEPTED],
        [*_READ, statuses.CONTRACT_WRITTEN, statuses.CONTRACT_SIGNED],
        [statuses.RECEIVED, statuses.CONTRACT_OPENED, statuses.CONTRACT_REJECTED],
        [statuses.RECEIVED, statuses.CONTRACT_EXPIRED],
    ],
}
_ACCEPTANCE = [
    _CERTIFIED,
    [*_CERTIFIED, statuses.CONTRACT_YES, statuses.CONTRACT_ACCEPTED],
    [*_CERTIFIED, statuses.CONTRACT_REJECTED],
    [*_CERTIFIED, statuses.CONTRACT_EXPIRED],
]
_EXPIRIES = {
    status for status, label in statuses.LABELS.items() if label == statuses.LABELS[statuses.EXPIRED]
}
_VOICE = [[statuses.TO_VOICE, statuses.RINGING, status] for status in sorted(statuses.VOICE)]


def _own_ways(kind: Kind) -> list[list[int]]:
    """The statuses after the first, on every way that is a kind's own; when nothing happens it goes the first."""
    if not kind.certified:
        return [[statuses.DELIVERED], *(_VOICE if kind.voice else ())]
    return _CONTRACTS.get(kind.contract) or (_ACCEPTANCE if kind.asks_acceptance else [_CERTIFIED])


def _ways(kind: Kind) -> dict[int, list[int]]:
    """The statuses after the first that lead to each one that is a kind's own."""
    ways: dict[int, list[int]] = {}
    for way in _own_ways(kind):
        for number, status in enumerate(way, 1):
            ways.setdefault(status, way[:number])
    return ways


def fits(kind: Kind, status: int) -> bool:
    """Whether a text of this kind can come to a status of the manual."""
    # Certified is not what plain texts are; what is not certified by itself needs no 14 either.
    is_anybodys = status not in statuses.VOICE and status != statuses.CERTIFIED
    phase = statuses.PHASES.get(status)
    return status in _ways(kind) or (is_anybodys and phase in ("failed", "pending", "retrying", "delivered"))


def stages(kind: Kind, pace: float, outcome: int | None = None, by_itself: bool = True) -> list[Stage]:
    """The statuses a text goes through by itself, `pace` seconds apart; `outcome` is a chosen one."""
    usual, ways = _own_ways(kind)[0], _ways(kind)
    if outcome is None:
        way = usual[:1] if kind.contract and not by_itself else usual
    elif outcome in ways:
        way = ways[outcome]
    elif kind.is_contract and outcome in statuses.FINAL_CONTRACT:
        way = [usual[0], outcome]
    elif kind.voice and statuses.PHASES.get(outcome) == "failed" and outcome not in _EXPIRIES:
        way = ways[statuses.VOICE_DELIVERED]
    else:
        way = [outcome]
    if way[0] == statuses.AWAITING:
        way = way[1:]
    timed: list[Stage] = [(pace * step, status) for step, status in enumerate([statuses.AWAITING, *way])]
    seconds, last = timed[-1]
    if last in statuses.WAITING:
        timed.append((max(kind.validity, seconds), statuses.EXPIRED))
    elif (kind.is_contract or kind.asks_acceptance) and last in statuses.ARRIVED - statuses.FINAL_CONTRACT:
        timed.append((max(kind.contract_seconds, seconds), statuses.CONTRACT_EXPIRED))
    return timed


def delayed(timed: Sequence[Stage], arrives: float | None, validity: float) -> list[Stage]:
    """The way of a text whose phone was off, and is there `arrives` seconds after it left (None: not yet)."""
    if arrives is None or arrives > validity:
        return [timed[0], (max(validity, timed[1][0]), statuses.EXPIRED)]
    late = arrives - timed[1][0]
    return [timed[0], *((seconds + late, status) for seconds, status in timed[1:])]
