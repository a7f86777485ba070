"""Turns decoded replies, callbacks and stored options into models: the home of the one converter.

What decides is read strictly. Beside that, a value that nobody can read is None or blank in the model, stands in its
`raw` as it came, and is logged by its wire name alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import datetime, time
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from attrs import fields_dict, has

from ..codes import DeliveryStatus
from ..errors import ConfigurationError
from ..models.certified import CertificateRow
from ..models.events import DeliveryReport, DocumentEvent, IncomingMessage
from ..models.results import MessageReport, RecipientReport, SendResult
from . import literal, scalars, shape
from .location import variables
from .names import CALLBACKS, CERTIFICATES, DECIDES, REPLIES, FileList
from .problems import DecodeError, Missing, WrongValue, kind

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["FileList", "dumps", "loads", "structure"]

Model = TypeVar("Model")
Reader = Callable[[Any], Any]
_MOST_PROBLEMS = 20
_TABLES: Mapping[type, Mapping[str, tuple[str, ...]]] = {**REPLIES, **CALLBACKS, **CERTIFICATES}
_log = logging.getLogger("mensatek_async.call")
_unread: ContextVar[dict[str, None]] = ContextVar("unread")


def structure(values: Mapping[str, Any], cls: type[Model]) -> Model:
    """Read a reply, a callback or a row of certificates, its names casefolded, as a model of one of the tables.

    A `DecodeError` names what decides and is missing or of the wrong kind, by its place on the wire.
    """
    from cattrs import BaseValidationError

    unread: dict[str, None] = {}
    token = _unread.set(unread)
    try:
        model = _converter().structure(values, cls)
    except BaseValidationError as error:
        problems = _problems(error, cls, "")
        more = len(problems) - _MOST_PROBLEMS
        if more > 0:
            problems[_MOST_PROBLEMS:] = [f"and {more} more"]
        raise DecodeError(*problems) from None
    except (ConfigurationError, DecodeError):
        raise
    except Exception as error:
        raise DecodeError(_said(error)) from None
    finally:
        _unread.reset(token)
    if unread:
        _log.warning("Left out, since they cannot be read: %s", ", ".join(unread))
    return model


def dumps(value: Any, indent: int | None = None) -> str:
    """Write settings, options or records, an attrs class, as the JSON that a store or an archive keeps."""
    return json.dumps(_converter().unstructure(value), ensure_ascii=False, sort_keys=True, indent=indent)


def loads(text: str, cls: type[Model]) -> Model:
    """Read what `dumps` wrote."""
    return _converter().structure(json.loads(text), cls)


def count(value: Any) -> int:
    """Read how many recipients there are; a reply may list them instead."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = literal.parse(value)
        except DecodeError:
            raise WrongValue("expected a whole number, got a text") from None
    value = shape.indexed(value)
    if isinstance(value, list):
        return len(value)
    return 1 if isinstance(value, dict) and value else scalars.integer(value)


_BY_TYPE: Mapping[type, Reader] = {
    int: scalars.integer,
    float: scalars.number,
    bool: scalars.boolean,
    str: scalars.text,
    Decimal: scalars.decimal,
    datetime: scalars.madrid_datetime,
    DeliveryStatus: lambda value: DeliveryStatus(scalars.integer(value)),
}
_SPECIAL: Mapping[tuple[type, str], Reader] = {
    (RecipientReport, "phone"): scalars.phone,
    (CertificateRow, "phone"): scalars.phone,
    (CertificateRow, "status"): lambda value: DeliveryStatus(scalars.integer(value), certifies=True),
    (SendResult, "recipients"): count,
    (MessageReport, "stated_recipients"): count,
    (DeliveryReport, "phone"): scalars.phone,
    (DeliveryReport, "variables"): variables,
    (DocumentEvent, "phone"): scalars.phone,
    (IncomingMessage, "number"): scalars.party,
    (IncomingMessage, "sender"): scalars.party,
    (IncomingMessage, "received_at"): scalars.unix_datetime,
    (IncomingMessage, "message_id"): scalars.some,
    (IncomingMessage, "original_id"): scalars.some,
}
"""Attributes whose reader is not that of their type."""


@cache
def _converter() -> Converter:
    # Imported and built at first use: a command line and a send that fails its checks need none of it.
    from cattrs import Converter
    from cattrs.cols import homogenous_tuple_structure_factory

    converter = Converter()
    stored: Any
    for stored, read in ((Decimal, Decimal), (time, time.fromisoformat)):
        converter.register_structure_hook(stored, _hook(read))
        converter.register_unstructure_hook(stored, str)
    converter.register_structure_hook(datetime, _hook(datetime.fromisoformat))
    converter.register_unstructure_hook(datetime, datetime.isoformat)

    def tuples(cls: Any, converter: Any) -> Any:
        inner = homogenous_tuple_structure_factory(cls, converter)
        return lambda value, cls: inner(shape.flat(value), cls)

    register: Any = converter.register_structure_hook_factory  # its annotation fits no function of ours
    register(lambda cls: getattr(cls, "__origin__", None) is tuple, tuples)
    register(_TABLES.__contains__, _model_hook)
    return converter


def _hook(read: Reader) -> Callable[[Any, Any], Any]:
    return lambda value, _: read(value)


def _model_hook(cls: type, converter: Any) -> Callable[[Any, Any], Any]:
    from cattrs.gen import make_dict_structure_fn, override

    readers, table = _readers(cls), _TABLES[cls]
    aside = {name: readers[name] for name in table if name not in DECIDES[cls]}
    overrides: dict[str, Any] = {name: override(struct_hook=_hook(read)) for name, read in readers.items()}
    # What need not be right is read before; the class is made of the outcome.
    overrides |= {name: override(struct_hook=_same) for name in (*aside, "raw") if name in fields_dict(cls)}
    make: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, converter, **overrides)
    wire = [
        (name, tuple((key.casefold(), key) for key in keys), aside.get(name)) for name, keys in table.items()
    ]
    texts = {name for name, attribute in fields_dict(cls).items() if attribute.type in (str, "str")}

    def hook(values: Any, cls: Any) -> Any:
        if not isinstance(values, Mapping):
            raise WrongValue(f"expected an object, got {kind(values)}")
        english: dict[str, Any] = {}
        for name, keys, read in wire:
            for key, spelled in keys:
                value = values.get(key)
                # Null is missing, and so is a blank that is no text: XML and PHP have no other way to say it.
                if value is None or (value == "" and name not in texts):
                    continue
                if read is not None:
                    try:
                        value = read(value)
                    except WrongValue as error:
                        value = _odd(english, spelled, value, error)
                        if value is None:
                            continue
                english[name] = value
                break
        if cls is MessageReport and "recipients" not in english:  # nobody knows whether there is nothing
            raise Missing(f"missing @ {table['recipients'][0]}")
        return make(english, cls)

    return hook


def _same(value: Any, _: Any) -> Any:
    return value


def _readers(cls: type) -> dict[str, Reader]:
    """Return the reader of each attribute that holds a single value."""
    readers: dict[str, Reader] = {}
    for name, annotation in get_type_hints(cls).items():
        (plain, *_) = [one for one in get_args(annotation) if one is not NoneType] or [annotation]
        read = _SPECIAL.get((cls, name)) or _BY_TYPE.get(plain)
        if read is not None and name in _TABLES[cls]:
            # A callback's text stays as it came: a reference is compared with what its sender gave.
            readers[name] = scalars.as_came if read is scalars.text and cls in CALLBACKS else read
    return readers


def _odd(english: dict[str, Any], spelled: str, value: Any, error: WrongValue) -> Any:
    """Keep a value that nobody can read beside the model; give what is known to be meant, else None."""
    if isinstance(error, Missing):
        return None
    english.setdefault("raw", {})[spelled] = value
    if error.instead is None:
        _unread.get()[spelled] = None
    return error.instead


def _problems(error: BaseException, cls: Any, path: str) -> list[str]:
    """List what went wrong, with wire names for attributes."""
    from cattrs import AttributeValidationNote, BaseValidationError, IterableValidationNote

    if not isinstance(error, BaseValidationError):
        return [f"{_said(error)} @ {path}" if path else _said(error)]
    problems: list[str] = []
    table = _TABLES.get(getattr(error, "cl", cls), {})
    for inner in error.exceptions:
        place = path
        for note in getattr(inner, "__notes__", ()):
            if isinstance(note, AttributeValidationNote):
                place = _join(path, table[note.name][0] if note.name in table else note.name)
            elif isinstance(note, IterableValidationNote):
                place = f"{path}[{note.index}]"
        problems += _problems(inner, cls, place)
    return problems


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _said(error: BaseException) -> str:
    if isinstance(error, KeyError | Missing):
        return str(error) if isinstance(error, Missing) and "@" in str(error) else "missing"
    return str(error) if isinstance(error, WrongValue | DecodeError) else "a value of the wrong kind"


assert all(has(cls) and DECIDES[cls] <= table.keys() for cls, table in _TABLES.items())
