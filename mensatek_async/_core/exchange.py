"""What plain and certified messages share after they were sent, and the credits."""

from __future__ import annotations

import logging
from datetime import datetime
from decimal import Decimal

from attrs import evolve

from .. import codes
from .._wire.encode import Params, to_wire
from ..errors import InvalidRequest
from ..models.results import Balance, Cancellation, MessageReport, Rescheduling
from .context import Context
from .limits.read_cache import ASK_ANEW
from .messages.options import message_number, wire_date

_log = logging.getLogger("mensatek_async.call")


def _check_age(max_age: float) -> None:
    if isinstance(max_age, bool) or not isinstance(max_age, int | float) or not max_age >= 0:
        raise InvalidRequest("max_age is a number of seconds, 0 or more.")


async def cancel(context: Context, name: str, message_id: int | str) -> Cancellation:
    number = message_number(message_id)
    done: Cancellation = await context.caller.ask(context.operations[name], to_wire(message_id=number))
    return evolve(done, message_id=done.message_id or number)


async def reschedule(context: Context, name: str, message_id: int | str, when: datetime) -> Rescheduling:
    params = to_wire(message_id=message_number(message_id), scheduled_at=wire_date(when))
    done: Rescheduling = await context.caller.ask(context.operations[name], params)
    return done


async def report(context: Context, name: str, message_id: int | str, max_age: float) -> MessageReport:
    _check_age(max_age)
    return await _report(context, name, message_id, max_age)


async def report_anew(context: Context, name: str, message_id: int | str) -> MessageReport:
    """Ask where each recipient of a message stands now, once the same may be asked again."""
    return await _report(context, name, message_id, ASK_ANEW)


async def _report(context: Context, name: str, message_id: int | str, max_age: float) -> MessageReport:
    number = message_number(message_id)
    operation = context.operations[name]
    answer: MessageReport = await context.caller.ask(operation, to_wire(message_id=number), max_age=max_age)
    rows = answer.recipients
    if operation.name.endswith("SMSCERTIFICADO"):
        rows = tuple(
            evolve(one, status=codes.DeliveryStatus(one.status.code, certifies=True)) for one in rows
        )
    answer = evolve(answer, message_id=number, recipients=rows)
    if max_age > 0 and not answer.is_complete:  # whoever asks again and again wants to hear it once at most
        _log.warning(
            "The report of message %d has %d rows, where the provider says %d recipients",
            *(number, len(rows), answer.stated_recipients),
        )
    return answer


async def credits(context: Context, max_age: float) -> Decimal:
    """Return the credits left, from the newest reply when that is young enough."""
    _check_age(max_age)
    known = await context.caller.credits_known(max_age)
    if known is not None:
        return known
    balance: Balance = await context.caller.ask(context.operations["GetCreditos"], Params(), max_age=max_age)
    newest = context.caller.last_credits  # newer than a remembered answer when something was sent since
    return balance.credits if newest is None else newest
