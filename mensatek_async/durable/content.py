"""The message of durable work, of either product, checked before anything is written down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from .._core.context import Context
from .._core.messages.certified import certified_params, check_documents
from .._core.messages.message import Encoding, Message, compose
from .._wire.encode import to_wire
from ..errors import InvalidRequest
from ..models.certified import ContractType
from ..models.issuer import Issuer
from ..models.recipient import VoiceFallback
from ..text.template import Template

OPERATIONS = {"sms": "EnviarSMS", "certified": "EnviarSMSCERTIFICADO"}
_LEGAL = ("issuer", "contract_type", "validity", "identify", "acceptance_days", "report_email")


class SendOptions(TypedDict, total=False):
    """The options that an outbox' item and a campaign have as any send.

    Attributes:
        sender: up to 11 characters, or a number of up to 15 digits; "" is the account's own. Default: the client's.
        scheduled_at: when the provider is to deliver it, an aware datetime, to the minute. Default: now.
        reference: comes back in every delivery report.
        report: whether to have delivery reports. Default: the client's `report`, else yes: they settle what is
            unknown and fill status and counts.
        voice_fallback: reads the text in a call where the SMS cannot be delivered: True, or a `VoiceFallback`.
        encoding: "auto", "gsm" or "unicode". Default: "auto".
        fix_utf8: has the provider repair a text that was decoded wrongly before it came here.
        issuer: who stands in the certificate. Default: the client's. It and the next five: certified only.
        contract_type: a `ContractType`, or any number the provider has given you. Default: no contract.
        validity: how long delivery is tried, whole minutes up to 20 days, 23:59 hours. Default: the provider's.
        identify: how the recipient is identified before the attachments open; see `Identify`.
        acceptance_days: 1 to 15 days in which the recipient has to accept it to see it; 0 is off.
        report_email: an address that gets the reports.
    """

    sender: str | None
    scheduled_at: datetime | None
    reference: str | None
    report: bool | None
    voice_fallback: bool | VoiceFallback | None
    encoding: Encoding
    fix_utf8: bool
    issuer: Issuer | None
    contract_type: ContractType | int | None
    validity: timedelta | None
    identify: str | None
    acceptance_days: int | None
    report_email: str | None


def compose_message(
    context: Context, text: str | Template, product: str, options: Mapping[str, Any]
) -> Message:
    """Check what is to be sent, but for whether its date has passed; `options` has each option of either product."""
    if product not in OPERATIONS:
        raise InvalidRequest(f'product is "sms" or "certified", not {product!r}.')
    legal = {name: options[name] for name in _LEGAL}
    plain = {name: value for name, value in options.items() if name not in _LEGAL}
    certified = product == "certified"
    when = plain.pop("scheduled_at")
    if certified and plain.pop("voice_fallback"):
        raise InvalidRequest("voice_fallback is for plain texts only.")
    if not certified and (given := [name for name, value in legal.items() if value is not None]):
        raise InvalidRequest(f'{given[0]} is for product="certified" only.')
    message = compose(
        context.operations[OPERATIONS[product]],
        text,
        region=context.region,
        extra={
            **(certified_params(context.issuer, *legal.values()) if certified else {}),
            **({} if when is None else to_wire(scheduled_at=when)),
        },
        default_sender=context.sender,
        **plain,
    )
    if certified:
        check_documents(message)
    return message
