"""What callbacks say, by the names of the manuals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..account.records import Batch, Incoming, Message
from ..carrier.journeys import News
from ..clock import write_second

_WITH_VARIABLES = frozenset({160, 180, 181, 190, 195, 5000})
_WITH_CODE = frozenset({180, 181})
VARIABLES: Mapping[str, str] = {"IP": "127.0.0.1"}
"""What a contract's callback says besides, unless something else is known."""


def report_fields(news: News, variables: Mapping[str, str], numeric: bool) -> dict[str, Any]:
    """A delivery report; `numeric` writes the phone as a number."""
    batch, phone, status, moment, seconds = news
    fields: dict[str, Any] = {
        "Servicio": "SMSCERTIFICADO" if batch.certified else "SMSMASIVO",
        "Resultado": status,
        "Remitente": batch.sender,
        "Movil": int(phone) if numeric else phone,
        "Fecha": write_second(moment),
        "Segundos": int(seconds),
        "idMensaje": batch.message_id,
        "Referencia": batch.reference,
        "idReport": report_id(batch.message_id, phone),
    }
    if status in _WITH_VARIABLES:
        fields["Variables"] = json.dumps(variables)
    if status in _WITH_CODE:
        code = hashlib.blake2b(f"{batch.message_id}/{phone}/CSV".encode(), digest_size=8).hexdigest().upper()
        fields["CSV"] = "-".join((code[:4], code[4:8], code[8:12], code[12:]))
    # The certified manual's sample has its numbers as texts, the other one's as numbers.
    return {name: str(value) for name, value in fields.items()} if batch.certified else fields


def opened_fields(batch: Batch, phone: str, document: str, moment: datetime) -> dict[str, Any]:
    """A recipient opened a document."""
    return {
        "Servicio": "EVENTOSSMSCERTIFICADO",
        "Fichero": document,
        "TipoAdjunto": "1",
        "Fecha": write_second(moment),
        "Telefono": phone,
        "TipoEvento": "1",
        "idEnvio": str(batch.message_id),
        "idMensaje": str(batch.message_id),
        "Valor": "",
        "Referencia": batch.reference,
        "IP": "127.0.0.1",
        "Puerto": "56678",
    }


def incoming_fields(incoming: Incoming, message: Message | None) -> dict[str, Any]:
    """A phone wrote to a number of the account; `message` is the one it replies to."""
    message_id = incoming.message_id
    batch = message.phones.get(incoming.phone, message.batches[-1]) if message else None
    return {
        "Servicio": "SMSRECIBIDO",
        "timestamp": int(incoming.at.timestamp()),
        "Fecha": write_second(incoming.at),
        "Movil": incoming.number,
        "Remitente": incoming.phone,
        "Mensaje": incoming.text,
        "idR": report_id(message_id, incoming.phone) if message_id else 0,
        "idM": message_id or 0,
        "EsCert": "true" if message and message.certified else "false",
        "Referencia": batch.reference if batch else "",
    }


def report_id(message_id: int | None, phone: str) -> int:
    """The id of one recipient's text: by the manual it is the text's, so all its statuses share it."""
    digest = hashlib.blake2b(f"{message_id}/{phone}".encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big")
