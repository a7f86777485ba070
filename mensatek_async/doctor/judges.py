"""What the evidence says of each assumption; None while nothing was seen that tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from .._core.failures import Unreadable
from .._wire.decode import number
from .._wire.names import CREDITS_LEFT
from ..codes import Phase
from ..errors import AccountPaused, APIError, AuthenticationError, BadParameters, MensatekError
from ..models.results import Cancellation, MessageReport, Rescheduling
from .evidence import Evidence

CLOCK_TOLERANCE = 30.0  # seconds; a date on the wire has minutes, and an answer takes its time
_TIME_TOLERANCE = 600.0  # seconds that a delivery report may be older than its callback


@frozen
class Verdict:
    """What the evidence says of one assumption.

    Attributes:
        ok: whether the client works with it as it is set.
        detail: what was seen.
        settings: what to set instead.
    """

    ok: bool
    detail: str
    settings: Mapping[str, Any] = field(factory=dict)


# --- what an answer for the credits tells ---------------------------------------------------------------------


def access(e: Evidence) -> Verdict | None:
    """Whether the API answers this account."""
    if e.ended is not None and not _by_credentials(e.ended):
        return Verdict(False, str(e.ended))
    if e.first_answer or e.ended:
        return Verdict(True, "the API answers")
    errors = [seen.error for seen in e.balance.values() if seen.error]
    return Verdict(False, _said(errors[-1])) if errors else None


def credentials(e: Evidence) -> Verdict | None:
    """Whether user and token are accepted."""
    if e.first_answer:
        return Verdict(True, "API user and token are accepted")
    return Verdict(False, str(e.ended)) if _by_credentials(e.ended) else None


def _by_credentials(error: MensatekError | None) -> bool:
    return isinstance(error, AuthenticationError) or (
        isinstance(error, AccountPaused) and error.by_credentials
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
    first = e.sent("first")  # which tells, where answers are no JSON whatever was asked
    return Verdict(True, "JSON bodies are read") if first and first.accepted else None


def replies(e: Evidence) -> Verdict | None:
    """Which form replies come in."""
    answer = next((seen for seen in reversed(e.balance.values()) if seen.reply), None)
    if answer is None:
        return None
    if answer.shape == "one JSON object":
        return Verdict(True, f"replies come as {answer.shape}, as live ones have been seen")
    return Verdict(True, f"replies come as {answer.shape}, which the client reads too")


def credits(e: Evidence) -> Verdict | None:
    """Whether the credits can be read."""
    answer = next((seen for seen in e.balance.values() if seen.credits is not None), None)
    if answer is None or answer.reply is None:
        return Verdict(False, "no answer names the credits") if e.first_answer else None
    read = number(answer.reply.reply, *CREDITS_LEFT)
    if read is None:
        return Verdict(False, "the credits cannot be read as a number")
    notation = _notation(answer.credits)
    return Verdict(True, f"{read:,f} credits, written {notation}; compare them with your panel")


def _notation(written: Any) -> str:
    if not isinstance(written, str):
        return "as a number"
    spanish = (
        "," in written[-4:]
        or written.count(".") > 1
        or ("." in written and len(written.partition(".")[2]) == 3)
    )
    return "in Spanish notation" if spanish else "as a text in plain notation"


def clock(e: Evidence) -> Verdict | None:
    """Whether this machine's clock is right."""
    skew = next((seen.skew for seen in e.balance.values() if seen.skew is not None), None)
    if skew is None:
        return None
    if abs(skew) <= CLOCK_TOLERANCE:
        return Verdict(True, f"this machine's clock is within {CLOCK_TOLERANCE:.0f} s of the provider's")
    return Verdict(
        False,
        f"this machine's clock is {abs(skew):,.0f} s {'behind' if skew > 0 else 'ahead of'} the provider's",
    )


def path(operation: str, instead: str) -> Callable[[Evidence], Verdict | None]:
    """Return the judge of an operation's path; `instead` is the likeliest other one."""

    def judge(e: Evidence) -> Verdict | None:
        seen = e.probed.get(operation)
        if seen is None:
            return None
        path, error = e.assumed.paths.get(operation, operation), seen.error
        missing = isinstance(error, AuthenticationError) or isinstance(_cause(error), Unreadable)
        if missing or (isinstance(error, BadParameters) and error.code is None):
            changed = {"paths": {**e.assumed.paths, operation: instead}} if path != instead else {}
            return Verdict(False, f"{path} is not there ({_said(error)})", changed)
        if isinstance(error, APIError):
            return Verdict(True, f"{path} is there: it refuses a call without parameters (Res {error.code})")
        return None

    return judge


def _cause(error: MensatekError | None) -> BaseException | None:
    return error.__cause__ if error else None


# --- what texts tell --------------------------------------------------------------------------------------------


def send(e: Evidence) -> Verdict | None:
    """What became of text 1."""
    first = e.sent("first")
    if first is None or first.error is e.ended is not None or (first.result is None and first.error is None):
        return None
    if first.result is None:
        return Verdict(False, _said(first.error))
    if not first.accepted:
        return Verdict(False, "the provider did not take the phone")
    return Verdict(True, "a text is taken, and counted as one recipient")


def message_id(e: Evidence) -> Verdict | None:
    """Whether a send names its message."""
    first = e.sent("first")
    if first is None or not first.accepted:
        return None
    if first.message_id:
        return Verdict(True, f"the answer names the message: {first.message_id}")
    return _ungrouped(e, "the answer names no message")


def price(e: Evidence) -> Verdict | None:
    """Whether a send says what it cost."""
    first = e.sent("first")
    if first is None or first.result is None or not first.accepted:
        return None
    cost = first.result.credits_used
    if cost is None:
        return Verdict(False, "the answer does not say what text 1 cost")
    return Verdict(True, f"what text 1 cost, in credits: {plain(cost)}")


def segments(e: Evidence) -> Verdict | None:
    """Whether segments are counted as here."""
    first = e.sent("first")
    counted = first.result.segments if first and first.result and first.accepted else None
    return None if counted is None else Verdict(counted == 1, f"text 1 was counted as {counted}")


def grouping(e: Evidence) -> Verdict | None:
    """Whether a message keeps a second text from a phone."""
    repeat = e.sent("repeat")
    if repeat is None or (repeat.result is None and not isinstance(repeat.error, APIError)):
        return None
    if repeat.error is not None:
        detail = f"a send that joins a message is refused ({_said(repeat.error)})"
    elif repeat.accepted:
        detail = "the same message took the same phone twice: whoever repeats a request texts people twice"
    else:
        return Verdict(True, "a second text to the same phone in the same message was refused as repeated")
    return _ungrouped(e, detail)


def _ungrouped(e: Evidence, detail: str) -> Verdict:
    if e.assumed.assume_grouping:
        return Verdict(False, detail, {"assume_grouping": False})
    return Verdict(True, f"{detail}; this client repeats nothing, as set")


def report(e: Evidence) -> Verdict | None:
    """Whether a report can be read."""
    report = e.report
    if isinstance(report, MessageReport):
        if not report.recipients:
            return Verdict(False, "the report lists nobody")
        status = report.recipients[0].status
        if status.phase is Phase.UNKNOWN:
            return Verdict(False, f"text 1 has status {status.code}, which nobody has listed")
        return Verdict(True, f'text 1 has status {status.code}, in the panel "{status.label}"')
    return Verdict(False, _said(report)) if report else None


def schedule(e: Evidence) -> Verdict | None:
    """Whether a date is taken."""
    text = e.sent("scheduled")
    if text is None or (text.result is None and text.error is None):
        return None
    return Verdict(text.accepted, "a date is taken" if text.accepted else _said(text.error))


def moved(e: Evidence) -> Verdict | None:
    """Whether a text can be given another date."""
    if isinstance(e.moved, Rescheduling):
        moved = e.moved.rescheduled > 0
        return Verdict(moved, "text 3 was given another date" if moved else "text 3 was given no other date")
    return Verdict(False, _said(e.moved)) if e.moved else None


def cancelled(e: Evidence) -> Verdict | None:
    """Whether a text can be taken back."""
    if isinstance(e.cancelled, Cancellation):
        back = e.cancelled.credits_refunded
        if not e.cancelled.cancelled:
            return Verdict(False, "text 3 was not cancelled")
        if back is None:
            return Verdict(True, "text 3 was cancelled; the answer does not say what came back")
        return Verdict(True, f"text 3 was cancelled; what came back, in credits: {plain(back)}")
    return Verdict(False, _said(e.cancelled)) if e.cancelled else None


# --- what callbacks tell ----------------------------------------------------------------------------------------


def callback_url(e: Evidence) -> Verdict | None:
    """Whether the user's URL leads here."""
    if e.url_works is None:
        return None
    arrives = "a callback posted to the URL arrives here"
    return Verdict(e.url_works, arrives if e.url_works else "what is posted to the URL does not arrive here")


def callbacks(e: Evidence) -> Verdict | None:
    """Whether callbacks come for a send that does not say."""
    first = e.sent("first")
    if e.waited is None or first is None or not first.message_id:
        return None
    asked, came = e.assumed.report, e.reports_of("first")
    if asked is False:
        return Verdict(
            True, "callbacks come with Report=0 too" if came else "no callback comes with Report=0, as set"
        )
    if came:
        return Verdict(True, "callbacks come with Report=1" if asked else "callbacks come without Report")
    if asked:
        return Verdict(False, f"no callback came with Report=1 within {e.waited:.0f} s")
    if e.reports_of("scheduled"):
        return Verdict(False, "callbacks come with Report=1 only", {"report": True})
    return Verdict(False, f"no callback came within {e.waited:.0f} s", {"report": True})


def callback_form(e: Evidence) -> Verdict | None:
    """Whether callbacks can be read."""
    if not e.heard and not e.unreadable:
        return None
    if e.unreadable:
        return Verdict(False, f"callbacks that cannot be read: {e.unreadable}")
    other = next((one.service for one in e.heard if not one.is_known_service), None)
    if other is not None:
        return Verdict(True, f"callbacks can be read; their service is one that no manual names: {other}")
    return Verdict(True, "callbacks can be read")


def reference(e: Evidence) -> Verdict | None:
    """Whether references come back."""
    if not e.heard:
        return None
    sent = {one.reference for one in e.texts}
    came = any(f"{one.reference} {one.mark}" in sent for one in e.heard)
    return Verdict(came, "it comes back as it was sent" if came else "callbacks come back without it")


def asked(e: Evidence) -> Verdict | None:
    """Whether callbacks come with Report=1."""
    purpose = "first" if e.assumed.report else "scheduled"
    text = e.sent(purpose)
    if e.waited is None or text is None or not text.message_id:
        return None
    if e.reports_of(purpose):
        return Verdict(True, "callbacks come with Report=1")
    # That a text which never leaves has callbacks is not promised.
    return (
        Verdict(False, f"no callback came with Report=1 within {e.waited:.0f} s")
        if e.assumed.report
        else None
    )


def dates(e: Evidence) -> Verdict | None:
    """Whether dates in reports and callbacks are in Spanish time."""
    if not e.late:
        return None
    off = min(e.late, key=abs)
    if abs(off) <= _TIME_TOLERANCE:
        return Verdict(True, "their dates are in Spanish time")
    return Verdict(
        False, f"their dates are {abs(off) / 3600:.1f} h {'before' if off > 0 else 'after'} they came"
    )


def plain(credits: Decimal) -> str:
    """Credits without idle zeros."""
    written = f"{credits:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _said(error: object) -> str:
    return str(error.args[0]).rstrip(".") if isinstance(error, MensatekError) and error.args else "no answer"
