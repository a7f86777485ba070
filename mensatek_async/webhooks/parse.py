"""Reads a callback into an event: strictly what it is about and where that stands, leniently all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve

from .._wire import names, scalars
from .._wire.decode import whole_number
from .._wire.location import location_of
from .._wire.marks import MARK, unmarked
from .._wire.problems import DecodeError, WrongValue
from .._wire.structure import structure
from ..codes import DeliveryStatus
from ..errors import InvalidWebhook
from ..models.events import DeliveryReport, DocumentEvent, Event, IncomingMessage, OtherEvent
from ..tracebacks import private
from .body import read_fields

_SERVICE = names.SERVICE.casefold()
_NAMES = {  # by model: every attribute's names on the wire, casefolded
    model: [[wire.casefold() for wire in wires] for wires in table.values()]
    for model, table in names.CALLBACKS.items()
}


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
        return _event(read_fields(bytes(body), content_type or ""))
    except DecodeError as error:
        raise InvalidWebhook(*error.problems) from None


def _event(came: Mapping[str, Any]) -> Event:
    """Make the event of a callback's fields, which are by the names they came under."""
    fields: dict[str, Any] = {}
    for name, value in came.items():
        fields.setdefault(name.strip().casefold(), value)
    service = fields.get(_SERVICE)
    if not isinstance(service, str) or not service.strip():
        raise DecodeError(f"missing @ {names.SERVICE}")
    word = service.strip().upper()
    model = names.SERVICES.get(word) or _guessed(word, fields)
    if model is None:
        return _other(service, fields, came)
    if len(fields) < len(came):
        _check_twice(model, fields, came)
    event: Any = structure(fields, model)
    changes: dict[str, Any] = {
        "raw": _raw(event, fields, came),
        "is_known_service": word in names.SERVICES,
    }
    if MARK in event.reference:  # the user's own reference, whatever a campaign added on the wire
        changes["reference"], mark = unmarked(event.reference)
        if isinstance(event, DeliveryReport):
            changes["mark"] = mark
    if isinstance(event, DeliveryReport):
        changes["status"] = DeliveryStatus(event.status.code, certifies=word != names.PLAIN_SERVICE)
        changes["location"] = location_of(event.variables) if event.variables else None
    if isinstance(event, IncomingMessage) and event.received_at is None:
        changes["received_at"] = event.reported_at
    completed: Event = evolve(event, **changes)
    return completed


def _guessed(service: str, fields: Mapping[str, Any]) -> type[Any] | None:
    """Return the model of a service that no manual names, such as a contract's, by its fields; None for no SMS."""
    if names.OTHER_PRODUCTS.fullmatch(service) or "@" in str(fields.get("destinatario")):
        return None
    filled = {name for name in fields if fields[name] not in (None, "")}
    try:
        is_phone = scalars.phone(fields["movil" if "movil" in filled else "telefono"]).isdecimal()
    except (KeyError, WrongValue):
        is_phone = False
    if not is_phone:
        return None
    if "resultado" in filled and filled & {"idmensaje", "msgid"}:
        return DeliveryReport
    if filled >= {"fichero", "tipoevento"}:
        return DocumentEvent
    return IncomingMessage if filled >= {"mensaje", "remitente", "movil"} else None


def _other(service: str, fields: Mapping[str, Any], came: Mapping[str, Any]) -> OtherEvent:
    reference = fields.get("referencia")
    return OtherEvent(
        service=service,
        code=whole_number(fields, "Resultado"),
        message_id=whole_number(fields, "idMensaje", "Msgid", "idEnvio"),
        reference=unmarked(reference)[0] if isinstance(reference, str) else "",
        raw=dict(came),
    )


def _check_twice(model: type[Any], fields: Mapping[str, Any], came: Mapping[str, Any]) -> None:
    """Refuse a callback of which a field that decides came twice, in two spellings with two values."""
    table = names.CALLBACKS[model]
    decides = {wire.casefold(): wire for name in names.DECIDES[model] for wire in table[name]}
    for name, value in came.items():
        key = name.strip().casefold()
        if key in decides and str(value) != str(fields[key]):
            raise DecodeError(f"one field has two values @ {decides[key]}")


def _raw(event: Any, fields: Mapping[str, Any], came: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the attributes leave out: unknown fields, a second value for one thing, what was not readable."""
    odd = {wire.casefold() for wire in event.raw}
    taken: dict[str, Any] = {}  # by each known name, the value that its attribute was read from
    for wires in _NAMES[type(event)]:
        value = next((fields[one] for one in wires if fields.get(one) not in (None, "")), None)
        taken |= dict.fromkeys(wires, value)
    return {
        name: value
        for name, value in came.items()
        if (key := name.strip().casefold()) not in taken
        or key in odd
        or (value not in (None, "") and str(value) != str(taken[key]))
        or (key == "variables" and value is None)
    }
