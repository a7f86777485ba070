"""Who must not be texted, and what became of a list of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from ..phones import mask
from .bulk import RowProblem


@frozen
class OptOut:
    """Somebody who must not be texted.

    Attributes:
        phone: international digits.
        added_at: when they opted out, aware, UTC.
        reason: why, as it was given; "reply" where they answered so.
        source: where it came from, such as a file's name, or the number that a reply came in at.
    """

    phone: str = field(repr=mask)
    added_at: datetime
    reason: str
    source: str


@frozen
class LoadedOptOuts:
    """What became of a file's rows.

    Attributes:
        added: how many phones are new.
        known: how many had opted out before, or stand in the file twice.
        invalid: the rows that hold no phone, by number, and why.
    """

    added: int
    known: int
    invalid: Sequence[RowProblem]
