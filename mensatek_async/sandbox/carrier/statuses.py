"""The delivery statuses: numbers, what the provider calls them, and what kind of news they are.

Those of the manuals, and those that older manuals and live replies have.
"""

from __future__ import annotations

SCHEDULED, AWAITING, CANCELLED, DELIVERED, RECEIVED, CERTIFIED, EXPIRED = 1, 2, 29, 11, 13, 14, 53
REPLY_AWAITED, REPLY_RECEIVED, REPLY_CERTIFIED = 15, 16, 17
CONTRACT_OPENED, CONTRACT_READ, CONTRACT_YES, CONTRACT_WRITTEN = 160, 161, 162, 163
CONTRACT_ACCEPTED, CONTRACT_SIGNED, CONTRACT_REJECTED, CONTRACT_EXPIRED = 180, 181, 190, 195
CONTRACT_LOCATED = 5000
TO_VOICE, RINGING, VOICE_DELIVERED = 512, 501, 510
FINAL_CONTRACT = frozenset(
    {REPLY_CERTIFIED, CONTRACT_ACCEPTED, CONTRACT_SIGNED, CONTRACT_REJECTED, CONTRACT_EXPIRED}
)
BY_REPLY, WITH_PDF = 1, 18
CERTIFICATE_READY = frozenset({14, 17, 180, 181})
ARRIVED = frozenset({11, 13, 14, 15, 16, 17, 70, 106, 160, 161, 162, 163, 180, 181, 190, 195})
"""The text is on the phone."""
VOICE = frozenset({500, 501, 502, 503, 504, 505, 509, 510, 512, 550, 551, 552, 553})
"""What comes of a call that says the text, where a send asked for it (`Fail2voice`)."""

_WAITING = "Esperando entrega", "Awaiting delivery"
_EXPIRED = "El mensaje ha expirado. (El teléfono sigue no operativo)", "Expired: the phone stayed off"
_UNTIMED = "Entregado al teléfono. Tiempo de entrega no disponible", "Delivered to the phone, time unknown"
_NO_LINE = "Teléfono dado de baja", "Number discontinued"
_NO_SERVICE = "Teléfono sin servicio", "Phone without service"
_SMSC = "Fallo en el SMSC destino", "Failure in the recipient's message centre"
_PHONE_RETRY = "Problema en el móvil destino. Reintentando...", "Trouble in the phone, retrying"
_KEY = "Pulsando teclas", "Pressing keys"
_SPOKEN = "Llamada entregada", "Call delivered"
_FATAL = "Error fatal en la operadora", "Fatal carrier error"
_SUPPORT = "Error de destino, contacte con soporte", "Destination error, ask support"

_KINDS: dict[str, dict[int, tuple[str, str]]] = {
    "scheduled": {
        1: ("Programado", "Scheduled"),
        1001: ("Programado", "Scheduled"),
        1005: ("Llamada programada", "Call scheduled"),
    },
    "pending": {
        0: _WAITING, 2: _WAITING, 10: _WAITING, 12: _WAITING, 31: _WAITING, 500: _WAITING, 999: _WAITING,
        1000: _WAITING, 1002: ("Enviando", "Sending"),
        501: ("Llamando", "Ringing"),
        502: ("Contestando", "Answering"),
        503: _KEY,
        504: ("Contestador automático", "Answering machine"),
        505: _KEY,
        1006: ("Fuera del horario permitido", "Outside the allowed hours"),
        1010: ("Preparando la llamada", "Preparing the call"),
    },
    "retrying": {
        120: _SMSC, 122: _SMSC,
        121: ("Congestión en el SMSC destino", "The recipient's message centre is busy"),
        134: _PHONE_RETRY,
        135: ("Problema en la red destino. Reintentando...", "Trouble in the network, retrying"),
        150: ("La red de destino ha cerrado temporalmente la entrega de mensajes",
              "The network has stopped taking texts for now"),
        512: ("Redirigido a voz", "Redirected to a voice call"),
        1003: _PHONE_RETRY,
        1004: ("Reintentando la llamada", "Trying the call again"),
        1007: ("Comunica. Se reintentará", "Busy, will be tried again"),
    },
    "delivered": {
        11: ("Entregado al Teléfono", "Delivered to the phone"),
        13: ("Entregado al teléfono", "Delivered to the phone"),
        14: ("Entregado y Certificado", "Delivered and certified"),
        70: _UNTIMED, 106: _UNTIMED,
        509: ("Dejado en el contestador", "Left on the answering machine"),
        510: _SPOKEN, 550: _SPOKEN,
    },
    "failed": {
        **dict.fromkeys(range(22, 29), _FATAL),
        29: ("Cancelado antes del envío", "Cancelled before it was sent"),
        50: ("La Red responde que el teléfono no existe", "The network says the number does not exist"),
        51: ("Falló la entrega al teléfono", "Delivery to the phone failed"),
        52: ("Falló la entrega a la red", "Delivery to the network failed"),
        53: _EXPIRED,
        54: ("Número en Lista Negra", "Number on a blacklist"),
        55: ("Número Bloqueado", "Number blocked"),
        101: _EXPIRED,
        102: ("Usuario dado de baja", "User discontinued"),
        103: _EXPIRED,
        104: ("El teléfono no es correcto", "The number is not correct"),
        110: ("El teléfono no existe", "The number does not exist"),
        111: _NO_LINE, 112: _NO_SERVICE, 113: _EXPIRED,
        130: ("Error en el Teléfono destino", "Error in the phone"),
        131: ("El Móvil ha excedido la capacidad de memoria", "The phone's memory is full"),
        132: ("El Móvil no puede recibir mensajes", "The phone cannot receive texts"),
        133: ("Fallo en móvil destino (dado de baja)", "Failure in the phone (discontinued)"),
        136: _NO_SERVICE, 137: _NO_LINE, 140: _SUPPORT, 141: _SUPPORT,
        200: ("Rechazado por la operadora", "Refused by the carrier"),
        551: ("No contesta", "No answer"),
        552: ("Comunica", "Busy"),
        553: ("Sin línea", "No line"),
    },
    "contract": {
        15: ("Esperando respuesta en SMS Contrato mediante respuesta SI/Acepto",
             "Contract: awaiting the reply SI or ACEPTO"),
        16: ("Respuesta recibida. Certificando", "Contract: reply received, certifying"),
        17: ("SMS Contrato mediante respuesta certificado", "Contract closed by reply, certified"),
        160: ("SMS Contrato. El usuario ha accedido al Contrato/PDF", "Contract: document opened"),
        161: ("SMS Contrato. Contrato Leído", "Contract: read to its end"),
        162: ("SMS Contrato. Contrato Aceptado", "Contract: accepted"),
        163: ("SMS Contrato. Contrato firmado", "Contract: signed"),
        180: ("SMS Contrato. Estado Final. Contrato Aceptado por aceptación básica",
              "Contract: accepted, certified"),
        181: ("SMS Contrato. Estado Final. Contrato Aceptado y firmado con firma biométrica",
              "Contract: accepted and signed by hand, certified"),
        190: ("SMS Contrato. Contrato rechazado", "Contract: rejected"),
        195: ("SMS Contrato. Contrato expirado", "Contract: expired"),
    },
    "info": {5000: ("SMS Contrato. Localización GPS del firmante", "Contract: where the signer is")},
}  # fmt: skip

LABELS = {status: names[0] for kind in _KINDS.values() for status, names in kind.items()}
"""What the provider calls each delivery status."""

ENGLISH = {status: names[1] for kind in _KINDS.values() for status, names in kind.items()}
"""The same in English."""

PHASES = {status: name for name, kind in _KINDS.items() for status in kind}
"""What kind of news each is."""

WAITING = frozenset(status for status, phase in PHASES.items() if phase in ("pending", "retrying"))
"""The carrier has not given up: a text that stays there expires in the end."""

GIVEN = frozenset(status for status, phase in PHASES.items() if phase != "scheduled") - {CANCELLED}
"""What a carrier can say of a text; the others come of its date and of its owner."""


def label(status: int) -> str:
    """The provider's words for a delivery status."""
    return LABELS.get(status, f"Estado {status}")


def phase(status: int) -> str:
    """What kind of news a delivery status is; for the page, cancelled is one of its own."""
    return "cancelled" if status == CANCELLED else PHASES.get(status, "unknown")
