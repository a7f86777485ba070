"""Reads a callback into an event: strictly what it is about and where that stands, leniently all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from .._wire import names, scalars
from .._wire.location import location_of
from .._wire.marks import MARK, unmarked
from .._wire.problems import DecodeError, WrongValue
from .._wire.structure import structure
from ..codes import DeliveryStatus
from ..errors import InvalidWebhook
from ..models.events import DeliveryReport, DocumentEvent, Event, IncomingMessage, OtherEvent
from ..tracebacks import private
from .body import read_fields

_SERVICE, _VARIABLES = names.SERVICE.casefold(), "variables"


@private
def parse(body: bytes, content_type: str = "application/json") -> Event:
    """Read what the provider posted.

    Args:
        body: the request's body, 64 KiB at most: JSON, an urlencoded or a multipart form.
        content_type: the request's `Content-Type` header.

    Returns:
        A `DeliveryReport`, a `DocumentEvent` or an `IncomingMessage`; an `OtherEvent` for another product of the
        account. A service or status that no manual names is kept as it came; fields that no manual names, and
        values beside the point that nobody can read, are in its `raw`.

    Raises:
        InvalidWebhook: it is no callback, or what it is about or its status cannot be read; never with the value.
        ConfigurationError: this system has no time zones.
    """
    try:
        return _event(_Fields.of(read_fields(bytes(body), content_type or "")))
    except DecodeError as error:
        raise InvalidWebhook(*error.problems) from None


@frozen
class _Fields:
    """The fields of a callback.

    Attributes:
        came: by their names as they came.
        folded: by their casefolded names; of a field that came twice the first.
        names: the name that each of `folded` came under.
    """

    came: Mapping[str, Any]
    folded: dict[str, Any]
    names: dict[str, str]

    @classmethod
    def of(cls, came: Mapping[str, Any]) -> _Fields:
        folded: dict[str, Any] = {}
        spelled: dict[str, str] = {}
        for name, value in came.items():
            key = name.strip().casefold()
            if key not in folded:
                folded[key], spelled[key] = value, name
        return cls(came, folded, spelled)

    def has(self, *wire: str) -> bool:
        return all(self.folded.get(name.casefold()) not in (None, "") for name in wire)


def _event(fields: _Fields) -> Event:
    service = fields.folded.get(_SERVICE)
    if not isinstance(service, str) or not service.strip():
        raise DecodeError(f"missing @ {names.SERVICE}")
    model = names.SERVICES.get(service.strip().upper())
    known = model is not None
    model = model or _guessed(service.strip().upper(), fields)
    if model is None:
        return _other(service, fields)
    _check_twice(model, fields)
    return _completed(structure(fields.folded, model), fields, known)


def _guessed(service: str, fields: _Fields) -> type | None:
    """Tell by its fields what a service posts that no manual names, such as a contract's; None for no SMS at all."""
    if names.OTHER_PRODUCTS.fullmatch(service) or "@" in str(fields.folded.get("destinatario")):
        return None
    phone = next((fields.folded[name] for name in ("movil", "telefono") if fields.has(name)), None)
    if not _is_phone(phone):
        return None
    if fields.has("Resultado", "idMensaje") or fields.has("Resultado", "Msgid"):
        return DeliveryReport
    if fields.has("Fichero", "TipoEvento"):
        return DocumentEvent
    return IncomingMessage if fields.has("Mensaje", "Remitente", "Movil") else None


def _is_phone(value: Any) -> bool:
    try:
        return scalars.phone(value).isdecimal()
    except WrongValue:
        return False


def _other(service: str, fields: _Fields) -> OtherEvent:
    reference = fields.folded.get("referencia")
    return OtherEvent(
        service=service,
        code=_number(fields, "Resultado"),
        message_id=_number(fields, "idMensaje", "Msgid", "idEnvio"),
        reference=unmarked(reference)[0] if isinstance(reference, str) else "",
        raw=dict(fields.came),
    )


def _number(fields: _Fields, *wire: str) -> int | None:
    for name in wire:
        try:
            return scalars.integer(fields.folded.get(name.casefold(), ""))
        except WrongValue:
            continue
    return None


def _check_twice(model: type, fields: _Fields) -> None:
    """Refuse a callback of which a field that decides came twice, in two spellings with two values."""
    if len(fields.folded) == len(fields.came):
        return
    decides = {
        wire.casefold(): wire
        for name, wires in names.CALLBACKS[model].items()
        if name in names.DECIDES[model]
        for wire in wires
    }
    for name, value in fields.came.items():
        key = name.strip().casefold()
        if key in decides and str(value) != str(fields.folded[key]):
            raise DecodeError(f"one field has two values @ {decides[key]}")


def _completed(event: Any, fields: _Fields, known: bool) -> Event:
    """Add what no single field tells."""
    changes: dict[str, Any] = {"raw": _raw(event, fields), "is_known_service": known}
    if MARK in event.reference:  # the user's own reference, whatever a campaign added on the wire
        changes["reference"], mark = unmarked(event.reference)
        if isinstance(event, DeliveryReport):
            changes["mark"] = mark
    if isinstance(event, DeliveryReport):
        certifies = event.service.strip().upper() != names.PLAIN_SERVICE
        changes["status"] = DeliveryStatus(event.status.code, certifies=certifies)
        changes["location"] = location_of(event.variables)
    if isinstance(event, IncomingMessage) and event.received_at is None:
        changes["received_at"] = event.reported_at
    completed: Event = evolve(event, **changes)
    return completed


def _raw(event: Any, fields: _Fields) -> dict[str, Any]:
    """What the event's attributes do not tell: unknown fields, second words for one thing, what was not readable."""
    table = names.CALLBACKS[type(event)]
    known = {wire.casefold() for wires in table.values() for wire in wires}
    odd = {wire.casefold() for wire in event.raw}
    for wires in table.values():
        first, *others = [wire.casefold() for wire in wires if fields.has(wire)] or [""]
        odd |= {other for other in others if str(fields.folded[other]) != str(fields.folded[first])}
    if _VARIABLES in fields.folded and fields.folded[_VARIABLES] is None and _VARIABLES in known:
        odd.add(_VARIABLES)
    return {
        name: value
        for name, value in fields.came.items()
        if (key := name.strip().casefold()) not in known
        or key in odd
        or (fields.names[key] != name and str(value) != str(fields.folded[key]))
    }
