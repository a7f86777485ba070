"""Reads one answer: a decoded reply, or the exception it means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from .. import codes
from .._wire.decode import DecodeError, decode
from .._wire.quick import credits_in, credits_needed, error_text, result_code
from ..errors import APIError, AuthenticationError, BadParameters, InsufficientCredits
from .failures import Blocked, Cut, ToldToWait, Unreadable
from .operations import Kind, Operation
from .receive import Reply

_FILES = ("application/pdf", "application/zip", "application/octet-stream")


@frozen
class Answer:
    """A decoded reply, or the file that came instead of one.

    Attributes:
        reply: the decoded reply; empty when a file came.
        raw: the answer as it came.
        done_before: whether a repeated change found itself done already.
    """

    reply: dict[str, Any] = field(repr=False)
    raw: Reply
    done_before: bool = False


def read_answer(operation: Operation, reply: Reply, told: Callable[[Decimal], None]) -> Answer:
    """Turn an answer into a decoded reply.

    Args:
        operation: what was called.
        reply: the answer as it came.
        told: called with the credits left when the answer names them, a refusal's too.

    Raises:
        APIError: the provider said no.
        Blocked: it turned the caller away.
        ToldToWait: it turned the call away for a while.
        Cut: the server failed, so what it did is not known.
        Unreadable: nobody can read the answer.
    """
    if reply.status != 200:
        _check_status(operation, reply)
    elif reply.stored or (reply.stored is None and _is_file(operation, reply)):
        return Answer({}, reply)
    try:
        decoded = decode(reply.body, reply.content_type)
        code = result_code(decoded)
    except DecodeError as error:
        if 300 <= reply.status < 500:
            raise BadParameters(operation.name, None, _where(operation, reply.status)) from None
        raise Unreadable(error.problems) from None
    left = credits_in(decoded)
    if left is not None:
        told(left)
    if code < 0 or (code == 0 and operation.needs_success):
        raise _refusal(operation, code, decoded)
    if reply.status >= 300:
        raise Unreadable((f"HTTP {reply.status}, with an answer that says it was done",))
    return Answer(decoded, reply)


def _is_file(operation: Operation, reply: Reply) -> bool:
    """Whether a file came; what deletes a file answers with none, and a refusal may come under any content type."""
    if operation.reply is not None or operation.kind is Kind.CHANGE:
        return False
    if not reply.content_type.lower().startswith(_FILES):
        return False
    return operation.kind is Kind.READ or not _says_no(reply)


def _check_status(operation: Operation, reply: Reply) -> None:
    """Raise for an HTTP status that decides by itself; return when the body has the word."""
    status = reply.status
    if status == 401:
        raise AuthenticationError(operation.name, None, "HTTP 401")
    if status == 429 or (status == 503 and reply.retry_after is not None):
        raise ToldToWait(f"HTTP {status}", wait=reply.retry_after)
    if status == 403 and not _says_no(reply):
        raise Blocked("HTTP 403", wait=reply.retry_after)
    if status >= 500 or status == 408:
        raise Cut(f"HTTP {status}")


def _where(operation: Operation, status: int) -> str:
    hint = "its path is inferred, and paths= replaces it" if operation.standing == "inferred" else ""
    return f"HTTP {status}; {hint or 'is base_url right?'}"


def _says_no(reply: Reply) -> bool:
    try:
        return result_code(decode(reply.body, reply.content_type)) < 0
    except DecodeError:
        return False


def _refusal(operation: Operation, code: int, reply: Mapping[str, Any]) -> APIError:
    cls = codes.error_class(operation.name, code)
    row = codes.lookup(operation.name, code)
    told = error_text(reply) or (row.meaning if row else "")
    if issubclass(cls, InsufficientCredits):
        return cls(operation.name, code, told, needed=credits_needed(reply), left=credits_in(reply))
    return cls(operation.name, code, told)
