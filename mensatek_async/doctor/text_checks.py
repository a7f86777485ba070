"""What texts to a phone of the user's own tell, and the callbacks that come for them."""

from __future__ import annotations

from functools import partial

from ..codes import Phase
from ..errors import APIError
from ..models.results import Cancellation, MessageReport, Rescheduling
from .check import Check, Verdict, check, plain, refused, said
from .evidence import Evidence

CHECKS: list[Check] = []
_TIME_TOLERANCE = 600.0  # seconds that a delivery report may be older than its callback
_check = partial(check, CHECKS, how="text 1", needs="phone", cost="nothing more")
_about_text_3 = partial(_check, cost="a call about text 3")
_check_callbacks = partial(_check, how="callbacks of these texts", needs="listen")


@_check(
    "send",
    assumes="Res counts the recipients that were taken",
    known="field",
    rests="accepted and rejected of every send",
    cost="text 1",
    otherwise="Read what the provider says; nothing else was sent.",
)
def _send(e: Evidence) -> Verdict | None:
    first = e.sent("first")
    if first is None or (first.error is e.ended and first.result is None):
        return None
    if first.result is None:
        return refused(first.error)
    if not first.accepted:
        return Verdict(False, "the provider did not take the phone")
    return Verdict(True, "a text is taken, and counted as one recipient")


@_check(
    "message-id",
    assumes="the answer to a send names its message",
    rests="reports, cancelling, everything that joins a message",
    otherwise="Set assume_grouping to False: nothing can be joined, so nothing is repeated.",
)
def _message_id(e: Evidence) -> Verdict | None:
    first = e.taken("first")
    if first is None:
        return None
    if first.message_id:
        return Verdict(True, f"the answer names the message: {first.message_id}")
    return _ungrouped(e, "the answer names no message")


@_check(
    "price",
    assumes="the answer to a send says what it cost",
    rests="credits_used, max_credits",
    otherwise="Leave max_credits out, and watch the panel.",
)
def _price(e: Evidence) -> Verdict | None:
    first = e.taken("first")
    if first is None:
        return None
    if first.credits_used is None:
        return Verdict(False, "the answer does not say what text 1 cost")
    return Verdict(True, f"what text 1 cost, in credits: {plain(first.credits_used)}")


@_check(
    "segments",
    assumes="a text is counted as 3GPP says, and accented vowels do not make it Unicode",
    rests="estimates before sending, max_credits",
    how="text 1, which has some; your phone shows how they arrive",
    otherwise="Take the segments of the answer for the price, and report the difference.",
)
def _segments(e: Evidence) -> Verdict | None:
    first = e.taken("first")
    counted = first.segments if first else None
    return None if counted is None else Verdict(counted == 1, f"text 1 was counted as {counted}")


@_check(
    "grouping",
    assumes="Idmensaje keeps a second text from the same phone",
    rests="the promise that nobody is texted twice: repeats of bulk sends and campaigns after a lost answer",
    how="text 2 joins text 1",
    cost="text 2, only where it fails",
    otherwise="Set assume_grouping to False: what gets no answer ends as unknown then, and is never repeated.",
)
def _grouping(e: Evidence) -> Verdict | None:
    repeat = e.sent("repeat")
    if repeat is None or (repeat.result is None and not isinstance(repeat.error, APIError)):
        return None
    if repeat.error is not None:
        return _ungrouped(e, f"a send that joins a message is refused ({said(repeat.error)})")
    if repeat.accepted:
        detail = "the same message took the same phone twice: whoever repeats a request texts people twice"
        return _ungrouped(e, detail)
    return Verdict(True, "a second text to the same phone in the same message was refused as repeated")


def _ungrouped(e: Evidence, detail: str) -> Verdict:
    if e.assumed.assume_grouping:
        return Verdict(False, detail, {"assume_grouping": False})
    return Verdict(True, f"{detail}; this client repeats nothing, as set")


@_check(
    "report",
    assumes="GetReportSMS lists the phone with a status of the manual's table",
    rests="report(), what campaigns and the outbox count as delivered",
    how="the report of text 1",
    cost="a call about text 1",
    otherwise="An unlisted status counts as unknown; report its number.",
)
def _report(e: Evidence) -> Verdict | None:
    if not isinstance(e.report, MessageReport):
        return refused(e.report)
    if not e.report.recipients:
        return Verdict(False, "the report lists nobody")
    status = e.report.recipients[0].status
    if status.phase is Phase.UNKNOWN:
        return Verdict(False, f"text 1 has status {status.code}, which nobody has listed")
    return Verdict(True, f'text 1 has status {status.code}, in the panel "{status.label}"')


@_check(
    "schedule",
    assumes="Fecha holds a text back until then",
    rests="scheduled_at",
    how="text 3, for tomorrow",
    cost="text 3, given back when it is cancelled",
    otherwise="Leave scheduled_at out: send when it is time, as campaigns do with send_between.",
)
def _schedule(e: Evidence) -> Verdict | None:
    text = e.sent("scheduled")
    if text is None or (text.result is None and text.error is None):
        return None
    return Verdict(text.accepted, "a date is taken" if text.accepted else said(text.error))


@_about_text_3(
    "reschedule",
    assumes="ReprogramarSMS gives it another date",
    rests="reschedule()",
    how="text 3 is moved to the day after",
    otherwise="Cancel, and send again.",
)
def _moved(e: Evidence) -> Verdict | None:
    if not isinstance(e.moved, Rescheduling):
        return refused(e.moved)
    moved = e.moved.rescheduled > 0
    return Verdict(moved, "text 3 was given another date" if moved else "text 3 was given no other date")


@_about_text_3(
    "cancel",
    assumes="CancelarSMS takes it back, and returns its credits",
    rests="cancel(), campaign.cancel()",
    how="text 3 is cancelled",
    otherwise="Cancel text 3 in your panel now; send when it is time instead of scheduled_at.",
)
def _cancelled(e: Evidence) -> Verdict | None:
    if not isinstance(e.cancelled, Cancellation):
        return refused(e.cancelled)
    back = e.cancelled.credits_refunded
    if not e.cancelled.cancelled:
        return Verdict(False, "text 3 was not cancelled")
    if back is None:
        return Verdict(True, "text 3 was cancelled; the answer does not say what came back")
    return Verdict(True, f"text 3 was cancelled; what came back, in credits: {plain(back)}")


@_check_callbacks(
    "callback-url",
    assumes="the URL in your panel leads here",
    known="nowhere",
    rests="every callback",
    how="the doctor posts one itself, before any text",
    needs="callback",
    cost="nothing",
    otherwise="Look at the tunnel, proxy or firewall between the URL and this port. No text was sent.",
)
def _callback_url(e: Evidence) -> Verdict | None:
    if e.url_works is None:
        return None
    arrives = "a callback posted to the URL arrives here"
    return Verdict(e.url_works, arrives if e.url_works else "what is posted to the URL does not arrive here")


@_check_callbacks(
    "callbacks",
    assumes="a send that does not say has callbacks",
    known="nowhere",
    rests="delivery reports of texts sent without report=True; campaigns and the outbox ask for them",
    how="callbacks of text 1",
    otherwise="Set report to True. Where none comes then either, set the URL in your panel and look again.",
)
def _callbacks(e: Evidence) -> Verdict | None:
    if e.waited is None or not e.number_of("first"):
        return None
    asked, came = e.assumed.report, e.reports_of("first")
    if asked is False:
        what = "callbacks come with Report=0 too" if came else "no callback comes with Report=0, as set"
        return Verdict(True, what)
    if came:
        return Verdict(True, "callbacks come with Report=1" if asked else "callbacks come without Report")
    if asked:
        return Verdict(False, f"no callback came with Report=1 within {e.waited:.0f} s")
    if e.reports_of("scheduled"):
        return Verdict(False, "callbacks come with Report=1 only", {"report": True})
    return Verdict(False, f"no callback came within {e.waited:.0f} s", {"report": True})


@_check_callbacks(
    "callbacks-asked",
    assumes="a send with Report=1 has callbacks",
    rests="how campaigns and the outbox settle what is unknown",
    how="callbacks of text 3, or of text 1 where report=True is set",
    otherwise="Set the URL of callbacks in your panel and look again.",
)
def _asked(e: Evidence) -> Verdict | None:
    purpose = "first" if e.assumed.report else "scheduled"
    if e.waited is None or not e.number_of(purpose):
        return None
    if e.reports_of(purpose):
        return Verdict(True, "callbacks come with Report=1")
    if e.assumed.report:
        return Verdict(False, f"no callback came with Report=1 within {e.waited:.0f} s")
    return None  # that a text which never leaves has callbacks is not promised


@_check_callbacks(
    "callback-form",
    assumes="callbacks are JSON or a form, with the names of the manual",
    rests="every callback",
    otherwise="Report it, with a callback as your own server gets it.",
)
def _callback_form(e: Evidence) -> Verdict | None:
    if e.unreadable:
        return Verdict(False, f"callbacks that cannot be read: {e.unreadable}")
    other = next((one.service for one, _ in e.heard if not one.is_known_service), None)
    if other is not None:
        return Verdict(True, f"callbacks can be read; their service is one that no manual names: {other}")
    return Verdict(True, "callbacks can be read") if e.heard else None


@_check_callbacks(
    "reference",
    assumes="Referenciausuario comes back as it was sent",
    rests="how campaigns and the outbox know their own texts in callbacks",
    otherwise="What got no answer stays unknown: look it up in the panel, then resolve() it.",
)
def _reference(e: Evidence) -> Verdict | None:
    if not e.heard:
        return None
    sent = {one.reference for one in e.texts}
    came = any(f"{one.reference} {one.mark}" in sent for one, _ in e.heard)
    return Verdict(came, "it comes back as it was sent" if came else "callbacks come back without it")


@_check(
    "dates",
    assumes="dates in reports and callbacks are in Spanish time",
    known="field",
    rests="reported_at",
    how="their dates against the moment they come",
    otherwise="Take the moment that a report came, not its reported_at.",
)
def _dates(e: Evidence) -> Verdict | None:
    rows = e.report.recipients[:1] if isinstance(e.report, MessageReport) else ()
    dated = [(one.reported_at, at) for one, at in e.heard] + [(row.reported_at, e.report_at) for row in rows]
    late = [(at - date).total_seconds() + (e.skew or 0.0) for date, at in dated if date]
    if not late:
        return None
    off = min(late, key=abs)
    if abs(off) <= _TIME_TOLERANCE:
        return Verdict(True, "their dates are in Spanish time")
    detail = f"their dates are {abs(off) / 3600:.1f} h {'before' if off > 0 else 'after'} they came"
    return Verdict(False, detail)
