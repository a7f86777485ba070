"""Reading a request: JSON, urlencoded and multipart bodies become the same case-blind parameters."""

from __future__ import annotations

import base64
import json
import math
import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartParser, parse_options_header

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BadCall(Exception):
    """The call's data are wrong: answered with `Res` -3 and this text as `Error`."""


class Params:
    """The parameters of a call, found whatever the case of their names."""

    def __init__(
        self,
        items: dict[str, Any],
        uploads: tuple[tuple[str, bytes], ...] = (),
        problem: BadCall | None = None,
    ) -> None:
        self._named = items
        self._items = {name.lower(): value for name, value in items.items()}
        self.uploads = uploads  # names and contents of the files in a multipart body
        self.problem = problem
        self.unknown: set[str] = set()

    def note_unknown(self, known: frozenset[str]) -> None:
        """Remember which names, as they came, are none of the known ones (in lower case)."""
        self.unknown |= {name for name in self._named if name.lower() not in known}

    def decoded(self) -> dict[str, Any]:
        """Everything by the names that were sent; arrays that came as a JSON string are decoded."""
        return {name: _decode(value) for name, value in self._named.items()}

    def raw(self, name: str) -> Any:
        """One parameter as it came, None when absent."""
        return self._items.get(name.lower())

    def text(self, name: str, *, required: bool = False) -> str:
        """The parameter as text, "" when absent; a required one must be there and not blank."""
        value = self.raw(name)
        if isinstance(value, (list, dict)):
            raise BadCall(f"El parámetro {name} no es correcto")
        text = "" if value is None else str(value)
        if required and not text.strip():
            raise BadCall(f"Falta el parámetro obligatorio {name}")
        return text

    def number(self, name: str, low: int = 0, high: float = math.inf, *, default: int = 0) -> int:
        """The parameter as a whole number within bounds, `default` when absent or blank."""
        value = self.raw(name)
        # In JSON 3.0 is the whole number 3.
        is_whole = isinstance(value, float) and value.is_integer()
        text = str(int(value)) if is_whole else self.text(name).strip()
        if not text:
            return default
        # Python refuses to read thousands of digits.
        is_number = text.isascii() and text.isdigit() and len(text) <= 18
        if not (is_number and low <= int(text) <= high):
            raise BadCall(f"El parámetro {name} no es correcto")
        return int(text)

    def array(self, name: str) -> list[Any]:
        """A required array, given as one or as a JSON-encoded string."""
        value = _decode(self.raw(name))
        if value in (None, "", []):
            raise BadCall(f"Falta el parámetro obligatorio {name}")
        if not isinstance(value, list):
            raise BadCall(f"El parámetro {name} no es un array JSON")
        return value


def read_json(data: bytes) -> Any:
    """What JSON holds; half of a pair of surrogates, which no answer could say again, is a ValueError as for PHP."""
    try:
        value = json.loads(data)
    except RecursionError:
        raise ValueError from None  # said where it is read
    if _SURROGATE.search(data):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _decode(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return read_json(value.encode())
        except ValueError:
            return value
    return value


def read_basic(header: str) -> bytes:
    """The credentials of a Basic `Authorization` header; empty when it holds none."""
    scheme, _, encoded = header.partition(" ")
    try:
        return base64.b64decode(encoded.strip(), validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        return b""


def read_body(content_type: str, body: bytes, *, json_bodies: bool = True) -> Params:
    """The parameters in a body; none, with the problem, where it is not what its content type says.

    Without `json_bodies` JSON holds none, as for a PHP program that reads forms alone.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == "application/json" and json_bodies:
            return _read_json(body)
        if kind == "multipart/form-data":
            return _read_multipart(content_type, body)
    except BadCall as bad:
        return Params({}, problem=bad)
    if kind == "application/x-www-form-urlencoded":
        return Params(dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    return Params({})


def _read_json(body: bytes) -> Params:
    try:
        items = read_json(body or b"{}")
    except ValueError:
        raise BadCall("El cuerpo de la petición no es JSON") from None
    if not isinstance(items, dict):
        raise BadCall("El cuerpo de la petición no es un objeto JSON")
    return Params(items)


def _read_multipart(content_type: str, body: bytes) -> Params:
    boundary = parse_options_header(content_type)[1].get("boundary")
    if not boundary:
        raise BadCall("El cuerpo multipart no tiene boundary")
    kept = len(body) + 1  # in memory, all of it
    try:
        parser = MultipartParser(BytesIO(body), boundary, spool_limit=kept, memory_limit=kept)
        parts = [(part.name, part.filename, part.raw) for part in parser]
    except MultipartError:
        raise BadCall("El cuerpo multipart no está completo") from None
    uploads = tuple((filename, content) for _, filename, content in parts if filename is not None)
    items = {
        name: content.decode("utf-8", "replace")
        for name, filename, content in parts
        if name and filename is None
    }
    return Params(items, uploads)
