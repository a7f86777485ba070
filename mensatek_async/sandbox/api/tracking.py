"""What is asked of a message after it was sent: cancel, reschedule, report, certificate; and the credits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..account.account import Account
from ..account.records import Message, OperationResult
from ..carrier.certificates import Evidence, certificate_pdf, certificate_zip
from ..carrier.statuses import label
from ..clock import read_minute, write_second
from .bodies import BadCall, Params

NOT_YOURS, ALREADY_SENT, ALREADY_CANCELLED, BAD_DATE, PAST_DATE = -2, -4, -5, -6, -7
REPORT_ERROR, NO_CERTIFICATE = -4, -4


def credits(account: Account, _params: Params) -> OperationResult:
    """GetCreditos."""
    return OperationResult(fields={"Res": 1, "Cred": account.credits})


def cancel(account: Account, params: Params, *, certified: bool) -> OperationResult:
    """CancelarSMS and CancelarSMSCERTIFICADO: take back a message that has not left, and refund it."""
    message = _message(account, params)
    if message is None or message.certified is not certified:
        return _not_yours(account, "CRED")
    scheduled = message.waiting(account.clock.now)
    if not scheduled:
        return OperationResult(fields={"Res": _settled(message), "CRED": account.credits})
    for batch in scheduled:
        account.cancel(batch)
    return OperationResult(
        fields={
            "Res": sum(batch.recipients for batch in scheduled),
            "IDMENSAJE": message.message_id,
            "CRED": account.credits,
            "CREDR": sum((batch.cost for batch in scheduled), start=Decimal(0)),
        }
    )


def reschedule(account: Account, params: Params, *, certified: bool) -> OperationResult:
    """ReprogramarSMS and ReprogramarSMSCERTIFICADO: another date for a message that has not left."""
    wanted = params.text("Fecha", required=True)
    message = _message(account, params)
    if message is None or message.certified is not certified:
        return _not_yours(account, "Cred")
    scheduled = message.waiting(account.clock.now)
    date = read_minute(wanted)
    if not scheduled:
        code = _settled(message)
    elif date is None:
        code = BAD_DATE
    elif date <= account.clock.now:
        code = PAST_DATE
    else:
        code = sum(batch.recipients for batch in scheduled)
        for batch in scheduled:
            account.reschedule(batch, date)
    return OperationResult(fields={"Res": code, "Cred": account.credits})


def report(account: Account, params: Params, *, certified: bool) -> OperationResult:
    """GetReportSMS and GetReportSMSCERTIFICADO: where every recipient of a message stands."""
    message = _message(account, params)
    if message is None:
        return _not_yours(account, "Cred")
    if message.certified is not certified:
        return OperationResult(fields={"Res": REPORT_ERROR, "Cred": account.credits}, wrong=True)
    rows = _rows(account, message)
    return OperationResult(
        fields={"Res": 1, "Destinatarios": len(rows), "Cred": account.credits, "Informe": rows}
    )


def certificate(account: Account, params: Params) -> OperationResult:
    """GetSMSCERTIFICADO: one phone's certificate, or the ZIP of a message or of a period."""
    phone = ""
    if params.text("Idmensaje").strip():
        message = _message(account, params)
        if message is None or not message.certified:
            return _not_yours(account, "Cred")
        phone = params.text("Telefono").strip()
        evidence = [one for one in _certified(account, message) if phone in ("", str(one.row["Telefono"]))]
    else:
        start = read_minute(params.text("Fechainicio", required=True))
        end = read_minute(params.text("Fechafin", required=True))
        if start is None or end is None or end < start:
            raise BadCall("Las fechas no son correctas")
        every = (one for message in account.messages.values() for one in _certified(account, message))
        evidence = [one for one in every if start <= one.history[0][0] <= end]
    if not evidence:
        error = "El certificado no está disponible"
        return OperationResult(fields={"Res": NO_CERTIFICATE, "Error": error, "Cred": account.credits})
    if phone:
        return OperationResult(
            fields={"Res": 1}, file=certificate_pdf(evidence[0]), media_type="application/pdf"
        )
    return OperationResult(fields={"Res": 1}, file=certificate_zip(evidence), media_type="application/zip")


def _message(account: Account, params: Params) -> Message | None:
    text = params.text("Idmensaje", required=True).strip()
    return account.messages.get(int(text)) if text.isascii() and text.isdigit() else None


def _not_yours(account: Account, credits_name: str) -> OperationResult:
    return OperationResult(fields={"Res": NOT_YOURS, credits_name: account.credits}, wrong=True)


def _settled(message: Message) -> int:
    """Why nothing of a message can be changed any more."""
    return ALREADY_CANCELLED if all(batch.cancelled_at for batch in message.batches) else ALREADY_SENT


def _rows(account: Account, message: Message) -> list[dict[str, Any]]:
    now = account.clock.now
    standings = {batch: account.delivery.standings(batch, now) for batch in message.batches}
    rows = []
    for phone, batch in message.phones.items():
        status, since, seconds = standings[batch](phone)
        rows.append(
            {
                "Fecha": write_second(since),
                "Tiempo": seconds,
                "Telefono": int(phone) if message.certified else phone,
                "Resultado": status,
                "Estado": label(status),
            }
        )
    return rows


def _certified(account: Account, message: Message) -> list[Evidence]:
    now = account.clock.now
    places = {batch: {phone: n for n, phone in enumerate(batch.phones)} for batch in message.batches}
    evidence = []
    for row in _rows(account, message) if message.certified else ():
        phone = str(row["Telefono"])
        batch = message.phones[phone]
        if row["Resultado"] in batch.kind.certificate_ready:
            evidence.append(
                Evidence(
                    row={"idMensaje": message.message_id, **row},
                    sender=batch.sender,
                    issuer=batch.issuer,
                    text=batch.shown(places[batch][phone]) if account.keep_texts else "",
                    history=account.delivery.history(batch, phone, now),
                    documents=batch.documents,
                )
            )
    return evidence
