"""What a call that went wrong ends in: the user's error for each way to fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import (
    APIError,
    ConnectionFailed,
    MensatekError,
    OutcomeUnknown,
    TooManyRequests,
    UnexpectedReply,
)
from ..settings import Secret
from .call_state import Trace
from .failures import Failure, NotReached, ToldToWait, Unreadable
from .operations import Kind, Operation
from .params import plain
from .scrub import scrub


def unknown(operation: Operation, reason: str, params: Mapping[str, Any]) -> OutcomeUnknown:
    """The error of a call that may have been done."""
    return OutcomeUnknown(operation.name, reason, asked=plain(params))


def final(
    operation: Operation,
    params: Mapping[str, Any],
    trace: Trace,
    failure: Failure,
    *,
    secrets: Sequence[Secret],
    wait_max: float,
) -> MensatekError:
    """The error for a failure after which there are no further tries.

    Args:
        operation: what was called.
        params: its parameters.
        trace: what happened.
        failure: the last one.
        secrets: values that may not show.
        wait_max: seconds to name when the provider asked to wait and did not say how long.
    """
    reason = scrub(failure.reason, params, secrets)
    if trace.maybe_done and operation.kind is not Kind.READ:
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
    """A refusal whose words quote nothing of the call."""
    error.args = (scrub(str(error.args[0]), params, secrets),)
    error.detail = scrub(error.detail, params, secrets)
    return error
