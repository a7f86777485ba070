"""Calls whose answer becomes a model: what plain and certified messages, files and the account share."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from attrs import evolve

from .. import codes
from .._wire.decode import DecodeError
from .._wire.encode import to_wire
from .._wire.names import REQUEST
from .._wire.structure import structure
from ..errors import InvalidRequest, UnexpectedReply
from ..models.recipient import Recipient
from ..models.results import Balance, Cancellation, MessageReport, Rescheduling, SendResult
from .call_state import CallState
from .context import Context
from .final_errors import unknown
from .messages.message import Message, recipients_of, reconcile_repeat
from .messages.options import message_number, wire_date
from .operations import Kind, Operation

_log = logging.getLogger("mensatek_async")


async def ask(
    context: Context,
    operation: Operation,
    params: Mapping[str, Any],
    *,
    state: CallState | None = None,
    max_age: float = 0.0,
) -> Any:
    """Make a call and give its reply as the model that the operation's row names.

    Raises:
        UnexpectedReply: a read's reply holds a value of the wrong kind.
        OutcomeUnknown: another's does, so what it did is not known for certain.
        MensatekError: see the family.
    """
    model, caller = operation.reply, context.caller
    assert model is not None, operation.name
    if operation.kind is Kind.READ:
        answer = await caller.read(operation, params, max_age=max_age)
    else:
        answer = await caller.call(operation, params, state=state)
    try:
        return structure(answer.reply, model)
    except DecodeError as error:
        if operation.kind is Kind.READ:
            raise UnexpectedReply(operation.name, error.problems) from None
        told = f"the answer could not be read ({'; '.join(error.problems)})"
        raise unknown(operation, told, params) from None


def _check_age(max_age: float) -> None:
    if isinstance(max_age, bool) or not isinstance(max_age, int | float) or not max_age >= 0:
        raise InvalidRequest("max_age is a number of seconds, 0 or more.")


async def send(
    context: Context, message: Message, to: str | Recipient | Iterable[str | Recipient], most: int
) -> SendResult:
    """Check the recipients, send to them in one request, and read what became of it."""
    recipients = recipients_of(to, most)
    message.refuse_braces(recipients)
    addressed = [message.address(one) for one in recipients]
    unicode = any(one.unicode for one in addressed)
    return await send_request(context, message, [one.wire for one in addressed], unicode, CallState())


async def send_request(
    context: Context,
    message: Message,
    recipients: Sequence[Mapping[str, str]],
    unicode: bool,
    state: CallState,
    join: int | None = None,
) -> SendResult:
    """Make one request of a message."""
    params = message.request(recipients, unicode, join)
    result: SendResult = await ask(context, message.operation, params, state=state)
    joined = params.get(REQUEST["join"], 0)
    return reconcile_repeat(result, len(recipients), repeat=state.maybe_done, joined=joined)


async def cancel(context: Context, name: str, message_id: int | str) -> Cancellation:
    """Cancel a scheduled message."""
    number = message_number(message_id)
    done: Cancellation = await ask(context, context.operations[name], to_wire(message_id=number))
    return evolve(done, message_id=done.message_id or number)


async def reschedule(context: Context, name: str, message_id: int | str, when: datetime) -> Rescheduling:
    """Give a scheduled message a new date."""
    params = to_wire(message_id=message_number(message_id), scheduled_at=wire_date(when))
    done: Rescheduling = await ask(context, context.operations[name], params)
    return done


async def report(context: Context, name: str, message_id: int | str, max_age: float) -> MessageReport:
    """Ask where each recipient of a message stands."""
    _check_age(max_age)
    number = message_number(message_id)
    operation = context.operations[name]
    found: MessageReport = await ask(context, operation, to_wire(message_id=number), max_age=max_age)
    rows = found.recipients
    if operation.name.endswith("SMSCERTIFICADO"):
        rows = tuple(
            evolve(one, status=codes.DeliveryStatus(one.status.code, certifies=True)) for one in rows
        )
    found = evolve(found, message_id=number, recipients=rows)
    if max_age and not found.is_complete:  # whoever asks again and again wants to hear it once at most
        _log.warning(
            "The report of message %d has %d rows, where the provider says %d recipients",
            *(number, len(rows), found.stated_recipients),
        )
    return found


async def credits(context: Context, max_age: float) -> Decimal:
    """The credits left, from the newest reply when that is young enough."""
    _check_age(max_age)
    known = context.caller.credits_known(max_age)
    if known is not None:
        return known
    balance: Balance = await ask(context, context.operations["GetCreditos"], {}, max_age=max_age)
    newest = context.caller.last_credits  # newer than a remembered answer when something was sent since
    return balance.credits if newest is None else newest
