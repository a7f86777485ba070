"""The commands for single messages: credits, send, cancel, reschedule, report, segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from .account import connect, needs_answer, parse_when
from .options import NO_ACCOUNT, NOTHING_SAID, AccountOptions, At, Encoding, Json, SendingOptions, Yes
from .output import Exit, Output, Stop, can_ask, credits_text, plural, spelt

if TYPE_CHECKING:
    from ..client import AsyncMensatek
    from ..models.results import MessageReport, SendResult
    from ..resources.certified import CertifiedResource
    from ..resources.sms import SmsResource

MessageId = Annotated[int, Parameter(help="The message's number, as its send told it.")]


def credits(*, json: Json = False, account: AccountOptions = NO_ACCOUNT) -> Exit:
    """Show the credits left."""
    output = Output(json=json)
    with connect(account, output) as connection:
        left = connection.credits()
    output.say(credits_text(left))
    output.answer({"credits": left})
    return Exit.DONE


def send(
    *to: str,
    text: Annotated[str, Parameter(help="The text.")],
    sending: SendingOptions = NOTHING_SAID,
    account: AccountOptions = NO_ACCOUNT,
) -> Exit:
    """Send one text to one phone or several.

    Parameters
    ----------
    to:
        Phones, such as 600000000 or +34600000000.
    """
    return send_text(to, text, sending, account)


def send_text(
    to: Sequence[str],
    text: str,
    options: SendingOptions,
    account: AccountOptions,
    legal: Mapping[str, Any] | None = None,
) -> Exit:
    """Send one text and print what the provider said.

    Args:
        to: the phones.
        text: the text.
        options: how to send it.
        account: whose account it is.
        legal: the options that only certified texts have; with them, one of those is sent.
    """
    if not to:
        raise Stop("Say to whom: mensatek send 600000000 --text TEXT")
    output = Output(json=options.json)
    when = parse_when(options.at)
    asks = needs_answer(account, yes=options.yes)
    with connect(account, output) as connection:
        sender = connection.sender_or(options.sender)
        texts = _count(to, text, options, legal, sender, when)
        if asks:
            cost = credits_text(options.price * texts)
            output.say(f"{plural(texts, 'text')} to {plural(len(to), 'phone')}, {cost} credits estimated.")
            output.confirm("Send?")

        async def work(client: AsyncMensatek) -> SendResult:
            sent: SendResult = await _product(client, legal is not None).send(
                to,
                text,
                sender=sender,
                scheduled_at=when,
                encoding=options.encoding,
                reference=options.reference,
                **(legal or {}),
            )
            return sent

        return _show_sent(output, connection.do(work), when)


def _count(
    to: Sequence[str],
    text: str,
    options: SendingOptions,
    legal: Mapping[str, Any] | None,
    sender: str | None,
    when: datetime | None,
) -> int:
    """Check everything, and count the texts it will be charged as."""
    from ..models.recipient import Recipient
    from .preview import make_message

    message = make_message(
        text,
        sender=sender,
        when=when,
        encoding=options.encoding,
        reference=options.reference,
        legal=legal,
    )
    return sum(message.address(Recipient(phone)).segments for phone in to)


def _show_sent(output: Output, sent: SendResult, when: datetime | None) -> Exit:
    from .campaign_view import scheduled_for

    output.say(f"{sent.accepted:,} of {plural(sent.accepted + sent.rejected, 'recipient')} accepted.")
    if sent.rejected:
        output.say(f"{sent.rejected:,} refused: the provider found them repeated or not correct.")
    if sent.accepted:
        scheduled = scheduled_for(when)
        output.say(f"Message {sent.message_id}{scheduled and ', ' + scheduled}.")
    output.say(f"Credits: {credits_text(sent.credits_used)} used, {credits_text(sent.credits_left)} left.")
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


def _product(client: AsyncMensatek, certified: bool) -> Any:
    product: SmsResource | CertifiedResource = client.certified if certified else client.sms
    return product


# --- a message that was sent -------------------------------------------------------------------------------


def cancel(
    message_id: MessageId, *, yes: Yes = False, json: Json = False, account: AccountOptions = NO_ACCOUNT
) -> Exit:
    """Cancel a scheduled message that has not left."""
    return cancel_message(message_id, account, yes=yes, json=json)


def cancel_message(
    message_id: int, account: AccountOptions, *, yes: bool, json: bool, certified: bool = False
) -> Exit:
    """Cancel a scheduled message and print how many recipients it had."""
    output = Output(json=json)
    with connect(account, output) as connection:
        if not yes and can_ask():
            output.confirm(f"Cancel message {message_id}?", otherwise="It was not cancelled.")
        done = connection.do(lambda client: _product(client, certified).cancel(message_id))
    back = done.credits_refunded
    told = back is not None
    refunded = f"; {credits_text(back)} credits came back" if told else ""
    output.say(f"Message {message_id}: {plural(done.cancelled, 'recipient')} cancelled{refunded}.")
    output.answer(
        {
            "message_id": message_id,
            "cancelled": done.cancelled,
            "credits_refunded": done.credits_refunded,
            "credits_left": done.credits_left,
        }
    )
    return Exit.DONE


def reschedule(
    message_id: MessageId, at: At, *, json: Json = False, account: AccountOptions = NO_ACCOUNT
) -> Exit:
    """Give a scheduled message that has not left a new date."""
    return reschedule_message(message_id, at, account, json=json)


def reschedule_message(
    message_id: int, at: str | None, account: AccountOptions, *, json: bool, certified: bool = False
) -> Exit:
    """Give a scheduled message a new date and print it."""
    from .campaign_view import scheduled_for

    output = Output(json=json)
    when = parse_when(at)
    if when is None:
        raise Stop("Say when: mensatek reschedule MESSAGE_ID --at 2027-01-08T10:00")
    with connect(account, output) as connection:
        done = connection.do(lambda client: _product(client, certified).reschedule(message_id, when))
    output.say(f"Message {message_id}: {scheduled_for(when) or f'scheduled for {when}'}.")
    output.answer({"message_id": message_id, "rescheduled": done.rescheduled, "scheduled_at": when})
    return Exit.DONE


def report(message_id: MessageId, *, json: Json = False, account: AccountOptions = NO_ACCOUNT) -> Exit:
    """Show where each recipient of a message stands."""
    return show_report(message_id, account, json=json)


def show_report(message_id: int, account: AccountOptions, *, json: bool, certified: bool = False) -> Exit:
    """Print where each recipient stands."""
    output = Output(json=json)
    with connect(account, output) as connection:
        found: MessageReport = connection.do(lambda client: _product(client, certified).report(message_id))
    for one in found.recipients:
        ready = "; certificate ready" if certified and one.status.is_certified else ""
        when = f"{one.reported_at:%Y-%m-%d %H:%M:%S}" if one.reported_at else "-" * 19
        output.say(f"{one.phone}  {when}  {one.status.code}  {one.status.label_en}{ready}")
    if not found.recipients:
        output.say("The report names no recipient yet.")
    if not found.is_complete:
        rows = plural(len(found.recipients), "row")
        output.say(f"The report has {rows}, where the provider says {found.stated_recipients} recipients.")
    output.answer(
        {
            "message_id": found.message_id,
            "stated_recipients": found.stated_recipients,
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
                for one in found.recipients
            ],
        }
    )
    return Exit.DONE


# --- a text alone ------------------------------------------------------------------------------------------


def segments(
    text: Annotated[str, Parameter(allow_leading_hyphen=True)],
    /,
    *,
    encoding: Encoding = "auto",
    json: Json = False,
) -> Exit:
    """Show how a text travels and how many texts it is charged as.

    Parameters
    ----------
    text:
        The text as its recipient gets it.
    """
    from ..text.segments import segments as count

    output = Output(json=json)
    found = count(text, encoding)
    name = "GSM" if found.encoding == "gsm" else "Unicode"
    output.say(
        f"{plural(found.segments, 'text')}, {name}: {found.characters} units used, {found.remaining} free."
    )
    if found.forcing:
        output.say(f"Not in the GSM alphabet: {spelt(found.forcing)}")
    if found.replaced:
        output.say(f"Sent as their plain letter: {' '.join(found.replaced)}")
    if found.lost:
        output.say(f"Lost in GSM: {' '.join(found.lost)}")
    output.answer(
        {
            "segments": found.segments,
            "encoding": found.encoding,
            "characters": found.characters,
            "remaining": found.remaining,
            "replaced": list(found.replaced),
            "lost": list(found.lost),
            "forcing": list(found.forcing),
        }
    )
    return Exit.DONE
