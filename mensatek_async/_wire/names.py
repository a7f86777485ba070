"""The only table of Spanish names: English on our side, the provider's on the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import NOTHING, fields, fields_dict, frozen

from ..models.certified import CertificateRow
from ..models.events import DeliveryReport, DocumentEvent, IncomingMessage
from ..models.results import (
    Balance,
    Cancellation,
    MessageReport,
    RecipientReport,
    Rescheduling,
    SendResult,
    StoredFile,
)

REQUEST: Mapping[str, str] = {
    # sending
    "sender": "Remitente",
    "recipients": "Destinatarios",
    "text": "Mensaje",
    "scheduled_at": "Fecha",
    "reference": "Referenciausuario",
    "report": "Report",
    "join": "Idmensaje",
    "voice_fallback": "Fail2voice",
    "voice_language": "Lenguajevoz",
    "voice_sender": "Remitentevoz",
    "unicode": "Unicode",
    "fix_utf8": "Fixutf8",
    "links": "Links",
    "response": "Resp",
    # certified sending
    "contract_type": "Tipocontrato",
    "issuer_name": "Contacto",
    "issuer_phone": "Telcontacto",
    "issuer_tax_id": "Cifcontacto",
    "validity_days": "Vpd",
    "validity_hours": "Vph",
    "validity_minutes": "Vpm",
    "identify": "Identificar",
    "acceptance_days": "Aceptacion",
    "report_email": "Emailreport",
    # cancelling, rescheduling, reports, certificates
    "message_id": "Idmensaje",
    "phone": "Telefono",
    "start": "Fechainicio",
    "end": "Fechafin",
    # files
    "name": "Nombre",
    "upload_kind": "Tipo",
    "content": "Contenido",
    "delete_after_certification": "Autoborrado",
}
"""Parameters of requests, English name to wire name."""

RECIPIENT: Mapping[str, str] = {"phone": "Movil", **{f"variable_{n}": f"Variable_{n}" for n in range(1, 11)}}
"""One recipient of a request, English name to wire name."""


@frozen
class FileList:
    """The reply of ListarFicheros: what the library holds."""

    files: tuple[StoredFile, ...]


@frozen
class UploadReply:
    """The reply of CargarFichero: the name that the library gave the file, if it says."""

    name: str = ""


_CREDITS_LEFT = ("Cred", "Saldo")

REPLIES: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    SendResult: {
        "message_id": ("idMensaje", "Msgid"),
        "accepted": ("Res",),
        "rejected": ("NoEnviados",),
        "segments": ("Mensajes",),
        "recipients": ("Destinatarios",),
        "credits_used": ("CreditosUsados",),
        "credits_left": _CREDITS_LEFT,
        "repeated": ("Duplicados",),
    },
    Cancellation: {
        "cancelled": ("Res",),
        "message_id": ("idMensaje", "Msgid"),
        "credits_left": _CREDITS_LEFT,
        "credits_refunded": ("CredR",),
    },
    Rescheduling: {"rescheduled": ("Res",), "credits_left": _CREDITS_LEFT},
    MessageReport: {
        "recipients": ("Informe",),
        "stated_recipients": ("Destinatarios",),
        "credits_left": _CREDITS_LEFT,
    },
    RecipientReport: {
        "phone": ("Telefono", "Movil"),
        "status": ("Resultado",),
        "reported_at": ("Fecha",),
        "seconds": ("Tiempo", "Segundos"),
        "label": ("Estado",),
    },
    StoredFile: {"name": ("Nombre",), "extension": ("Ext",), "uploaded_at": ("Fecha",)},
    FileList: {"files": ("Ficheros",)},
    UploadReply: {"name": ("Nombre",)},
    Balance: {"credits": _CREDITS_LEFT},
}
"""Replies: model, its attribute, and the wire names it may come under, the usual one first, in any case."""

CERTIFICATES: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    CertificateRow: {**REPLIES[RecipientReport], "message_id": ("idMensaje", "Msgid")},
}
"""The headings of the CSV in a ZIP of certificates, in any case; the manual does not list them."""

RESULT, ERROR, REPEATED, FILE_NAME = "Res", "Error", "Duplicados", "Nombre"
CREDITS_LEFT = _CREDITS_LEFT
CREDITS_NEEDED = ("CreditosNecesarios", "CredNecesarios")
ROWS = ("Informe", "Ficheros")
"""What holds a list, and sometimes a text that spells one."""

CALLBACKS: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    DeliveryReport: {
        "service": ("Servicio",),
        "status": ("Resultado",),
        "sender": ("Remitente",),
        "phone": ("Movil", "Telefono"),
        "reported_at": ("Fecha",),
        "seconds": ("Segundos", "Tiempo"),
        "message_id": ("idMensaje", "Msgid"),
        "reference": ("Referencia",),
        "report_id": ("idReport",),
        "variables": ("Variables",),
        "verification_code": ("CSV",),
    },
    DocumentEvent: {
        "service": ("Servicio",),
        "file": ("Fichero",),
        "protection": ("TipoAdjunto",),
        "occurred_at": ("Fecha",),
        "phone": ("Telefono", "Movil"),
        "kind": ("TipoEvento",),
        "message_id": ("idMensaje", "idEnvio"),
        "value": ("Valor",),
        "reference": ("Referencia",),
        "ip": ("IP",),
        "port": ("Puerto",),
    },
    IncomingMessage: {
        "service": ("Servicio",),
        "received_at": ("timestamp",),
        "reported_at": ("Fecha",),
        "number": ("Movil",),
        "sender": ("Remitente",),
        "text": ("Mensaje",),
        "original_id": ("idR",),
        "message_id": ("idM",),
        "is_certified": ("EsCert",),
        "reference": ("Referencia",),
    },
}
"""Callbacks: model, its attribute, and the wire names it may come under, the usual one first, in any case."""

LATITUDE = ("latitud", "latitude", "lat")
LONGITUDE = ("longitud", "longitude", "long", "lon", "lng")
PLACE = ("gps", "coordenadas", "localizacion", "localización", "location", "posicion", "posición", "coords")
"""What `Variables` may call a signer's position, in any case, since no manual tells; `PLACE` holds both."""

_ALSO_DECIDES: Mapping[type, set[str]] = {
    SendResult: {"message_id", "rejected", "recipients", "repeated"},
    Cancellation: {"message_id"},
    MessageReport: {"recipients"},
}
DECIDES: Mapping[type, frozenset[str]] = {
    model: frozenset(
        {one.name for one in fields(model) if one.default is NOTHING} | _ALSO_DECIDES.get(model, set())
    )
    for model in (*REPLIES, *CALLBACKS, *CERTIFICATES)
}
"""What must be right for a reply or callback to be believed; all else may be odd without costing the whole."""

SERVICE = "Servicio"
SERVICES: Mapping[str, type] = {
    "SMSMASIVO": DeliveryReport,
    "SMSCERTIFICADO": DeliveryReport,
    "EVENTOSSMSCERTIFICADO": DocumentEvent,
    "SMSRECIBIDO": IncomingMessage,
}
"""The services the manuals name, and what each posts."""
PLAIN_SERVICE = "SMSMASIVO"
"""The one service whose texts nobody certifies."""
OTHER_PRODUCTS = re.compile(
    r"(?:EVENTOS?)?[ _-]?"
    r"(?:(?:E-?MAIL|CORREO|WHATS?APP|TELEGRAM|NEWSLETTER|BUROFAX|RCS)[A-Z0-9_-]*|WA|MMS|FAX|PUSH|VIBER)"
    r"(?:[ _-]?(?:MASIV|CERTIFIC|RECIBID|EVENTO)[A-Z]*)?"
)
"""The services of the account's other products, in capitals; a contract's own name may hold such a word too."""

# A misspelt attribute would never be filled.
for _model, _names in (*REPLIES.items(), *CALLBACKS.items(), *CERTIFICATES.items()):
    assert not _names.keys() - fields_dict(_model).keys(), _model
