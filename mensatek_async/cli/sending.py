"""A send to every row of a file: read, checked, shown and agreed to before anything leaves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from .._core.messages.certified import certified_params, check_documents
from .._core.messages.message import Message, compose
from .._core.operations import OPERATIONS
from ..campaigns.export import export_file
from ..errors import MensatekError
from ..models.campaign import Progress
from ..phones import normalise
from ..sources.reading import ChosenRows
from ..sources.text_files import shown
from ..sync.generated._campaign import SyncCampaign
from ..sync.generated._campaigns import SyncCampaigns
from ..text.template import Template
from .account import Connection, connect, needs_answer, parse_when
from .campaign.view import line, rows_as_json, say_rows, viewing
from .language import _, reason
from .opt_outs import load_into
from .options import RowsOptions, SendingOptions
from .output import Exit, Output, Stop, code_of, credits_text, plural, spelt, text_of
from .recipients import Checked, open_recipients

_TICK = 1000  # rows between two looks at the clock
RowChecked = Callable[[int, str, str], None]
"""Called with a row's number, its phone, and why it cannot be sent; "" when it can."""


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
            extra={} if self.legal is None else certified_params(None, **self.legal),
        )
        if self.legal is not None:
            check_documents(message)
        return message


class Send:
    """A send to every row of a file, or of standard input ("-")."""

    def __init__(
        self,
        stack: ExitStack,
        recipients: str,
        options: RowsOptions,
        *,
        legal: Mapping[str, Any] | None = None,
        rows: ChosenRows | None = None,
    ) -> None:
        _check_test(options.test_to, options.dry_run)
        self.options = options
        self.output = Output(json=options.sending.json)
        self.what = Text.of(options.text, options.sending, legal, fields=True)
        self.source = open_recipients(recipients, options.file, stack, rows)
        text = self.what.text
        fields = text.fields if isinstance(text, Template) else ()
        self._reading = stack.enter_context(self.source.reading(fields))
        self.free = recipients != "-"  # for an answer on standard input
        self._stack = stack

    def connect(self) -> Connection:
        """Return the account to send with."""
        return self._stack.enter_context(connect(self.options.account, may_ask=self.free))

    def temporary_store(self) -> str:
        """Return a store that is gone when the command ends."""
        return str(Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "sandbox.db")

    def agree(self, connection: Connection, progress: Progress | None, note: str) -> None:
        """Check every row, show what it would cost, send the test, and ask; what was begun goes on with a note.

        Raises:
            InvalidRequest: the text, an option or the file is wrong.
            Stop: something else is, the test failed, or the answer was no.
        """
        if progress is not None:
            self.output.note(f"{note}: {line(progress)}.")
            return
        sending = self.options.sending
        asks = needs_answer(self.options.account, yes=sending.yes, free=self.free)
        checked = self._check(connection.sender_or(sending.sender))
        asks = asks and checked.ready > 0
        self._show(checked, connection.do(lambda client: client.credits()) if asks else None)
        if self.options.test_to is not None and checked.samples:
            self._send_test(connection, checked, self.options.test_to)
        if asks:
            self.output.confirm(
                _("Send {} to {}?", plural(checked.texts, "text"), plural(checked.ready, "recipient"))
            )

    def begin(self, campaigns: SyncCampaigns, name: str, **more: Any) -> SyncCampaign:
        """Write the campaign down."""
        more["respect_opt_outs"] = not self.options.ignore_opt_outs
        return campaigns.start(name, self.what.text, self.source, **self.what.options(), **more)

    def preview(self, report: str | None = None, *, force: bool = False) -> Exit:
        """Check everything, show what would be sent, and write to the report what would become of each row.

        Raises:
            InvalidRequest: something is wrong, or the report cannot be written.
            Stop: the rows that were asked for are not there.
        """
        if self.options.opt_outs is not None:
            load_into(self.temporary_store(), self.options.opt_outs, self.output, dry_run=True)
        with ExitStack() as stack:
            written = None if report is None else _report_to(report, force, stack)
            checked = self._check(self.options.sending.sender, written)
        self._show(checked, None)
        return self._dry_summary(checked)

    def _check(self, sender: str | None, row_checked: RowChecked | None = None) -> Checked:
        """Check the text and every row; `row_checked` hears of each."""
        message, checked = self.what.message(sender), Checked()
        message.refuse_braces((), self._reading.source.columns)
        with viewing(self.output, watch=True, transient=True) as view:
            for item in self._reading:
                found = checked.add(item, message)
                if row_checked is not None:
                    row_checked(*found)
                if checked.rows % _TICK == 0:
                    view.note(lambda: _("{:,} rows checked", checked.rows))
        if not checked.rows and self._reading.rows is not None:
            raise Stop(_("The file has no rows {}.", self._reading.rows))
        return checked

    def _show(self, checked: Checked, credits: Decimal | None) -> None:
        """Print what would be sent and what it would cost."""
        output, source = self.output, self._reading.source
        column = shown(self._reading.phone_column, 40)
        output.say(_("Recipients: {}; phones in column {}.", reason(source.label), column))
        text = _("{} to send", plural(checked.ready, "row"))
        if checked.broken:
            text += _(", {:,} broken or repeated", checked.broken)
        if source.blank:
            text += _(" ({} left out)", plural(source.blank, "blank row"))
        if source.hidden:
            text += _(" ({} left out; --include-hidden takes them)", plural(source.hidden, "hidden row"))
        output.say(text + ".")
        if not checked.ready:
            return
        longest = _("one each") if checked.longest == 1 else _("up to {} a recipient", checked.longest)
        output.say(_("Texts: {:,} ({}; {}).", checked.texts, _encodings(checked), longest))
        if checked.forcing:
            output.say(_("Unicode because of: {}", spelt(checked.forcing)))
        if checked.gaps:
            gaps = plural(checked.gaps, "row has", "rows have")
            output.say(_("Note: {} an empty cell where the text has a field.", gaps))
        output.say(self._cost(checked, credits))
        if credits is not None and output.err.isatty():
            output.note(_("The first one reads: {}", shown(checked.samples[0].text, 700)))

    def _cost(self, checked: Checked, credits: Decimal | None) -> str:
        price = self.options.sending.price
        estimate = price * checked.texts
        each = _("{} a text", _credits(price))
        line = _(
            "Credits: {} estimated, at {}; the first answer shows the real price.",
            credits_text(estimate),
            each,
        )
        if credits is not None:
            line += _(" The account has {}.", credits_text(credits))
            if credits < estimate:
                line += _(" That may not be enough; the send then stops and says which rows were not sent.")
        return line

    def _send_test(self, connection: Connection, checked: Checked, phone: str) -> None:
        sample, sending = checked.samples[0], self.options.sending
        sender, encoding = sending.sender, sending.encoding
        try:
            sent = connection.do(
                lambda client: client.sms.send(phone, sample.text, sender=sender, encoding=encoding)
            )
        except MensatekError as error:
            raise Stop(
                _("The test to {} failed, and nobody else was texted: {}", shown(phone, 40), text_of(error)),
                code_of(error),
            ) from None
        if not sent.accepted:
            raise Stop(
                _("The provider did not take the test to {}; nobody else was texted.", shown(phone, 40)),
                Exit.SOME_NOT_SENT,
            )
        self.output.say(_("Sent to {} first: the text of row {}.", shown(phone, 40), sample.row))

    def _dry_summary(self, checked: Checked) -> Exit:
        """Print what a dry run shows; nothing was sent."""
        output, price = self.output, self.options.sending.price
        for one in checked.samples:
            coding = "Unicode" if one.unicode else "GSM"
            cost = _credits(price * one.segments)
            output.say(
                _("Row {}, to {}: {}, {}, {}", one.row, one.phone, plural(one.segments, "text"), coding, cost)
            )
            for written in one.text.splitlines():
                output.say(f"    {shown(written, 2000)}")
        code = Exit.SOME_NOT_SENT if checked.broken or not checked.ready else Exit.DONE
        output.say(
            _(
                "Dry run: nothing was sent. {:,} of {} can be sent.",
                checked.ready,
                plural(checked.rows, "row"),
            )
        )
        say_rows(output, _("Broken rows"), checked.problems, checked.broken)
        output.answer(
            {
                "dry_run": True,
                "rows": checked.rows,
                "ready": checked.ready,
                "invalid": checked.broken,
                "hidden_rows": self._reading.source.hidden,
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


def _report_to(path: str, force: bool, stack: ExitStack) -> RowChecked:
    line = stack.enter_context(export_file(path, force=force))

    def write(row: int, phone: str, reason: str) -> None:
        line((row, phone, "invalid" if reason else "ready", reason, "", "", "", ""))

    return write


def _check_test(phone: str | None, dry_run: bool) -> None:
    """Check `--test-to` before anything is read."""
    if phone is None:
        return
    if dry_run:
        raise Stop(_("--dry-run sends nothing, and --test-to does. Leave one of them out."))
    try:
        normalise(phone)
    except MensatekError as error:
        raise Stop(f"--test-to: {text_of(error)}") from None


def _encodings(checked: Checked) -> str:
    gsm = checked.ready - checked.unicode
    if not checked.unicode:
        return "GSM"
    return _("{:,} GSM, {:,} Unicode", gsm, checked.unicode) if gsm else "Unicode"


def _credits(amount: Decimal) -> str:
    return f"{credits_text(amount)} {_('credit' if amount == 1 else 'credits')}"
