"""What a sandbox keeps: nothing, until there is a file to keep it in."""

from __future__ import annotations

from .records import Call


class Memory:
    """Keeps nothing but what is in memory anyway."""

    is_file = False

    def called(self, number: int, call: Call) -> None:
        """A call was answered."""

    def commit(self) -> None:
        """What happened since the last time is to last."""
