"""Reads every reply form into one plain mapping, leniently; `structure` is strict afterwards.

The rules, each from what live replies look like:
- a byte order mark is dropped; then the content type's charset, UTF-8, and at last Windows-1252;
- JSON is an object or an array around one, whatever the content type says, also inside HTML tags;
- other forms are `Key:value;` text, XML, and a bare negative number, which is a result code;
- keys are casefolded at every level, numbers with a fraction are `Decimal`;
- `Informe` and `Ficheros` are lists, also when they come as one object, a PHP array or a text that
  spells a list.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from . import literal, names, scalars, shape, text_forms
from .problems import DecodeError, WrongValue

__all__ = ["DecodeError", "decode", "number", "result_code", "whole_number", "words"]

_BARE_CODE = re.compile(r"-[0-9]{1,6}")
_AROUND_CODE = " \t\r\n\"'[]();"
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
# Windows-1252 for Latin-1, as browsers do: the characters they differ in are never meant otherwise.
_CHARSETS = {name: name for name in ("utf-8", "cp1252", "iso8859-15", "utf-16", "utf-16-le", "utf-16-be")}
_CHARSETS["iso8859-1"] = "cp1252"
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_READER = json.JSONDecoder(
    strict=False,
    object_pairs_hook=scalars.mapping,
    parse_float=Decimal,
    parse_constant=scalars.refuse_constant,
)
_RESULT = names.RESULT.casefold()
_ROWS = tuple((name, name.casefold()) for name in names.ROWS)
_START = re.compile(r"[\[{]")
_BEGINS, _CLOSES = re.compile(r'\{\s*"(?:[^"\\]|\\.)*"\s*:|\[\s*["{\[]'), re.compile(r"\s*[}\]]")
_MOST_STARTS = 100
_LONGEST_WORDS = 300
_LAYERS = 4  # JSON in a JSON text, inside HTML: more is nothing a reply would be


def decode(body: bytes, content_type: str = "") -> dict[str, Any]:
    """Read a reply's body into a mapping with casefolded keys, "res" among them; of the content type its charset."""
    try:
        text = characters(body, content_type).strip().strip("\ufeff\x00").strip()
        if not text:
            raise DecodeError("the answer is empty")
        reply = _usual(text)
        if reply is None:
            reply = _reply(_form(text, _LAYERS))
            if reply.get(_RESULT) in (None, ""):
                raise DecodeError(f"missing @ {names.RESULT}")
        for name, folded in _ROWS:
            if folded in reply:
                reply[folded] = _rows(reply[folded], name)
        return shape.bounded(reply) if text.count("[") + text.count("{") > shape.DEEPEST else reply
    except DecodeError:
        raise
    except RecursionError:
        raise DecodeError("the answer is nested too deeply") from None
    except Exception as error:  # whatever a reply holds, a send that left must not end in any other error
        raise DecodeError(f"the answer cannot be read ({type(error).__name__})") from None


def sole_object(
    text: str, key: str, read: Callable[[str, int], tuple[Any, int]] = _READER.raw_decode
) -> dict[str, Any] | None:
    """Return the only JSON object with a casefolded key in a text, such as one behind a warning of PHP.

    An array may surround it. None when there is none, more than one, or one that is cut.
    """
    objects: list[dict[str, Any]] = []
    at = 0
    for _ in range(_MOST_STARTS):
        start = _START.search(text, at)
        if start is None:
            return objects[0] if len(objects) == 1 else None
        try:
            value, at = read(text, start.start())
        except (ValueError, RecursionError):
            if _BEGINS.match(text, start.start()):
                return None  # JSON broken or cut, of which something inside is not the whole
            at = start.end()
            continue
        if _CLOSES.match(text, at):
            return None
        entries = value if isinstance(value, list) else [value]
        objects += [one for one in entries if isinstance(one, dict) and _holds(one, key)]
    return None


def _holds(fields: dict[str, Any], key: str) -> bool:
    return any(name.strip().casefold() == key and value not in (None, "") for name, value in fields.items())


def _usual(text: str) -> dict[str, Any] | None:
    """Read an object with a result, alone or in an array, as nearly every answer is; None for any other text."""
    if text[0] not in "[{":
        return None
    try:
        value = _READER.decode(text)
    except (ValueError, DecodeError, RecursionError):
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict) or value.get(_RESULT) in (None, ""):
        return None
    reply: dict[str, Any] = value
    return reply


def characters(body: bytes, content_type: str) -> str:
    """Decode a body: its byte order mark, else the charset declared, UTF-8, and at last Windows-1252."""
    if body[:1] not in (b"[", b"{"):
        for mark, encoding in _MARKS:
            if body.startswith(mark):
                return body[len(mark) :].decode(encoding, "replace")
    for encoding in (declared_charset(content_type), "utf-8"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("cp1252", "replace")


@lru_cache(maxsize=64)
def declared_charset(content_type: str) -> str:
    """Return the charset a content type declares, as Python names it; "utf-8" when none or one never meant."""
    charset = _CHARSET.search(content_type[:300])
    try:
        return _CHARSETS.get(codecs.lookup(charset[1]).name, "utf-8") if charset else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"


def _form(text: str, layers: int) -> Any:
    """Read a text in whichever form it is."""
    if not layers:
        raise DecodeError("the answer is wrapped too often")
    if _BARE_CODE.fullmatch(code := text.strip(_AROUND_CODE)):
        return int(code)
    if "}" in text and text[0] not in '{["' and (reply := sole_object(text, _RESULT)) is not None:
        return reply
    if text[0] == "<":
        return _tagged(text, layers)
    if text[0] in "{[" or text[0] == '"':
        return _json(text, layers)
    if "<" in text:
        text = text_forms.without_tags(text)
    return text_forms.pairs(text)


def _json(text: str, layers: int) -> Any:
    try:
        value = _READER.decode(text)
    except ValueError:
        try:
            value = literal.parse(text)
        except DecodeError:
            value = sole_object(text, _RESULT)
            if value is None:
                raise DecodeError("the JSON is broken or cut") from None
    if isinstance(value, str) and value.strip():
        return _form(value.strip(), layers - 1)
    return value


def _tagged(text: str, layers: int) -> Any:
    if not text_forms.is_html(text):
        try:
            value = text_forms.xml(text)
        except DecodeError as error:
            if "<?xml" in text[:5].lower() or "document type" in str(error):
                raise
        else:
            return _form(value, layers - 1) if isinstance(value, str) and value else value
    inside = text_forms.without_tags(text)
    if not inside or inside[0] == "<":
        raise DecodeError("the answer is a web page")
    try:
        return _form(inside, layers - 1)
    except DecodeError:
        raise DecodeError("the answer is a web page") from None


def _reply(value: Any) -> dict[str, Any]:
    """Return the one mapping in what was read; a bare negative number is a result code."""
    entries = shape.flat(value)
    if not entries:
        raise DecodeError("the answer is empty")
    if len(entries) == 1 and type(entries[0]) is int and entries[0] < 0:
        return {_RESULT: entries[0]}
    if not all(isinstance(entry, dict) for entry in entries):
        raise DecodeError("expected an object")
    return scalars.mapping(pair for entry in entries for pair in entry.items())


def _rows(value: Any, name: str) -> list[Any]:
    try:
        return shape.flat(_list(text_forms.without_tags(value)) if isinstance(value, str) else value)
    except DecodeError:
        raise DecodeError(f"expected a list @ {name}") from None


def _list(spelt: str) -> Any:
    if not spelt:
        return []
    if spelt[0] not in "[{":
        raise DecodeError("expected a list")
    return _json(spelt, 1)


def result_code(reply: Mapping[str, Any]) -> int:
    """Read `Res`; a `DecodeError` when it is missing or no whole number."""
    try:
        return scalars.integer(reply.get(names.RESULT.casefold(), ""))
    except WrongValue as error:
        raise DecodeError(f"{error} @ {names.RESULT}") from None


def number(reply: Mapping[str, Any], *wire: str) -> Decimal | None:
    """Read the number under the first of some names that has a readable one, else None."""
    for name in wire:
        try:
            return scalars.decimal(reply.get(name.casefold(), ""))
        except WrongValue:
            continue
    return None


def whole_number(reply: Mapping[str, Any], *wire: str) -> int | None:
    """Read a number as `number` does; None also when it is not whole."""
    value = number(reply, *wire)
    return int(value) if value is not None and value == value.to_integral_value() else None


def words(reply: Mapping[str, Any], name: str) -> str:
    """Read a text on one line, such as the provider's own words on an error; "" when there is none."""
    value = reply.get(name.casefold())
    if not isinstance(value, str):
        return ""
    line = " ".join("".join(c if c.isprintable() else " " for c in value[: 4 * _LONGEST_WORDS]).split())
    return line if len(line) <= _LONGEST_WORDS else line[: _LONGEST_WORDS - 3] + "..."
