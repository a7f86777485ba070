"""A row per operation of the API, and what is looked up in a call's parameters.

`path_source` says where the path comes from: "manual", "field" (seen in live use) or "inferred". An inferred path may
be wrong; `AsyncMensatek(paths={...})` replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from datetime import timedelta
from enum import Enum
from typing import Any

from attrs import Factory, evolve, field, frozen

from .._wire.encode import Params
from .._wire.names import FileList, UploadReply
from .._wire.rows import Rows
from ..errors import ConfigurationError, InvalidRequest
from ..models.results import Balance, Cancellation, MessageReport, Rescheduling, SendResult
from .limits.read_cache import Key


class Kind(Enum):
    """What an operation does, which decides when it may be repeated."""

    READ = "read"
    CHANGE = "repeatable change"
    SEND = "send"


class Answers(Enum):
    """What an operation answers with when it is no reply that a model reads."""

    FILE = "a file"
    NOTHING = "its result code alone"
    UNKNOWN = "nobody has listed what"


@frozen
class Operation:
    """One operation of the API."""

    name: str  # its name in the manuals, which is its path unless `path` says otherwise
    kind: Kind  # read, repeatable change, or send
    reply: type | Answers  # the model its reply is structured into, or what else it answers with
    invalidates: tuple[str, ...] = ()  # reads whose remembered answers this call makes stale
    # the last part of its URL
    path: str = field(default=Factory(lambda row: row.name, takes_self=True), kw_only=True)
    path_source: str = field(default="manual", kw_only=True)  # where the path is known from
    # result codes that mean "done already" when the call is a repeat
    done: Set[int] = field(default=frozenset(), kw_only=True)
    # result codes that, when the call is a repeat, say that no try before it did anything either
    not_done: Set[int] = field(default=frozenset(), kw_only=True)
    needs_success: bool = field(default=False, kw_only=True)  # whether a result of 0 is a refusal
    # the parameter of its form that the provider wants used very rarely; "" for none
    rare_parameter: str = field(default="", kw_only=True)


_READ, _CHANGE, _SEND = Kind.READ, Kind.CHANGE, Kind.SEND
_CANCEL_NOT_DONE = {-2, -3, -4}
_RESCHEDULE_NOT_DONE = {-2, -3, -5, -6}  # not -4 and -7: the new date may have come meanwhile
_UPLOAD_NOT_DONE = {-3, *range(-18, -9)}
_PLAIN, _CERTIFIED, _FILES = ("GetReportSMS",), ("GetReportSMSCERTIFICADO",), ("ListarFicheros",)

_ROWS = (
    Operation("EnviarSMS", _SEND, SendResult, _PLAIN),
    Operation("CancelarSMS", _CHANGE, Cancellation, _PLAIN, done={-5}, not_done=_CANCEL_NOT_DONE),
    Operation("ReprogramarSMS", _CHANGE, Rescheduling, _PLAIN, not_done=_RESCHEDULE_NOT_DONE),
    Operation("GetReportSMS", _READ, MessageReport, needs_success=True),
    Operation("CargarFichero", _CHANGE, UploadReply, _FILES, not_done=_UPLOAD_NOT_DONE, needs_success=True),
    Operation("ListarFicheros", _READ, FileList, needs_success=True),
    Operation(
        "BorrarFichero", _CHANGE, Answers.NOTHING, _FILES, done={-2}, not_done={-3}, needs_success=True
    ),
    Operation("GetCreditos", _READ, Balance, needs_success=True),
    Operation("EnviarSMSCERTIFICADO", _SEND, SendResult, _CERTIFIED),
    Operation(
        "CancelarSMSCERTIFICADO",
        _CHANGE,
        Cancellation,
        _CERTIFIED,
        done={-5},
        not_done=_CANCEL_NOT_DONE,
        path_source="inferred",
    ),
    Operation(
        "ReprogramarSMSCERTIFICADO",
        _CHANGE,
        Rescheduling,
        _CERTIFIED,
        not_done=_RESCHEDULE_NOT_DONE,
        path_source="inferred",
    ),
    Operation("GetReportSMSCERTIFICADO", _READ, MessageReport, path_source="field", needs_success=True),
    Operation("GetSMSCERTIFICADO", _READ, Answers.FILE, path_source="field", rare_parameter="Fechainicio"),
)

OPERATIONS: Mapping[str, Operation] = {row.name: row for row in _ROWS}
_FOLDED = {name.casefold(): name for name in OPERATIONS}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def with_paths(paths: Mapping[str, str]) -> dict[str, Operation]:
    """Return the table with some paths replaced."""
    table = dict(OPERATIONS)
    for given, path in paths.items():
        name = _FOLDED.get(str(given).casefold())
        if name is None:
            raise ConfigurationError(f"paths names an unknown operation: {given!r}.")
        if not isinstance(path, str) or not _NAME.fullmatch(path.strip("/")):
            raise ConfigurationError(f"The path given for {name} is not a plain name.")
        table[name] = evolve(table[name], path=path.strip("/"))
    return table


def find(table: Mapping[str, Operation], name: str) -> Operation:
    """Return the row of an operation; one nobody has listed is taken for a send, so it is never repeated blindly."""
    known = _FOLDED.get(name.casefold()) if isinstance(name, str) else None
    if known is not None:
        return table[known]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequest(f"{str(name)[:40]!r} is not the name of an operation.")
    return Operation(name, Kind.SEND, Answers.UNKNOWN, path_source="user")


def key_of(operation: Operation, params: Mapping[str, Any]) -> Key:
    about = sorted((name.casefold(), str(value)) for name, value in params.items())
    return operation.name, tuple(pair for pair in about if pair[0] != "resp")


def joins(operation: Operation, params: Params) -> bool:
    """Return whether a send joins a message, so that the provider texts nobody twice; 0 and blank join none."""
    if operation.path_source == "user":
        return False  # nobody knows what the parameter means there
    try:
        return int(params.value("idmensaje") or 0) > 0
    except (TypeError, ValueError):
        return False


def is_rare(operation: Operation, params: Params) -> bool:
    """Return whether this is a call that the provider wants made very rarely: the certificates of a period."""
    return bool(params.value(operation.rare_parameter.casefold())) and not params.value("idmensaje")


def plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters for an error to carry, whose recipients are a list like any other."""
    return {name: value.listed() if isinstance(value, Rows) else value for name, value in params.items()}


def check_params(params: Mapping[str, Any] | None) -> Params:
    """Return a user's own parameters, by wire names, without the reply form, which the caller decides."""
    if params is not None and not isinstance(params, Mapping):
        raise InvalidRequest(f"Parameters are a mapping, not {type(params).__name__}.")
    checked = Params()
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
    """Return a count that the user may set, up to a limit, which is also its default."""
    if value is None:
        return most
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidRequest(f"{name} is a whole number from 1.")
    return min(value, most)


def positive_seconds(name: str, value: float | timedelta) -> float:
    """Return a time that the user may set, in seconds."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise InvalidRequest(f"{name} is a number of seconds above 0, or a timedelta.")
    return seconds
