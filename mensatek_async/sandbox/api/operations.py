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


@dataclass(frozen=True, slots=True)
class Operation:
    """One path of the API."""

    run: Callable[[Account, Params], OperationResult]
    names: str
    is_read: bool = False

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters that its manual knows, in lower case."""
        return frozenset(self.names.lower().split())


def _tracking(certified: bool) -> dict[str, Operation]:
    cancel = partial(tracking.cancel, certified=certified)
    reschedule = partial(tracking.reschedule, certified=certified)
    report = partial(tracking.report, certified=certified)
    suffix = "CERTIFICADO" if certified else ""
    return {
        f"CancelarSMS{suffix}": Operation(cancel, "Idmensaje Resp"),
        f"ReprogramarSMS{suffix}": Operation(reschedule, "Idmensaje Fecha Resp"),
        f"GetReportSMS{suffix}": Operation(report, "Idmensaje Resp", is_read=True),
    }


OPERATIONS: dict[str, Operation] = {
    "EnviarSMS": Operation(sending.send_sms, _SEND),
    **_tracking(False),
    "CargarFichero": Operation(library.upload, "Nombre Tipo Contenido Autoborrado Resp"),
    "ListarFicheros": Operation(library.list_files, "Resp", is_read=True),
    "BorrarFichero": Operation(library.delete, "Nombre Resp"),
    "GetCreditos": Operation(tracking.credits, "Resp", is_read=True),
    "EnviarSMSCERTIFICADO": Operation(sending.send_certified, _CERTIFIED_SEND),
    **_tracking(True),
    "GetSMSCERTIFICADO": Operation(
        tracking.certificate, "Idmensaje Telefono Fechainicio Fechafin Resp", is_read=True
    ),
}
"""Every operation of both manuals, by its path."""
