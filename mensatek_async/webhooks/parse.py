"""Reads a callback into an event, strictly: what is there must make sense, what is not known is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from attrs import NOTHING, fields_dict, frozen

from .._wire import names, scalars
from .._wire.location import location_of
from .._wire.marks import MARK, unmarked
from .._wire.problems import DecodeError, Missing, WrongValue, kind
from ..codes import DeliveryStatus
from ..errors import InvalidWebhook
from ..models.events import DeliveryReport, DocumentEvent, Event, IncomingMessage
from .body import read_fields

_new = object.__new__
_FACTORY: Any = type(fields_dict(DeliveryReport)["raw"].default)
_MOST_PROBLEMS = 20
_MOST_PLANS = 256
_SMALL = 10**15


def parse(body: bytes, content_type: str = "application/json") -> Event:
    """Read what the provider posted.

    Args:
        body: the request's body, 64 KiB at most: JSON, an urlencoded or a multipart form.
        content_type: the request's `Content-Type` header.

    Returns:
        A `DeliveryReport`, a `DocumentEvent` or an `IncomingMessage`. A service or status that no manual names
        is kept as it came; fields that no manual names are in its `raw`.

    Raises:
        InvalidWebhook: it is none of the three, or a value is of the wrong kind; never with the value.
        ConfigurationError: a multipart form came, and the extra `webhooks` is not installed.
    """
    try:
        return _structure(read_fields(body if type(body) is bytes else bytes(body), content_type or ""))
    except DecodeError as error:
        raise InvalidWebhook(*error.problems) from None


def _structure(found: Mapping[str, Any]) -> Event:
    service = found.get(names.SERVICE)
    reader = _BY_SERVICE.get(service) if type(service) is str else None
    if reader is not None:
        return reader.read(found, True)
    folded = {name.strip().casefold(): value for name, value in found.items()}
    service = folded.get(names.SERVICE.casefold())
    if not isinstance(service, str) or not service.strip():
        raise DecodeError(f"missing @ {names.SERVICE}")
    reader = _BY_SERVICE.get(service.strip().upper())
    return (reader or _READERS[_guess(folded)]).read(found, reader is not None)


def _guess(folded: Mapping[str, Any]) -> type:
    """Tell by its fields what a service posts that no manual names, such as a contract's."""
    for model, attributes in ((DeliveryReport, ("status",)), (DocumentEvent, ("file", "kind"))):
        table = names.CALLBACKS[model]
        if all(any(wire.casefold() in folded for wire in table[one]) for one in attributes):
            return model
    if all(name.casefold() in folded for name in ("Mensaje", "Remitente", "Movil")):
        return IncomingMessage
    raise DecodeError(f"an unknown service, and nothing tells what it posts @ {names.SERVICE}")


def _phone(value: Any) -> str:
    if type(value) is int:
        value = str(value) if 0 < value < _SMALL else value
    if type(value) is str and value.isdecimal() and value.isascii() and value[0] != "0":
        return value
    return scalars.phone(value)


def _party(value: Any) -> str:
    return "" if type(value) is str and not value.strip() else _phone(value)


def _whole(value: Any) -> int:
    if type(value) is int and -_SMALL < value < _SMALL:
        return value
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) < 16:
        return int(value)
    return scalars.integer(value)


def _id(value: Any) -> int:
    """An id where 0 stands for none."""
    number = _whole(value)
    if not number:
        raise Missing("missing")
    return number


def _yes(value: Any) -> bool:
    if value == "":
        raise Missing("missing")
    return scalars.boolean(value)


@lru_cache(maxsize=1024)
def _known_status(code: int) -> DeliveryStatus:
    return DeliveryStatus(code)


def _status(value: Any) -> DeliveryStatus:
    return _known_status(_whole(value))


def _date(value: Any) -> datetime | None:
    if type(value) is str and len(value) == 19 and value[4] == value[7] == "-" and value[10] == " ":
        try:
            wall = datetime.fromisoformat(value)
        except ValueError:
            return scalars.madrid_datetime(value)
        # The hour that spring skips is in March, and not to be taken at its word.
        if wall.month != 3 or wall.hour != 2:
            return datetime.combine(wall, wall.time(), scalars.madrid())  # quicker than replace()
    return scalars.madrid_datetime(value)


def _unix(value: Any) -> datetime:
    seconds = _id(value)
    try:
        return datetime.fromtimestamp(seconds, scalars.madrid())
    except (ValueError, OverflowError, OSError):
        raise WrongValue("expected a date, got one that no calendar has") from None


def _variables(value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        if not value.strip():
            raise Missing("missing")
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise WrongValue("expected JSON, got a text") from None
    if not isinstance(value, Mapping):
        raise WrongValue(f"expected an object, got {kind(value)}")
    return value


_BY_TYPE: Mapping[str, Callable[[Any], Any]] = {
    "str": scalars.text,
    "int": _whole,
    "int | None": _whole,
    "bool": _yes,
    "datetime | None": _date,
    "DeliveryStatus": _status,
}
_SPECIAL: Mapping[tuple[type, str], Callable[[Any], Any]] = {
    (DeliveryReport, "phone"): _phone,
    (DeliveryReport, "variables"): _variables,
    (DocumentEvent, "phone"): _phone,
    (IncomingMessage, "number"): _party,
    (IncomingMessage, "sender"): _party,
    (IncomingMessage, "received_at"): _unix,
    (IncomingMessage, "message_id"): _id,
    (IncomingMessage, "original_id"): _id,
}
"""Attributes whose reader is not that of their type."""


_Step = tuple[str, type | None, Callable[[Any], Any]]


@frozen
class _Field:
    """Where a value of the wire belongs; of an attribute's names the one of lowest rank wins."""

    attribute: str
    wire: str
    rank: int
    read: Callable[[Any], Any]


class _Reader:
    """Reads the fields of one model, with everything looked up beforehand."""

    def __init__(self, model: type) -> None:
        self._model = model
        self._exact: dict[str, _Field] = {}
        by_name = fields_dict(model)
        for name, wires in names.CALLBACKS[model].items():
            read = _SPECIAL.get((model, name)) or _BY_TYPE[str(by_name[name].type)]
            for rank, wire in enumerate(wires):
                self._exact[wire] = _Field(name, wire, rank, read)
        self._folded = {wire.casefold(): field for wire, field in self._exact.items()}
        # The usual callbacks cost least: their fields' names, in order, give for each its attribute, the type that
        # needs no reading, and its reader.
        self._plans: dict[tuple[str, ...], tuple[_Step, ...]] = {}
        self._quick: dict[str, _Step] = {
            wire: (field.attribute, str if field.read is scalars.text else None, field.read)
            for wire, field in self._exact.items()
        }
        defaults: dict[str, Any] = {
            name: one.default for name, one in by_name.items() if one.default is not NOTHING
        }
        self._makers = [(name, one.factory) for name, one in defaults.items() if type(one) is _FACTORY]
        self._defaults = {name: one for name, one in defaults.items() if type(one) is not _FACTORY}
        self._needed = {
            name: wires[0]
            for name, wires in names.CALLBACKS[model].items()
            if by_name[name].default is NOTHING
        }

    def read(self, found: Mapping[str, Any], known: bool) -> Event:
        """Build the model.

        Raises:
            DecodeError: a value is missing or of the wrong kind.
        """
        names = tuple(found)
        plan = self._plans.get(names) or self._plan_for(names)
        values: dict[str, Any]
        try:
            values = {
                attribute: value if type(value) is ready else read(value)
                for (attribute, ready, read), value in zip(plan, found.values(), strict=True)
            }
        except (ValueError, WrongValue):  # another spelling, a blank, an unknown field, or something wrong
            values = self._read_with_care(found)
            if not values.keys() >= self._needed.keys():
                raise DecodeError(
                    *(f"missing @ {wire}" for name, wire in self._needed.items() if name not in values)
                ) from None
        if self._model is IncomingMessage and "received_at" not in values:
            values["received_at"] = values.get("reported_at")
        if "variables" in values and (place := location_of(values["variables"])) is not None:
            values["location"] = place
        if not known:
            values["is_known_service"] = False
        if MARK in values.get("reference", ""):
            self._unmark(values)
        # What the class's own __init__ does, at a third of its cost: it has neither converters nor validators.
        event: Event = _new(self._model)
        state = event.__dict__
        state.update(self._defaults)
        for name, make in self._makers:
            state[name] = make()
        state.update(values)
        return event

    def _plan_for(self, names: tuple[str, ...]) -> tuple[_Step, ...]:
        """What to do with each value of a callback with just these fields; nothing when it takes care."""
        try:
            plan = tuple(self._quick[name] for name in names)
        except KeyError:
            return ()
        attributes = {attribute for attribute, _, _ in plan}
        if len(attributes) < len(plan) or not attributes >= self._needed.keys():
            return ()
        if len(self._plans) < _MOST_PLANS:
            self._plans[names] = plan
        return plan

    def _unmark(self, values: dict[str, Any]) -> None:
        # The user's own reference arrives as they gave it, whatever a campaign added on the wire.
        values["reference"], mark = unmarked(values["reference"])
        if self._model is DeliveryReport:
            values["mark"] = mark

    def _read_with_care(self, found: Mapping[str, Any]) -> dict[str, Any]:
        raw: dict[str, Any] = {}
        values: dict[str, Any] = {"raw": raw}
        came: dict[str, tuple[_Field, str]] = {}
        problems: list[str] = []
        for name, value in found.items():
            field = self._folded.get(name.strip().casefold())
            if field is None:
                raw[name] = value
                continue
            try:
                read = _read(field, value)
            except Missing:
                continue
            except WrongValue as error:
                problems.append(f"{error} @ {field.wire}")
                continue
            earlier, earlier_name = came.get(field.attribute, (field, name))
            if values.get(field.attribute, read) == read:
                pass
            elif earlier is field:
                problems.append(f"one field has two values @ {field.wire}")
            elif earlier.rank < field.rank:
                raw[name] = value
                continue
            else:
                raw[earlier_name] = found[earlier_name]
            values[field.attribute] = read
            came[field.attribute] = field, name
        if problems:
            raise DecodeError(*problems[:_MOST_PROBLEMS])
        return values


def _read(field: _Field, value: Any) -> Any:
    if value is None:  # null says what leaving the field out says
        raise Missing("missing")
    # A text stays as it came: a reference is compared with what its sender gave.
    return value if type(value) is str and field.read is scalars.text else field.read(value)


_READERS = {model: _Reader(model) for model in names.CALLBACKS}
_BY_SERVICE = {service: _READERS[model] for service, model in names.SERVICES.items()}
