"""What can be done from the page: each action is a method or a setting of the sandbox, given what the page sent."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException

from ..controls import Controls
from .forms import picked

_LONGEST_TEXT = 10_000
_LONGEST_BLOCK = 366 * 86_400.0
Body = dict[str, Any]


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError  # said where it is read
    return moment


def _place(value: list[Any]) -> tuple[float, float]:
    latitude, longitude = value
    return _latitude(latitude), _longitude(longitude)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        raise ValueError  # said where it is read
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError  # said where it is read
    return value


def _number(
    kind: Callable[[Any], Any], low: float = -math.inf, high: float = math.inf
) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        number = kind(value)
        if isinstance(value, bool) or not low <= number <= high:  # NaN is never between
            raise ValueError  # said where it is read
        return number

    return read


_latitude, _longitude = _number(float, -90, 90), _number(float, -180, 180)

_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("text", "document", "error_kind"), _text),
    **dict.fromkeys(("scale", "step", "error_rate", "latency"), _number(float)),
    **dict.fromkeys(("on", "by_themselves"), _flag),
    **dict.fromkeys(("at", "to"), _moment),
    "message_id": _number(int, 0, 10**15),
    "status": _number(int, 0, 9999),
    "seconds": _number(float, 0.001, _LONGEST_BLOCK),
    "left": _number(lambda value: Decimal(str(value)), 0, 10**12),
    "location": _place,
}
"""How each value is read that may stand in a body."""


def _read(body: Body, name: str) -> Any:
    with suppress(ValueError, TypeError, ArithmeticError):
        if body.get(name) is not None:
            return _READERS[name](body[name])
    raise HTTPException(400, f"{name} is missing or makes no sense")


def method(name: str, *needed: str, optional: tuple[str, ...] = (), **fixed: Any) -> Callable[..., None]:
    """An action that is a method of the sandbox, called with these values of the body."""

    def act(controls: Controls, body: Body, **place: Any) -> None:
        phone = place.get("phone", "0")
        if not (phone.isascii() and phone.isdigit() and len(phone) <= 20):
            raise HTTPException(400, "A phone is its digits, with the country's first")
        given = {one: _read(body, one) for one in needed}
        given |= {one: None if body.get(one) is None else _read(body, one) for one in optional}
        getattr(controls, name)(**place, **given, **fixed)

    return act


def _set(controls: Controls, body: Body, **names: str) -> None:
    """Set those of these settings that the body has, each by the name it has there."""
    for name, setting in names.items():
        if name in body:
            setattr(controls, setting, _read(body, name))


def _switch(controls: Controls, body: Body, phone: str) -> None:
    method("switch_on" if _read(body, "on") else "switch_off")(controls, body, phone=phone)


def _cancel(controls: Controls, body: Body, message_id: int) -> Body:
    before = controls.credits
    cancelled = controls.cancel(message_id)
    return {"cancelled": cancelled, "refunded": controls.credits - before}


def _reschedule(controls: Controls, body: Body, message_id: int) -> Body:
    return {"rescheduled": controls.reschedule(message_id, _read(body, "at"))}


def _clock(controls: Controls, body: Body) -> Body:
    _set(controls, body, scale="time_scale")
    if "step" in body:
        controls.advance(_read(body, "step"))
    if "to" in body:
        controls.advance((_read(body, "to") - controls.now).total_seconds())
    return {"clock": picked(controls.clock, "now", "scale", "standing")}


def _faults(controls: Controls, body: Body) -> None:
    if body.get("clear"):
        controls.clear_faults()
        controls.latency = 0.0
    _set(controls, body, error_kind="error_kind", error_rate="error_rate", latency="latency")


_TEXT = "/texts/{message_id:int}/{phone}"
ACTIONS: dict[str, Callable[..., Body | None]] = {
    "/phones/{phone}/reply": method("reply", "text", optional=("message_id",)),
    "/phones/{phone}/switch": _switch,
    "/phones/{phone}/outcome": method("set_outcome", optional=("status",)),
    f"{_TEXT}/deliver": method("deliver", optional=("status",)),
    f"{_TEXT}/open": method("open_document", optional=("document",)),
    f"{_TEXT}/accept": method("accept_contract", optional=("location",)),
    f"{_TEXT}/sign": method("sign_contract", optional=("location",), biometric=True),
    f"{_TEXT}/reject": method("reject_contract"),
    f"{_TEXT}/expire": method("expire_contract"),
    "/messages/{message_id:int}/cancel": _cancel,
    "/messages/{message_id:int}/reschedule": _reschedule,
    "/clock": _clock,
    "/faults": _faults,
    "/block": method("block", optional=("seconds",)),
    "/unblock": method("unblock"),
    "/credits": partial(_set, left="credits"),
    "/contracts": partial(_set, by_themselves="contracts_by_themselves"),
    "/reset": method("reset"),
}
"""What is posted where, under /_sandbox: each with the controls, the body and the places in its path by name."""
