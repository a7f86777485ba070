"""Texts with named fields, and what a recipient fills in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from ..errors import InvalidField
from .layout import Layout, PersonalText, Piece
from .segments import is_writable, nfc
from .syntax import MAX_VARIABLES, VARIABLES, has_opening
from .values import LONGEST, as_text, matching_keys

_token = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_MAX_NAME = 60
_LONG = 1000  # characters from which a field is looked at on its own


@frozen(repr=False)
class Template(PersonalText):
    """A text with named fields that each recipient fills in: `Template("Hola {nombre}, su cita: {fecha}")`.

    A field's name is letters of any script, digits, spaces, `_` and `-`, so a spreadsheet's heading will do.
    `{phone}` is the recipient's own number; `{{` and `}}` are braces. At most ten fields. The text and what recipients
    fill in are normalised to NFC (an accent and its letter as one character) before they are counted and sent.

    Args:
        source: the text, as written above.

    Raises:
        InvalidField: the text is empty, its braces do not match, it holds more than ten fields, a field
            without a proper name (positional, with an attribute, an index, a conversion or a format), or the
            provider's own placeholders, such as "(Variable_1)".
    """

    fields: tuple[str, ...] = field(init=False, eq=False)
    _slots: tuple[tuple[str, str], ...] = field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        pieces, names = _parse(self.source)
        layout = Layout(pieces)
        if layout.own.placeholders:
            raise InvalidField(
                "A template may not hold the provider's own placeholders: (Movil), (Variable_1) and so on.",
                advice="Write named fields, such as {nombre}; {phone} is the recipient's number.",
            )
        object.__setattr__(self, "fields", names)
        object.__setattr__(self, "text", layout.text)
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "_slots", tuple(zip(VARIABLES, names, strict=False)))

    def values(self, fields: Mapping[str, object]) -> dict[str, str]:
        """Return what a recipient's fields are called on the wire.

        Args:
            fields: values by field name; a name is matched exactly, else regardless of upper and lower case.

        Returns:
            "Variable_1" and so on, each with its value as text; only the fields the template uses.

        Raises:
            InvalidField: a field is missing (None and NaN are, "" is not), is no text, number or date, or
                holds what the provider would take for an element of the message.
        """
        layout = self.layout
        suspicious = layout.risky
        try:
            given = [fields[name] for name in self.fields]
        except KeyError:
            given = [fields[key] for key in matching_keys(tuple(fields), self.fields)]
        values = {}
        for (wire, name), value in zip(self._slots, given, strict=True):
            text = as_text(name, value)
            if not suspicious and has_opening(text):
                suspicious = True
            values[wire] = text
        if suspicious or layout.inside:
            layout.check(values, dict(self._slots), suspicious=suspicious)
        return values

    def columns(self, rows: Sequence[Mapping[str, object]]) -> dict[str, list[str]] | None:
        """What `values` gives for many recipients, a list for each wire name; None when each has to be looked at."""
        if self.layout.risky or self.layout.inside:
            return None
        columns: dict[str, list[str]] = {}
        for wire, name in self._slots:
            try:
                column: list[Any] = [fields[name] for fields in rows]
            except Exception:  # a mapping of the caller's may raise anything, and costs its own row only
                return None
            if set(map(type, column)) - {str}:
                return None
            together = "".join(column)
            if has_opening(together) or not is_writable(together) or nfc(together) != together:
                return None
            if len(together) > LONGEST and max(map(len, column)) > _LONG:
                return None
            columns[wire] = column
        return columns

    def __repr__(self) -> str:
        return f"<Template fields={list(self.fields)}>"


def _parse(source: str) -> tuple[list[Piece], tuple[str, ...]]:
    if not isinstance(source, str):
        raise InvalidField(f"A template is made of a str, not {type(source).__name__}.")
    if not source.strip():
        raise InvalidField("The template is empty.")
    pieces: list[Piece] = []
    numbers: dict[str, int] = {}
    end = 0
    for match in _token.finditer(source):
        pieces.append(source[end : match.start()])
        end = match.end()
        token = match[0]
        if token in ("{{", "}}"):
            pieces.append(token[0])
        elif match[1] is None:
            raise InvalidField(
                f"The {token!r} at character {match.start() + 1} of the template has no partner.",
                advice="Write {{ or }} for a brace that is part of the text.",
            )
        else:
            name = _field_name(match[1], match.start() + 1)
            pieces.append(0 if name.casefold() == "phone" else numbers.setdefault(name, len(numbers) + 1))
    pieces.append(source[end:])
    if len(numbers) > MAX_VARIABLES:
        raise InvalidField(
            f"The template has {len(numbers)} fields; the provider takes {MAX_VARIABLES} at most."
        )
    return pieces, tuple(numbers)


def _field_name(written: str, position: int) -> str:
    name = written.strip()
    where = f"The field at character {position} of the template"
    if not name or name.isdecimal():
        raise InvalidField(
            f"{where} has no name.", advice="Name it, such as {nombre}; positions are not taken."
        )
    if len(name) > _MAX_NAME:
        raise InvalidField(f"{where} has a name of more than {_MAX_NAME} characters.")
    if not all(c.isalnum() or c in " _-" or unicodedata.category(c)[0] == "M" for c in name):
        raise InvalidField(
            f"{where} has a name with a character that names may not have.",
            advice="Letters, digits, spaces, _ and - only; no attribute, index, conversion or format.",
        )
    return name
