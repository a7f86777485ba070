"""The operations of the API: what each does, the parameters its manual knows, what kind of call it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..account.account import Account
from ..account.records import OperationResult
from . import library, sending, tracking
from .bodies import Params

_SEND = (
    "Remitente Destinatarios Mensaje Fecha Referenciausuario Report Idmensaje Fail2voice Lenguajevoz "
    "Remitentevoz Unicode Fixutf8 Links Resp"
)
_CERTIFIED_SEND = (
    "Remitente Destinatarios Mensaje Tipocontrato Fecha Referenciausuario Report Idmensaje Contacto "
    "Telcontacto Cifcontacto Vpd Vph Vpm Identificar Aceptacion Unicode Fixutf8 Emailreport Links Resp"
)
_CERTIFICATE = "Idmensaje Telefono Fechainicio Fechafin Resp"
_UPLOAD = "Nombre Tipo Contenido Autoborrado Resp"


@dataclass(frozen=True, slots=True)
class Operation:
    """One path of the API."""

    run: Callable[[Account, Params], OperationResult]
    parameters: frozenset[str]
    is_read: bool


def _row(
    run: Callable[[Account, Params], OperationResult], parameters: str, *, is_read: bool = False
) -> Operation:
    return Operation(run, frozenset(parameters.lower().split()), is_read)


def _tracking(certified: bool) -> dict[str, Operation]:
    cancel = partial(tracking.cancel, certified=certified)
    reschedule = partial(tracking.reschedule, certified=certified)
    report = partial(tracking.report, certified=certified)
    suffix = "CERTIFICADO" if certified else ""
    return {
        f"CancelarSMS{suffix}": _row(cancel, "Idmensaje Resp"),
        f"ReprogramarSMS{suffix}": _row(reschedule, "Idmensaje Fecha Resp"),
        f"GetReportSMS{suffix}": _row(report, "Idmensaje Resp", is_read=True),
    }


OPERATIONS: dict[str, Operation] = {
    "EnviarSMS": _row(sending.send_sms, _SEND),
    **_tracking(False),
    "CargarFichero": _row(library.upload, _UPLOAD),
    "ListarFicheros": _row(library.list_files, "Resp", is_read=True),
    "BorrarFichero": _row(library.delete, "Nombre Resp"),
    "GetCreditos": _row(tracking.credits, "Resp", is_read=True),
    "EnviarSMSCERTIFICADO": _row(sending.send_certified, _CERTIFIED_SEND),
    **_tracking(True),
    "GetSMSCERTIFICADO": _row(tracking.certificate, _CERTIFICATE, is_read=True),
}
"""Every operation of both manuals, by its path."""
