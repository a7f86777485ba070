"""A text cut into its own words and the places where a recipient's values go; and one that is sent as it is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import field, frozen

from ..errors import InvalidField, InvalidRequest
from .segments import needs_unicode, nfc
from .syntax import (
    MAX_VARIABLES,
    PHONE,
    VARIABLES,
    Found,
    element,
    find,
    fold,
    has_opening,
    has_parenthesis,
    may_become_element,
    opening,
)
from .values import as_text, is_missing, missing

Piece = str | int
"""Words of the author, or the number of a variable; 0 is the recipient's phone."""

# Stand-ins for the phone and the variables: control characters that folding takes out of any text.
_MARKERS = "".join(chr(0x0E + number) for number in range(len(VARIABLES) + 1))
_opened = re.compile(f"\\(([^(){_MARKERS}]*)[{_MARKERS[1:]}]")
_slot = re.compile(rf"\((?:({'|'.join(reversed(VARIABLES))})|{PHONE})\)", re.IGNORECASE)
_WIRE_NAMES = (PHONE, *VARIABLES)
_landmark = re.compile(f"[(){_MARKERS[1:]}]")


class Layout:
    """What can be known of a text before any recipient comes.

    Attributes:
        text: what goes out as the message, with the provider's placeholders.
        literal: the author's own words.
        needs_unicode: whether those words need Unicode.
        variables: the variables in the text, by wire name, in order of first use.
        has_elements: whether the text holds a message element.
        inside: the variables that stand inside an element the author wrote.
        risky: whether a value could finish an element that the words around it begin.
        own: how many elements and placeholders the author wrote.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.text: str = ""
        self.literal: str = ""
        self._format = ""
        variables: dict[str, None] = {}
        for piece in pieces:
            if isinstance(piece, str):
                self.text += piece
                self.literal += piece
                self._format += piece.replace("{", "{{").replace("}", "}}")
            else:
                name = _WIRE_NAMES[piece]
                self.text += f"({name})"
                self._format += f"{{{name}}}"
                if piece:
                    variables[name] = None
        self.needs_unicode: bool = needs_unicode(self.literal)
        self.variables: tuple[str, ...] = tuple(variables)
        self.has_elements: bool = False
        self.inside: frozenset[str] = frozenset()
        self.risky: bool = False
        self.own: Found = Found(0, 0)
        if opening.search(self.literal):  # without one there is nothing to find
            marked = "".join([fold(p) if isinstance(p, str) else _MARKERS[p] for p in pieces])
            self.has_elements = element.search(self.text) is not None
            self.inside = _variables_inside(marked)
            self.risky = any(may_become_element(match[1]) for match in _opened.finditer(marked))
            self.own = find(self.fill(dict.fromkeys(self.variables, "?"), "?"))

    def fill(self, values: Mapping[str, str], phone: str) -> str:
        """The text with `values`, by wire name, and the phone in their places."""
        return self._format.format(Movil=phone, **values)

    def check(self, values: Mapping[str, str], names: Mapping[str, str], *, suspicious: bool) -> None:
        """Refuse values that would put an element or a placeholder of theirs into the text.

        Args:
            values: by wire name.
            names: what the caller calls each wire name, for the message.
            suspicious: whether a value holds an opening parenthesis, or the text is risky.

        Raises:
            InvalidField: naming the field; the value is never shown.
        """
        for wire in self.inside:
            if wire in values and has_parenthesis(values[wire]):
                raise InvalidField(
                    f"The field {names[wire]!r} holds a parenthesis, and it stands inside a message element."
                )
        if suspicious:
            self._refuse_elements(values, names)

    def _refuse_elements(self, values: Mapping[str, str], names: Mapping[str, str]) -> None:
        used = [wire for wire in self.variables if wire in values]
        others = [wire for wire in values if wire not in used]
        whole = find(self.fill(values, "?")) == self.own
        if whole and not any(any(find(values[wire])) for wire in others):
            return
        for wire, value in values.items():
            if any(find(value)):
                raise _smuggled(names[wire])
        # No value does it alone, so it is one together with the words around it, or several together.
        blank = dict.fromkeys(used, "?")
        guilty = [wire for wire in used if find(self.fill({**blank, wire: values[wire]}, "?")) != self.own]
        raise _smuggled(*(names[wire] for wire in guilty or used))


def _variables_inside(marked: str) -> frozenset[str]:
    """The variables between an element's colon and the parenthesis that closes it."""
    inside: set[str] = set()
    for match in element.finditer(marked):
        depth = 1
        for landmark in _landmark.finditer(marked, match.end()):
            depth += (landmark[0] == "(") - (landmark[0] == ")")
            if not depth:
                break
            if landmark[0] in _MARKERS:
                inside.add(_WIRE_NAMES[_MARKERS.index(landmark[0])])
    return frozenset(inside)


def _smuggled(*names: str) -> InvalidField:
    """The error that names the fields and shows no value."""
    which = " and ".join(repr(name) for name in names)
    one = len(names) == 1
    return InvalidField(
        f"The field {which} holds a message element or placeholder, such as a link."
        if one
        else f"The fields {which} make up a message element or placeholder, such as a link.",
        advice="Write elements into the text itself; a recipient's field may hold none.",
    )


@frozen(repr=False)
class PersonalText(ABC):
    """A text with places for what a recipient fills in: what both kinds of text have in common.

    Attributes:
        source: the text as it was written, normalised to NFC.
        text: the message as it goes out: fields are (Variable_1) to (Variable_10), the phone is (Movil).
        layout: what can be known of it before any recipient comes.
    """

    source: str = field(converter=nfc)
    text: str = field(init=False, eq=False)
    layout: Layout = field(init=False, eq=False)

    @property
    def literal(self) -> str:
        """The author's own words, without any field."""
        return self.layout.literal

    @property
    def needs_unicode(self) -> bool:
        """Whether the author's own words need Unicode, whatever the fields hold."""
        return self.layout.needs_unicode

    @abstractmethod
    def values(self, fields: Mapping[str, object]) -> dict[str, str]:
        """Return what a recipient's fields are called on the wire, with their values as texts."""

    def fill(self, values: Mapping[str, str], phone: str) -> str:
        """Fill in what `values` gave, as a recipient sees it; the cheap half of `render`."""
        return self.layout.fill(values, phone)

    def render(self, fields: Mapping[str, object], phone: str) -> str:
        """Return the text as one recipient sees it; elements stay as they are written.

        Args:
            fields: values by field name, as for `values`.
            phone: what `{phone}` becomes.

        Raises:
            InvalidField: as for `values`.
        """
        return self.layout.fill(self.values(fields), phone)

    def __reduce__(self) -> tuple[type[PersonalText], tuple[str]]:
        return type(self), (self.source,)


@frozen(repr=False)
class PlainText(PersonalText):
    """A text sent as it is, with the methods of a `Template`: its placeholders are the provider's own."""

    def __attrs_post_init__(self) -> None:
        source = self.source
        if not source.strip():
            raise InvalidRequest("The text is empty.")
        pieces: list[Piece] = []
        end = 0
        for match in _slot.finditer(source):
            pieces += [source[end : match.start()], int(match[1].rpartition("_")[2]) if match[1] else 0]
            end = match.end()
        object.__setattr__(self, "text", source)
        object.__setattr__(self, "layout", Layout([*pieces, source[end:]]))

    @property
    def fields(self) -> tuple[str, ...]:
        """The placeholders in the text, without parentheses, in order of first use."""
        return self.layout.variables

    def values(self, fields: Mapping[str, object]) -> dict[str, str]:
        """A recipient's fields that are named Variable_1 to Variable_10; others are not sent.

        They need not be in the text: the provider's landing pages use them too.

        Raises:
            InvalidField: a placeholder of the text has no value, a value is no text, number or date, or holds
                what the provider would take for an element; or a field is numbered beyond ten.
        """
        values: dict[str, str] = {}
        suspicious = self.layout.risky
        for name, value in fields.items():
            wire = _variable(name)
            if wire is None or is_missing(value):
                continue
            text = as_text(name, value)
            suspicious = suspicious or has_opening(text)
            values[wire] = text
        for wire in self.layout.variables:
            if wire not in values:
                raise missing(wire)
        if suspicious or self.layout.inside:
            self.layout.check(values, {wire: wire for wire in values}, suspicious=suspicious)
        return values

    def columns(self, rows: Sequence[Mapping[str, object]]) -> dict[str, list[str]] | None:
        """What `values` gives for many recipients: nothing, or None when each has to be looked at."""
        if self.layout.variables:
            return None
        try:
            sent = any(_variable(name) is not None for name in set[Any]().union(*rows))
        except Exception:  # a mapping of the caller's may raise anything, and costs its own row only
            return None
        return None if sent else {}

    def __repr__(self) -> str:
        return f"<PlainText of {len(self.source)} characters>"


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
