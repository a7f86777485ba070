"""Writes the parameters of a request, already under their wire names, as a body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import urlencode

from ..errors import InvalidField, InvalidRequest
from . import names
from .rows import Rows

_PHONE = names.RECIPIENT["phone"]


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return _decimal(value)
    raise InvalidRequest(
        f"A parameter cannot be {type(value).__name__}.", advice="Give texts, numbers, lists or dicts."
    )


def _decimal(value: Decimal) -> int | str:
    if not value.is_finite() or (value and not -18 <= value.adjusted() <= 18):
        raise InvalidRequest("A parameter cannot be a number of this size.")
    return int(value) if value == value.to_integral_value() else format(value, "f")


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_other).encode


def json_body(params: Mapping[str, Any]) -> bytes:
    """Write a JSON object: compact, UTF-8, yes and no as 1 and 0, without what is None.

    Only the parameters themselves are looked at one by one; what a list of recipients holds is written as
    it is.

    Raises:
        InvalidField: a text holds half a character, which no encoding can write.
        InvalidRequest: a value of a kind the wire does not have.
    """
    given = {name: _plain(value) for name, value in params.items() if value is not None}
    if not any(type(value) is Rows for value in given.values()):
        return _bytes(_json(given))
    pairs = [
        b"%b:%b" % (_bytes(_json(name)), _rows(value) if type(value) is Rows else _bytes(_json(value)))
        for name, value in given.items()
    ]
    return b"{%b}" % b",".join(pairs)


def form_body(params: Mapping[str, Any]) -> bytes:
    """Write a form (`application/x-www-form-urlencoded`); lists and objects travel as JSON inside it."""
    fields = multipart_fields(params)
    return urlencode({_bytes(name): _bytes(value) for name, value in fields.items()}).encode("ascii")


def multipart_fields(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a multipart form as texts; lists and objects as JSON."""
    fields = {name: _field(_plain(value)) for name, value in params.items() if value is not None}
    for value in fields.values():
        _bytes(value)
    return fields


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _field(value: Any) -> str:
    if isinstance(value, Rows):
        return _rows(value).decode("utf-8")
    return value if isinstance(value, str) else _json(value).strip('"')


def _rows(rows: Rows) -> bytes:
    if rows.columns is None:  # they differ in their fields
        return _bytes(_json(rows.listed()))
    # A digit needs no escaping. Mappings made only to be written would cost as much again.
    form = ",".join([f'{{{_json(_PHONE)}:"%s"', *(f"{_json(name)}:%s" for name in rows.columns)]) + "}"
    columns = [map(encode_basestring, values) for values in rows.columns.values()]
    return _bytes(f"[{','.join(map(form.__mod__, zip(rows.phones, *columns, strict=True)))}]")


def _json(value: Any) -> str:
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest(
            "A parameter cannot be written as JSON: it holds itself, or a number without end."
        ) from None


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidField(
            "A text holds half a surrogate pair, which is no character.",
            advice="It was cut or read in a wrong encoding.",
        ) from None
