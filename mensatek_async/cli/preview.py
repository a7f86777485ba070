"""What a file of recipients amounts to, for people and as JSON, before anything is sent; and a test to oneself."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import asdict

from .._core.messages.message import Message
from .._wire.names import REQUEST
from ..errors import MensatekError
from ..models.results import SendResult
from ..phones import normalise
from ..sources.reading import Reading
from ..sources.text_files import shown
from .account import Connection
from .check import Checked
from .output import Output, credits_text, plural, spelt
from .stop import Exit, Stop, text_of
from .summary import SHOWN_BROKEN, by_row, json_problems, say_broken

if TYPE_CHECKING:
    from ..client import AsyncMensatek


def preview(
    output: Output, reading: Reading, checked: Checked, *, price: Decimal, credits: Decimal | None
) -> None:
    """Tell what would be sent and what it would cost."""
    source = reading.source
    output.say(f"Recipients: {source.label}; phones in column {shown(reading.phone_column, 40)}.")
    text = plural(checked.ready, "row") + " to send"
    if checked.problems.count:
        text += f", {checked.problems.count:,} broken or repeated"
    if source.blank:
        text += f" ({plural(source.blank, 'blank row')} left out)"
    if checked.hidden:
        text += f" ({plural(checked.hidden, 'hidden row')} left out; --include-hidden takes them)"
    output.say(text + ".")
    if checked.ready:
        output.say(f"Texts: {checked.texts:,} ({_encodings(checked)}; {_longest(checked)}).")
        if checked.forcing:
            output.say(f"Unicode because of: {spelt(checked.forcing)}")
        if checked.gaps:
            has = "has" if checked.gaps == 1 else "have"
            output.say(f"Note: {plural(checked.gaps, 'row')} {has} an empty cell where the text has a field.")
        output.say(_cost(checked, price, credits))
        if credits is not None and output.err.isatty():
            output.note(f"The first one reads: {shown(checked.samples[0].text, 700)}")


def _encodings(checked: Checked) -> str:
    gsm = checked.ready - checked.unicode
    if not checked.unicode:
        return "GSM"
    return f"{gsm:,} GSM, {checked.unicode:,} Unicode" if gsm else "Unicode"


def _longest(checked: Checked) -> str:
    return "one each" if checked.longest == 1 else f"up to {checked.longest} a recipient"


def _cost(checked: Checked, price: Decimal, credits: Decimal | None) -> str:
    estimate = price * checked.texts
    each = f"{_credits(price)} a text"
    line = f"Credits: {credits_text(estimate)} estimated, at {each}; the first answer shows the real price."
    if credits is not None:
        line += f" The account has {credits_text(credits)}."
        if credits < estimate:
            line += " That may not be enough; the send then stops and says which rows were not sent."
    return line


def check_test(phone: str | None, dry_run: bool) -> None:
    """Check `--test-to` before anything is read.

    Raises:
        Stop: it is no phone, or a dry run was asked for as well.
    """
    if phone is None:
        return
    if dry_run:
        raise Stop("--dry-run sends nothing, and --test-to does. Leave one of them out.")
    try:
        normalise(phone)
    except MensatekError as error:
        raise Stop(f"--test-to: {text_of(error)}") from None


def send_test(output: Output, connection: Connection, checked: Checked, message: Message, phone: str) -> None:
    """Send the first row's text to the user's own phone, now.

    Raises:
        Stop: there is no such row, or it was not accepted; nobody else was sent anything.
    """
    if not checked.samples:
        return
    sample, params = checked.samples[0], message.params
    sender = params.get(REQUEST["sender"])

    async def work(client: AsyncMensatek) -> SendResult:
        return await client.sms.send(phone, sample.text, sender=sender, encoding=message.encoding)

    try:
        sent = connection.do(work)
    except Stop as stop:
        raise Stop(
            f"The test to {shown(phone, 40)} failed, and nobody else was texted: {stop.message}", stop.code
        ) from None
    if not sent.accepted:
        raise Stop(
            f"The provider did not take the test to {shown(phone, 40)}; nobody else was texted.",
            Exit.SOME_NOT_SENT,
        )
    output.say(f"Sent to {shown(phone, 40)} first: the text of row {sample.row}.")


def _credits(amount: Decimal) -> str:
    return f"{credits_text(amount)} {'credit' if amount == 1 else 'credits'}"


def dry_summary(output: Output, checked: Checked, price: Decimal) -> Exit:
    """Tell what a dry run found; nothing was sent."""
    for one in checked.samples:
        coding = "Unicode" if one.unicode else "GSM"
        cost = _credits(price * one.segments)
        output.say(f"Row {one.row}, to {one.phone}: {plural(one.segments, 'text')}, {coding}, {cost}")
        for written in one.text.splitlines():
            output.say(f"    {shown(written, 2000)}")
    code = Exit.SOME_NOT_SENT if checked.problems.count or not checked.ready else Exit.DONE
    output.say(f"Dry run: nothing was sent. {checked.ready:,} of {plural(checked.rows, 'row')} can be sent.")
    told = by_row((("invalid", checked.problems.first),))
    say_broken(output, told[:SHOWN_BROKEN], checked.problems.count, None)
    output.answer(
        {
            "dry_run": True,
            "rows": checked.rows,
            "ready": checked.ready,
            "invalid": checked.problems.count,
            "hidden_rows": checked.hidden,
            "texts": checked.texts,
            "unicode_rows": checked.unicode,
            "forcing": list(checked.forcing),
            "credits": price * checked.texts,
            "samples": [{**asdict(one), "credits": price * one.segments} for one in checked.samples],
            **json_problems(told, checked.problems.count),
            "exit_code": int(code),
        }
    )
    return code
