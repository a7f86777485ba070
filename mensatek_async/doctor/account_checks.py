"""What calls that send nothing tell of an account."""

from __future__ import annotations

from functools import partial

from .._core.failures import Unreadable
from .._wire.decode import number
from .._wire.names import CREDITS_LEFT
from ..errors import AccountPaused, APIError, AuthenticationError, BadParameters, MensatekError
from .check import Check, Verdict, check, said
from .evidence import Evidence

CHECKS: list[Check] = []
CLOCK_TOLERANCE = 30.0  # seconds; an answer takes its time
_check = partial(check, CHECKS, how="credits asked for", cost="a call that sends nothing")


@_check(
    "access",
    assumes="the address is right, and the account is not blocked",
    rests="everything",
    otherwise="After a block ask the provider's support for its reason.",
)
def _access(e: Evidence) -> Verdict | None:
    if e.ended is not None and not _by_credentials(e.ended):
        return Verdict(False, str(e.ended))
    if e.first_answer or e.ended:
        return Verdict(True, "the API answers")
    errors = [seen.error for seen in e.balance.values() if seen.error]
    return Verdict(False, said(errors[-1])) if errors else None


@_check(
    "credentials",
    assumes="the API user and token are accepted by HTTP Basic",
    rests="everything",
    otherwise="Copy both from your panel again.",
)
def _credentials(e: Evidence) -> Verdict | None:
    if e.first_answer:
        return Verdict(True, "API user and token are accepted")
    return Verdict(False, str(e.ended)) if _by_credentials(e.ended) else None


def _by_credentials(error: MensatekError | None) -> bool:
    paused = isinstance(error, AccountPaused) and error.by_credentials
    return paused or isinstance(error, AuthenticationError)


@_check(
    "bodies",
    assumes="JSON bodies are read",
    rests="every call",
    how="credits asked for in JSON; where that is not answered in JSON, as a form",
    cost="one call or two that send nothing",
    otherwise="Set request_format to form.",
)
def bodies(e: Evidence) -> Verdict | None:
    """Which bodies are read."""
    json, form = e.balance.get("json"), e.balance.get("form")
    if json is None:
        return Verdict(True, "form bodies are read, as set") if form and form.reply else None
    if json.is_json:
        return Verdict(True, "JSON bodies are read")
    if form and form.reply and (form.is_json or not json.reply):
        detail = "JSON bodies are not read; form bodies (application/x-www-form-urlencoded) are"
        return Verdict(False, detail, {"request_format": "form"})
    # A text that is taken tells, where answers are no JSON whatever was asked.
    return Verdict(True, "JSON bodies are read") if e.taken("first") else None


@_check(
    "replies",
    assumes="replies are one JSON object; arrays, text and XML are read as well",
    known="field",
    rests="every call",
    otherwise="Nothing has to be set.",
)
def _replies(e: Evidence) -> Verdict | None:
    answer = next((seen for seen in reversed(e.balance.values()) if seen.reply), None)
    if answer is None:
        return None
    if answer.shape == "one JSON object":
        return Verdict(True, f"replies come as {answer.shape}, as live ones have been seen")
    return Verdict(True, f"replies come as {answer.shape}, which the client reads too")


@_check(
    "credits",
    assumes="credits are a number in plain or in Spanish notation",
    known="field",
    rests="credits(), the stop of a bulk send that costs too much, max_credits",
    otherwise="Report it, with the reply as raw() gives it; leave max_credits out, and watch the panel.",
)
def _credits(e: Evidence) -> Verdict | None:
    answer = next((seen for seen in e.balance.values() if seen.credits is not None), None)
    if answer is None or answer.reply is None:
        return Verdict(False, "no answer names the credits") if e.first_answer else None
    read = number(answer.reply.reply, *CREDITS_LEFT)
    if read is None:
        return Verdict(False, "the credits cannot be read as a number")
    notation = "as a number"
    if isinstance(answer.credits, str):
        plain = answer.credits.strip() == f"{read:f}"
        notation = "as a text in plain notation" if plain else "in Spanish notation"
    return Verdict(True, f"{read:,f} credits, written {notation}; compare them with your panel")


@_check(
    "clock",
    assumes=f"this machine's clock is right, to {CLOCK_TOLERANCE:.0f} s",
    known="nowhere",
    rests="scheduled_at, hours of campaigns, not_after",
    how="the date of the answer against this machine's",
    cost="nothing",
    otherwise="Set this machine's clock (NTP). Until then what is scheduled leaves too early or too late.",
)
def _clock(e: Evidence) -> Verdict | None:
    if (skew := e.skew) is None:
        return None
    if abs(skew) <= CLOCK_TOLERANCE:
        return Verdict(True, f"this machine's clock is within {CLOCK_TOLERANCE:.0f} s of the provider's")
    detail = (
        f"this machine's clock is {abs(skew):,.0f} s {'behind' if skew > 0 else 'ahead of'} the provider's"
    )
    return Verdict(False, detail)


def _path(operation: str, e: Evidence) -> Verdict | None:
    seen, instead = e.probed.get(operation), operation.removesuffix("CERTIFICADO")
    if seen is None:
        return None
    path, error = e.assumed.paths.get(operation, operation), seen.error
    unreadable = error is not None and isinstance(error.__cause__, Unreadable)
    missing = isinstance(error, BadParameters) and error.code is None
    if unreadable or missing or isinstance(error, AuthenticationError):
        changed = {"paths": {**e.assumed.paths, operation: instead}} if path != instead else {}
        return Verdict(False, f"{path} is not there ({said(error)})", changed)
    if isinstance(error, APIError):
        return Verdict(True, f"{path} is there: it refuses a call without parameters (Res {error.code})")
    return None


_check_path = partial(
    _check,
    known="inferred",
    how="an empty call, which is refused where the path is right",
    otherwise="Set paths: the plain operation's is the likeliest. Try it with a certified text of your own.",
)
_check_path(
    "cancel-path",
    assumes="certified texts are cancelled at CancelarSMSCERTIFICADO",
    rests="certified.cancel(), campaigns of certified texts",
)(partial(_path, "CancelarSMSCERTIFICADO"))
_check_path(
    "reschedule-path",
    assumes="certified texts are moved at ReprogramarSMSCERTIFICADO",
    rests="certified.reschedule()",
)(partial(_path, "ReprogramarSMSCERTIFICADO"))
