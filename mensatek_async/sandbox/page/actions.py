"""What can be done from the page: each action is a method of the sandbox, called with what the page sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException

from ..controls import Controls
from .forms import picked

_LONGEST_TEXT = 10_000
_LARGEST_NUMBER = 10**15
_LARGEST_STATUS = 9999
_FIRST_YEAR, _LAST_YEAR = 1970, 8999
Body = dict[str, Any]


class BadAction(HTTPException):
    """What the page sent makes no sense."""

    def __init__(self, why: str) -> None:
        super().__init__(400, why)


def _reply(controls: Controls, body: Body, phone: str) -> None:
    text = _text(body, "text")
    if not text.strip():
        raise BadAction("A reply needs a text")
    controls.reply(_phone(phone), text, message_id=_whole(body, "message_id"))


def _switch(controls: Controls, body: Body, phone: str) -> None:
    (controls.switch_on if _flag(body, "on") else controls.switch_off)(_phone(phone))


def _outcome(controls: Controls, body: Body, phone: str) -> None:
    status = _whole(body, "status")
    if status is not None and status > _LARGEST_STATUS:
        raise BadAction("A status has at most four digits")
    controls.set_outcome(_phone(phone), status)


def _deliver(controls: Controls, body: Body, phone: str, message_id: int) -> None:
    controls.deliver(phone, _whole(body, "status"), message_id=message_id)


def _open_document(controls: Controls, body: Body, phone: str, message_id: int) -> None:
    document = _text(body, "document") if body.get("document") is not None else None
    controls.open_document(phone, message_id=message_id, document=document)


def _close(controls: Controls, body: Body, phone: str, message_id: int, action: str) -> None:
    if action in ("reject", "expire"):
        act = controls.reject_contract if action == "reject" else controls.expire_contract
        act(phone, message_id=message_id)
    else:
        signed, place = action == "sign", _location(body)
        controls.sign_contract(phone, message_id=message_id, location=place, biometric=signed)


def _cancel(controls: Controls, body: Body, message_id: int) -> Body:
    before = controls.credits
    cancelled = controls.cancel(message_id)
    return {"cancelled": cancelled, "refunded": controls.credits - before}


def _clock(controls: Controls, body: Body) -> Body:
    if "scale" in body:
        controls.time_scale = _number(body, "scale")
    if "step" in body:
        controls.advance(_number(body, "step"))
    if "to" in body:
        controls.advance((_moment(body, "to") - controls.now).total_seconds())
    return {"clock": picked(controls.clock, "now", "scale", "standing")}


def _faults(controls: Controls, body: Body) -> None:
    if "clear" in body and _flag(body, "clear"):
        controls.clear_faults()
        controls.latency = 0.0
    for name, read in (("error_kind", _text), ("error_rate", _number), ("latency", _number)):
        if name in body:
            setattr(controls, name, read(body, name))


def _block(controls: Controls, body: Body) -> None:
    seconds = _number(body, "seconds") if body.get("seconds") is not None else None
    if seconds is not None and not 0 < seconds <= 366 * 86_400:
        raise BadAction("A block lasts more than 0 seconds and at most a year")
    controls.block(seconds)


def _credits(controls: Controls, body: Body) -> None:
    try:
        left = Decimal(str(body.get("left")))
    except InvalidOperation:
        raise BadAction("left is a number") from None
    if not left.is_finite() or not 0 <= left < Decimal(10) ** 12:
        raise BadAction("Credits are 0 or more")
    controls.credits = left


def _contracts(controls: Controls, body: Body) -> None:
    controls.contracts_by_themselves = _flag(body, "by_themselves")


ACTIONS: dict[str, Callable[..., Body | None]] = {
    "/phones/{phone}/reply": _reply,
    "/phones/{phone}/switch": _switch,
    "/phones/{phone}/outcome": _outcome,
    "/texts/{message_id:int}/{phone}/deliver": _deliver,
    "/texts/{message_id:int}/{phone}/open": _open_document,
    **{
        f"/texts/{{message_id:int}}/{{phone}}/{action}": partial(_close, action=action)
        for action in ("accept", "sign", "reject", "expire")
    },
    "/messages/{message_id:int}/cancel": _cancel,
    "/messages/{message_id:int}/reschedule": lambda controls, body, message_id: {
        "rescheduled": controls.reschedule(message_id, _moment(body, "at"))
    },
    "/clock": _clock,
    "/faults": _faults,
    "/block": _block,
    "/unblock": lambda controls, body: controls.unblock(),
    "/credits": _credits,
    "/contracts": _contracts,
    "/reset": lambda controls, body: controls.reset(),
}
"""What is posted where, under /_sandbox: each with the controls, the body and the places in its path by name."""


def _phone(phone: str) -> str:
    if not (phone.isascii() and phone.isdigit() and len(phone) <= 20):
        raise BadAction("A phone is its digits, with the country's first")
    return phone


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise BadAction(f"{name} is a text of at most {_LONGEST_TEXT} characters")
    return value


def _whole(body: Body, name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_NUMBER:
        raise BadAction(f"{name} is a whole number")
    return value


def _number(body: Body, name: str) -> float:
    value = body.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise BadAction(f"{name} is a number")
    return float(value)


def _flag(body: Body, name: str) -> bool:
    value = body.get(name)
    if not isinstance(value, bool):
        raise BadAction(f"{name} is true or false")
    return value


def _moment(body: Body, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(body, name))
    except ValueError:
        raise BadAction(f"{name} is a moment as ISO 8601") from None
    if moment.tzinfo is None:
        raise BadAction(f"{name} needs a time zone")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise BadAction(f"{name} is beyond what the clock knows")
    return moment


def _location(body: Body) -> tuple[float, float] | None:
    value = body.get("location")
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise BadAction("location is latitude and longitude")
    latitude, longitude = (_number({"location": one}, "location") for one in value)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise BadAction("location is latitude and longitude")
    return latitude, longitude
