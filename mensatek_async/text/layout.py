"""A text cut into its own words and the places where a recipient's values go."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import field, frozen

from ..errors import InvalidField
from .gsm import needs_unicode
from .syntax import PHONE, VARIABLES, Found, element, find, fold, has_parenthesis, may_become_element

Piece = str | int
"""Words of the author, or the number of a variable; 0 is the recipient's phone."""

_markers = "".join(chr(number) for number in range(1, len(VARIABLES) + 1))
_opened = re.compile(f"\\(([^()\x10{_markers}]*)[{_markers}]")
_PHONE_MARKER = "\x10"


@frozen(eq=False, repr=False)
class Layout:
    """What can be known of a text before any recipient comes.

    Attributes:
        text: what goes out as the message, with the provider's placeholders.
        literal: the author's own words.
        needs_unicode: whether those words need Unicode.
        inside: the variables that stand inside an element the author wrote.
        risky: whether a value could finish an element that the words around it begin.
    """

    pieces: tuple[Piece, ...]
    text: str = field(init=False)
    literal: str = field(init=False)
    needs_unicode: bool = field(init=False)
    inside: frozenset[str] = field(init=False)
    risky: bool = field(init=False)
    own: Found = field(init=False)
    _format: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        words = [piece for piece in self.pieces if isinstance(piece, str)]
        marked = "".join(fold(p) if isinstance(p, str) else chr(p) if p else _PHONE_MARKER for p in self.pieces)
        values = {
            "text": "".join(p if isinstance(p, str) else f"({_wire_name(p)})" for p in self.pieces),
            "literal": "".join(words),
            "needs_unicode": needs_unicode("".join(words)),
            "inside": _variables_inside(marked),
            "risky": any(may_become_element(match[1]) for match in _opened.finditer(marked)),
            "_format": "".join(_escaped(p) if isinstance(p, str) else f"{{{_wire_name(p)}}}" for p in self.pieces),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        blank = {_wire_name(p): "?" for p in self.pieces if isinstance(p, int) and p}
        object.__setattr__(self, "own", find(self.fill(blank, "?")))

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables in the text, by wire name, in order of first use."""
        return tuple(dict.fromkeys(_wire_name(p) for p in self.pieces if isinstance(p, int) and p))

    def fill(self, values: Mapping[str, str], phone: str) -> str:
        """The text with `values`, by wire name, and the phone in their places."""
        return self._format.format(Movil=phone, **values)

    def check(self, values: Mapping[str, str], names: Mapping[str, str]) -> None:
        """Refuse values that would put an element or a placeholder of theirs into the text.

        Args:
            values: by wire name.
            names: what the caller calls each wire name, for the message.

        Raises:
            InvalidField: naming the field; the value is never shown.
        """
        for wire in self.inside:
            if wire in values and has_parenthesis(values[wire]):
                raise InvalidField(
                    f"The field {names[wire]!r} holds a parenthesis, and it stands inside a message element."
                )
        used = [wire for wire in self.variables if wire in values]
        others = [wire for wire in values if wire not in used]
        whole = find(self.fill(values, "?")) == self.own
        if whole and not any(any(find(values[wire])) for wire in others):
            return
        for wire, value in values.items():
            if any(find(value)):
                raise smuggled(names[wire])
        # No value does it alone, so it is one together with the words around it, or several together.
        blank = dict.fromkeys(used, "?")
        guilty = [wire for wire in used if find(self.fill({**blank, wire: values[wire]}, "?")) != self.own]
        raise smuggled(*(names[wire] for wire in guilty or used))


def _wire_name(number: int) -> str:
    return VARIABLES[number - 1] if number else PHONE


def _escaped(words: str) -> str:
    return words.replace("{", "{{").replace("}", "}}")


def _variables_inside(marked: str) -> frozenset[str]:
    """The variables between an element's colon and the parenthesis that closes it."""
    inside: set[str] = set()
    for match in element.finditer(marked):
        depth = 1
        for character in marked[match.end() :]:
            depth += (character == "(") - (character == ")")
            if not depth:
                break
            if character in _markers:
                inside.add(_wire_name(ord(character)))
    return frozenset(inside)


def smuggled(*names: str) -> InvalidField:
    """The error that names the fields and shows no value."""
    which = " and ".join(repr(name) for name in names)
    fields, verb = ("field", "holds") if len(names) == 1 else ("fields", "make up")
    return InvalidField(
        f"The {fields} {which} {verb} a message element or placeholder, such as a link.",
        advice="Write elements into the text itself; a recipient's field may hold none.",
    )
