"""What certified and contract texts have beyond plain ones, checked and in wire form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from attrs import evolve

from ..._wire.encode import to_wire
from ..._wire.names import REQUEST
from ...errors import InvalidFile, InvalidRequest
from ...models.certified import ContractType
from ...models.issuer import Issuer
from ...text.syntax import Element, elements_in
from ...text.template import Template
from ..context import Context
from .message import Message, PlainOptions, compose_for

_MINUTE = timedelta(minutes=1)
_LONGEST = timedelta(days=20, hours=23, minutes=59)
_MOST_DAYS = 15
_NEEDS_PDF = frozenset({ContractType.PDF})
_CONTRACTS = frozenset({ContractType.REPLY, ContractType.PDF})
_PDF_START = "JVBERi"  # %PDF- in base64, but for its last two bits
_email = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_ends_open = re.compile(r"\(\s*Variable_\d+\s*\)$", re.IGNORECASE)


# issuer, contract_type, validity, identify, acceptance_days and report_email, as `certified_params` takes them
LegalOptions = tuple[
    Issuer | None, ContractType | int | None, timedelta | None, str | None, int | None, str | None
]


def compose_certified(
    context: Context, text: str | Template, options: PlainOptions, legal: LegalOptions
) -> Message:
    """Compose a certified text; `legal` is what plain texts have not."""
    extra = certified_params(context.issuer, *legal)
    if legal[-1] is not None:  # an address for the reports asks for them
        context = evolve(context, report=True)
    message = compose_for(context, "EnviarSMSCERTIFICADO", text, *options, extra=extra)
    check_documents(message)
    return message


def certified_params(
    default: Issuer | None,
    issuer: Issuer | None,
    contract_type: ContractType | int | None,
    validity: timedelta | None,
    identify: str | None,
    acceptance_days: int | None,
    report_email: str | None,
) -> dict[str, Any]:
    """Return the parameters that only certified texts have, by wire names; `default` is the client's issuer."""
    issuer = default if issuer is None else issuer
    if issuer is None:
        raise InvalidRequest(
            "A certified text needs an issuer: who sends it stands in its certificate.",
            advice='Give issuer=Issuer("EMPRESA S.L.", "900000000", "B00000000") here or to the client.',
        )
    if not isinstance(issuer, Issuer):
        raise InvalidRequest(f"issuer is an Issuer, not {type(issuer).__name__}.")
    contract = _contract(contract_type)
    if contract in _CONTRACTS and (identify is not None or acceptance_days):
        raise InvalidRequest(
            "identify and acceptance_days are for certified texts only; the provider does not use them in a contract.",
            advice="Leave them out: who signs a contract accepts it by signing.",
        )
    return to_wire(
        issuer_name=issuer.name,
        issuer_phone=issuer.phone,
        issuer_tax_id=issuer.tax_id,
        contract_type=contract,
        identify=_identify(identify),
        acceptance_days=check_days(acceptance_days),
        report_email=_checked_email(report_email),
        **validity_parts(validity),
    )


def check_documents(message: Message) -> None:
    """Refuse a contract that lacks its PDF, and a document in a text that is none."""
    contract_type = message.params.get(REQUEST["contract_type"], 0)
    documents = [one for one in elements_in(message.text.text) if one.kind in ("FILE", "BASE64")]
    for one in documents:
        if one.kind == "BASE64" and not one.content.lstrip().startswith(_PDF_START):
            raise InvalidFile(
                "The BASE64 element in the text holds no PDF.", advice="Make it with elements.pdf(bytes)."
            )
    if contract_type in _NEEDS_PDF and not any(map(_may_be_pdf, documents)):
        raise InvalidFile(
            f"A contract of type {contract_type} needs a PDF in its text, and there is none.",
            advice="Add elements.pdf(bytes), or elements.file(name) for a .pdf of the library.",
        )


def _may_be_pdf(one: Element) -> bool:
    name = one.content.strip()
    # A name that ends with a recipient's field is known to the provider only, who refuses what is no PDF.
    return one.kind == "BASE64" or name.lower().endswith(".pdf") or _ends_open.search(name) is not None


def _contract(contract_type: ContractType | int | None) -> int | None:
    if contract_type is None:
        return None
    if isinstance(contract_type, bool) or not isinstance(contract_type, int) or contract_type < 0:
        raise InvalidRequest("contract_type is a ContractType, or a number of 0 or more.")
    return int(contract_type)


def validity_parts(validity: timedelta | None) -> Mapping[str, int]:
    """Return a validity in days, hours and minutes, by English names; none of them for the provider's own."""
    if validity is None:
        return {}
    if not isinstance(validity, timedelta):
        raise InvalidRequest(f"validity is a timedelta, not {type(validity).__name__}.")
    if not _MINUTE <= validity <= _LONGEST:
        raise InvalidRequest("validity is from 1 minute to 20 days, 23 hours and 59 minutes.")
    if validity % _MINUTE:
        raise InvalidRequest("validity is whole minutes: the wire has no seconds.")
    hours, minutes = divmod(validity.seconds // 60, 60)
    return {"validity_days": validity.days, "validity_hours": hours, "validity_minutes": minutes}


def _identify(identify: str | None) -> str | None:
    if identify is None:
        return None
    if not isinstance(identify, str) or not identify.strip() or not identify.isprintable():
        raise InvalidRequest(
            "identify is a text of one line.",
            advice='Such as Identify.certificate("12345678E"); leave it out for none.',
        )
    return identify.strip()


def check_days(acceptance_days: int | None) -> int | None:
    if acceptance_days is None:
        return None
    whole = isinstance(acceptance_days, int) and not isinstance(acceptance_days, bool)
    if not whole or not 0 <= acceptance_days <= _MOST_DAYS:
        raise InvalidRequest(f"acceptance_days is a whole number from 0 (off) to {_MOST_DAYS}.")
    return acceptance_days


def _checked_email(report_email: str | None) -> str | None:
    if report_email is None:
        return None
    address = report_email.strip() if isinstance(report_email, str) else ""
    if not _email.fullmatch(address) or len(address) > 254:
        raise InvalidRequest("report_email is no e-mail address.")
    return address
