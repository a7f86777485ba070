"""Turns a decoded reply into a model, strictly: the home of the one converter of replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import fields_dict, has

from ..codes import DeliveryStatus
from ..models.results import MessageReport, RecipientReport, SendResult
from . import literal, scalars, shape
from .names import REPLIES, FileList
from .problems import DecodeError, Missing, WrongValue, kind

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["FileList", "structure"]

Model = TypeVar("Model")
_MOST_PROBLEMS = 20


def structure(reply: Mapping[str, Any], cls: type[Model]) -> Model:
    """Read a decoded reply as a model.

    Args:
        reply: what `decode` gave.
        cls: a model that `names.REPLIES` lists.

    Raises:
        DecodeError: a value is missing or of the wrong kind; its problems name the place on the wire, never
            the value.
    """
    from cattrs import BaseValidationError

    try:
        return _converter().structure(reply, cls)
    except BaseValidationError as error:
        problems = list(_problems(error, cls, ""))
        more = len(problems) - _MOST_PROBLEMS
        if more > 0:
            problems[_MOST_PROBLEMS:] = [f"and {more} more"]
        raise DecodeError(*problems) from None
    except WrongValue as error:
        raise DecodeError(str(error)) from None


def count(value: Any) -> int:
    """Read how many recipients there are; a reply may list them instead.

    Raises:
        WrongValue: it is neither a number nor a list.
    """
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = literal.parse(value)
        except DecodeError:
            raise WrongValue("expected a whole number, got a text") from None
    value = shape.indexed(value)
    if isinstance(value, list):
        return len(value)
    return 1 if isinstance(value, dict) and value else scalars.integer(value)


_SPECIAL: Mapping[tuple[type, str], Callable[[Any], Any]] = {
    (RecipientReport, "phone"): scalars.phone,
    (SendResult, "recipients"): count,
}
"""Attributes whose reader is not that of their type."""


_REQUIRED: Mapping[type, tuple[str, ...]] = {MessageReport: ("recipients",), FileList: ("files",)}
"""Lists that a reply must have, if empty: without one nobody knows whether there is nothing."""


@cache
def _converter() -> Converter:
    # Imported and built at first use: a command line and a send that fails its checks need none of it.
    from cattrs import Converter
    from cattrs.cols import homogenous_tuple_structure_factory

    converter = Converter()
    scalar: Any
    for scalar, read in (
        (int, scalars.integer),
        (bool, scalars.boolean),
        (str, scalars.text),
        (Decimal, scalars.decimal),
        (datetime, scalars.madrid_datetime),
        (DeliveryStatus, lambda value: DeliveryStatus(scalars.integer(value))),
    ):
        converter.register_structure_hook(scalar, _reader(read))

    def tuples(cls: Any, converter: Any) -> Any:
        inner = homogenous_tuple_structure_factory(cls, converter)
        return lambda value, cls: inner(shape.flat(value), cls)

    factory: Any  # cattrs' own annotation fits no function that a type checker knows
    for holds, factory in ((_is_tuple, tuples), (_is_model, _model_hook)):
        converter.register_structure_hook_factory(holds, factory)
    return converter


def _is_tuple(cls: Any) -> bool:
    return getattr(cls, "__origin__", None) is tuple


def _is_model(cls: Any) -> bool:
    return cls in REPLIES


def _reader(read: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: read(value)


def _model_hook(cls: type, converter: Any) -> Callable[[Any, Any], Any]:
    from cattrs.gen import make_dict_structure_fn, override

    special: dict[str, Any] = {
        name: override(struct_hook=_reader(read)) for (model, name), read in _SPECIAL.items() if model is cls
    }
    inner: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, converter, **special)
    wire = [(name, tuple(key.casefold() for key in keys)) for name, keys in REPLIES[cls].items()]
    texts = {name for name, attribute in fields_dict(cls).items() if attribute.type in (str, "str")}

    def hook(value: Any, cls: Any) -> Any:
        if not isinstance(value, Mapping):
            raise WrongValue(f"expected an object, got {kind(value)}")
        english: dict[str, Any] = {}
        for name, keys in wire:
            for key in keys:
                told = value.get(key)
                # Null is missing, and so is a blank that is no text: XML and PHP have no other way to say it.
                if told is not None and (told != "" or name in texts):
                    english[name] = told
                    break
        for name in _REQUIRED.get(cls, ()):
            if name not in english:
                raise Missing(f"missing @ {REPLIES[cls][name][0]}")
        return inner(english, cls)

    return hook


def _problems(error: BaseException, cls: Any, path: str) -> list[str]:
    """List what went wrong, with wire names for attributes."""
    from cattrs import AttributeValidationNote, BaseValidationError, IterableValidationNote

    found: list[str] = []
    if not isinstance(error, BaseValidationError):
        found.append(f"{_said(error)} @ {path}" if path else _said(error))
        return found
    table = REPLIES.get(getattr(error, "cl", cls), {})
    for inner in error.exceptions:
        place = path
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                place = _join(path, table[note.name][0] if note.name in table else note.name)
            elif isinstance(note, IterableValidationNote):
                place = f"{path}[{note.index}]"
        found += _problems(inner, cls, place)
    return found


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _said(error: BaseException) -> str:
    if isinstance(error, KeyError | Missing):
        return "missing"
    return str(error) if isinstance(error, WrongValue) else "a value of the wrong kind"


assert all(has(cls) for cls in REPLIES)
