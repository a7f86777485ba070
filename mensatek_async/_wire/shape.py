"""The one shape every reply form is brought into: mappings with casefolded keys, lists, plain values."""

from __future__ import annotations

import re
from typing import Any

from .problems import DecodeError

DEEPEST = 32
_HALF = re.compile("[\ud800-\udfff]")
_LONGEST_INDEX = 6


def bounded(value: Any) -> Any:
    """Return a value back whose lists and objects are nested no deeper than those of any reply."""
    layer = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST + 1):
        within = [inner for one in layer for inner in (one.values() if isinstance(one, dict) else one)]
        layer = [inner for inner in within if isinstance(inner, dict | list)]
        if not layer:
            return value
    raise DecodeError("lists and objects are nested too deeply")


def whole_characters(value: Any) -> Any:
    """Replace halves of characters, which JSON can spell and no file or database can hold."""
    if isinstance(value, str):
        return value if value.isascii() else _HALF.sub("\ufffd", value)
    if isinstance(value, dict):
        return {whole_characters(name): whole_characters(inner) for name, inner in value.items()}
    return [whole_characters(inner) for inner in value] if isinstance(value, list) else value


def indexed(value: Any) -> Any:
    """Return the list behind a PHP array that came as {"0": ..., "1": ...}, else the value itself."""
    if isinstance(value, dict) and value and all(_is_index(key) for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value


def _is_index(key: str) -> bool:
    return len(key) <= _LONGEST_INDEX and key.isascii() and key.isdigit()


def flat(value: Any) -> list[Any]:
    """Return the entries of nested lists in order, without empty ones; anything else is a list of itself."""
    entries: list[Any] = []
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack:
        entry, depth = stack.pop()
        entry = indexed(entry)
        if isinstance(entry, list):
            if depth >= DEEPEST:
                raise DecodeError("lists are nested too deeply")
            stack.extend((inner, depth + 1) for inner in reversed(entry))
        elif entry is not None and entry != "" and entry != {}:
            entries.append(entry)
    return entries
