"""Some rows of a file, written as `2-500,700,1022-`: to send those that an earlier run did not."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from attrs import field, frozen

from ..sources.text_files import shown
from .stop import Stop

Span = tuple[int, int | None]
"""First row and last row; None is the end of the file, wherever that is."""

_PART = re.compile(r"(\d{1,15})(?:(-)(\d{1,15})?)?")
_ENDLESS = 10**16


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """In order, those that touch joined."""
    merged: list[Span] = []
    for first, last in sorted(spans, key=lambda span: span[0]):
        if merged and (merged[-1][1] is None or first <= merged[-1][1] + 1):
            before, end = merged[-1]
            merged[-1] = (before, None if end is None or last is None else max(end, last))
        else:
            merged.append((first, last))
    return tuple(merged)


@frozen
class Selection:
    """Rows by number.

    Attributes:
        spans: from which row to which, in order and apart.
    """

    spans: tuple[Span, ...] = field(converter=_merged)
    _starts: list[int] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_starts", [first for first, _ in self.spans])

    def __contains__(self, row: int) -> bool:
        at = bisect_right(self._starts, row) - 1
        return at >= 0 and row <= (self.spans[at][1] or _ENDLESS)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __str__(self) -> str:
        return ",".join(
            f"{first}-" if last is None else f"{first}" if first == last else f"{first}-{last}"
            for first, last in self.spans
        )

    def within(self, other: Selection) -> Selection:
        """The rows that are in both."""
        both: list[Span] = []
        for first, last in self.spans:
            for start, end in other.spans:
                low, high = max(first, start), min(last or _ENDLESS, end or _ENDLESS)
                if low <= high:
                    both.append((low, None if high == _ENDLESS else high))
        return Selection(both)


EVERY_ROW = Selection(((0, None),))


def parse_rows(text: str | None) -> Selection:
    """Read what the user wrote; nothing is every row.

    Raises:
        Stop: it is no list of rows.
    """
    if text is None:
        return EVERY_ROW
    spans: list[Span] = []
    for part in text.replace(" ", "").split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise Stop(f"--rows takes rows such as 2-500,700,1022- and not {shown(text)}.")
        first = int(match[1])
        last = int(match[3]) if match[3] else None if match[2] else first
        if last is not None and last < first:
            raise Stop(f"--rows {shown(part)} ends before it begins.")
        spans.append((first, last))
    return Selection(spans)
