"""The message of durable work, of either product, checked before anything is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.context import Context
from .._core.messages.certified import certified_params, check_documents
from .._core.messages.message import Message, compose
from .._wire.encode import to_wire
from ..errors import InvalidRequest
from ..text.template import Template

OPERATIONS = {"sms": "EnviarSMS", "certified": "EnviarSMSCERTIFICADO"}
_LEGAL = ("issuer", "contract_type", "validity", "identify", "acceptance_days", "report_email")


def compose_message(
    context: Context, text: str | Template, product: str, options: Mapping[str, Any]
) -> Message:
    """Check what is to be sent; but for whether its date has passed.

    Args:
        context: the client's.
        text: the text.
        product: "sms" or "certified".
        options: those of a send of either product, each of them.

    Raises:
        InvalidRequest: or one of its kinds, naming what is wrong.
    """
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
