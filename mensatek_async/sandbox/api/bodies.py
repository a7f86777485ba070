"""Reading a request: JSON, urlencoded and multipart bodies become the same case-blind parameters."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="([^"]*)"', re.IGNORECASE)
_FILENAME = re.compile(r'[;\s]filename="([^"]*)"', re.IGNORECASE)
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

    def __init__(self, items: dict[str, Any], uploads: tuple[Upload, ...] = ()) -> None:
        self._named = items
        self.unknown: set[str] = set()
        self._items = {name.lower(): value for name, value in items.items()}
        self.uploads = uploads

    @property
    def names(self) -> set[str]:
        """The names given, in lower case."""
        return set(self._items)

    def note_unknown(self, known: frozenset[str]) -> None:
        """Remember which names, as they came, are none of the known ones (in lower case)."""
        if not self.names <= known:
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


def read_body(content_type: str, body: bytes) -> Params:
    """The parameters in a body.

    Raises:
        BadCall: it is not what its content type says.
    """
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
    if kind == "multipart/form-data":
        return _read_multipart(content_type, body)
    return Params({})


def _read_multipart(content_type: str, body: bytes) -> Params:
    boundary = _BOUNDARY.search(content_type)
    if not boundary:
        raise BadCall("El cuerpo multipart no tiene boundary")
    delimiter = b"\r\n--" + (boundary.group(1) or boundary.group(2)).encode("latin-1")
    items: dict[str, Any] = {}
    uploads: list[Upload] = []
    for part in (b"\r\n" + body).split(delimiter)[1:]:
        if part.startswith(b"--"):
            return Params(items, tuple(uploads))
        head, _, content = part.partition(b"\r\n\r\n")
        header = head.decode("utf-8", "replace")
        name, filename = _NAME.search(header), _FILENAME.search(header)
        if filename:
            uploads.append(Upload(filename.group(1), content))
        elif name:
            items[name.group(1)] = content.decode("utf-8", "replace")
    raise BadCall("El cuerpo multipart no está completo")
