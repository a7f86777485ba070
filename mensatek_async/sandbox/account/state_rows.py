"""What the sandbox remembers, as JSON for the file it is kept in, and back."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from ..carrier.delivery import Kind
from ..carrier.delivery_state import Absence, Choice
from .records import Act, Batch, Call, Incoming

_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})


def pack(value: Any) -> str:
    """Anything of ours as JSON: moments and decimals are told apart from texts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_packed)


def unpack(text: str) -> Any:
    """What `pack` made of it."""
    return json.loads(text, object_hook=_unpacked)


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


def pack_batch(batch: Batch, phones: list[str]) -> str:
    """A batch without what may change later."""
    return pack(
        {
            "message_id": batch.message_id,
            "sender": batch.sender,
            "reference": batch.reference,
            "kind": [
                batch.kind.certified,
                batch.kind.contract,
                batch.kind.validity,
                batch.kind.contract_seconds,
                batch.kind.asks_acceptance,
                batch.kind.voice,
            ],
            "unicode": batch.unicode,
            "source": batch.source,
            "segments": batch.segments,
            "price": batch.price,
            "cost": batch.cost,
            "accepted_at": batch.accepted_at,
            "phones": phones,
            "rendered": batch.rendered,
            "pace": batch.pace,
            "reported": batch.reported,
            "files": batch.files,
            "issuer": batch.issuer,
            "documents": batch.documents,
        }
    )


def pack_times(batch: Batch) -> str:
    """What of a batch may change."""
    return pack([batch.scheduled_at, batch.leaves_at, batch.cancelled_at])


def unpack_batch(number: int, text: str, times: str) -> tuple[Batch, list[str]]:
    """A batch and its phones."""
    values = unpack(text)
    phones: list[str] = values.pop("phones")
    names = ("certified", "contract", "validity", "contract_seconds", "asks_acceptance", "voice")
    kind = Kind(**dict(zip(names, values.pop("kind"), strict=False)))
    scheduled_at, leaves_at, cancelled_at = unpack(times)
    rendered = values.pop("rendered")
    batch = Batch(
        number=number,
        kind=kind,
        recipients=len(phones),
        scheduled_at=scheduled_at,
        leaves_at=leaves_at,
        cancelled_at=cancelled_at,
        phones=[],
        rendered=None if rendered is None else [(text, segments) for text, segments in rendered],
        files=frozenset(values.pop("files")),
        issuer=tuple(values.pop("issuer")),
        documents=tuple((name, digest) for name, digest in values.pop("documents")),
        **values,
    )
    return batch, phones


def pack_call(call: Call) -> str:
    """A call without its bodies, and without credentials."""
    headers = {name: value for name, value in call.headers.items() if name not in _CREDENTIALS}
    return pack(
        {
            "operation": call.operation,
            "headers": headers,
            "status": call.status,
            "reply": call.reply,
            "at": call.at,
            "content_type": call.content_type,
            "verdict": call.verdict,
            "fault": call.fault,
            "answer_type": call.answer_type,
            "unknown": call.unknown,
        }
    )


def unpack_call(text: str, body: bytes, answer: bytes) -> Call:
    """A call."""
    values = unpack(text)
    return Call(**{**values, "unknown": tuple(values.get("unknown", ()))}, body=body, answer=answer)


def pack_act(act: Act) -> str:
    """Something that was done with a text."""
    return pack([act.at, act.status, act.variables])


def unpack_act(text: str) -> Act:
    """Something that was done with a text."""
    at, status, variables = unpack(text)
    return Act(at=at, status=status, variables=variables)


def pack_incoming(incoming: Incoming) -> str:
    """What a phone wrote."""
    return pack([incoming.phone, incoming.number, incoming.text, incoming.at, incoming.message_id])


def unpack_incoming(text: str) -> Incoming:
    """What a phone wrote."""
    phone, number, written, at, message_id = unpack(text)
    return Incoming(phone=phone, number=number, text=written, at=at, message_id=message_id)


def pack_absences(absences: dict[str, list[Absence]]) -> dict[str, list[list[Any]]]:
    """When phones were off."""
    return {phone: [[one.start, one.after, one.end] for one in times] for phone, times in absences.items()}


def unpack_absences(values: dict[str, list[list[Any]]]) -> dict[str, list[Absence]]:
    """When phones were off."""
    return {
        phone: [Absence(start, after, end) for start, after, end in times] for phone, times in values.items()
    }


def pack_choices(choices: dict[str, list[Choice]]) -> dict[str, list[list[Any]]]:
    """What was chosen for phones."""
    return {phone: [[one.start, one.after, one.status] for one in made] for phone, made in choices.items()}


def unpack_choices(values: dict[str, list[list[Any]]]) -> dict[str, list[Choice]]:
    """What was chosen for phones."""
    return {
        phone: [Choice(start, after, status) for start, after, status in made]
        for phone, made in values.items()
    }
