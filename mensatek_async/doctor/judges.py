"""What the evidence says of each assumption; None while nothing was seen that tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from .._core.failures import Unreadable
from .._wire.decode import number
from .._wire.names import CREDITS_LEFT
from ..errors import APIError, AuthenticationError, BadParameters, MensatekError
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
    if e.ended is not None and not isinstance(e.ended, AuthenticationError):
        return Verdict(False, str(e.ended.args[0]))
    if e.first_answer or e.ended:
        return Verdict(True, "the API answers")
    errors = [seen.error for seen in e.balance.values() if seen.error]
    return Verdict(False, _said(errors[-1])) if errors else None


def credentials(e: Evidence) -> Verdict | None:
    """Whether user and token are accepted."""
    if e.first_answer:
        return Verdict(True, "API user and token are accepted")
    return Verdict(False, _said(e.ended)) if isinstance(e.ended, AuthenticationError) else None


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
    return None


def replies(e: Evidence) -> Verdict | None:
    """Which form replies come in."""
    answer = next((seen for seen in reversed(e.balance.values()) if seen.reply), None)
    if answer is None:
        return None
    as_seen = (
        "as live ones have been seen" if answer.shape == "one JSON object" else "which the client reads too"
    )
    return Verdict(True, f"replies come as {answer.shape}, {as_seen}")


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
    where = "behind" if skew > 0 else "ahead of"
    return Verdict(False, f"this machine's clock is {abs(skew):,.0f} s {where} the provider's")


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
    if first is None or not first.accepted:
        return None
    cost = e.price
    return Verdict(
        cost is not None, "the answer does not say" if cost is None else f"a text costs {_plain(cost)}"
    )


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
        known = status.label_en != "" and status.phase.value != "unknown"
        return Verdict(
            known, f"status {status.code}, {status.label_en if known else 'which nobody has listed'}"
        )
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
        return Verdict(e.moved.rescheduled > 0, f"{e.moved.rescheduled} moved")
    return Verdict(False, _said(e.moved)) if e.moved else None


def cancelled(e: Evidence) -> Verdict | None:
    """Whether a text can be taken back."""
    if isinstance(e.cancelled, Cancellation):
        back = e.cancelled.credits_refunded
        told = "the answer does not say what came back" if back is None else f"{_plain(back)} came back"
        return Verdict(e.cancelled.cancelled > 0, f"{e.cancelled.cancelled} cancelled; {told}")
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
    how = {None: "without Report", True: "with Report=1", False: "with Report=0"}[asked]
    if came or asked is False:
        return Verdict(True, f"{'callbacks come' if came else 'none comes'} {how}")
    if e.unreadable:
        return Verdict(False, "callbacks came that cannot be read")
    only = e.reports_of("scheduled")
    detail = f"none came {how} within {e.waited:.0f} s" + (", but with Report=1" if only else "")
    return Verdict(False, detail, {} if asked else {"report": True})


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
    return Verdict(False, f"none came with Report=1 within {e.waited:.0f} s") if e.assumed.report else None


def callback_time(e: Evidence) -> Verdict | None:
    """Whether dates in callbacks are Spanish time."""
    if not e.late:
        return None
    off = min(e.late, key=abs)
    if abs(off) <= _TIME_TOLERANCE:
        return Verdict(True, "their dates are in Spanish time")
    return Verdict(
        False, f"their dates are {abs(off) / 3600:.1f} h {'before' if off > 0 else 'after'} they came"
    )


def _plain(credits: Decimal) -> str:
    written = f"{credits:f}"
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return f"{written} credit{'' if credits == 1 else 's'}"


def _said(error: object) -> str:
    return str(error.args[0]).rstrip(".") if isinstance(error, MensatekError) and error.args else "no answer"
