"""EnviarSMS and EnviarSMSCERTIFICADO: who gets the text, what it says, what it costs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..account.account import Account
from ..account.records import Batch, Message, OperationResult
from ..carrier.delivery import CONTRACT_DAYS, VALIDITY_SECONDS, Kind
from ..clock import read_minute
from . import texting
from .bodies import BadCall, Params

NO_CREDITS = -2
CERTIFIED_FILE_NOT_ALLOWED, CERTIFIED_NO_CREDITS, CONTRACT_WITHOUT_PDF, PDF_NOT_THERE = -4, -5, -15, -16
PDF_CONTRACT = 18
ACCOUNT_SENDER = "SANDBOX"
"""The account's own sender, which a blank `Remitente` stands for."""
_DAY = 86_400

_PHONE = re.compile(r"(?:34[6-9][0-9]{8}|(?!34)[1-9][0-9]{9,14})")
_OLD_RECIPIENTS = re.compile(r"(?=[^0-9]*[0-9])[+0-9;\s]+")
_DIGITS_SENDER = re.compile(r"\+?[0-9]+")
_RECIPIENT_NAMES = frozenset(
    {"movil", "sexo", "nombre", "apellidos", "fecha", "email", *(f"variable_{n}" for n in range(1, 11))}
)


@dataclass(slots=True)
class _Sorted:
    """The recipients of a request: those to send to, and how many others there are."""

    rows: dict[str, dict[str, Any]]
    duplicates: int
    wrong: int


def send_sms(account: Account, params: Params) -> OperationResult:
    """EnviarSMS."""
    return _send(account, params, Kind(certified=False, voice=bool(params.number("Fail2voice"))), {})


def send_certified(account: Account, params: Params) -> OperationResult:
    """EnviarSMSCERTIFICADO: a certified text, or a contract."""
    issuer = tuple(params.text(name, required=True) for name in ("Contacto", "Telcontacto", "Cifcontacto"))
    kind = _certified_kind(params)
    documents = [
        (kind, content)
        for kind, content in texting.elements(params.text("Mensaje"))
        if kind in ("FILE", "BASE64")
    ]
    if code := _document_refusal(account, kind.contract, documents):
        return OperationResult(fields={"Res": code, "Cred": account.credits})
    files = frozenset(content for kind, content in documents if kind == "FILE")
    legal = {"issuer": issuer, "documents": tuple(_digests(account, documents)), "files": files}
    return _send(account, params, kind, legal)


def _certified_kind(params: Params) -> Kind:
    limits = (("Vpd", 20, _DAY), ("Vph", 23, 3600), ("Vpm", 59, 60))
    validity = sum(params.number(name, 0, high) * seconds for name, high, seconds in limits)
    days, contract = params.number("Aceptacion", 0, CONTRACT_DAYS), params.number("Tipocontrato")
    return Kind(
        certified=True,
        contract=contract,
        asks_acceptance=bool(days) and not contract,
        validity=validity or VALIDITY_SECONDS,
        contract_seconds=(days or CONTRACT_DAYS) * _DAY,
    )


def _document_refusal(account: Account, contract: int, documents: list[tuple[str, str]]) -> int:
    if contract == PDF_CONTRACT and not documents:
        return CONTRACT_WITHOUT_PDF
    for kind, content in documents:
        if kind == "FILE" and content not in account.files:
            return PDF_NOT_THERE
        if kind == "BASE64" and not (texting.read_base64(content) or b"").startswith(b"%PDF"):
            return CERTIFIED_FILE_NOT_ALLOWED
    return 0


def _digests(account: Account, documents: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The documents of a text, for its certificate: name and SHA-256."""
    for kind, content in documents:
        inside = texting.read_base64(content) if kind == "BASE64" else None
        data = account.files[content].content if inside is None else inside
        digest = hashlib.sha256(data).hexdigest()
        account.keep_document(digest, data)
        yield ("BASE64" if kind == "BASE64" else content), digest


def _send(account: Account, params: Params, kind: Kind, legal: dict[str, Any]) -> OperationResult:
    certified = kind.certified
    joined = _joined(account, params, certified)
    sender = joined.sender if joined else _sender(params)
    text, unicode = _text(params)
    scheduled_at = read_minute(params.text("Fecha"))
    if params.text("Fecha").strip() and scheduled_at is None:
        raise BadCall("El parámetro Fecha no es correcto")
    params.number("Links")
    # No manual says what holds without Report: here, what most accounts' panels say. Emailreport asks for reports.
    unasked = int(account.reports_unasked)
    reported = bool(params.number("Report", default=unasked) or params.text("Emailreport").strip())
    given = _recipients(params)
    if account.recipients_per_request and len(given) > account.recipients_per_request:
        raise BadCall(f"Demasiados destinatarios, máximo {account.recipients_per_request}")
    chosen = _sort(given, joined.phones if joined and account.keeps_repeats else {}, params.unknown)
    if account.strict and params.unknown:
        raise BadCall("Destinatarios lleva datos desconocidos")
    phones = list(chosen.rows)
    rendered = _render(text, unicode, chosen.rows) if texting.is_personal(text) else None
    segments = 0 if rendered is not None else _segments(text, unicode)
    total = segments * len(phones) if rendered is None else sum(each for _, each in rendered)
    price = account.prices[certified]
    cost = total * price
    if cost > account.credits:
        code = CERTIFIED_NO_CREDITS if certified else NO_CREDITS
        return OperationResult(fields={"Res": code, "Cred": account.credits, "CreditosNecesarios": cost})
    if not phones:
        return OperationResult(fields=_sent(account, joined, chosen, len(given), 0, cost))
    message = joined or account.new_message(sender, certified)
    shared = {"reported": reported, "reference": params.text("Referenciausuario"), "sender": sender, **legal}
    batch = Batch(
        number=account.last_batch + 1,
        message_id=message.message_id,
        kind=kind,
        unicode=unicode,
        source=text if account.keep_texts and rendered is None else "",
        segments=segments,
        price=price,
        cost=cost,
        recipients=len(phones),
        accepted_at=(now := account.clock.now),
        scheduled_at=scheduled_at,
        leaves_at=max(scheduled_at or now, now),
        rendered=rendered if account.keep_texts else None,
        pace=account.delivery.pace,
        **shared,
    )
    account.accept(message, batch, phones)
    return OperationResult(fields=_sent(account, message, chosen, len(given), total, cost))


def _joined(account: Account, params: Params, certified: bool) -> Message | None:
    message_id = params.number("Idmensaje")
    if not message_id:
        return None
    message = account.messages.get(message_id)
    if message is None or message.certified is not certified:
        raise BadCall("El Idmensaje no existe en su cuenta")
    return message


def _sender(params: Params) -> str:
    if params.raw("Remitente") is None:
        raise BadCall("Falta el parámetro obligatorio Remitente")
    sender = params.text("Remitente").strip()
    longest = 16 if sender.startswith("+") else 15 if _DIGITS_SENDER.fullmatch(sender) else 11
    if len(sender) > longest:
        raise BadCall("El parámetro Remitente es demasiado largo")
    return sender or ACCOUNT_SENDER


def _text(params: Params) -> tuple[str, bool]:
    text = params.text("Mensaje", required=True)
    if params.number("Fixutf8", 0, 1):
        text = texting.repair(text)
    return texting.without_documents(text), bool(params.number("Unicode", 0, 1))


def _recipients(params: Params) -> list[Any]:
    """The recipients as an array; versions 3.3 to 5 took numbers with semicolons between."""
    given = params.raw("Destinatarios")
    if not isinstance(given, str) or not _OLD_RECIPIENTS.fullmatch(given):
        return params.array("Destinatarios")
    return [{"Movil": phone} for piece in given.split(";") if (phone := piece.strip())]


def _sort(given: list[Any], taken: dict[str, Batch], unknown: set[str]) -> _Sorted:
    """Tell apart who gets the text, who already has it, and which numbers are none; note what no manual knows."""
    rows: dict[str, dict[str, Any]] = {}
    duplicates = wrong = 0
    for row in given:
        phone = _cleaned(_mobile(row, unknown))
        if not phone:
            wrong += 1
        elif phone in taken or phone in rows:
            duplicates += 1
        else:
            rows[phone] = row
    return _Sorted(rows, duplicates, wrong)


def _mobile(row: Any, unknown: set[str]) -> Any:
    if not isinstance(row, dict):
        raise BadCall("El parámetro Destinatarios no es correcto")
    names = {name.lower(): name for name in row}
    if strange := names.keys() - _RECIPIENT_NAMES:
        unknown |= {f"Destinatarios.{names[name]}" for name in strange}
    if "movil" not in names:
        raise BadCall("Falta Movil en Destinatarios")
    return row[names["movil"]]


def _cleaned(phone: Any) -> str:
    """A number written with a plus or two zeros in front, without them; "" when it is no number."""
    digits = str(phone).strip()
    digits = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00")
    return digits if _PHONE.fullmatch(digits) else ""


def _render(text: str, unicode: bool, rows: dict[str, dict[str, Any]]) -> list[tuple[str, int]]:
    texts = (texting.render(text, phone, row) for phone, row in rows.items())
    return [(text, _segments(text, unicode)) for text in texts]


def _segments(text: str, unicode: bool) -> int:
    return texting.segments(texting.shown(text, unicode), unicode)


def _sent(
    account: Account, message: Message | None, chosen: _Sorted, given: int, segments: int, cost: Decimal
) -> dict[str, Any]:
    """The reply; no manual describes that of `Res` 0: without `detailed` it has no counts, as they have none then."""
    fields: dict[str, Any] = {"Res": len(chosen.rows)}
    is_counted = bool(chosen.rows) or account.detailed
    if is_counted:
        fields["Destinatarios"] = given
    if message:
        fields |= {"Msgid": message.message_id, "idMensaje": message.message_id}
    fields["Cred"] = account.credits
    if is_counted:
        not_sent = chosen.duplicates + chosen.wrong
        fields |= {"Mensajes": segments, "NoEnviados": not_sent, "CreditosUsados": cost}
    if account.detailed:
        fields |= {"Enviados": len(chosen.rows), "Duplicados": chosen.duplicates}
    return fields
