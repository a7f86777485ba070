"""Reads the body of a callback, in any of its three encodings, into one mapping of bounded size.

The rules:
- 64 KiB and 64 fields at most;
- a body that begins as JSON is JSON, whatever the content type says; so is an array around one object;
- JSON between something else is read when it holds exactly one object with a service;
- characters are what the content type's charset says, else UTF-8, else Windows-1252, percent-encoded ones too;
- a field that comes twice must say the same twice.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import multipart

from .._wire import names, shape, text_forms
from .._wire.decode import characters, declared_charset, sole_object
from .._wire.problems import DecodeError

MAX_BODY = 64 * 1024
MAX_FIELDS = 64

_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,200})\"|([^;\s\"]{1,200}))", re.IGNORECASE)
_BLANKS = b" \t\r\n"
_JSON_STARTS = (b"{", b"[")
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read_fields(body: bytes, content_type: str) -> dict[str, Any]:
    """Read a body.

    Args:
        body: the bytes as they came.
        content_type: the header; "" when there was none.

    Returns:
        The fields by the names they came under.

    Raises:
        DecodeError: nobody can read it, or it is too large.
    """
    if len(body) > MAX_BODY:
        raise DecodeError("the body is larger than 64 KiB")
    start = body if body.startswith(_JSON_STARTS) else body.lstrip(_BLANKS)
    if start.startswith(_JSON_STARTS):
        try:
            return _json(start.decode(declared_charset(content_type)))
        except UnicodeDecodeError:
            return _json(characters(start, content_type))
    media_type = _media_type(content_type)
    if media_type == "multipart/form-data":
        return _distinct(_multipart(body, content_type))
    if media_type == "application/x-www-form-urlencoded":
        return _without_json(body, content_type)
    found = _between(characters(body, content_type)) if b"{" in body else None
    if found is not None:
        return found
    if media_type.endswith("json") or start.startswith(_BYTE_ORDER_MARKS):
        try:
            return _json(characters(body, content_type).lstrip("\ufeff \t\r\n"))
        except DecodeError:
            if b"=" not in body or not _tells_service(form := _form(body, content_type)):
                raise
            return form
    return _form(body, content_type)


def _without_json(body: bytes, content_type: str) -> dict[str, Any]:
    """Read a form, or JSON between something else under a form's name, as PHP names what it posts."""
    form = _form(body, content_type)
    if b"{" in body and not _tells_service(form):
        return _between(characters(body, content_type)) or form
    return form


def _tells_service(fields: dict[str, Any]) -> bool:
    return any(name.strip().casefold() == names.SERVICE.casefold() for name in fields)


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs) and any(found[name] != value for name, value in pairs):
        raise DecodeError("one field has two values")
    return found


_READ = json.JSONDecoder(
    strict=False, object_pairs_hook=_distinct, parse_constant=shape.refuse_constant
).raw_decode


def _between(text: str) -> dict[str, Any] | None:
    """Give the object between something else, such as tags; None when there is not exactly one."""
    text = text_forms.without_tags(text) if text.lstrip().startswith("<") else text
    found = sole_object(text, names.SERVICE.casefold(), _READ)
    return None if found is None else _bounded(found)


def _json(text: str) -> dict[str, Any]:
    try:
        found, end = _READ(text)
    except ValueError:
        raise DecodeError("the JSON is broken or cut") from None
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None
    if end != len(text) and text[end:].strip(" \t\r\n\x00"):
        found = _between(text)
        if found is None:
            raise DecodeError("something follows the JSON")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise DecodeError("expected one JSON object")
    return _bounded(found)


def _bounded(found: dict[str, Any]) -> dict[str, Any]:
    if len(found) > MAX_FIELDS:
        raise DecodeError(f"more than {MAX_FIELDS} fields")
    fields: dict[str, Any] = shape.whole_characters(shape.bounded(found))
    return fields


def _form(body: bytes, content_type: str) -> dict[str, Any]:
    for encoding in (declared_charset(content_type), "utf-8"):
        try:
            return _distinct(_pairs(body.decode(encoding).strip(), encoding, "strict"))
        except UnicodeDecodeError:
            continue
    return _distinct(_pairs(body.decode("cp1252", "replace").strip(), "cp1252", "replace"))


def _pairs(text: str, encoding: str, errors: str) -> list[tuple[str, str]]:
    # By hand: parse_qsl gives the same and takes three times as long, which is most of what a callback costs.
    pieces = [piece for piece in text.split("&") if piece]
    if len(pieces) > MAX_FIELDS:
        raise DecodeError(f"more than {MAX_FIELDS} fields")
    if not pieces:
        raise DecodeError("the body is empty")
    found: list[tuple[str, str]] = []
    for piece in pieces:
        if "+" in piece:
            piece = piece.replace("+", " ")
        name, _, value = piece.partition("=")
        if "%" in piece:
            name, value = unquote(name, encoding, errors), unquote(value, encoding, errors)
        found.append((name, value))
    return found


def _multipart(body: bytes, content_type: str) -> list[tuple[str, str]]:
    boundary = _BOUNDARY.search(content_type[:1000])
    if boundary is None:
        raise DecodeError("the multipart form has no boundary")
    found: list[tuple[str, str]] = []
    payload: list[bytes] = []
    segment: Any = None
    try:
        with multipart.PushMultipartParser(
            boundary[1] or boundary[2],
            content_length=len(body),
            max_segment_count=MAX_FIELDS,
            max_segment_size=MAX_BODY,
            strict=True,
        ) as parser:
            for event in (*parser.parse(body), *parser.parse(b"")):
                if event is None:
                    charset = f"; charset={segment.charset}" if segment.charset else ""
                    found.append((segment.name, characters(b"".join(payload), charset)))
                elif isinstance(event, bytes | bytearray):
                    payload.append(bytes(event))
                else:
                    segment, payload = event, []
                    if segment.filename is not None:
                        raise DecodeError("the multipart form holds a file")
    except multipart.ParserLimitReached:
        raise DecodeError(f"more than {MAX_FIELDS} fields, or too large ones") from None
    except (multipart.MultipartError, UnicodeError, LookupError):
        raise DecodeError("the multipart form is broken or cut") from None
    return found
