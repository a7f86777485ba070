"""A decoded reply as a user of the escape hatch gets it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import names

_SPELLING = {
    name.casefold(): name
    for name in [
        names.RESULT,
        names.ERROR,
        *names.ROWS,
        *names.CREDITS_NEEDED,
        *(name for table in names.REPLIES.values() for keys in table.values() for name in keys),
    ]
}


class Reply(dict[str, Any]):
    """A reply by wire names in the manuals' spelling; looked up in any case, as the provider writes them."""

    def __init__(self, pairs: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__((spelled(name), value) for name, value in dict(pairs).items())

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(spelled(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(spelled(name))

    def get(self, name: str, default: Any = None) -> Any:
        """The value under a name in any case, else `default`."""
        return super().get(spelled(name), default)


def spelled(name: str) -> str:
    """A wire name as the manuals spell it; one they do not list stays in small letters."""
    folded = name.casefold()
    return _SPELLING.get(folded, folded)


def spell(value: Any) -> Any:
    """Give every mapping in a decoded reply its manual spelling."""
    if isinstance(value, dict):
        return Reply((name, spell(inner)) for name, inner in value.items())
    return [spell(inner) for inner in value] if isinstance(value, list) else value
