"""The recipients of a chunk as the journal keeps them: columns, packed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

from ..._wire.rows import Rows
from .states import Crowd


def crowd(rows: Sequence[int], wire: list[dict[str, str]], unicode: bool = False) -> Crowd:
    """Recipients from mappings by wire names."""
    made = Rows()
    if wire:
        made.add(wire)
    return Crowd(rows, made, unicode)


def pack(content: Crowd) -> bytes:
    """Write recipients down: row numbers as runs, phones, and a column for each field."""
    wire = content.wire
    told = {"u": int(content.unicode), "r": _runs(content.rows), "p": ",".join(wire.phones)}
    if wire.columns is None:  # they differ in their fields
        told["w"] = wire.listed()
    elif wire.columns:
        told["v"] = wire.columns
    return zlib.compress(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def unpack(body: bytes) -> Crowd:
    """Read what `pack` wrote."""
    told = json.loads(zlib.decompress(bytes(body)))
    phones = told["p"].split(",") if told["p"] else []
    wire = Rows()
    if "w" in told:
        wire.add(told["w"])
    else:
        wire.add_columns(phones, told.get("v", {}))
    rows = [row for start, count in told["r"] for row in range(start, start + count)]
    return Crowd(rows, wire, bool(told["u"]))


def phones_in(body: bytes) -> list[str]:
    """The phones alone."""
    told = json.loads(zlib.decompress(bytes(body)))["p"]
    return told.split(",") if told else []


def split(content: Crowd, first: int) -> tuple[Crowd, Crowd]:
    """The first recipients, and the others."""
    rows, wire, unicode = content.rows, content.wire, content.unicode
    return crowd(rows[:first], wire[:first], unicode), crowd(rows[first:], wire[first:], unicode)


def without(content: Crowd, phones: set[str]) -> tuple[Crowd, list[int]]:
    """The recipients who are not among these phones, and the rows of those who are."""
    if phones.isdisjoint(content.wire.phones):
        return content, []
    rows, wire = content.rows, content.wire
    kept = [at for at, phone in enumerate(wire.phones) if phone not in phones]
    left = set(kept)
    return (
        crowd([rows[at] for at in kept], [wire[at] for at in kept], content.unicode),
        [row for at, row in enumerate(rows) if at not in left],
    )


def choose(content: Crowd, places: Sequence[int]) -> Crowd:
    """The recipients at some places."""
    return crowd([content.rows[at] for at in places], [content.wire[at] for at in places], content.unicode)


def _runs(rows: Sequence[int]) -> list[list[int]]:
    if rows and rows[-1] - rows[0] == len(rows) - 1 and list(rows) == list(range(rows[0], rows[-1] + 1)):
        return [[rows[0], len(rows)]]
    runs: list[list[int]] = []
    for row in rows:
        if runs and runs[-1][0] + runs[-1][1] == row:
            runs[-1][1] += 1
        else:
            runs.append([row, 1])
    return runs
