"""What a campaign adds to a reference on the wire, so that it knows its own send again in a delivery report."""

from __future__ import annotations

import re
from typing import NamedTuple

MARK = "#mk:"
_mark = re.compile(r"(?: |^)(#mk:([0-9a-z]{8}):(-?\d{1,18}):([0-9a-f]{8}))$")


class Mark(NamedTuple):
    """Which send a report is about.

    Attributes:
        uid: the campaign, among all of all stores.
        seq: its chunk.
        token: the start of the token under which it was sent.
    """

    uid: str
    seq: int
    token: str

    def __str__(self) -> str:
        return f"{MARK}{self.uid}:{self.seq}:{self.token}"


def marked(reference: str, mark: Mark) -> str:
    """The user's reference with the mark behind it."""
    return f"{reference} {mark}" if reference else str(mark)


def unmarked(reference: str) -> tuple[str, str]:
    """The user's reference as they gave it, and the mark, which may be empty."""
    found = _mark.search(reference)
    return (reference[: found.start()], found[1]) if found else (reference, "")


def read_mark(reference: str) -> Mark | None:
    """The mark in a reference, or None."""
    found = _mark.search(reference)
    return Mark(found[2], int(found[3]), found[4]) if found else None
