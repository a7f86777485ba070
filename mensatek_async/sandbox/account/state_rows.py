"""What the sandbox remembers, as JSON for the file it is kept in, and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from ..carrier.delivery_state import Absence, Choice
from .records import Batch, Call, LibraryFile

if TYPE_CHECKING:
    from cattrs import Converter

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What of an account is no list of things."""

    credits: Decimal
    used: Decimal
    next_message: int
    last_batch: int
    choices: dict[str, list[Choice]]
    absences: dict[str, list[Absence]]
    contracts_by_themselves: bool
    clock: datetime | None


_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})
_ELSEWHERE = {Batch: ("phones",), Call: ("body", "answer"), LibraryFile: ("content",)}
"""What stands in columns of its own."""


@cache
def _converter() -> Converter:
    # Imported at first use: most sandboxes keep nothing.
    from cattrs import Converter
    from cattrs.gen import make_dict_unstructure_fn, override

    converter = Converter()
    for plain in (datetime, Decimal, bytes):  # JSON tells the first two apart, see below
        converter.register_structure_hook(plain, lambda value, _: value)
    for cls, names in _ELSEWHERE.items():
        omitted: Any = {name: override(omit=True) for name in names}
        converter.register_unstructure_hook(cls, make_dict_unstructure_fn(cls, converter, **omitted))
    return converter


def pack(value: Any) -> str:
    """Anything of ours as JSON: moments and decimals are told apart from texts, credentials are left out."""
    return json.dumps(
        _without_credentials(_converter().unstructure(value)),
        ensure_ascii=False,
        separators=(",", ":"),
        default=_packed,
    )


def unpack(text: str, cls: type[_T], **elsewhere: Any) -> _T:
    """What `pack` made of it, with what stands elsewhere."""
    value = json.loads(text, object_hook=_unpacked)
    return _converter().structure({**value, **elsewhere} if elsewhere else value, cls)


def _without_credentials(value: Any) -> Any:
    headers = value.get("headers") if isinstance(value, dict) else None
    if not isinstance(headers, dict):
        return value
    kept = {name: told for name, told in headers.items() if name not in _CREDENTIALS}
    return {**value, "headers": kept}


def _packed(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not kept")


def _unpacked(value: dict[str, Any]) -> Any:
    if value.keys() == {"$moment"}:
        return datetime.fromisoformat(value["$moment"])
    if value.keys() == {"$decimal"}:
        return Decimal(value["$decimal"])
    return value
