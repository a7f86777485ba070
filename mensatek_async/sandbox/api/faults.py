"""Trouble on demand: what goes wrong, for which calls, and how often."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

_HTML = (
    "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Service unavailable</h1></body></html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of trouble; build it with one of the class methods and hand it to `Sandbox.fault`."""

    kind: Literal["latency", "drop", "reply", "cut", "refuse"]
    processed: bool = False
    seconds: float = 0.0
    reset: bool = False
    status: int = 200
    body: bytes = field(default=b"", repr=False)
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    code: int = 0
    fields: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def latency(cls, seconds: float, *, before: bool = False) -> Fault:
        """The answer comes late.

        Args:
            seconds: how late.
            before: wait before the request is processed; by default it is processed at once and answered
                late, so that a caller who gives up finds its texts sent.
        """
        return cls(kind="latency", seconds=seconds, processed=not before)

    @classmethod
    def drop_before(cls, *, reset: bool = False) -> Fault:
        """The connection closes and nothing was processed; `reset` closes it with a TCP reset."""
        return cls(kind="drop", reset=reset)

    @classmethod
    def drop_after_accept(cls, *, reset: bool = False) -> Fault:
        """The request is processed, then the connection closes without an answer."""
        return cls(kind="drop", processed=True, reset=reset)

    @classmethod
    def cut_body(cls) -> Fault:
        """The request is processed; half of the answer arrives, then the connection closes."""
        return cls(kind="cut", processed=True)

    @classmethod
    def http_status(
        cls, status: int, *, retry_after: str | float | None = None, processed: bool = False
    ) -> Fault:
        """An HTML page with any HTTP status, and a `Retry-After` (seconds, or an HTTP date) if given."""
        headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
        return cls(kind="reply", processed=processed, status=status, body=_HTML.encode(), headers=headers)

    @classmethod
    def status_429(cls, retry_after: str | float | None = None) -> Fault:
        """Too many requests; nothing was processed."""
        return cls.http_status(429, retry_after=retry_after)

    @classmethod
    def status_503(cls, retry_after: str | float | None = None, *, processed: bool = False) -> Fault:
        """Service unavailable, by default with nothing processed."""
        return cls.http_status(503, retry_after=retry_after, processed=processed)

    @classmethod
    def html_page(cls, status: int = 200, *, processed: bool = False) -> Fault:
        """An HTML page where an answer should be."""
        return cls.http_status(status, processed=processed)

    @classmethod
    def reply(
        cls,
        body: str | bytes,
        status: int = 200,
        content_type: str = "application/json",
        *,
        processed: bool = False,
    ) -> Fault:
        """Any body at all."""
        data = body.encode() if isinstance(body, str) else body
        return cls(kind="reply", body=data, status=status, content_type=content_type, processed=processed)

    @classmethod
    def refuse(cls, code: int, error: str = "", **fields: Any) -> Fault:
        """A result code of the operation, nothing processed.

        Args:
            code: `Res`.
            error: `Error`, if any.
            fields: more fields of the reply, by their wire names.
        """
        extra = (("Error", error), *fields.items()) if error else tuple(fields.items())
        return cls(kind="refuse", code=code, fields=extra)


_ERRORS = {
    "503": Fault.status_503(),
    "429": Fault.status_429(1),
    "500": Fault.http_status(500),
    "drop": Fault.drop_before(),
    "lost": Fault.drop_after_accept(),
    "cut": Fault.cut_body(),
    "html": Fault.html_page(),
    "credits": Fault.refuse(-2, Cred=0, CreditosNecesarios=1),
    "refused": Fault.refuse(-1),
}
ERROR_KINDS = tuple(_ERRORS)
"""The errors of `Sandbox.error_kind`: HTTP statuses; the connection closed before, or after, the call was processed;
half an answer; an HTML page; no credits; credentials refused."""

_NO_CREDITS = {"EnviarSMS": -2, "EnviarSMSCERTIFICADO": -5}  # the sends


def error_of_kind(kind: str, operation: str) -> Fault | None:
    """The fault of an error kind for an operation; None when this operation does not know such an error."""
    if kind != "credits":
        return _ERRORS[kind]
    return replace(_ERRORS[kind], code=_NO_CREDITS[operation]) if operation in _NO_CREDITS else None


_PHONE = re.compile(r"\+?[0-9]{5,9}998([0-9]{3})")

ENDINGS = {
    "000": "lost",
    "001": "refused",
    "002": "credits",
    "429": "429",
    "500": "500",
    "503": "503",
    "900": "drop",
    "901": "cut",
    "902": "html",
}
"""What the last three digits after 998 do to a send, by the names of `ERROR_KINDS`."""


def fault_asked_for(operation: str, params: Mapping[str, Any]) -> Fault | None:
    """The fault that a recipient of a send asks for by its ending: 998 and three digits."""
    rows = {name.lower(): value for name, value in params.items()}.get("destinatarios")
    if operation not in _NO_CREDITS or not isinstance(rows, list):
        return None
    for row in rows:
        for value in row.values() if isinstance(row, dict) else ():
            match = _PHONE.fullmatch(str(value))
            if match and match.group(1) in ENDINGS:
                return error_of_kind(ENDINGS[match.group(1)], operation)
    return None


@dataclass(slots=True)
class Rule:
    """A fault and the calls it hits; see `Sandbox.fault`."""

    fault: Fault
    operation: str | None
    times: int | None
    every: int
    after: int
    when: Callable[[dict[str, Any]], bool] | None
    seen: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        if self.every < 1 or self.after < 0 or (self.times is not None and self.times < 1):
            raise ValueError("every and times start at 1, after at 0")

    def fires(self, operation: str, params: Callable[[], dict[str, Any]]) -> bool:
        """Whether this call is one the fault hits; counts it either way."""
        if self.operation not in (None, operation) or (self.when and not self.when(params())):
            return False
        self.seen += 1
        due = self.seen > self.after and (self.seen - self.after) % self.every == 0
        if not due or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True


class Faults:
    """The faults waiting for their calls."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._random = random.Random(0)  # noqa: S311  decides what fails, the same way in every run
        self.rate: float = 0.0
        self.kind: str = ERROR_KINDS[0]

    def __len__(self) -> int:
        return sum(rule.times is None or rule.fired < rule.times for rule in self.rules)

    def clear(self) -> None:
        """Disarm everything."""
        self.rules.clear()
        self.rate = 0.0

    def pick(self, operation: str, params: Callable[[], dict[str, Any]]) -> list[Fault]:
        """The faults that hit this call, in the order they were armed."""
        faults = [rule.fault for rule in self.rules if rule.fires(operation, params)]
        if self.rate and self._random.random() < self.rate:
            error = error_of_kind(self.kind, operation)
            faults += [error] if error else []
        return faults
