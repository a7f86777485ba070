"""Reads the body of a callback, in any of its three encodings, into one mapping of bounded size.

The rules:
- 64 KiB and 64 fields at most;
- a body that begins as JSON is JSON, whatever the content type says; so is an array around one object;
- JSON between something else is read when it holds exactly one object with a service;
- characters are what the content type's charset says, else UTF-8, else Windows-1252, percent-encoded ones too;
- a field that comes twice must say the same twice.
"""

from __future__ import annotations

import io
import json
import re
from typing import Any
from urllib.parse import parse_qsl

import multipart

from .._wire import names, scalars, shape, text_forms
from .._wire.decode import characters, declared_charset, sole_object
from .._wire.problems import DecodeError

MAX_BODY = 64 * 1024
MAX_FIELDS = 64

_SERVICE = names.SERVICE.casefold()
_BLANKS = " \t\r\n\x00\ufeff"
_NO_VALUE = rb"(?i)(\nContent-Disposition:[^\r\n]*\r\n(?:[^\r\n]+\r\n){0,4}\r\n)(?=--%b(?:--)?(?:\r\n|\Z))"
_TOO_MANY = f"more than {MAX_FIELDS} fields"


def read_fields(body: bytes, content_type: str) -> dict[str, Any]:
    """Read a body's fields by the names they came under; a `DecodeError` when nobody can, or it is too large."""
    if len(body) > MAX_BODY:
        raise DecodeError("the body is larger than 64 KiB")
    text = characters(body.lstrip(), content_type).strip(_BLANKS)
    if text[:1] in ("{", "[", '"'):
        return _json(text)
    media_type, options = multipart.parse_options_header(content_type[:1000])
    if media_type == "multipart/form-data":
        return _multipart(body, options.get("boundary", ""))
    return _form_or_json(body, text, content_type, media_type.endswith("json"))


def _form_or_json(body: bytes, text: str, content_type: str, is_json: bool) -> dict[str, Any]:
    """Read a form, or JSON between something else, whichever tells a service: the content type may be wrong."""
    form: dict[str, Any] = {}
    problem = None
    try:
        form = _form(body, content_type)
    except DecodeError as error:
        problem = error
    if any(name.strip().casefold() == _SERVICE for name in form):
        return form
    fields = _between(text)
    if fields is not None:
        return fields
    if is_json:
        raise DecodeError("the JSON is broken or cut")
    if problem is not None:
        raise problem
    return form


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs) and any(fields[name] != value for name, value in pairs):
        raise DecodeError("one field has two values")
    return fields


_READ = json.JSONDecoder(
    strict=False, object_pairs_hook=_distinct, parse_constant=scalars.refuse_constant
).raw_decode


def _between(text: str) -> dict[str, Any] | None:
    """Return the object between something else, such as tags; None when there is not exactly one."""
    text = text_forms.without_tags(text) if text.startswith("<") else text
    fields = sole_object(text, _SERVICE, _READ)
    return None if fields is None else _bounded(fields)


def _json(text: str) -> dict[str, Any]:
    try:
        value, end = _READ(text)
    except ValueError:
        value, end = None, 0
    except RecursionError:
        raise DecodeError("the JSON is nested too deeply") from None
    if end < len(text):
        value = _between(text)
        if value is None:
            raise DecodeError("something follows the JSON" if end else "the JSON is broken or cut")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        raise DecodeError("expected one JSON object")
    return _bounded(value)


def _bounded(fields: dict[str, Any]) -> dict[str, Any]:
    if len(fields) > MAX_FIELDS:
        raise DecodeError(_TOO_MANY)
    plain: dict[str, Any] = shape.whole_characters(shape.bounded(fields))
    return plain


def _form(body: bytes, content_type: str) -> dict[str, Any]:
    for encoding in (declared_charset(content_type), "utf-8"):
        try:
            return _pairs(body, encoding, "strict")
        except UnicodeDecodeError:
            continue
    return _pairs(body, "cp1252", "replace")


def _pairs(body: bytes, encoding: str, errors: str) -> dict[str, Any]:
    text = body.decode(encoding, errors).strip()
    if text.count("&") >= MAX_FIELDS:
        raise DecodeError(_TOO_MANY)
    pairs = parse_qsl(text, keep_blank_values=True, encoding=encoding, errors=errors)
    if not pairs:
        raise DecodeError("the body is empty")
    return _distinct(pairs)


def _multipart(body: bytes, boundary: str) -> dict[str, Any]:
    if not boundary:
        raise DecodeError("the multipart form has no boundary")
    if b"\r\n" not in body:
        body = body.replace(b"\n", b"\r\n")
    # Some programs leave out the line break that ends an empty value.
    body = re.sub(_NO_VALUE % re.escape(boundary.encode()), rb"\1\r\n", body)
    parser = multipart.MultipartParser(
        io.BytesIO(body), boundary, content_length=len(body), part_limit=MAX_FIELDS, strict=True
    )
    try:
        parts = parser.parts()
    except multipart.ParserLimitReached:
        raise DecodeError(f"{_TOO_MANY}, or too large ones") from None
    except (multipart.MultipartError, UnicodeError, LookupError):
        raise DecodeError("the multipart form is broken or cut") from None
    if any(part.filename is not None for part in parts):
        raise DecodeError("the multipart form holds a file")
    return _distinct([(part.name or "", characters(part.raw, f";charset={part.charset}")) for part in parts])
