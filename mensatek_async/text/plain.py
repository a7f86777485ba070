"""Texts sent as they are, with the provider's own placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen

from ..errors import InvalidField, InvalidRequest
from .layout import Layout, PersonalText, Piece, merged
from .syntax import MAX_VARIABLES, PHONE, VARIABLES, has_opening
from .template import Template
from .values import as_text, is_missing, missing

_slot = re.compile(rf"\((?:({'|'.join(reversed(VARIABLES))})|{PHONE})\)", re.IGNORECASE)


@frozen(repr=False)
class PlainText(PersonalText):
    """A text sent as it is, with the methods of a `Template`: its placeholders are the provider's own."""

    def __attrs_post_init__(self) -> None:
        if not self.source.strip():
            raise InvalidRequest("The text is empty.")
        object.__setattr__(self, "_layout", Layout(_parse(self.source)))

    @property
    def text(self) -> str:
        """The message as it goes out: as it was given, normalised to NFC."""
        return self.source

    @property
    def fields(self) -> tuple[str, ...]:
        """The placeholders in the text, without parentheses, in order of first use."""
        return self._layout.variables

    def values(self, fields: Mapping[str, object]) -> dict[str, str]:
        """A recipient's fields that are named Variable_1 to Variable_10; others are not sent.

        They need not be in the text: the provider's landing pages use them too.

        Raises:
            InvalidField: a placeholder of the text has no value, a value is no text, number or date, or holds
                what the provider would take for an element; or a field is numbered beyond ten.
        """
        values: dict[str, str] = {}
        suspicious = self._layout.risky
        for name, value in fields.items():
            wire = _variable(name)
            if wire is None or is_missing(value):
                continue
            text = as_text(name, value)
            suspicious = suspicious or has_opening(text)
            values[wire] = text
        for wire in self._layout.variables:
            if wire not in values:
                raise missing(wire)
        if suspicious or self._layout.inside:
            self._layout.check(values, {wire: wire for wire in values}, suspicious=suspicious)
        return values

    def columns(self, rows: Sequence[Mapping[str, object]]) -> dict[str, list[str]] | None:
        """What `values` gives for many recipients: nothing, or None when each has to be looked at."""
        if self._layout.variables:
            return None
        try:
            sent = any(_variable(name) is not None for name in set[Any]().union(*rows))
        except Exception:  # a mapping of the caller's may raise anything, and costs its own row only
            return None
        return None if sent else {}

    def __repr__(self) -> str:
        return f"<PlainText of {len(self.source)} characters>"


def prepare(text: str | Template) -> Template | PlainText:
    """A text of either kind as an object that gives `.text`, `.values()`, `.fill()` and `.render()`.

    Raises:
        InvalidRequest: the text is empty, or neither a str nor a Template.
    """
    if isinstance(text, Template):
        return text
    if not isinstance(text, str):
        raise InvalidRequest(f"A text is a str or a Template, not {type(text).__name__}.")
    return PlainText(text)


@lru_cache(maxsize=4096)
def _variable(name: Any) -> str | None:
    """The wire name a plain text's field has, if any."""
    if not isinstance(name, str):
        return None
    number = name.strip().casefold().removeprefix("variable_")
    if number == name.strip().casefold() or not (number.isascii() and number.isdigit()):
        return None
    if not 1 <= int(number) <= MAX_VARIABLES:
        raise InvalidField(
            f"There is no {name!r}: a recipient may have Variable_1 to Variable_{MAX_VARIABLES}."
        )
    return VARIABLES[int(number) - 1]


def _parse(source: str) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    end = 0
    for match in _slot.finditer(source):
        pieces.append(source[end : match.start()])
        pieces.append(int(match[1].rpartition("_")[2]) if match[1] else 0)
        end = match.end()
    pieces.append(source[end:])
    return merged(pieces)
