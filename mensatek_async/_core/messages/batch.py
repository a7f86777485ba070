"""Many recipients of one message at once: what `Message.address` finds out for one, at a fraction of its cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Literal

from ..._wire.rows import Rows
from ...text.segments import ONE_SEGMENT, count_segments, counts_by_length, has_pairs, needs_unicode
from .message import PHONE, Message

Columns = Mapping[str, Sequence[str]]
"""What recipients' fields hold, a list for each wire name."""


def columns_of(message: Message, rows: Sequence[Mapping[str, object]]) -> Columns | None:
    """Return what the recipients' fields are called on the wire; None when each recipient has to be looked at."""
    columns = message.text.columns(rows)
    if columns and message.encoding == "gsm":
        return None  # each may lose characters, of which its sender is warned
    return columns


def in_unicode(message: Message, columns: Columns) -> list[bool] | bool:
    """Return whether the recipients need Unicode: one word for all, or one for each."""
    if message.needs_unicode or message.encoding != "auto" or not columns:
        return message.needs_unicode
    if not needs_unicode("".join(chain.from_iterable(columns.values()))):
        return False
    return [needs_unicode("".join(row)) for row in zip(*columns.values(), strict=True)]


def counts_of(message: Message, phones: Sequence[str], columns: Columns, unicode: bool) -> list[int]:
    """Return the texts that each of them takes."""
    if message.is_plain:
        return [message.segments] * len(phones)
    encoding: Literal["gsm", "unicode"] = "unicode" if unicode else "gsm"
    shown = message.shown
    values = "".join(chain.from_iterable(columns.values()))
    if not (has_pairs(shown.layout.literal, encoding) or has_pairs(values, encoding)):
        words, slots = _slots(message, phones, columns)
        if (
            words + sum(times * max(map(len, column), default=0) for times, column in slots)
            <= ONE_SEGMENT[encoding]
        ):
            return [1] * len(phones)
        lengths = _lengths(len(phones), words, slots)
        if min(lengths, default=1):
            return counts_by_length(lengths, encoding)
    rows = zip(*columns.values(), strict=True) if columns else [()] * len(phones)
    return [
        count_segments(shown.fill(dict(zip(columns, row, strict=True)), phone), encoding) or 1
        for phone, row in zip(phones, rows, strict=True)
    ]


def lengths_of(message: Message, recipients: Rows) -> list[int]:
    """Return the characters that each of them is shown."""
    if recipients.columns is not None:
        return _lengths(len(recipients), *_slots(message, recipients.phones, recipients.columns))
    fill = message.shown.fill
    return [
        len(fill({name: value for name, value in one.items() if name != PHONE}, one[PHONE]))
        for one in recipients
    ]


def _lengths(count: int, words: int, slots: Sequence[tuple[int, Sequence[str]]]) -> list[int]:
    lengths = [words] * count
    for times, column in slots:
        lengths = [length + times * more for length, more in zip(lengths, map(len, column), strict=True)]
    return lengths


def _slots(
    message: Message, phones: Sequence[str], columns: Columns
) -> tuple[int, list[tuple[int, Sequence[str]]]]:
    """Return the length of the text's own words, and how often each value stands in it, with all recipients' values."""
    fill, blank = message.shown.fill, dict.fromkeys(columns, "")
    words = len(fill(blank, ""))
    slots = [(len(fill({**blank, wire: "?"}, "")) - words, column) for wire, column in columns.items()]
    slots.append((len(fill(blank, "?")) - words, phones))
    return words, [(times, column) for times, column in slots if times]
