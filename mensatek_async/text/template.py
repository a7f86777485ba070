"""Texts with named fields, and what a recipient fills in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import field, frozen

from ..errors import InvalidField, InvalidRequest
from .layout import Layout, Piece, smuggled
from .syntax import MAX_VARIABLES, PHONE, VARIABLES, find, has_opening

_token = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_plain_slot = re.compile(rf"\((?:({'|'.join(reversed(VARIABLES))})|{PHONE})\)", re.IGNORECASE)
_MAX_NAME = 60


@frozen(repr=False)
class Template:
    """A text with named fields that each recipient fills in: `Template("Hola {nombre}, su cita: {fecha}")`.

    A field's name is letters of any script, digits, spaces, `_` and `-`, so a spreadsheet's heading will do.
    `{phone}` is the recipient's own number; `{{` and `}}` are braces. At most ten fields.

    Args:
        source: the text, as written above.

    Raises:
        InvalidField: the text is empty, its braces do not match, it holds more than ten fields, a field without
            a proper name (positional, with an attribute, an index, a conversion or a format), or the provider's
            own placeholders, such as "(Variable_1)".
    """

    source: str
    fields: tuple[str, ...] = field(init=False, eq=False)
    _layout: Layout = field(init=False, eq=False)
    _slots: tuple[tuple[str, str], ...] = field(init=False, eq=False)
    _always_check: bool = field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        pieces, names = _parse(self.source)
        layout = Layout(pieces)
        if layout.own.placeholders:
            raise InvalidField(
                "A template may not hold the provider's own placeholders, (Variable_1) to (Variable_10) and (Movil).",
                advice="Write named fields, such as {nombre}; {phone} is the recipient's number.",
            )
        object.__setattr__(self, "fields", names)
        object.__setattr__(self, "_layout", layout)
        object.__setattr__(self, "_slots", tuple(zip(VARIABLES, names, strict=False)))
        object.__setattr__(self, "_always_check", layout.risky or bool(layout.inside))

    @property
    def text(self) -> str:
        """The message as it goes out: fields are (Variable_1) to (Variable_10), the phone is (Movil)."""
        return self._layout.text

    @property
    def literal(self) -> str:
        """The author's own words, without any field."""
        return self._layout.literal

    @property
    def needs_unicode(self) -> bool:
        """Whether the author's own words need Unicode, whatever the fields hold."""
        return self._layout.needs_unicode

    def values(self, fields: Mapping[str, object]) -> dict[str, str]:
        """What a recipient's fields are called on the wire.

        Args:
            fields: values by field name; a name is matched exactly, else regardless of upper and lower case.

        Returns:
            "Variable_1" and so on, each with its value as text; only the fields the template uses.

        Raises:
            InvalidField: a field is missing (None and NaN are missing, "" is not), is no text, number or date,
                or holds what the provider would take for an element of the message.
        """
        values = {}
        suspicious = self._always_check
        for wire, name in self._slots:
            try:
                value = fields[name]
            except KeyError:
                value = _find_field(fields, name)
            text = value if type(value) is str else as_text(name, value)
            if not suspicious and has_opening(text):
                suspicious = True
            values[wire] = text
        if suspicious:
            self._layout.check(values, dict(self._slots))
        return values

    def fill(self, values: Mapping[str, str], phone: str) -> str:
        """The text with what `values` gave, as a recipient sees it; the cheap half of `render`."""
        return self._layout.fill(values, phone)

    def render(self, fields: Mapping[str, object], phone: str) -> str:
        """The text as one recipient sees it; elements stay as they are written.

        Args:
            fields: values by field name, as for `values`.
            phone: what `{phone}` becomes.

        Raises:
            InvalidField: as for `values`.
        """
        return self._layout.fill(self.values(fields), phone)

    def __repr__(self) -> str:
        return f"<Template fields={list(self.fields)}>"

    def __reduce__(self) -> tuple[type[Template], tuple[str]]:
        return type(self), (self.source,)


@frozen(repr=False)
class PlainText:
    """A text sent as it is, with the same methods as a `Template`: its placeholders are the provider's own."""

    source: str
    _layout: Layout = field(init=False, eq=False)
    _always_check: bool = field(init=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if not self.source.strip():
            raise InvalidRequest("The text is empty.")
        layout = Layout(_parse_plain(self.source))
        object.__setattr__(self, "_layout", layout)
        object.__setattr__(self, "_always_check", layout.risky or bool(layout.inside))

    @property
    def text(self) -> str:
        """The message as it goes out: just as it was given."""
        return self.source

    @property
    def fields(self) -> tuple[str, ...]:
        """The placeholders in the text, without parentheses, in order of first use."""
        return self._layout.variables

    @property
    def literal(self) -> str:
        """The author's own words, without any placeholder."""
        return self._layout.literal

    @property
    def needs_unicode(self) -> bool:
        """Whether the author's own words need Unicode, whatever the fields hold."""
        return self._layout.needs_unicode

    def values(self, fields: Mapping[str, object]) -> dict[str, str]:
        """A recipient's fields that are named Variable_1 to Variable_10; others are not sent.

        They need not be in the text: the provider's landing pages use them too.

        Raises:
            InvalidField: a placeholder of the text has no value, a value is no text, number or date, or holds
                what the provider would take for an element; or a field is numbered beyond ten.
        """
        values: dict[str, str] = {}
        suspicious = self._always_check
        for name, value in fields.items():
            wire = _variable(name)
            if wire is None or _is_missing(value):
                continue
            text = value if type(value) is str else as_text(name, value)
            suspicious = suspicious or has_opening(text)
            values[wire] = text
        for wire in self._layout.variables:
            if wire not in values:
                raise _missing(wire)
        if suspicious and values:
            self._layout.check(values, {wire: wire for wire in values})
        return values

    def fill(self, values: Mapping[str, str], phone: str) -> str:
        """The text with what `values` gave, as a recipient sees it; the cheap half of `render`."""
        return self._layout.fill(values, phone)

    def render(self, fields: Mapping[str, object], phone: str) -> str:
        """The text as one recipient sees it, as `Template.render`."""
        return self._layout.fill(self.values(fields), phone)

    def __repr__(self) -> str:
        return f"<PlainText of {len(self.source)} characters>"

    def __reduce__(self) -> tuple[type[PlainText], tuple[str]]:
        return type(self), (self.source,)


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


def check_field_value(name: str, value: object) -> str:
    """One field's value as text.

    Raises:
        InvalidField: it is missing, no text, number or date, or holds what the provider would take for an element.
    """
    text = as_text(name, value)
    if has_opening(text) and any(find(text)):
        raise smuggled(name)
    return text


def as_text(name: str, value: object) -> str:
    """`value` as it is written into a text.

    Raises:
        InvalidField: it is missing, or neither a text, a number nor a date.
    """
    if isinstance(value, str):
        return str(value)
    if _is_missing(value):
        raise _missing(name)
    if isinstance(value, (bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset)):
        raise InvalidField(f"The field {name!r} is a {type(value).__name__}, not a text, number or date.")
    return str(value)


def _is_missing(value: object) -> bool:
    if value is None:
        return True
    try:
        # The empty cells of number-crunching libraries are NaN, which alone differs from itself.
        return bool(value != value)
    except (TypeError, ValueError):
        return not isinstance(value, (list, tuple, Mapping))


def _missing(name: str) -> InvalidField:
    return InvalidField(f"The recipient has no field {name!r}.", advice="Each recipient needs every field of the text.")


@lru_cache(maxsize=4096)
def _same_name(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def _find_field(fields: Mapping[str, object], name: str) -> object:
    wanted = _same_name(name)
    found = [key for key in fields if isinstance(key, str) and _same_name(key) == wanted]
    if not found:
        raise _missing(name)
    if len(found) > 1:
        raise InvalidField(f"The field {name!r} could be {' or '.join(map(repr, found))}.")
    return fields[found[0]]


@lru_cache(maxsize=4096)
def _variable(name: Any) -> str | None:
    """The wire name a plain text's field has, if any."""
    if not isinstance(name, str):
        return None
    number = name.strip().casefold().removeprefix("variable_")
    if number == name.strip().casefold() or not (number.isascii() and number.isdigit()):
        return None
    if not 1 <= int(number) <= MAX_VARIABLES:
        raise InvalidField(f"There is no {name!r}: a recipient may have Variable_1 to Variable_{MAX_VARIABLES}.")
    return VARIABLES[int(number) - 1]


def _parse(source: str) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
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
        raise InvalidField(f"The template has {len(numbers)} fields; the provider takes {MAX_VARIABLES} at most.")
    return _merged(pieces), tuple(numbers)


def _parse_plain(source: str) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    end = 0
    for match in _plain_slot.finditer(source):
        pieces.append(source[end : match.start()])
        pieces.append(int(match[1].rpartition("_")[2]) if match[1] else 0)
        end = match.end()
    pieces.append(source[end:])
    return _merged(pieces)


def _merged(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Without empty words, and with neighbouring words in one piece."""
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    return tuple(merged)


def _field_name(written: str, position: int) -> str:
    name = unicodedata.normalize("NFC", written).strip()
    where = f"The field at character {position} of the template"
    if not name or name.isdecimal():
        raise InvalidField(f"{where} has no name.", advice="Name it, such as {nombre}; positions are not taken.")
    if len(name) > _MAX_NAME:
        raise InvalidField(f"{where} has a name of more than {_MAX_NAME} characters.")
    if not all(c.isalnum() or c in " _-" or unicodedata.category(c)[0] == "M" for c in name):
        raise InvalidField(
            f"{where} has a name with a character that names may not have.",
            advice="Letters, digits, spaces, _ and - only; no attribute, index, conversion or format.",
        )
    return name
