"""Certificates: what to download, fetching it whole, and waiting until it is there."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import IO

import anyio

from .._wire.encode import Params, to_wire
from ..errors import (
    ConnectionFailed,
    InvalidDate,
    InvalidRequest,
    MensatekError,
    TooManyRequests,
    UnexpectedReply,
)
from ..models.certified import Download
from ..models.results import RecipientReport
from ..phones import mask, normalise
from . import exchange
from .context import Context
from .failures import NotStored
from .messages.options import message_number
from .sink import open_sink

_PASSING = (ConnectionFailed, TooManyRequests, UnexpectedReply)  # what a wait of hours gets over
_SLOWER = 1.5  # by so much each wait between two looks is longer than the one before
_SLOWEST = 12.0  # of the first wait


def selection(
    region: str,
    message_id: int | str | None,
    phone: str | None,
    start: datetime | None,
    end: datetime | None,
) -> Params:
    """Return what to download, by wire names."""
    if message_id is not None:
        if start is not None or end is not None:
            raise InvalidRequest("Certificates are those of a message or those of a period, not of both.")
        digits = None if phone is None else normalise(phone, region)
        return to_wire(message_id=message_number(message_id), phone=digits)
    if phone is not None:
        raise InvalidRequest("The certificate of a phone is that of one message: give message_id too.")
    if (start is None) != (end is None):
        missing = "start" if start is None else "end"
        raise InvalidRequest(f"A period has a start and an end: its {missing} is missing.")
    if start is None or end is None:
        raise InvalidRequest(
            "Nothing says what to download.",
            advice="Give message_id, message_id and phone, or start and end.",
        )
    for name, moment in (("start", start), ("end", end)):
        if not isinstance(moment, datetime):
            raise InvalidDate(f"{name} is a datetime, not {type(moment).__name__}.")
    params = to_wire(start=start, end=end)  # which refuses naive ones
    if end <= start:
        raise InvalidDate("The period ends before it starts.")
    return params


async def fetch(
    context: Context, destination: str | os.PathLike[str] | IO[bytes], params: Params
) -> Download:
    """Download what `params` name, whole or not at all."""
    operation = context.operations["GetSMSCERTIFICADO"]
    try:
        async with open_sink(destination) as sink:
            answer = await context.caller.reply(operation, params, sink=sink)
            if not answer.raw.stored:
                raise UnexpectedReply(operation.name, ("neither a PDF nor a ZIP",))
    except NotStored as failed:
        raise failed.error from None
    return Download(path=sink.path, media_type=sink.media_type, size=sink.size)


async def wait_certified(
    context: Context, message_id: int | str, phone: str, timeout: float | timedelta
) -> RecipientReport:
    """Ask for the report, ever slower, until the recipient's certificate is ready or will never be."""
    number, digits = message_number(message_id), normalise(phone, context.region)
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else float(timeout)
    first = wait = max(context.read_interval, 0.05)
    last: RecipientReport | None = None
    trouble: MensatekError | None = None
    answered = False
    with anyio.move_on_after(seconds):
        while True:
            pause = wait
            try:
                report = await exchange.report(context, "GetReportSMSCERTIFICADO", number, 0.0)
            except _PASSING as error:
                if not answered:  # then it may never have worked
                    raise
                trouble, pause = error, max(wait, getattr(error, "retry_after", None) or 0.0)
            else:
                answered, trouble = True, None
                last = next((one for one in report.recipients if one.phone == digits), None)
                if last is not None and _is_settled(last):
                    return last
            await anyio.sleep(pause)
            wait = min(wait * _SLOWER, first * _SLOWEST)
    place = f"stands at {last.status.label_en!r}" if last else "is not in the report"
    raise TimeoutError(f"No certificate within {seconds:g} s: {mask(digits)} {place}.") from trouble


def _is_settled(report: RecipientReport) -> bool:
    return report.status.is_certified or report.status.is_final
