"""The table of assumptions about the live provider: a new one is one entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import asdict, field, frozen

from . import judges
from .diagnosis import Diagnosis, Finding
from .evidence import Evidence
from .judges import Verdict

_ASKED = "credits asked for"
_EMPTY = "an empty call, which is refused where the path is right"
_NOTHING = "a call that sends nothing"
_SAME_TEXT = "nothing more"


@frozen(kw_only=True)
class Check:
    """One assumption about the live provider.

    Attributes:
        name: what it is called.
        assumes: what is assumed.
        known: where that is known from: "manual", "field" (programs that use the live API), "inferred", or "nowhere".
        rests: what rests on it.
        how: how it is found out.
        needs: the argument of `diagnose` that it takes: "phone", "listen", "callback"; "" for none.
        cost: what that costs.
        otherwise: what to set, or to do, where it fails.
        judge: what the evidence says; None while nothing was seen that tells.
    """

    name: str
    assumes: str
    known: str
    rests: str
    how: str
    needs: str = ""
    cost: str
    otherwise: str
    judge: Callable[[Evidence], Verdict | None] = field(repr=False)


CHECKS: tuple[Check, ...] = (
    Check(
        name="access",
        assumes="the address is right, and the account is not blocked",
        known="manual",
        rests="everything",
        how=_ASKED,
        cost=_NOTHING,
        otherwise="After a block ask the provider's support for its reason.",
        judge=judges.access,
    ),
    Check(
        name="credentials",
        assumes="the API user and token are accepted by HTTP Basic",
        known="manual",
        rests="everything",
        how=_ASKED,
        cost=_NOTHING,
        otherwise="Copy both from your panel again.",
        judge=judges.credentials,
    ),
    Check(
        name="bodies",
        assumes="JSON bodies are read",
        known="manual",
        rests="every call",
        how="credits asked for in JSON; where that is not answered in JSON, as a form",
        cost="one call or two that send nothing",
        otherwise="Set request_format to form.",
        judge=judges.bodies,
    ),
    Check(
        name="replies",
        assumes="replies are one JSON object; arrays, text and XML are read as well",
        known="field",
        rests="every call",
        how=_ASKED,
        cost=_NOTHING,
        otherwise="Nothing has to be set.",
        judge=judges.replies,
    ),
    Check(
        name="credits",
        assumes="credits are a number in plain or in Spanish notation",
        known="field",
        rests="credits(), the stop of a bulk send that costs too much, max_credits",
        how=_ASKED,
        cost=_NOTHING,
        otherwise="Report it, with the reply as raw() gives it; leave max_credits out, and watch the panel.",
        judge=judges.credits,
    ),
    Check(
        name="clock",
        assumes=f"this machine's clock is right, to {judges.CLOCK_TOLERANCE:.0f} s",
        known="nowhere",
        rests="scheduled_at, hours of campaigns, not_after",
        how="the date of the answer against this machine's",
        cost="nothing",
        otherwise="Set this machine's clock (NTP). Until then what is scheduled leaves too early or too late.",
        judge=judges.clock,
    ),
    Check(
        name="cancel-path",
        assumes="certified texts are cancelled at CancelarSMSCERTIFICADO",
        known="inferred",
        rests="certified.cancel(), campaigns of certified texts",
        how=_EMPTY,
        cost=_NOTHING,
        otherwise="Set paths: the plain operation's is the likeliest. Try it with a certified text of your own.",
        judge=judges.path("CancelarSMSCERTIFICADO", "CancelarSMS"),
    ),
    Check(
        name="reschedule-path",
        assumes="certified texts are moved at ReprogramarSMSCERTIFICADO",
        known="inferred",
        rests="certified.reschedule()",
        how=_EMPTY,
        cost=_NOTHING,
        otherwise="Set paths: the plain operation's is the likeliest. Try it with a certified text of your own.",
        judge=judges.path("ReprogramarSMSCERTIFICADO", "ReprogramarSMS"),
    ),
    Check(
        name="send",
        assumes="Res counts the recipients that were taken",
        known="field",
        rests="accepted and rejected of every send",
        how="text 1",
        needs="phone",
        cost="text 1",
        otherwise="Read what the provider says; nothing else was sent.",
        judge=judges.send,
    ),
    Check(
        name="message-id",
        assumes="the answer to a send names its message",
        known="manual",
        rests="reports, cancelling, everything that joins a message",
        how="text 1",
        needs="phone",
        cost=_SAME_TEXT,
        otherwise="Set assume_grouping to False: nothing can be joined, so nothing is repeated.",
        judge=judges.message_id,
    ),
    Check(
        name="price",
        assumes="the answer to a send says what it cost",
        known="manual",
        rests="credits_used, max_credits",
        how="text 1",
        needs="phone",
        cost=_SAME_TEXT,
        otherwise="Leave max_credits out, and watch the panel.",
        judge=judges.price,
    ),
    Check(
        name="segments",
        assumes="a text is counted as 3GPP says, and accented vowels do not make it Unicode",
        known="manual",
        rests="estimates before sending, max_credits",
        how="text 1, which has some; your phone shows how they arrive",
        needs="phone",
        cost=_SAME_TEXT,
        otherwise="Take the segments of the answer for the price, and report the difference.",
        judge=judges.segments,
    ),
    Check(
        name="grouping",
        assumes="Idmensaje keeps a second text from the same phone",
        known="manual",
        rests="the promise that nobody is texted twice: repeats of bulk sends and campaigns after a lost answer",
        how="text 2 joins text 1",
        needs="phone",
        cost="text 2, only where it fails",
        otherwise="Set assume_grouping to False: what gets no answer ends as unknown then, and is never repeated.",
        judge=judges.grouping,
    ),
    Check(
        name="report",
        assumes="GetReportSMS lists the phone with a status of the manual's table",
        known="manual",
        rests="report(), what campaigns and the outbox count as delivered",
        how="the report of text 1",
        needs="phone",
        cost="a call about text 1",
        otherwise="An unlisted status counts as unknown; report its number.",
        judge=judges.report,
    ),
    Check(
        name="schedule",
        assumes="Fecha holds a text back until then",
        known="manual",
        rests="scheduled_at",
        how="text 3, for tomorrow",
        needs="phone",
        cost="text 3, given back when it is cancelled",
        otherwise="Leave scheduled_at out: send when it is time, as campaigns do with send_between.",
        judge=judges.schedule,
    ),
    Check(
        name="reschedule",
        assumes="ReprogramarSMS gives it another date",
        known="manual",
        rests="reschedule()",
        how="text 3 is moved to the day after",
        needs="phone",
        cost="a call about text 3",
        otherwise="Cancel, and send again.",
        judge=judges.moved,
    ),
    Check(
        name="cancel",
        assumes="CancelarSMS takes it back, and returns its credits",
        known="manual",
        rests="cancel(), campaign.cancel()",
        how="text 3 is cancelled",
        needs="phone",
        cost="a call about text 3",
        otherwise="Cancel text 3 in your panel now; send when it is time instead of scheduled_at.",
        judge=judges.cancelled,
    ),
    Check(
        name="callback-url",
        assumes="the URL in your panel leads here",
        known="nowhere",
        rests="every callback",
        how="the doctor posts one itself, before any text",
        needs="callback",
        cost="nothing",
        otherwise="Look at the tunnel, proxy or firewall between the URL and this port. No text was sent.",
        judge=judges.callback_url,
    ),
    Check(
        name="callbacks",
        assumes="a send that does not say has callbacks",
        known="nowhere",
        rests="delivery reports of texts sent without report=True; campaigns and the outbox ask for them",
        how="callbacks of text 1",
        needs="listen",
        cost=_SAME_TEXT,
        otherwise="Set report to True. Where none comes then either, set the URL in your panel and look again.",
        judge=judges.callbacks,
    ),
    Check(
        name="callbacks-asked",
        assumes="a send with Report=1 has callbacks",
        known="manual",
        rests="how campaigns and the outbox settle what is unknown",
        how="callbacks of text 3, or of text 1 where report=True is set",
        needs="listen",
        cost=_SAME_TEXT,
        otherwise="Set the URL of callbacks in your panel and look again.",
        judge=judges.asked,
    ),
    Check(
        name="callback-form",
        assumes="callbacks are JSON or a form, with the names of the manual",
        known="manual",
        rests="every callback",
        how="callbacks of these texts",
        needs="listen",
        cost=_SAME_TEXT,
        otherwise="Report it, with a callback as your own server gets it.",
        judge=judges.callback_form,
    ),
    Check(
        name="reference",
        assumes="Referenciausuario comes back as it was sent",
        known="manual",
        rests="how campaigns and the outbox know their own texts in callbacks",
        how="callbacks of these texts",
        needs="listen",
        cost=_SAME_TEXT,
        otherwise="What got no answer stays unknown: look it up in the panel, then resolve() it.",
        judge=judges.reference,
    ),
    Check(
        name="dates",
        assumes="dates in reports and callbacks are in Spanish time",
        known="field",
        rests="reported_at",
        how="their dates against the moment they come",
        needs="phone",
        cost=_SAME_TEXT,
        otherwise="Take the moment that a report came, not its reported_at.",
        judge=judges.dates,
    ),
)
"""Every assumption that an account can show to be wrong, in the order they are looked at."""


def diagnosis_of(evidence: Evidence) -> Diagnosis:
    """Return what the evidence comes to."""
    findings, unchecked, settings = [], [], dict[str, Any]()
    for check in CHECKS:
        verdict = check.judge(evidence)
        if verdict is None:
            unchecked.append(check.name)
            continue
        advice = "" if verdict.ok else check.otherwise
        findings.append(Finding(check=check.name, ok=verdict.ok, detail=verdict.detail, advice=advice))
        for name, value in verdict.settings.items():
            settings[name] = {**settings.get(name, {}), **value} if isinstance(value, Mapping) else value
    if settings:
        settings = {**_set_already(evidence), **settings}
    return Diagnosis(
        findings=findings,
        unchecked=unchecked,
        settings=settings,
        texts=list(evidence.lines()),
        complete=evidence.ended is None,
    )


def _set_already(evidence: Evidence) -> dict[str, Any]:
    """Return the settings that the client has beside the manuals' assumptions, which are to stay."""
    assumed = evidence.assumed
    usual: dict[str, Any] = {"request_format": "json", "report": None, "assume_grouping": True, "paths": {}}
    return {name: value for name, value in asdict(assumed).items() if value != usual[name]}
