"""Reading a request: JSON, urlencoded and multipart bodies become the same case-blind parameters."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartParser, parse_options_header

_LONGEST_NUMBER = 18  # digits; Python refuses to read thousands of them


class BadCall(Exception):
    """The call's data are wrong: answered with `Res` -3 and this text as `Error`."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came in a multipart body."""

    filename: str
    content: bytes


class Params:
    """The parameters of a call, found whatever the case of their names."""

    def __init__(
        self, items: dict[str, Any], uploads: tuple[Upload, ...] = (), problem: BadCall | None = None
    ) -> None:
        self._named = items
        self.problem = problem
        self.unknown: set[str] = set()
        self._items = {name.lower(): value for name, value in items.items()}
        self.uploads = uploads

    def note_unknown(self, known: frozenset[str]) -> None:
        """Remember which names, as they came, are none of the known ones (in lower case)."""
        self.unknown |= {name for name in self._named if name.lower() not in known}

    def decoded(self) -> dict[str, Any]:
        """Everything by the names that were sent; arrays that came as a JSON string are decoded."""
        return {name: _decode(value) for name, value in self._named.items()}

    def raw(self, name: str) -> Any:
        """One parameter as it came, None when absent."""
        return self._items.get(name.lower())

    def given(self, name: str) -> bool:
        """Whether the parameter is there, blank or not."""
        return name.lower() in self._items

    def text(self, name: str, *, required: bool = False) -> str:
        """The parameter as text, "" when absent; a required one must be there and not blank."""
        value = self._items.get(name.lower())
        if isinstance(value, (list, dict)):
            raise BadCall(f"El parámetro {name} no es correcto")
        text = "" if value is None else str(value)
        if required and not text.strip():
            raise BadCall(f"Falta el parámetro obligatorio {name}")
        return text

    def number(self, name: str, low: int = 0, high: int | None = None, *, default: int = 0) -> int:
        """The parameter as a whole number within bounds, `default` when absent or blank."""
        value = self._items.get(name.lower())
        # In JSON 3.0 is the whole number 3.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = str(value) if isinstance(value, int) else self.text(name).strip()
        if not text:
            return default
        if (
            len(text) > _LONGEST_NUMBER
            or not (text.isascii() and text.isdigit())
            or int(text) < low
            or (high is not None and int(text) > high)
        ):
            raise BadCall(f"El parámetro {name} no es correcto")
        return int(text)

    def array(self, name: str) -> list[Any]:
        """A required array, given as one or as a JSON-encoded string."""
        value = self._items.get(name.lower())
        if value in (None, "", []):
            raise BadCall(f"Falta el parámetro obligatorio {name}")
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise BadCall(f"El parámetro {name} no es un array JSON") from None
        if not isinstance(value, list) or not value:
            raise BadCall(f"El parámetro {name} no es un array JSON")
        return value


def _decode(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("[", "{"):
        try:
            return json.loads(value)
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
    if not json_bodies and content_type.partition(";")[0].strip().lower() == "application/json":
        return Params({})
    try:
        return _read(content_type, body)
    except BadCall as bad:
        return Params({}, problem=bad)


def _read(content_type: str, body: bytes) -> Params:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            items = json.loads(body or b"{}")
        except ValueError:
            raise BadCall("El cuerpo de la petición no es JSON") from None
        if not isinstance(items, dict):
            raise BadCall("El cuerpo de la petición no es un objeto JSON")
        return Params(items)
    if kind == "application/x-www-form-urlencoded":
        return Params(dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
    return _read_multipart(content_type, body) if kind == "multipart/form-data" else Params({})


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
    uploads = tuple(Upload(filename, content) for _, filename, content in parts if filename is not None)
    items = {
        name: content.decode("utf-8", "replace")
        for name, filename, content in parts
        if name and filename is None
    }
    return Params(items, uploads)
