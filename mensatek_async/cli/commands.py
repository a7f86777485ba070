"""The short commands: credits, send."""

from __future__ import annotations

from decimal import Decimal
from types import FrameType
from typing import Any, Literal

import anyio
from attrs import field, frozen

from ..errors import MensatekError
from ..models.recipient import Recipient
from ..models.results import SendResult
from .account import AccountOptions, connect, parse_when
from .bulk_command import fetch_credits, needs_answer
from .check import check_legal, make_message
from .output import Output, credits_text, plural
from .stop import Exit, Stop, stop_for

Encoding = Literal["auto", "gsm", "unicode"]


def show_credits(account: AccountOptions, *, json: bool) -> Exit:
    """Print the credits left."""
    output = Output(json=json)
    with connect(account, output) as connection:
        left = anyio.run(fetch_credits, connection)
    if not json:
        output.say(credits_text(left))
    output.answer({"credits": left})
    return Exit.DONE


@frozen(kw_only=True)
class SendOptions:
    """What the user asked for; `mensatek send --help` tells what each means.

    `legal` are the options that only certified texts have; with them, one of those is sent.
    """

    to: tuple[str, ...]
    text: str = field(repr=False)
    sender: str | None
    at: str | None
    encoding: Encoding
    price: Decimal
    yes: bool
    json: bool
    account: AccountOptions
    reference: str | None = None
    legal: dict[str, Any] | None = field(default=None, repr=False)


def send_text(options: SendOptions) -> Exit:
    """Send one text and tell what the provider said."""
    if not options.to:
        raise Stop("Say to whom: mensatek send 600000000 --text TEXT")
    output = Output(json=options.json)
    when = parse_when(options.at)
    asks = needs_answer(options.account, yes=options.yes)
    with connect(options.account, output) as connection:
        sender = options.sender or connection.sender
        message = make_message(
            options.text, sender=sender, when=when, encoding=options.encoding, warn=output.note
        )
        try:
            if options.legal is not None:
                check_legal(message, options.legal)
            texts = sum(message.address(Recipient(phone)).segments for phone in options.to)
        except MensatekError as error:
            raise stop_for(error) from None
        if asks:
            cost = credits_text(options.price * texts)
            output.say(
                f"{plural(texts, 'text')} to {plural(len(options.to), 'phone')}, {cost} credits estimated."
            )
            output.confirm("Send?")

        async def send() -> SendResult:
            async with connection.client() as client:
                product = client.sms if options.legal is None else client.certified
                return await product.send(
                    options.to,
                    options.text,
                    sender=sender,
                    scheduled_at=when,
                    encoding=options.encoding,
                    reference=options.reference,
                    **(options.legal or {}),
                )

        try:
            sent = anyio.run(send)
        except MensatekError as error:
            raise stop_for(error) from None
    return _told(output, sent)


def _told(output: Output, sent: SendResult) -> Exit:
    output.say(f"{sent.accepted:,} of {plural(sent.accepted + sent.rejected, 'recipient')} accepted.")
    if sent.rejected:
        output.say(f"{sent.rejected:,} refused: the provider found them repeated or not correct.")
    if sent.accepted:
        output.say(f"Message {sent.message_id}.")
    output.say(f"Credits: {credits_text(sent.credits_used)} used, {credits_text(sent.credits_left)} left.")
    code = Exit.SOME_NOT_SENT if sent.rejected or not sent.accepted else Exit.DONE
    output.answer(
        {
            "message_id": sent.message_id or None,
            "accepted": sent.accepted,
            "refused": sent.rejected,
            "texts": sent.segments,
            "credits_used": sent.credits_used,
            "credits_left": sent.credits_left,
            "exit_code": int(code),
        }
    )
    return code


def as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Take a signal for Ctrl-C."""
    raise KeyboardInterrupt
