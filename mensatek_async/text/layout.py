"""A text cut into its own words and the places where a recipient's values go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

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
    holds_any,
    may_become_element,
)

Piece = str | int
"""Words of the author, or the number of a variable; 0 is the recipient's phone."""

# Stand-ins for the phone and the variables: control characters that folding takes out of any text.
_MARKERS = "".join(chr(0x0E + number) for number in range(len(VARIABLES) + 1))
_opened = re.compile(f"\\(([^(){_MARKERS}]*)[{_MARKERS[1:]}]")
_landmark = re.compile(f"[(){_MARKERS[1:]}]")


@frozen(eq=False, repr=False)
class Layout:
    """What can be known of a text before any recipient comes.

    Attributes:
        text: what goes out as the message, with the provider's placeholders.
        literal: the author's own words.
        needs_unicode: whether those words need Unicode.
        variables: the variables in the text, by wire name, in order of first use.
        inside: the variables that stand inside an element the author wrote.
        risky: whether a value could finish an element that the words around it begin.
    """

    pieces: tuple[Piece, ...]
    text: str = field(init=False)
    literal: str = field(init=False)
    needs_unicode: bool = field(init=False)
    variables: tuple[str, ...] = field(init=False)
    inside: frozenset[str] = field(init=False)
    risky: bool = field(init=False)
    own: Found = field(init=False)
    _format: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        literal = "".join([piece for piece in self.pieces if isinstance(piece, str)])
        values: dict[str, object] = {
            "text": "".join([p if isinstance(p, str) else f"({_wire_name(p)})" for p in self.pieces]),
            "literal": literal,
            "needs_unicode": needs_unicode(literal),
            "variables": tuple(dict.fromkeys(_wire_name(p) for p in self.pieces if isinstance(p, int) and p)),
            "inside": frozenset(),
            "risky": False,
            "own": Found(0, 0),
            "_format": _format(self.pieces),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if has_opening(literal):  # without one there is nothing to find
            self._look_for_elements()

    def _look_for_elements(self) -> None:
        marked = "".join([p if isinstance(p, str) else _MARKERS[p] for p in self._folded()])
        risky = any(may_become_element(match[1]) for match in _opened.finditer(marked))
        object.__setattr__(self, "inside", _variables_inside(marked))
        object.__setattr__(self, "risky", risky)
        object.__setattr__(self, "own", find(self.fill(dict.fromkeys(self.variables, "?"), "?")))

    def _folded(self) -> list[Piece]:
        return [fold(piece) if isinstance(piece, str) else piece for piece in self.pieces]

    @cached_property
    def _folded_format(self) -> str:
        return _format(self._folded())

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
        if suspicious and not self._is_clean(values):
            self._accuse(values, names)

    def _is_clean(self, values: Mapping[str, str]) -> bool:
        """Whether there is no element or placeholder at all, not even the author's own: the quick answer."""
        folded = {wire: fold(value) for wire, value in values.items()}
        if holds_any(self._folded_format.format(Movil="?", **folded)):
            return False
        return len(values) == len(self.variables) or not any(map(holds_any, folded.values()))

    def _accuse(self, values: Mapping[str, str], names: Mapping[str, str]) -> None:
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


def smuggled(*names: str) -> InvalidField:
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
