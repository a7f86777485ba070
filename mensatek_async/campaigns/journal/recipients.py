"""The recipients of a chunk, and how the journal keeps them: columns, packed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import chain

from attrs import evolve, field, frozen

from ..._wire.names import RECIPIENT
from ..._wire.rows import Rows


@frozen
class ChunkRecipients:
    """The recipients of a chunk, by row number and as the wire wants them."""

    rows: Sequence[int]
    wire: Rows = field(repr=False)
    unicode: bool = False
    segments: int = 0  # texts that they take, by this side's count
    zone: str = ""  # their time zones, by calling code; "" where it does not matter

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(
        cls,
        rows: Sequence[int],
        wire: Sequence[dict[str, str]],
        unicode: bool = False,
        segments: int = 0,
        zone: str = "",
    ) -> ChunkRecipients:
        """Make some from mappings by wire names."""
        made = Rows()
        made.add(wire)
        return cls(rows, made, unicode, segments, zone)

    @classmethod
    def unpack(cls, body: bytes, segments: int = 0, zone: str = "") -> ChunkRecipients:
        """Read what `pack` wrote, which leaves out what the chunk has columns for."""
        packed = json.loads(zlib.decompress(bytes(body)))
        wire = Rows()
        if "w" in packed:
            wire.add(packed["w"])
        else:
            wire.add_columns(packed["p"].split(",") if packed["r"] else [], packed.get("v", {}))
        runs = [range(start, start + count) for start, count in packed["r"]]
        rows = runs[0] if len(runs) == 1 else list(chain.from_iterable(runs))
        return cls(rows, wire, bool(packed["u"]), segments, zone)

    def pack(self) -> bytes:
        """Write them down: row numbers as runs, phones, and a column for each field."""
        wire = self.wire
        packed = {"u": int(self.unicode), "r": _runs(self.rows), "p": ",".join(wire.phones)}
        if wire.columns is None:  # they differ in their fields
            packed["w"] = wire.listed()
        elif wire.columns:
            packed["v"] = wire.columns
        # A window of the size of a chunk: a third of the time that zlib needs with its own, and no larger.
        packer = zlib.compressobj(1, zlib.DEFLATED, 13, 5)
        written = json.dumps(packed, ensure_ascii=False, separators=(",", ":")).encode()
        return packer.compress(written) + packer.flush()

    def at(self, places: Sequence[int]) -> ChunkRecipients:
        """Return those at some places, with their share of the texts."""
        rows, wire = [self.rows[at] for at in places], [self.wire[at] for at in places]
        share = -(-self.segments * len(rows) // max(len(self), 1))  # rounded up: a cap on credits holds
        return self.of(rows, wire, self.unicode, share, self.zone)

    def split(self, first: int) -> tuple[ChunkRecipients, ChunkRecipients]:
        """Return the first ones, and the others."""
        every = range(len(self))
        own = self.segments // max(len(self), 1) * first
        rest = max(self.segments - own, 0)
        return evolve(self.at(every[:first]), segments=own), evolve(self.at(every[first:]), segments=rest)

    def without(self, phones: set[str]) -> tuple[ChunkRecipients, list[tuple[int, str]]]:
        """Return those who are not among these phones, and the rows and phones of those who are."""
        if phones.isdisjoint(self.wire.phones):
            return self, []
        kept = [at for at, phone in enumerate(self.wire.phones) if phone not in phones]
        both = zip(self.rows, self.wire.phones, strict=True)
        gone = [(row, phone) for row, phone in both if phone in phones]
        return self.at(kept), gone

    def blank(self, phone: str | None = None) -> ChunkRecipients:
        """Return them without a phone and its fields, or without anybody's; rows stay, and what they take."""
        name = RECIPIENT["phone"]
        if phone is None:
            wire: list[dict[str, str]] = [{name: ""}] * len(self)
        else:
            wire = [dict.fromkeys(one, "") if one[name] == phone else one for one in self.wire]
        return self.of(self.rows, wire, self.unicode, self.segments, self.zone)


def phones_in(body: bytes) -> list[str]:
    """Return the phones alone of packed recipients."""
    phones = json.loads(zlib.decompress(bytes(body)))["p"]
    return phones.split(",") if phones else []


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
