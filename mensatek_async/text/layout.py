"""A text cut into its own words and the places where a recipient's values go."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from ..errors import InvalidField
from .gsm import needs_unicode
from .syntax import (
    PHONE,
    VARIABLES,
    Found,
    element,
    find,
    fold,
    has_opening,
    has_parenthesis,
    may_become_element,
)
from .values import nfc

Piece = str | int
"""Words of the author, or the number of a variable; 0 is the recipient's phone."""

# Stand-ins for the phone and the variables: control characters that folding takes out of any text.
_MARKERS = "".join(chr(0x0E + number) for number in range(len(VARIABLES) + 1))
_opened = re.compile(f"\\(([^(){_MARKERS}]*)[{_MARKERS[1:]}]")
_landmark = re.compile(f"[(){_MARKERS[1:]}]")


class Layout:
    """What can be known of a text before any recipient comes.

    Attributes:
        text: what goes out as the message, with the provider's placeholders.
        literal: the author's own words.
        needs_unicode: whether those words need Unicode.
        variables: the variables in the text, by wire name, in order of first use.
        inside: the variables that stand inside an element the author wrote.
        risky: whether a value could finish an element that the words around it begin.
        own: how many elements and placeholders the author wrote.
    """

    def __init__(self, pieces: tuple[Piece, ...]) -> None:
        words = [piece for piece in pieces if isinstance(piece, str)]
        numbers = [piece for piece in pieces if isinstance(piece, int)]
        self._format = _format(pieces)
        self.text: str = "".join([p if isinstance(p, str) else f"({_wire_name(p)})" for p in pieces])
        self.literal: str = "".join(words)
        self.needs_unicode: bool = needs_unicode(self.literal)
        self.variables: tuple[str, ...] = tuple(dict.fromkeys(_wire_name(p) for p in numbers if p))
        self.inside: frozenset[str] = frozenset()
        self.risky: bool = False
        self.own: Found = Found(0, 0)
        if has_opening(self.literal):  # without one there is nothing to find
            marked = "".join([fold(p) if isinstance(p, str) else _MARKERS[p] for p in pieces])
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


def _wire_name(number: int) -> str:
    return VARIABLES[number - 1] if number else PHONE


def _format(pieces: Iterable[Piece]) -> str:
    return "".join(
        p.replace("{", "{{").replace("}", "}}") if isinstance(p, str) else f"{{{_wire_name(p)}}}"
        for p in pieces
    )


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
                inside.add(_wire_name(_MARKERS.index(landmark[0])))
    return frozenset(inside)


def _smuggled(*names: str) -> InvalidField:
    """The error that names the fields and shows no value."""
    which = " and ".join(repr(name) for name in names)
    fields, verb = ("field", "holds") if len(names) == 1 else ("fields", "make up")
    return InvalidField(
        f"The {fields} {which} {verb} a message element or placeholder, such as a link.",
        advice="Write elements into the text itself; a recipient's field may hold none.",
    )


def merged(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Without empty words, and with neighbouring words in one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return tuple(joined)


def _composed(source: str) -> str:
    return nfc(source) if isinstance(source, str) else source


@frozen(repr=False)
class PersonalText(ABC):
    """A text with places for what a recipient fills in: what both kinds of text have in common."""

    source: str = field(converter=_composed)
    _layout: Layout = field(init=False, eq=False)

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

    @abstractmethod
    def values(self, fields: Mapping[str, object]) -> dict[str, str]:
        """Return what a recipient's fields are called on the wire, with their values as texts."""

    def fill(self, values: Mapping[str, str], phone: str) -> str:
        """Fill in what `values` gave, as a recipient sees it; the cheap half of `render`."""
        return self._layout.fill(values, phone)

    def render(self, fields: Mapping[str, object], phone: str) -> str:
        """Return the text as one recipient sees it; elements stay as they are written.

        Args:
            fields: values by field name, as for `values`.
            phone: what `{phone}` becomes.

        Raises:
            InvalidField: as for `values`.
        """
        return self._layout.fill(self.values(fields), phone)

    def __reduce__(self) -> tuple[type[PersonalText], tuple[str]]:
        return type(self), (self.source,)
