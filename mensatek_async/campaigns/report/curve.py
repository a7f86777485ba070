"""The curve of a report: how many texts had been taken, and how many had arrived, as time went on."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from attrs import frozen

from ...store.transaction import Tx
from ..journal.states import SENT

_STEPS = 240
_SHOWN = 0.99  # of what arrived, at least: what comes days later would press all else into a line
_ASKEW = (
    3600.0  # seconds that a report may be dated before its text was taken: by another clock, or a phone's
)
_TAKEN = (
    "since",
    "sum(accepted)",
    f"mensatek_chunk WHERE campaign_id = ? AND state = '{SENT}' AND accepted > 0",
)
_ARRIVED = (
    "coalesce(delivered_at, reported_at)",
    "count(*)",
    "mensatek_delivery WHERE campaign_id = ? AND standing = 1",
)


@frozen
class Curve:
    """What had been taken, and what had arrived, at the end of each step.

    Attributes:
        start: when the first step begins, seconds since 1970.
        width: seconds that a step takes.
        taken: recipients that the provider had taken, by step.
        arrived: recipients who had the text, by step.
        later: recipients who have it, and got it after the last step.
        last: when the last one got it, seconds since 1970; None while nobody has.
        untimed: recipients who have it, and nobody knows since when.
    """

    start: int
    width: int
    taken: list[int]
    arrived: list[int]
    later: int
    last: float | None
    untimed: int

    @property
    def timed(self) -> int:
        """How many have it, and it is known since when."""
        return self.arrived[-1] + self.later

    def when(self, part: float) -> float | None:
        """Return when a part of those had it, seconds since 1970."""
        steps = (at for at, total in enumerate(self.arrived, 1) if total >= part * self.timed)
        return self.last and min(self.start + next(steps, _STEPS) * self.width, self.last)


def curve(tx: Tx, campaign: int, scheduled: float) -> Curve | None:
    """Return the curve of a campaign, None where nothing was taken yet.

    Args:
        tx: a transaction.
        campaign: the campaign's id.
        scheduled: when the provider was to send what it had taken, seconds since 1970; 0 for at once.
    """
    sent_first, sent_last, _, _ = _span(tx, campaign, *_TAKEN)
    first, last, timed, total = _span(tx, campaign, *_ARRIVED)
    if sent_first is None or sent_last is None:
        return None
    begin, end = max(sent_first, scheduled), max(sent_last, scheduled, last or 0.0)
    begin = min(begin, max(first or begin, begin - _ASKEW))
    while True:
        width = int((end - begin) / (_STEPS - 2)) + 1
        start = int(begin) // width * width
        taken = _steps(tx, campaign, *_TAKEN, start, width, scheduled)
        arrived = _steps(tx, campaign, *_ARRIVED, start, width)
        enough = sum(a < _SHOWN * timed or t < taken[-1] for a, t in zip(arrived, taken, strict=True)) + 2
        if width == 1 or enough > _STEPS // 3:
            return Curve(start, width, taken, arrived, timed - arrived[-1], last, total - timed)
        end = min(begin + enough * width, end - width)


def _span(tx: Tx, campaign: int, moment: str, count: str, rows: str) -> Any:
    """Return the first and the last moment, how many there are, and of how many recipients."""
    return tx.one(f"SELECT min({moment}), max({moment}), count({moment}), count(*) FROM {rows}", campaign)


def _steps(
    tx: Tx, campaign: int, moment: str, count: str, rows: str, start: int, width: int, not_before: float = 0.0
) -> list[int]:
    """Return the running total at the end of each step."""
    steps, end = [0] * _STEPS, start + _STEPS * width
    # Both databases divide whole numbers alike, and make whole ones each in its way.
    found = tx.all(
        f"SELECT CAST({moment} AS BIGINT) / {width}, {count} FROM {rows} AND {moment} < ? GROUP BY 1",
        *(campaign, end),
    )
    for step, number in found:
        at = (max(step * width, int(not_before)) - start) // width
        steps[min(max(at, 0), _STEPS - 1)] += int(number)
    return list(accumulate(steps))
