"""What a file of recipients amounts to, for people and as JSON, before anything is sent; and a test to oneself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, field, frozen

from .._core.messages.certified import certified_params, check_documents
from .._core.messages.message import Message, compose
from .._core.operations import OPERATIONS
from ..campaigns.export import export_file
from ..errors import MensatekError
from ..phones import normalise
from ..sources.reading import Reading
from ..sources.text_files import shown
from ..text.template import Template
from .account import Connection, parse_when
from .campaign_view import rows_as_json, say_rows
from .options import SendingOptions
from .output import Exit, Output, Stop, code_of, credits_text, plural, spelt, text_of
from .recipients import Checked, RowChecked, check, checking

if TYPE_CHECKING:
    pass


@frozen(kw_only=True)
class Text:
    """What is to be sent, and how.

    Attributes:
        text: the text or template.
        when: when it is to leave, None for now.
        sending: what else the user asked for.
        legal: the options that only certified texts have; None for plain texts.
    """

    text: str | Template = field(repr=False)
    when: datetime | None
    sending: SendingOptions
    legal: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls, text: str, sending: SendingOptions, legal: Mapping[str, Any] | None = None, *, fields: bool
    ) -> Text:
        """Read what the user wrote; with fields, what stands in braces is replaced for each recipient.

        Raises:
            InvalidRequest: the braces or fields are wrong.
            Stop: the date is.
        """
        template = Template(text) if fields and ("{" in text or "}" in text) else text
        return cls(text=template, when=parse_when(sending.at), sending=sending, legal=legal)

    def options(self) -> dict[str, Any]:
        """Options of `client.sms.send` and of whatever else sends it."""
        names = ("sender", "reference", "encoding")
        plain = {name: getattr(self.sending, name) for name in names}
        return {**plain, "scheduled_at": self.when, **(self.legal or {})}

    def message(self, sender: str | None) -> Message:
        """Check everything that does not depend on the recipients.

        Raises:
            InvalidRequest: the text, the sender, the date or an option is wrong.
        """
        message = compose(
            OPERATIONS["EnviarSMS" if self.legal is None else "EnviarSMSCERTIFICADO"],
            self.text,
            sender=sender,
            region="ES",
            scheduled_at=self.when,
            encoding=self.sending.encoding,
            reference=self.sending.reference,
        )
        if self.legal is not None:
            params = {**message.params, **certified_params(None, **self.legal)}
            check_documents(evolve(message, params=params))
        return message


def check_rows(
    output: Output, reading: Reading, what: Text, *, sender: str | None, row_checked: RowChecked | None = None
) -> Checked:
    """Check the text and every row, before anything is sent or written down; `row_checked` hears of each.

    Raises:
        Stop: the rows that were asked for are not there.
        InvalidRequest: the text, an option or the file is wrong.
    """
    message = what.message(sender)
    with checking(output) as tick:
        checked = check(reading, message, tick=tick, row_checked=row_checked)
    if not checked.rows and reading.rows is not None:
        raise Stop(f"The file has no rows {reading.rows}.")
    return checked


def agree(
    output: Output,
    reading: Reading,
    checked: Checked,
    what: Text,
    connection: Connection,
    *,
    asks: bool,
    test_to: str | None,
) -> None:
    """Show what would be sent and what it would cost, send the test, and ask.

    Raises:
        Stop: the test failed, or the answer was no.
    """
    credits = connection.do(lambda client: client.credits()) if asks and checked.ready else None
    _show(output, reading, checked, price=what.sending.price, credits=credits)
    if test_to is not None:
        _send_test(output, connection, checked, what.sending, test_to)
    if asks and checked.ready:
        output.confirm(f"Send {plural(checked.texts, 'text')} to {plural(checked.ready, 'recipient')}?")


def preview(
    output: Output, reading: Reading, what: Text, *, report: str | None = None, force: bool = False
) -> Exit:
    """Check everything, show what would be sent, and write to the report what would become of each row.

    Raises:
        InvalidRequest: the report cannot be written.
        Stop: something is wrong.
    """
    price = what.sending.price
    with ExitStack() as stack:
        written = None if report is None else _report_to(report, force, stack)
        checked = check_rows(output, reading, what, sender=what.sending.sender, row_checked=written)
    _show(output, reading, checked, price=price, credits=None)
    return _dry_summary(output, checked, price)


def _report_to(path: str, force: bool, stack: ExitStack) -> RowChecked:
    line = stack.enter_context(export_file(path, force=force))

    def write(row: int, phone: str, reason: str) -> None:
        line((row, phone, "invalid" if reason else "ready", reason, "", "", "", ""))

    return write


def _show(
    output: Output, reading: Reading, checked: Checked, *, price: Decimal, credits: Decimal | None
) -> None:
    """Tell what would be sent and what it would cost."""
    source = reading.source
    output.say(f"Recipients: {source.label}; phones in column {shown(reading.phone_column, 40)}.")
    text = plural(checked.ready, "row") + " to send"
    if checked.broken:
        text += f", {checked.broken:,} broken or repeated"
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


def _send_test(
    output: Output, connection: Connection, checked: Checked, sending: SendingOptions, phone: str
) -> None:
    if not checked.samples:
        return
    sample, sender, encoding = checked.samples[0], sending.sender, sending.encoding
    try:
        sent = connection.do(
            lambda client: client.sms.send(phone, sample.text, sender=sender, encoding=encoding)
        )
    except MensatekError as error:
        raise Stop(
            f"The test to {shown(phone, 40)} failed, and nobody else was texted: {text_of(error)}",
            code_of(error),
        ) from None
    if not sent.accepted:
        raise Stop(
            f"The provider did not take the test to {shown(phone, 40)}; nobody else was texted.",
            Exit.SOME_NOT_SENT,
        )
    output.say(f"Sent to {shown(phone, 40)} first: the text of row {sample.row}.")


def _credits(amount: Decimal) -> str:
    return f"{credits_text(amount)} {'credit' if amount == 1 else 'credits'}"


def _dry_summary(output: Output, checked: Checked, price: Decimal) -> Exit:
    """Print what a dry run shows; nothing was sent."""
    for one in checked.samples:
        coding = "Unicode" if one.unicode else "GSM"
        cost = _credits(price * one.segments)
        output.say(f"Row {one.row}, to {one.phone}: {plural(one.segments, 'text')}, {coding}, {cost}")
        for written in one.text.splitlines():
            output.say(f"    {shown(written, 2000)}")
    code = Exit.SOME_NOT_SENT if checked.broken or not checked.ready else Exit.DONE
    output.say(f"Dry run: nothing was sent. {checked.ready:,} of {plural(checked.rows, 'row')} can be sent.")
    say_rows(output, "Broken rows", checked.problems, checked.broken)
    output.answer(
        {
            "dry_run": True,
            "rows": checked.rows,
            "ready": checked.ready,
            "invalid": checked.broken,
            "hidden_rows": checked.hidden,
            "texts": checked.texts,
            "unicode_rows": checked.unicode,
            "forcing": list(checked.forcing),
            "credits": price * checked.texts,
            "samples": [{**asdict(one), "credits": price * one.segments} for one in checked.samples],
            "problems": rows_as_json({"invalid": checked.problems}),
            "problem_rows": checked.broken,
            "exit_code": int(code),
        }
    )
    return code
