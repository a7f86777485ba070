"""Spanish: the catalogue by gettext, and the forms that English messages have, with what stands in their places."""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from ..errors import MensatekError, codes_of
from .english import Language

CATALOGUE = Path(__file__).with_name("es.po")
REASON = "reason"
_LINE = re.compile(r'^(msgctxt|msgid|msgstr) (".*"(?:\n".*")*)$', re.MULTILINE)
_NUMBER = re.compile(r"\d[\d,.]*")
_HAS_END = re.compile(r"[.?!](?= |$)|:$|^$")
_QUOTES = ("'", '"')
_ENUMERATED = ("missing", "which", "map", "numbers")  # places that hold several, with "and" or "or" between
_WORDS = ("kind", "state", "option")  # places that hold a word
# Of what stands in a place, where more words could follow.
_SHAPES = {"mask": r"\S*\*{3}\S*", "kind": r"[^@;]*?", "form": "CSV|JSON Lines|Excel|any"}
_PART = re.compile(r"[.;:,?!] | <- |\] ")
_SENTENCE = re.compile(r"(?<=[.;:?!]) ")
_THOUSANDS = str.maketrans(",.", ".,")
Key = tuple[str, str]


def entries(text: str) -> Iterator[tuple[Key, str]]:
    """Read a catalogue.

    Args:
        text: the content of a `.po` file.

    Returns:
        Context ("" for none) and English of each entry, and its Spanish.
    """
    context = english = ""
    for kind, quoted in _LINE.findall(text):
        value = "".join(map(json.loads, quoted.split("\n")))
        if kind == "msgctxt":
            context = value
        elif kind == "msgid":
            english = value
        else:
            yield (context, english), value
            context = ""


class _Catalogue(gettext.NullTranslations):
    """A catalogue that is read as it is written, without a compiled form."""

    def _parse(self, fp: Any) -> None:
        self.known = {key: text for key, text in entries(fp.read().decode()) if text and key[1]}

    def gettext(self, message: str) -> str:
        return self.known.get(("", message), message)


class Spanish(Language, Formatter):
    """The catalogue's texts, with points between thousands."""

    code = "es"

    def __init__(self) -> None:
        with CATALOGUE.open("rb") as file:
            self._catalogue = _Catalogue(file)
        # By the first word: context, English, Spanish.
        self._forms: dict[str, list[tuple[str, str, str]]] = {}
        for (context, english), spanish in self._catalogue.known.items():
            if context:
                self._forms.setdefault(_first_word(english), []).append((context, english, spanish))
        self._said = lru_cache(maxsize=4096)(self._say)

    def text(self, text: str, /, *values: Any) -> str:
        """Return a text of the catalogue, its places filled."""
        spanish = self._catalogue.gettext(text)
        return self.vformat(spanish, values, {}) if values else spanish

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write a value; a number that has separators, with those of Spanish."""
        written = super().format_field(value, format_spec)
        is_number = not isinstance(value, str) or _NUMBER.fullmatch(value)
        return self.number(written) if "," in format_spec and is_number else written

    def number(self, text: str) -> str:
        """Return a number that has the separators of English, with those of Spanish."""
        return text.translate(_THOUSANDS)

    def reason(self, text: str) -> str:
        """Return what an error, a report or a journal says in English; as it is where no form is known."""
        return self._said(text)

    def error(self, error: MensatekError) -> tuple[str, str]:
        """Return an error's message and its advice: of the forms that a text may have, those of its code come first."""
        codes = codes_of(type(error))
        message, advice = super().error(error)
        return self._said(message, codes), self._said(advice, codes)

    def _say(self, text: str, codes: tuple[str, ...] = ()) -> str:
        ends = [match.start() for match in _SENTENCE.finditer(text)]
        for end in ends:  # a message and its advice
            parts = [self._form(part, codes) for part in (text[:end], text[end + 1 :])]
            if None not in parts:
                return " ".join(filter(None, parts))
        if (whole := self._form(text, codes)) is not None:
            return whole
        for end in reversed(ends):
            head, rest = text[:end], text[end + 1 :]
            for ending in ("", head[-1]):
                if (start := self._form(head.removesuffix(ending), codes)) is not None:
                    return f"{start}{ending} {self._said(rest, codes)}"
        for gap in sorted(
            _PART.finditer(text), key=lambda gap: gap[0] != "; "
        ):  # several problems, then parts of one
            head, rest = text[: gap.start()], text[gap.end() :]
            if (said := self._said(rest)) != rest:
                return self._said(head, codes) + gap[0] + said
        problem, at, place = text.partition(" @ ")
        return (self._form(problem, codes) or problem) + at + place

    def _form(self, text: str, codes: tuple[str, ...]) -> str | None:
        """The Spanish of the form that a text has, those of an error's own codes first."""
        forms = self._forms.get(text.partition(" ")[0], []) + self._forms.get("", [])
        for _, english, spanish in sorted(forms, key=lambda form: (form[0] not in codes, _places(form[1]))):
            if match := _pattern(english).fullmatch(text):
                values = {
                    name: _Written(self._value(name, value)) for name, value in match.groupdict().items()
                }
                return self.vformat(spanish, (), values)
        if _HAS_END.search(text):
            return None
        said = self._form(f"{text}.", codes)  # a journal keeps errors without the point at their end
        return said and said.removesuffix(".")

    def _value(self, name: str, text: str) -> str:
        """What stands in a place: several things, a word of the command's own, or a text that may be known in turn."""
        if name in _ENUMERATED:
            return text.replace(" and ", " y ").replace(" or ", " o ")
        if text[:1] in _QUOTES or _NUMBER.fullmatch(text):
            return text
        blank = text[: len(text) - len(text.lstrip())]
        said = blank + self._said(text.lstrip())
        return self.text(text) if said == text and name in _WORDS else said


class _Written(str):
    """What the English holds in a place, written already."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


def _first_word(english: str) -> str:
    word = english.partition(" ")[0]
    return "" if "{" in word else word


@cache
def _places(english: str) -> int:
    """How unspecific a form is: the fewer letters beside its places, the more."""
    return -len(re.sub(r"\{\w+[^{}]*\}", "", english))


@cache
def _pattern(english: str) -> re.Pattern[str]:
    pattern, seen = "", set[str]()
    for literal, name, _, _ in Formatter().parse(english):
        pattern += re.escape(literal)
        if name is not None:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{_SHAPES.get(name, '.*?')})"
            seen.add(name)
    return re.compile(pattern, re.DOTALL)
