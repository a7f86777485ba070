"""The rows of a campaign's recipients, with what tells them from any others."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from ..bulk.reader import Reader
from ..models.recipient import Recipient
from ..sources.rows import BrokenRow

_MANY = 20_000  # rows that are passed over at once


class Feed(Reader):
    """Reads rows, never holding more than a batch; a digest of all so far tells whether they are the same again."""

    def __init__(self, recipients: object, fields: Sequence[str]) -> None:
        super().__init__(recipients, fields)
        self._digest = blake2b(digest_size=16)
        self._ended = False
        self.position: int = 0

    @property
    def digest(self) -> str:
        """Return what tells the rows up to `position` from any others."""
        return self._digest.hexdigest()

    async def take(self, most: int) -> Sequence[Any]:
        """Return from 1 to `most` further rows; none at the end."""
        rows = [] if self._ended else await self.read(most)
        self._ended = not rows
        self._earlier = self.position, self._digest.copy()
        self.position += len(rows)
        self._digest.update(spelt(rows))
        return rows

    def undo(self, rows: Sequence[Any]) -> None:
        """Undo the last `take`: somebody else had read further."""
        self.position, self._digest = self._earlier
        self._back = [*rows, *self._back]

    async def skip_to(self, position: int) -> bool:
        """Pass over rows that are in the journal already; False when there are not so many."""
        while self.position < position:
            if not await self.take(min(position - self.position, _MANY)):
                return False
        return True


def spelt(rows: Sequence[Any]) -> bytes:
    """Return rows as bytes that are the same for the same rows, however they are batched."""
    lines = rows if set(map(type, rows)) == {str} else map(_one, rows)
    return "\n".join([*lines, ""]).encode("utf-8", "surrogatepass")


def _one(row: Any) -> str:
    if isinstance(row, str):
        return row
    try:
        if isinstance(row, Recipient):
            fields = "\x1f".join(
                [
                    f"{name}={_value(value)}"
                    for name, value in sorted(row.fields.items(), key=lambda field: str(field[0]))
                ]
            )
            return f"{row.phone}\x1e{'' if row.row is None else row.row}\x1e{fields}"
        if isinstance(row, BrokenRow):
            return f"\x1d{row.row}\x1e{row.reason}"
    except Exception:  # whatever the caller's own mapping raises: the row is refused later, with its reason
        return f"\x1b{row.phone}"
    return f"\x1c{type(row).__name__}"


def _value(value: object) -> str:
    try:
        return str(value)
    except Exception:  # as above
        return f"\x1c{type(value).__name__}"
