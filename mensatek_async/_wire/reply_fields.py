"""A reply as a user of the escape hatch gets it."""

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


class ReplyFields(dict[str, Any]):
    """A reply by wire names in the manuals' spelling; looked up in any case, as the provider writes them."""

    def __init__(self, pairs: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__((_spelled(name), value) for name, value in dict(pairs).items())

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(_spelled(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(_spelled(name))

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value under a name in any case, else `default`."""
        return super().get(_spelled(name), default)


def _spelled(name: str) -> str:
    """A wire name as the manuals spell it; one they do not list stays in small letters."""
    return _SPELLING.get(name.casefold(), name.casefold())


def spell(value: Any) -> Any:
    """Return every mapping in a decoded reply its manual spelling."""
    if isinstance(value, dict):
        return ReplyFields((name, spell(inner)) for name, inner in value.items())
    return [spell(inner) for inner in value] if isinstance(value, list) else value
