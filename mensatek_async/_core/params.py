"""Parameters by wire names, looked at before they leave: their case does not count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._wire.rows import Rows
from ..errors import InvalidRequest
from .limits.read_cache import Key
from .operations import Operation


def value_of(params: Mapping[str, Any], name: str) -> Any:
    for key, value in params.items():
        if key.casefold() == name:
            return value
    return None


def key_of(operation: Operation, params: Mapping[str, Any]) -> Key:
    about = sorted((name.casefold(), str(value)) for name, value in params.items())
    return operation.name, tuple(pair for pair in about if pair[0] != "resp")


def joins(operation: Operation, params: Mapping[str, Any]) -> bool:
    """Whether a send joins a message, so that the provider texts nobody twice; 0 and blank join none."""
    if operation.standing == "user":
        return False  # nobody knows what the parameter means there
    try:
        return int(value_of(params, "idmensaje") or 0) > 0
    except (TypeError, ValueError):
        return False


def is_sparing(operation: Operation, params: Mapping[str, Any]) -> bool:
    """Whether this is a call that the provider wants made very rarely: the certificates of a period."""
    given = value_of(params, operation.sparing.casefold()) if operation.sparing else None
    return bool(given) and not value_of(params, "idmensaje")


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters for an error to carry, whose recipients are a list like any other."""
    return {name: value.listed() if isinstance(value, Rows) else value for name, value in params.items()}


def check_params(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """A user's own parameters, by wire names, without the reply form, which the caller decides.

    Raises:
        InvalidRequest: they are no mapping, a name is not a text, or stands there twice (its case does not count).
    """
    if params is not None and not isinstance(params, Mapping):
        raise InvalidRequest(f"Parameters are a mapping, not {type(params).__name__}.")
    checked: dict[str, Any] = {}
    folded: set[str] = set()
    for name, value in (params or {}).items():
        if not isinstance(name, str) or not name:
            raise InvalidRequest("Parameters are named by texts.")
        if name.casefold() in folded:
            raise InvalidRequest(f"The parameter {name[:40]!r} is given twice.")
        folded.add(name.casefold())
        if name.casefold() != "resp":
            checked[name] = value
    return checked


def bounded(name: str, value: int | None, most: int) -> int:
    """A count that the user may set, up to a limit, which is also its default.

    Raises:
        InvalidRequest: it is no whole number from 1.
    """
    if value is None:
        return most
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidRequest(f"{name} is a whole number from 1.")
    return min(value, most)


def positive_seconds(name: str, value: float) -> float:
    """A time that the user may set.

    Raises:
        InvalidRequest: it is no number above 0.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InvalidRequest(f"{name} is a number of seconds above 0.")
    return value
