"""Writes the parameters of a request: by their wire names, then as a body."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import chain, repeat
from json.encoder import encode_basestring
from typing import Any
from urllib.parse import urlencode

from ..errors import InvalidField, InvalidRequest
from . import names
from .rows import Rows
from .scalars import to_wire_datetime

_PHONE = names.RECIPIENT["phone"]


class Params(dict[str, Any]):
    """The parameters of a request by wire names. Its repr shows none: they hold texts and phones."""

    def value(self, name: str) -> Any:
        """Return the parameter of a casefolded name, which may be written in any case; None when it is not there."""
        for key, value in self.items():
            if key.casefold() == name:
                return value
        return None

    def __repr__(self) -> str:
        return f"<{len(self)} parameters>"

    def __rich_repr__(self) -> Iterator[int]:
        yield len(self)


class Body(bytes):
    """An encoded request, whose repr does not show it."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def to_wire(**english: Any) -> Params:
    """Return parameters by their wire names: dates in Spanish time, and without those that are None."""
    wire = Params()
    for name, value in english.items():
        if isinstance(value, datetime):
            value = to_wire_datetime(value)
        elif name == "delete_after_certification":
            value = "Si" if value else None  # the manual knows "Si" only; leaving it out is no
        if value is not None:
            wire[names.REQUEST[name]] = value
    return wire


def _decimal(value: Any) -> int | str:
    if not isinstance(value, Decimal):
        raise InvalidRequest(
            f"A parameter cannot be {type(value).__name__}.", advice="Give texts, numbers, lists or dicts."
        )
    if not value.is_finite() or (value and not -18 <= value.adjusted() <= 18):
        raise InvalidRequest("A parameter cannot be a number of this size.")
    return int(value) if value == value.to_integral_value() else format(value, "f")


_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_decimal
).encode


def json_body(params: Mapping[str, Any]) -> bytes:
    """Write a JSON object: compact, UTF-8, yes and no as 1 and 0, without what is None.

    Of a list of recipients what it holds is written as it is, without a look at each value.
    """
    given: dict[str, Any] = {}
    rows: list[bytes] = []
    for name, value in params.items():
        if type(value) is Rows:
            rows.append(b"%b:%b" % (_json(name), _rows(value)))
        elif value is not None:
            given[name] = int(value) if isinstance(value, bool) else value
    if not rows:
        return _json(given)
    return b"{%b}" % b",".join([*rows, _json(given)[1:-1]] if given else rows)


def form_body(params: Mapping[str, Any]) -> bytes:
    """Write a form (`application/x-www-form-urlencoded`); lists and objects travel as JSON inside it."""
    return urlencode(multipart_fields(params)).encode("ascii")


def multipart_fields(params: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a multipart form as texts; lists and objects as JSON."""
    fields: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, Rows):
            fields[name] = _rows(value).decode()
        elif isinstance(value, str):
            fields[name] = _bytes(value).decode()
        elif value is not None:
            fields[name] = _json(int(value) if isinstance(value, bool) else value).decode().strip('"')
    return fields


def _rows(rows: Rows) -> bytes:
    if rows.columns is None:  # they differ in their fields
        return _json(rows.listed())
    if not rows.phones:
        return b"[]"
    # A digit needs no escaping. Mappings made only to be written would cost as much again.
    before = f'{{{encode_basestring(_PHONE)}:"'
    if not rows.columns:
        return ("[" + before + f'"}},{before}'.join(rows.phones) + '"}]').encode()
    pieces: list[Iterable[str]] = [repeat(before), rows.phones, repeat('"')]
    for name, values in rows.columns.items():
        pieces += repeat(f",{encode_basestring(name)}:"), map(encode_basestring, values)
    written = "".join(chain.from_iterable(zip(*pieces, repeat("},"), strict=False)))
    return _bytes(f"[{written[:-1]}]")


def _json(value: Any) -> bytes:
    try:
        return _encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise _half_a_character() from None
    except (TypeError, ValueError, RecursionError):
        raise InvalidRequest(
            "A parameter cannot be written as JSON: it holds itself, or a number without end."
        ) from None


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise _half_a_character() from None


def _half_a_character() -> InvalidField:
    return InvalidField(
        "A text holds half a surrogate pair, which is no character.",
        advice="It was cut or read in a wrong encoding.",
    )
