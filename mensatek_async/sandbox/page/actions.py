"""What can be done from the page: each action is a method of the sandbox, called with what the page sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.exceptions import HTTPException

from ..controls import Controls
from .forms import picked

_LONGEST_TEXT = 10_000
_LARGEST_NUMBER = 10**15
_LARGEST_STATUS = 9999
_FIRST_YEAR, _LAST_YEAR = 1970, 8999
Body = dict[str, Any]
Reader = Callable[[Body, str], Any]


class BadAction(HTTPException):
    """What the page sent makes no sense."""

    def __init__(self, why: str) -> None:
        super().__init__(400, why)


def method(name: str, **readers: Reader) -> Callable[..., None]:
    """An action that is a method of the sandbox, called with what its readers find in the body."""

    def act(controls: Controls, body: Body, **place: Any) -> None:
        phone = place.get("phone", "0")
        if not (phone.isascii() and phone.isdigit() and len(phone) <= 20):
            raise BadAction("A phone is its digits, with the country's first")
        given = {parameter: read(body, parameter) for parameter, read in readers.items()}
        getattr(controls, name)(**place, **given)

    return act


def _switch(controls: Controls, body: Body, phone: str) -> None:
    method("switch_on" if _flag(body, "on") else "switch_off")(controls, body, phone=phone)


def _cancel(controls: Controls, body: Body, message_id: int) -> Body:
    before = controls.credits
    cancelled = controls.cancel(message_id)
    return {"cancelled": cancelled, "refunded": controls.credits - before}


def _reschedule(controls: Controls, body: Body, message_id: int) -> Body:
    return {"rescheduled": controls.reschedule(message_id, _moment(body, "at"))}


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


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise BadAction(f"{name} is a text of at most {_LONGEST_TEXT} characters")
    return value


def _words(body: Body, name: str) -> str:
    text = _text(body, name)
    if not text.strip():
        raise BadAction("A reply needs a text")
    return text


def _whole(body: Body, name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST_NUMBER:
        raise BadAction(f"{name} is a whole number")
    return value


def _status(body: Body, name: str) -> int:
    status = _whole(body, name)
    if status > _LARGEST_STATUS:
        raise BadAction("A status has at most four digits")
    return status


def _number(body: Body, name: str) -> float:
    value = body.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise BadAction(f"{name} is a number")
    return float(value)


def _seconds(body: Body, name: str) -> float:
    seconds = _number(body, name)
    if not 0 < seconds <= 366 * 86_400:
        raise BadAction("A block lasts more than 0 seconds and at most a year")
    return seconds


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


def _location(body: Body, name: str) -> tuple[float, float]:
    value = body[name]
    if not isinstance(value, list) or len(value) != 2:
        raise BadAction("location is latitude and longitude")
    latitude, longitude = (_number({name: one}, name) for one in value)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise BadAction("location is latitude and longitude")
    return latitude, longitude


def _optional(read: Reader) -> Reader:
    return lambda body, name: None if body.get(name) is None else read(body, name)


_TEXT = "/texts/{message_id:int}/{phone}"
ACTIONS: dict[str, Callable[..., Body | None]] = {
    "/phones/{phone}/reply": method("reply", text=_words, message_id=_optional(_whole)),
    "/phones/{phone}/switch": _switch,
    "/phones/{phone}/outcome": method("set_outcome", status=_optional(_status)),
    f"{_TEXT}/deliver": method("deliver", status=_optional(_whole)),
    f"{_TEXT}/open": method("open_document", document=_optional(_text)),
    f"{_TEXT}/accept": method("accept_contract", location=_optional(_location)),
    f"{_TEXT}/sign": method(
        "sign_contract", location=_optional(_location), biometric=lambda body, name: True
    ),
    f"{_TEXT}/reject": method("reject_contract"),
    f"{_TEXT}/expire": method("expire_contract"),
    "/messages/{message_id:int}/cancel": _cancel,
    "/messages/{message_id:int}/reschedule": _reschedule,
    "/clock": _clock,
    "/faults": _faults,
    "/block": method("block", seconds=_optional(_seconds)),
    "/unblock": method("unblock"),
    "/credits": _credits,
    "/contracts": _contracts,
    "/reset": method("reset"),
}
"""What is posted where, under /_sandbox: each with the controls, the body and the places in its path by name."""
