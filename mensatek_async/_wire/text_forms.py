"""Replies that are not JSON: `Key:value;` text, XML, and anything wrapped in HTML."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from . import literal, shape
from .problems import DecodeError

# What is never closed hides all that follows.
_HIDDEN = re.compile(r"<(script|style|head|title)\b.*?(?:</\1[^<>]*>|\Z)", re.IGNORECASE | re.DOTALL)
_LINE = re.compile(r"<(?:br|/p|/div|/tr|/li)\b[^<>]*>", re.IGNORECASE)
_ENDLESS_ENTITY = re.compile(r"&#[0-9]{8}")
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>")
_HTML = re.compile(r"<(?:!doctype|html|body|head|pre|code|p|div|br|b|span|font)\b", re.IGNORECASE)

_KEY = re.compile(r"\s*(\w{1,40})[^\S\n]*:")
_GAP = re.compile(r"[\s;,]*")
_OPEN = re.compile(r"\s*\[")
_OBJECTS = re.compile(r"\s*\[\s*\{")
_LOOSE = re.compile(r"[^;\n\[\]]*")
_MOST_KEYS = 500  # no reply has as many; a page of something else would
_ITEM = re.compile(r"item\d*")


def is_html(text: str) -> bool:
    """Whether a text begins as a web page does."""
    return _HTML.match(text) is not None


def without_tags(text: str) -> str:
    """Return the text of a piece of HTML: no tags, no scripts, entities as what they stand for."""
    if _ENDLESS_ENTITY.search(text):
        raise DecodeError("an entity is too long")
    return unescape(_TAG.sub("", _LINE.sub("\n", _HIDDEN.sub("", text)))).strip()


# --- Key:value; --------------------------------------------------------------------------------------------


def pairs(text: str) -> Any:
    """Read `Saldo:14970,00;Res:1;`, with reports nested as `Informe: [ 0: [ Fecha:...; ] ]`.

    Line breaks do not matter. A value may hold colons; what has no key belongs to the value before it.
    """
    reader = _Pairs(text)
    values = reader.block(0)
    if reader.at < len(text):
        raise DecodeError("the text closes a list it never opened")
    return values


class _Pairs:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match[0]

    def block(self, depth: int) -> Any:
        """Read pairs up to the end or an unopened "]", which stays."""
        if depth > shape.DEEPEST:
            raise DecodeError("the text is nested too deeply")
        values: dict[str, list[Any]] = {}
        last, words = "", 0
        while words < _MOST_KEYS:
            self._skip(_GAP)
            if self.at >= len(self.text):
                if depth:
                    raise DecodeError("the text breaks off")
                break
            if self.text[self.at] == "]":
                break
            key = _KEY.match(self.text, self.at)
            if key is not None:
                last = key[1].casefold()
                if last in values:
                    raise DecodeError("one key came twice")
                self.at = key.end()
                values[last] = [self._value(depth)]
                words += not last.isdigit()
            elif not last or not isinstance(values[last][0], str) or self.text[self.at] == "[":
                raise DecodeError("the text has a value without a name")
            else:
                values[last].append(self._scalar(depth))
                words += 1
        else:
            raise DecodeError("the text is no reply")
        whole = {name: one[0] if len(one) == 1 else "; ".join(one) for name, one in values.items()}
        return shape.indexed(whole) if whole or not depth else []

    def _value(self, depth: int) -> Any:
        if _OBJECTS.match(self.text, self.at):
            value, self.at = literal.parse_at(self.text, self.at)
            return value
        if self._skip(_OPEN):
            value = self.block(depth + 1)
            self.at += 1  # the "]" that ended it
            return value
        return self._scalar(depth)

    def _scalar(self, depth: int) -> str:
        """Read up to ";", the end of the line, or the "]" of the list around; brackets inside must pair."""
        start, inner = self.at, 0
        while True:
            self._skip(_LOOSE)
            mark = self.text[self.at : self.at + 1]
            if mark == "[":
                inner += 1
            elif mark == "]" and (inner or not depth):
                inner -= bool(inner)
            else:
                return self.text[start : self.at].strip()
            self.at += 1


# --- XML ---------------------------------------------------------------------------------------------------


def xml(text: str) -> Any:
    """Read `<result><Res>1</Res>...</result>`, whose lists are `<item0>`, `<item1>`, ...; never a document type."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError):
        raise DecodeError("the XML is broken") from None
    return _element(builder.close(), 1)


def _refuse_doctype(*_: Any) -> None:
    raise DecodeError("the XML has a document type")


def _element(element: Element, depth: int) -> Any:
    if depth > shape.DEEPEST:
        raise DecodeError("the XML is nested too deeply")
    if not len(element):
        return (element.text or "").strip()
    gathered: dict[str, list[Any]] = {}
    for child in element:
        gathered.setdefault(child.tag.rpartition(":")[2].casefold(), []).append(_element(child, depth + 1))
    if all(_ITEM.fullmatch(name) for name in gathered):
        return [value for values in gathered.values() for value in values]
    return {name: values if len(values) > 1 else values[0] for name, values in gathered.items()}
