"""Lists spelt as in Python or JavaScript: single quotes, bare numbers, apostrophes inside.

The certified manual's reports and file lists come as a text like
`[{'Fecha':'2021-09-04 19:37:21','Telefono':34601234567,'Estado':'L'Hospitalet'}]`. Every step moves forward,
so the time grows with the length alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from . import scalars, shape
from .problems import DecodeError

_SPACE = re.compile(r"\s*")
_BARE_KEY = re.compile(r"[^\W\d]\w*|\d+")
_BARE_VALUE = re.compile(r"[^,\]}\[{'\"]*")
# A quote ends a text only where something can follow; else it is an apostrophe of the text.
_AFTER_KEY = r"\s*:"
_AFTER_VALUE = r"\s*(?:[}\]]|\Z|,\s*(?:['\"{\[}\]]|\w+\s*:|-?\d))"


def _texts(after: str) -> dict[str, re.Pattern[str]]:
    pattern = r"((?:[^{q}\\]++|\\.|{q}(?!AFTER))*+){q}"
    return {q: re.compile(pattern.replace("{q}", q).replace("AFTER", after), re.DOTALL) for q in "'\""}


_KEY, _VALUE = _texts(_AFTER_KEY), _texts(_AFTER_VALUE)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_WORDS = {"true": True, "false": False, "null": None, "none": None, "undefined": None}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U(00[01][0-9a-fA-F]{5})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}


def parse(text: str) -> Any:
    """Read a list, an object or a single value."""
    value, end = parse_at(text, 0)
    if text[end:].strip():
        raise DecodeError("something follows the list")
    return value


def parse_at(text: str, start: int) -> tuple[Any, int]:
    """Read the value that begins at `start`; returns it and where it ends."""
    reader = _Reader(text, start)
    return reader.value(0), reader.at


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at

    def _peek(self) -> str:
        space = _SPACE.match(self.text, self.at)
        assert space is not None  # it matches nothing at all, too
        self.at = space.end()
        return self.text[self.at : self.at + 1]

    def value(self, depth: int) -> Any:
        if depth > shape.DEEPEST:
            raise DecodeError("a list is nested too deeply")
        first = self._peek()
        if first == "[":
            return [self.value(depth + 1) for _ in self._entries("]")]
        if first == "{":
            return scalars.mapping(self._pair(depth + 1) for _ in self._entries("}"))
        if first and first in "'\"":
            return self._quoted(_VALUE, first)
        return self._bare()

    def _entries(self, end: str) -> Iterator[None]:
        """Step over a bracket, over the comma after each entry, and over the bracket at the end."""
        self.at += 1
        while self._peek() != end:
            yield
            following = self._peek()
            if following == ",":
                self.at += 1
            elif following != end:
                raise DecodeError("a list cannot be read")
        self.at += 1

    def _pair(self, depth: int) -> tuple[str, Any]:
        key = self._key()
        if self._peek() != ":":
            raise DecodeError("a list cannot be read")
        self.at += 1
        return key, self.value(depth)

    def _key(self) -> str:
        first = self._peek()
        if first and first in "'\"":
            return self._quoted(_KEY, first)
        match = _BARE_KEY.match(self.text, self.at)
        if match is None:
            raise DecodeError("a list cannot be read")
        self.at = match.end()
        return match[0]

    def _quoted(self, patterns: dict[str, re.Pattern[str]], quote: str) -> str:
        match = patterns[quote].match(self.text, self.at + 1)
        if match is None:
            raise DecodeError("a list breaks off")
        self.at = match.end()
        return _unescaped(match[1]) if "\\" in match[1] else match[1]

    def _bare(self) -> Any:
        match = _BARE_VALUE.match(self.text, self.at)
        assert match is not None
        word = match[0].strip()
        if not word:
            raise DecodeError("a list cannot be read")
        self.at = match.end()
        if _INTEGER.fullmatch(word):  # with leading zeros it is a phone or an id, and stays text
            return int(word)
        if _FRACTION.fullmatch(word):
            return Decimal(word)
        return _WORDS.get(word.casefold(), word)


def _unescaped(written: str) -> str:
    text = _ESCAPE.sub(_character, written)
    # Two halves of one character, escaped one by one, are joined; a lone half is none.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if not code:
        return _ESCAPES.get(match[4], match[4])
    return chr(min(int(code, 16), sys.maxunicode))
