"""The commands for single messages: credits, send, cancel, reschedule, report, segments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .account import call, connect, needs_answer, parse_when
from .language import _, label
from .options import At, CallOptions, Encoding, Json, Name, SendingOptions, Yes
from .output import Exit, Output, Stop, can_ask, credits_text, plural, spelt

if TYPE_CHECKING:
    from ..models.results import MessageReport, SendResult
    from ..sync.generated._client import Mensatek

Certified = Annotated[bool, Parameter(parse=False)]
MessageId = Annotated[int, Parameter(help="The message's number, as its send printed it.")]


def credits(*, options: CallOptions = CallOptions()) -> None:
    """Show the credits left."""
    output = Output(json=options.json)
    left = call(options, lambda client: client.credits())
    output.say(credits_text(left))
    output.answer({"credits": left})


def send(*to: str, text: str, sending: SendingOptions = SendingOptions()) -> Exit:
    """Send one text to one phone or several.

    Args:
        to: Phones, such as 600000000 or +34600000000.
        text: The text.
    """
    return send_text(to, text, sending)


def send_text(
    to: Sequence[str],
    text: str,
    options: SendingOptions,
    legal: Mapping[str, Any] | None = None,
    record: Callable[[SendResult], object] | None = None,
) -> Exit:
    """Send one text, certified with legal options, print what the provider said, and have it recorded."""
    if not to:
        raise Stop("Say to whom: mensatek send 600000000 --text TEXT")
    from ..models.recipient import Recipient
    from .sending import Text

    output, what = Output(json=options.json), Text.of(text, options, legal, fields=False)
    asks = needs_answer(options.account, yes=options.yes)
    with connect(options.account) as connection:
        message = what.message(connection.sender_or(options.sender))
        texts = sum(message.address(Recipient(phone)).segments for phone in to)
        if asks:
            cost = credits_text(options.price * texts)
            phones = plural(len(to), "phone")
            output.say("{} to {}, {} credits estimated.", plural(texts, "text"), phones, cost)
            output.confirm("Send?")
        sent: SendResult = connection.do(
            lambda client: _product(client, legal is not None).send(to, text, **what.options())
        )
        if record is not None:
            record(sent)
        return _show_sent(output, sent, what.when)


def _show_sent(output: Output, sent: SendResult, when: datetime | None) -> Exit:
    from .campaign.view import scheduled_for

    output.say("{:,} of {} accepted.", sent.accepted, plural(sent.accepted + sent.rejected, "recipient"))
    if sent.rejected:
        output.say("{:,} refused: the provider found them repeated or not correct.", sent.rejected)
    if sent.accepted:
        scheduled = scheduled_for(when)
        output.say("Message {}{}.", sent.message_id, scheduled and ", " + scheduled)
    output.say("Credits: {} used, {} left.", credits_text(sent.credits_used), credits_text(sent.credits_left))
    code = Exit.SOME_NOT_SENT if sent.rejected or not sent.accepted else Exit.DONE
    output.answer(
        {
            "message_id": sent.message_id or None,
            "accepted": sent.accepted,
            "refused": sent.rejected,
            "texts": sent.segments,
            "scheduled_at": when,
            "credits_used": sent.credits_used,
            "credits_left": sent.credits_left,
            "exit_code": int(code),
        }
    )
    return code


def _product(client: Mensatek, certified: bool) -> Any:
    return client.certified if certified else client.sms


# --- a message that was sent -------------------------------------------------------------------------------


def cancel(
    message_id: MessageId,
    *,
    yes: Yes = False,
    options: CallOptions = CallOptions(),
    certified: Certified = False,
) -> None:
    """Cancel a scheduled message that has not left."""
    output = Output(json=options.json)
    with connect(options) as connection:
        if not yes and can_ask():
            output.confirm("Cancel message {}?", message_id, otherwise=_("It was not cancelled."))
        done = connection.do(lambda client: _product(client, certified).cancel(message_id))
    back = done.credits_refunded
    refunded = "" if back is None else _("; {} credits came back", credits_text(back))
    output.say("Message {}: {} cancelled{}.", message_id, plural(done.cancelled, "recipient"), refunded)
    output.answer(
        {
            "message_id": message_id,
            "cancelled": done.cancelled,
            "credits_refunded": back,
            "credits_left": done.credits_left,
        }
    )


def reschedule(
    message_id: MessageId, at: At, *, options: CallOptions = CallOptions(), certified: Certified = False
) -> None:
    """Give a scheduled message that has not left a new date."""
    from .campaign.view import scheduled_for

    output, when = Output(json=options.json), parse_when(at)
    if when is None:
        raise Stop("Say when: mensatek reschedule MESSAGE_ID --at 2027-01-08T10:00")
    done = call(options, lambda client: _product(client, certified).reschedule(message_id, when))
    output.say("Message {}: {}.", message_id, scheduled_for(when) or _("scheduled for {}", when))
    output.answer({"message_id": message_id, "rescheduled": done.rescheduled, "scheduled_at": when})


def report(
    message_id: MessageId, *, options: CallOptions = CallOptions(), certified: Certified = False
) -> None:
    """Show where each recipient of a message stands."""
    output = Output(json=options.json)
    answer: MessageReport = call(options, lambda client: _product(client, certified).report(message_id))
    for one in answer.recipients:
        ready = _("; certificate ready") if certified and one.status.is_certified else ""
        when = f"{one.reported_at:%Y-%m-%d %H:%M:%S}" if one.reported_at else "-" * 19
        output.say(f"{one.phone}  {when}  {one.status.code}  {label(one.status)}{ready}")
    if not answer.recipients:
        output.say("The report names no recipient yet.")
    if not answer.is_complete:
        rows = plural(len(answer.recipients), "row")
        output.say(
            "The report has {}, where the provider says {} recipients.", rows, answer.stated_recipients
        )
    output.answer(
        {
            "message_id": answer.message_id,
            "stated_recipients": answer.stated_recipients,
            "recipients": [
                {
                    "phone": one.phone,
                    "status": one.status.code,
                    "label": one.status.label_en,
                    "phase": one.status.phase.value,
                    "final": one.status.is_final,
                    "certified": one.status.is_certified,
                    "reported_at": one.reported_at,
                }
                for one in answer.recipients
            ],
        }
    )


# --- a text alone ------------------------------------------------------------------------------------------


def segments(text: Name, /, *, encoding: Encoding = "auto", json: Json = False) -> None:
    """Show how a text travels and how many texts it is charged as.

    Args:
        text: The text as its recipient gets it.
    """
    from ..text.segments import segments as count

    output = Output(json=json)
    counted = count(text, encoding)
    parts = plural(counted.segments, "text"), "GSM" if counted.encoding == "gsm" else "Unicode"
    output.say("{}, {}: {} units used, {} free.", *parts, counted.characters, counted.remaining)
    if counted.forcing:
        output.say("Not in the GSM alphabet: {}", spelt(counted.forcing))
    if counted.replaced:
        output.say("Sent as their plain letter: {}", " ".join(counted.replaced))
    if counted.lost:
        output.say("Lost in GSM: {}", " ".join(counted.lost))
    lists = {name: list(getattr(counted, name)) for name in ("replaced", "lost", "forcing")}
    names = ("segments", "encoding", "characters", "remaining")
    output.answer({**{name: getattr(counted, name) for name in names}, **lists})
