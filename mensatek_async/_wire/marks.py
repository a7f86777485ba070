"""What a campaign adds to a reference on the wire, so that it knows its own send again in a delivery report."""

from __future__ import annotations

import re
from typing import NamedTuple

MARK = "#mk:"
_mark = re.compile(r"(?: |^)(#mk:([0-9a-z]{8}):(-?\d{1,18}):([0-9a-f]{8}))$")


class Mark(NamedTuple):
    """Which send a report is about: the campaign, its chunk, the start of the token under which that was sent."""

    uid: str
    seq: int
    token: str

    def __str__(self) -> str:
        return f"{MARK}{self.uid}:{self.seq}:{self.token}"


def marked(reference: str, mark: Mark) -> str:
    """Return the user's reference with the mark behind it."""
    return f"{reference} {mark}" if reference else str(mark)


def unmarked(reference: str) -> tuple[str, str]:
    """Return the user's reference as they gave it, and the mark, which may be empty."""
    match = _mark.search(reference)
    return (reference[: match.start()], match[1]) if match else (reference, "")


def read_mark(reference: str) -> Mark | None:
    """Return the mark in a reference, or None."""
    match = _mark.search(reference)
    return Mark(match[2], int(match[3]), match[4]) if match else None
