"""The table of checks: each is shown by what a provider does that is not as assumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from mensatek_async import (
    AccountPaused,
    AuthenticationError,
    BadParameters,
    Cancellation,
    DeliveryReport,
    DeliveryStatus,
    MessageReport,
    RecipientReport,
    Rescheduling,
    SendResult,
    UnexpectedReply,
)
from mensatek_async._core.reading import DecodedReply, RawReply
from mensatek_async.assumptions import load_assumptions
from mensatek_async.doctor.checks import CHECKS, diagnosis_of
from mensatek_async.doctor.evidence import Evidence, Seen, SentText

REFUSED = BadParameters("EnviarSMS", -3, "Fecha")
LOST = UnexpectedReply("GetReportSMS", ("cut",))


def answer(body: bytes, skew: float | None = 0.0, **fields: Any) -> Seen:
    return Seen(reply=DecodedReply(fields, RawReply(200, "", body)), skew=skew)


def text(purpose: str, message_id: int, **changes: Any) -> SentText:
    result = SendResult(
        message_id=message_id, accepted=1, segments=1, recipients=1, credits_used=Decimal("0.050")
    )
    return SentText(purpose=purpose, reference=f"{purpose} #mk:x", result=evolve(result, **changes))


NOW = datetime(2030, 1, 8, 10, tzinfo=UTC)


def report(message_id: int, purpose: str, late: timedelta = timedelta(0)) -> tuple[DeliveryReport, datetime]:
    """A callback for a text, and when it came."""
    names: dict[str, Any] = {"service": "SMSMASIVO", "phone": "34600000001", "message_id": message_id}
    names |= {"status": DeliveryStatus(11), "reference": purpose, "mark": "#mk:x", "reported_at": NOW - late}
    return DeliveryReport(**names), NOW


def evidence() -> Evidence:
    """What a provider shows that is as assumed."""
    scheduled = text("scheduled", 2)
    scheduled.scheduled_at = NOW
    return Evidence(
        assumed=load_assumptions(None, None, None, None),
        request_format="json",
        balance={"json": answer(b"{}", cred="14.970,00")},
        probed={
            name: Seen(error=REFUSED) for name in ("CancelarSMSCERTIFICADO", "ReprogramarSMSCERTIFICADO")
        },
        texts=[text("first", 1), text("repeat", 1, accepted=0, rejected=1), scheduled],
        moved=Rescheduling(rescheduled=1),
        cancelled=Cancellation(cancelled=1, credits_refunded=Decimal("0.05")),
        report=MessageReport(recipients=(RecipientReport(phone="34600000001", status=DeliveryStatus(11)),)),
        waited=1.0,
        url_works=True,
        heard=[report(1, "first"), report(2, "scheduled", timedelta(hours=2))],
    )


def changed(**changes: Any) -> Callable[[], Evidence]:
    return lambda: evolve(evidence(), **changes)


def test_a_provider_that_is_as_assumed() -> None:
    """Every check has a verdict, and it is a good one."""
    found = diagnosis_of(evidence())
    assert (found.ok, found.unchecked, found.settings) == (True, [], {})
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert all(word for check in CHECKS for word in (check.assumes, check.rests, check.how, check.otherwise))


def only(*texts: SentText) -> Callable[[], Evidence]:
    """Texts that are not those of the rest."""
    return changed(texts=[*texts, *evidence().texts[len(texts) :]])


PATHS = {"CancelarSMSCERTIFICADO": "CancelarSMS", "ReprogramarSMSCERTIFICADO": "ReprogramarSMS"}
NOT_THERE = {name: Seen(error=BadParameters(name, None, "HTTP 404")) for name in PATHS}
ONE = SentText(purpose="first", reference="r")


def sent(purpose: str) -> SentText:
    return SentText(purpose=purpose, reference="r", error=REFUSED)


def asked(**forms: Seen) -> Callable[[], Evidence]:
    """The answers for credits, by the form of their bodies."""
    return changed(balance=forms)


FORM, ALONE, REPORT = {"request_format": "form"}, {"assume_grouping": False}, {"report": True}
UNLISTED = RecipientReport(phone="1", status=DeliveryStatus(7001))
EARLY = [report(1, "first", timedelta(hours=-1)), report(2, "scheduled", timedelta(hours=-2))]
WRONG: list[tuple[str, Callable[[], Evidence], dict[str, Any]]] = [
    ("access", changed(ended=AccountPaused("It was turned away.", retry_after=60)), {}),
    ("credentials", changed(balance={}, ended=AuthenticationError("GetCreditos", -1)), {}),
    ("bodies", asked(json=answer(b"Res:1;", cred=1), form=answer(b"{}", cred=1)), FORM),
    ("bodies", asked(json=Seen(error=REFUSED), form=answer(b"[]", cred=1)), FORM),
    ("credits", asked(json=answer(b"{}")), {}),
    ("credits", asked(json=answer(b"{}", cred="many")), {}),
    ("clock", asked(json=answer(b"{}", 31.0, cred=1)), {}),
    ("clock", asked(json=answer(b"{}", -60.0, cred=1)), {}),
    ("cancel-path reschedule-path", changed(probed=NOT_THERE), {"paths": PATHS}),
    ("send", only(sent("first")), {}),
    ("send", only(text("first", 1, accepted=0)), {}),
    ("message-id", changed(texts=[text("first", 0)]), ALONE),
    ("price", only(text("first", 1, credits_used=None)), {}),
    ("segments", only(text("first", 1, segments=2)), {}),
    ("grouping", only(text("first", 1), text("repeat", 1)), ALONE),
    ("grouping", only(text("first", 1), sent("repeat")), ALONE),
    ("report", changed(report=MessageReport()), {}),
    ("report", changed(report=LOST), {}),
    ("report", changed(report=MessageReport(recipients=(UNLISTED,))), {}),
    ("schedule", only(*evidence().texts[:2], sent("scheduled")), {}),
    ("reschedule", changed(moved=REFUSED), {}),
    ("reschedule", changed(moved=Rescheduling(rescheduled=0)), {}),
    ("cancel", changed(cancelled=REFUSED), {}),
    ("cancel", changed(cancelled=Cancellation(cancelled=0)), {}),
    ("callback-url", changed(url_works=False), {}),
    ("callbacks", changed(heard=[report(2, "scheduled")]), REPORT),
    ("callbacks", changed(heard=[]), REPORT),
    ("callbacks callbacks-asked", changed(heard=[], assumed=load_assumptions(None, True, None, None)), {}),
    ("callback-form", changed(unreadable=1), {}),
    ("reference", changed(heard=[report(1, ""), report(2, "")]), {}),
    ("dates", changed(heard=EARLY), {}),
]


@pytest.mark.parametrize(
    ("names", "seen", "settings"), WRONG, ids=[f"{n} {one[0]}" for n, one in enumerate(WRONG)]
)
def test_what_is_not_as_assumed(names: str, seen: Callable[[], Evidence], settings: dict[str, Any]) -> None:
    """It is named, with what to do; nothing else is found wrong, and the settings are those that mend it."""
    found = diagnosis_of(seen())
    assert [one.check for one in found.findings if not one.ok] == names.split()
    assert dict(found.settings) == settings
    assert all(bool(one.advice) is not one.ok for one in found.findings)


def test_every_check_can_fail() -> None:
    """But that of the form of replies, all of which the client reads."""
    assert {name for names, *_ in WRONG for name in names.split()} == {one.name for one in CHECKS} - {
        "replies"
    }


def test_settings_that_are_set_already_stay() -> None:
    """What is printed is all that the client needs, not what is new."""
    assumed = load_assumptions("form", None, None, {"ListarFicheros": "Otra"})
    seen = evolve(evidence(), assumed=assumed, balance={"form": answer(b"{}", cred=1)}, probed=NOT_THERE)
    found = diagnosis_of(seen)
    assert dict(found.settings) == {"request_format": "form", "paths": {"ListarFicheros": "Otra", **PATHS}}


def test_nothing_is_said_of_what_was_not_seen() -> None:
    """Before the first answer no check has a verdict."""
    nothing = Evidence(assumed=load_assumptions(None, None, None, None), request_format="json", texts=[ONE])
    assert diagnosis_of(nothing).findings == []
    assert diagnosis_of(nothing).texts == ["Text 1 may have been sent: no answer came."]
