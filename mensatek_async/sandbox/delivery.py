"""The sandbox's clock, and where a text stands at a given moment."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SPAIN = ZoneInfo("Europe/Madrid")

SCHEDULED, AWAITING, CANCELLED, DELIVERED, RECEIVED, CERTIFIED = 1, 2, 29, 11, 13, 14
REPLY_AWAITED, REPLY_RECEIVED, REPLY_CERTIFIED = 15, 16, 17
CONTRACT_OPENED, CONTRACT_READ, CONTRACT_YES, CONTRACT_WRITTEN = 160, 161, 162, 163
CONTRACT_ACCEPTED, CONTRACT_SIGNED, CONTRACT_REJECTED, CONTRACT_EXPIRED = 180, 181, 190, 195
CONTRACT_LOCATED = 5000
FINAL_CONTRACT = frozenset(
    {REPLY_CERTIFIED, CONTRACT_ACCEPTED, CONTRACT_SIGNED, CONTRACT_REJECTED, CONTRACT_EXPIRED}
)
BY_REPLY, WITH_PDF = 1, 18
CERTIFICATE_READY = frozenset({14, 17, 180, 181})

_WAITING = "Esperando entrega"
_EXPIRED = "El mensaje ha expirado. (El teléfono sigue no operativo)"
_UNTIMED = "Entregado al teléfono. Tiempo de entrega no disponible"
LABELS = {
    0: _WAITING, 1: "Programado", 2: _WAITING, 10: _WAITING, 11: "Entregado al Teléfono",
    13: "Entregado al teléfono", 14: "Entregado y Certificado",
    15: "Esperando respuesta en SMS Contrato mediante respuesta SI/Acepto",
    16: "Respuesta recibida. Certificando", 17: "SMS Contrato mediante respuesta certificado",
    29: "Cancelado antes del envío", 50: "La Red responde que el teléfono no existe",
    51: "Falló la entrega al teléfono", 52: "Falló la entrega a la red", 53: _EXPIRED,
    54: "Número en Lista Negra", 55: "Número Bloqueado", 70: _UNTIMED, 101: _EXPIRED,
    102: "Usuario dado de baja", 103: _EXPIRED, 104: "El teléfono no es correcto", 106: _UNTIMED,
    110: "El teléfono no existe", 111: "Teléfono dado de baja", 112: "Teléfono sin servicio", 113: _EXPIRED,
    120: "Fallo en el SMSC destino", 121: "Congestión en el SMSC destino", 122: "Fallo en el SMSC destino",
    130: "Error en el Teléfono destino", 131: "El Móvil ha excedido la capacidad de memoria",
    132: "El Móvil no puede recibir mensajes", 133: "Fallo en móvil destino (dado de baja)",
    134: "Problema en el móvil destino. Reintentando...", 135: "Problema en la red destino. Reintentando...",
    136: "Teléfono sin servicio", 137: "Teléfono dado de baja",
    140: "Error de destino, contacte con soporte", 141: "Error de destino, contacte con soporte",
    150: "La red de destino ha cerrado temporalmente la entrega de mensajes",
    160: "SMS Contrato. El usuario ha accedido al Contrato/PDF", 161: "SMS Contrato. Contrato Leído",
    162: "SMS Contrato. Contrato Aceptado", 163: "SMS Contrato. Contrato firmado",
    180: "SMS Contrato. Estado Final. Contrato Aceptado por aceptación básica",
    181: "SMS Contrato. Estado Final. Contrato Aceptado y firmado con firma biométrica",
    190: "SMS Contrato. Contrato rechazado", 195: "SMS Contrato. Contrato expirado",
    1000: _WAITING, 1001: "Programado", 1002: "Enviando",
    1003: "Problema en el móvil destino. Reintentando...",
    5000: "SMS Contrato. Localización GPS del firmante",
}  # fmt: skip
"""The delivery statuses of the manual and what it calls them."""

_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}")


class Clock:
    """The time of day, moved by `advance`; started at a given moment, it stands still but for that.

    All moments in the sandbox are UTC: sums of local times are an hour off when summer time begins or ends.
    """

    def __init__(self, starts_at: datetime | None = None) -> None:
        if starts_at is not None and starts_at.tzinfo is None:
            raise ValueError("starts_at must be aware (have a time zone)")
        self._standing = starts_at.astimezone(UTC) if starts_at else None
        self._offset = timedelta()

    @property
    def now(self) -> datetime:
        """This moment, aware, UTC."""
        return (self._standing or datetime.fromtimestamp(time.time(), UTC)) + self._offset

    def advance(self, seconds: float) -> None:
        """Move forward (never back) by that many seconds."""
        if seconds < 0:
            raise ValueError("The sandbox's clock only moves forward")
        self._offset += timedelta(seconds=seconds)


def read_minute(text: str) -> datetime | None:
    """A `YYYY-MM-DD HH:MM` of the wire, Spanish time, as a moment in UTC; None when it is none."""
    if not _MINUTE.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=SPAIN).astimezone(UTC)
    except ValueError:
        return None


def write_second(moment: datetime) -> str:
    """A moment as reports write it: `YYYY-MM-DD HH:MM:SS`, Spanish time."""
    return moment.astimezone(SPAIN).strftime("%Y-%m-%d %H:%M:%S")


def label(status: int) -> str:
    """The provider's words for a delivery status."""
    return LABELS.get(status, f"Estado {status}")


def stages(
    certified: bool, contract: int, pace: float, outcome: int | None, by_itself: bool = True
) -> list[tuple[float, int]]:
    """The statuses a text goes through, each with the seconds after it left.

    Args:
        certified: whether it is a certified text.
        contract: its `Tipocontrato`.
        pace: seconds from one status to the next.
        outcome: the status chosen for this phone instead of a delivery.
        by_itself: whether a contract goes on once it is delivered.
    """
    if outcome is not None:
        path = [outcome]
    elif not certified:
        path = [DELIVERED]
    elif contract == BY_REPLY:
        path = [REPLY_AWAITED, REPLY_CERTIFIED]
    elif contract == WITH_PDF:
        path = [RECEIVED, CONTRACT_OPENED, CONTRACT_ACCEPTED]
    else:
        path = [RECEIVED, CERTIFIED]
    if contract and not by_itself:
        path = path[:1]
    return [(pace * step, status) for step, status in enumerate([AWAITING, *path])]
