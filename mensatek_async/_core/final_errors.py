"""What a call that went wrong ends in: the user's error for each way to fail, without what is confidential."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from ..errors import (
    APIError,
    ConnectionFailed,
    MensatekError,
    OutcomeUnknown,
    TooManyRequests,
    UnexpectedReply,
)
from ..phones import mask
from ..settings import Secret
from .call_state import CallState
from .failures import Failure, NotReached, ToldToWait, Unreadable
from .operations import Kind, Operation, plain


def unknown(operation: Operation, reason: str, params: Mapping[str, Any]) -> OutcomeUnknown:
    """Return the error of a call that may have been done."""
    return OutcomeUnknown(operation.name, reason, asked=plain(params))


def final(
    operation: Operation,
    params: Mapping[str, Any],
    state: CallState,
    failure: Failure,
    *,
    secrets: Sequence[Secret],
    wait_max: float,
) -> MensatekError:
    """Return the error for a failure after which there are no further tries."""
    reason = scrub(failure.reason, params, secrets)
    if state.maybe_done and operation.kind is not Kind.READ:
        return unknown(operation, f"no readable answer came ({reason})", params)
    if isinstance(failure, NotReached):
        return ConnectionFailed(
            f"{operation.name}: the provider could not be reached ({reason}). Nothing was sent.",
            advice="Check the network and base_url, then try again.",
        )
    if isinstance(failure, ToldToWait):
        return TooManyRequests(
            f"{operation.name}: the provider asked to wait ({reason}). Nothing was sent.",
            retry_after=failure.wait or wait_max,
        )
    problems = failure.problems if isinstance(failure, Unreadable) else (reason.rstrip("."),)
    return UnexpectedReply(operation.name, problems)


def without_secrets(error: APIError, params: Mapping[str, Any], secrets: Sequence[Secret]) -> APIError:
    """Return a refusal whose words quote nothing of the call."""
    error.args = (scrub(str(error.args[0]), params, secrets),)
    error.detail = scrub(error.detail, params, secrets)
    return error


_TEXTS = frozenset({"mensaje", "contenido"})
_FEWEST = 4  # characters below which a value is found in any sentence
_HEAD = 16
_PHONE = re.compile(r"(?<![\w.,])\+?[0-9]{9,15}(?![\w]|[.,][0-9])")


def scrub(text: str, params: Mapping[str, Any], secrets: Iterable[Secret] = ()) -> str:
    """Return words without what a call carried: its text, its recipients' fields, phones, and secrets."""
    for secret in (*(one.reveal() for one in secrets), *_values(params)):
        text = _without(text, " ".join(secret.split()))
    return _PHONE.sub(lambda phone: mask(phone[0]), text)


def _values(params: Mapping[str, Any]) -> Iterator[str]:
    for name, value in params.items():
        if isinstance(value, str) and name.casefold() in _TEXTS:
            yield value
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            for row in value:
                if isinstance(row, Mapping):
                    yield from (str(inner) for key, inner in row.items() if key.casefold() != "movil")


def _without(text: str, secret: str) -> str:
    # The beginning decides, since a long quotation may have been cut off.
    head = secret[:_HEAD]
    if len(head) < _FEWEST:
        return text
    start = text.find(head)
    while start >= 0:
        pairs = zip(text[start:], secret, strict=False)
        quoted = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        text = f"{text[:start]}***{text[start + quoted :]}"
        start = text.find(head, start + 3)
    return text
