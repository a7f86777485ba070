"""A send to every row of a file: read, checked, shown and agreed to before anything leaves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen

from .._core.messages.certified import certified_params, check_documents
from .._core.messages.message import Message, compose
from .._core.operations import OPERATIONS
from .._wire.scalars import madrid
from ..campaigns.export import export_file
from ..campaigns.options import CampaignOptions
from ..campaigns.preview import OPTED_OUT
from ..errors import MensatekError
from ..models.campaign import Preview, PreviewedText, Progress
from ..phones import normalise
from ..sources.reading import ChosenRows
from ..sources.text_files import shown
from ..sync.generated._campaign import SyncCampaign
from ..sync.generated._campaigns import SyncCampaigns
from ..text.template import Template
from .account import Connection, connect, is_now, needs_answer, parse_when
from .campaign.preview import PreviewView
from .campaign.view import check_store, line, viewing
from .language import _, spoken
from .opt_outs import load_into, opt_outs_of
from .options import RowsOptions, SendingOptions
from .output import Exit, Output, Stop, code_of, plural, text_of
from .recipients import open_recipients


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
        """Read what the user wrote; with fields, what stands in braces is replaced for each recipient."""
        template = Template(text) if fields and ("{" in text or "}" in text) else text
        when = None if is_now(sending.at) else parse_when(sending.at)
        return cls(text=template, when=when, sending=sending, legal=legal)

    def options(self) -> dict[str, Any]:
        """Options of `client.sms.send` and of whatever else sends it."""
        names = ("sender", "reference", "encoding")
        plain = {name: getattr(self.sending, name) for name in names}
        return {**plain, "scheduled_at": self.when, **(self.legal or {})}

    def message(self, sender: str | None) -> Message:
        """Check everything that does not depend on the recipients."""
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
        self.campaign: CampaignOptions = {}  # what else the campaign is started with
        self.output = Output(json=options.sending.json)
        self.what = Text.of(options.text, options.sending, legal, fields=True)
        self.source = open_recipients(recipients, options.file, stack, rows)
        text = self.what.text
        fields = text.fields if isinstance(text, Template) else ()
        self._reading = stack.enter_context(self.source.reading(fields))
        self._shown = PreviewView(
            output=self.output, reading=self._reading, price=options.sending.price, euros=options.euros
        )
        self.free = recipients != "-"  # for an answer on standard input
        self._stack = stack

    def connect(self) -> Connection:
        """Return the account to send with."""
        return self._stack.enter_context(connect(self.options.sending.account, may_ask=self.free))

    def temporary_store(self) -> str:
        """Return a store that is gone when the command ends."""
        return str(Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "sandbox.db")

    def agree(self, connection: Connection, store: str, progress: Progress | None, note: str) -> None:
        """Check every row, show what it would cost, send the test, and ask; what was begun goes on with a note."""
        options = self.options
        if progress is not None:
            self.output.note(f"{note}: {line(progress)}.")
            if options.test_to is not None:
                self.output.note("No test is sent of what was begun before.")
            return
        asks = needs_answer(options.sending.account, yes=options.sending.yes, free=self.free)
        with connection.client() as client, closing(client.campaigns(check_store(store))) as campaigns:
            preview = self._preview(campaigns, connection.sender_or(options.sending.sender))
            asks = asks and preview.ready > 0
            credits = client.credits() if asks else None
        self._show(preview, credits)
        otherwise = ""
        if options.test_to is not None and preview.samples:
            self._send_test(connection, preview.samples[0], options.test_to)
            otherwise = _("Nothing was sent but the test.")
        if asks:
            texts, people = plural(preview.texts, "text"), plural(preview.ready, "recipient")
            self.output.confirm("Send {} to {}?", texts, people, otherwise=otherwise)

    def begin(self, campaigns: SyncCampaigns, name: str) -> SyncCampaign:
        """Write the campaign down."""
        return campaigns.start(name, self.what.text, self.source, **self._asked())

    def _asked(self) -> CampaignOptions:
        what = {**self.what.options(), **self.campaign}
        return cast("CampaignOptions", {**what, "respect_opt_outs": not self.options.ignore_opt_outs})

    def rehearsal_store(self, store: str | None) -> str:
        """Return the store whose opt-outs a dry run respects: with --opt-outs a copy, which knows the file's too."""
        if self.options.sending.account.sandbox or store is None:
            store = self.temporary_store()
        if self.options.opt_outs is None:
            return store
        copy = self.temporary_store()
        with opt_outs_of(store) as there, opt_outs_of(copy) as here:
            if there.export(f"{copy}.csv"):
                here.load(f"{copy}.csv")
        load_into(copy, self.options.opt_outs, self.output, dry_run=True)
        return copy

    def rehearse(self, campaigns: SyncCampaigns, report: str | None = None, *, force: bool = False) -> Exit:
        """Check everything, show what would be sent, and write to the report what would become of each row."""
        writing = nullcontext() if report is None else export_file(report, words=spoken(), force=force)
        with writing as write:
            preview = self._preview(campaigns, self.options.sending.sender, write)
        self._show(preview, None)
        return self._shown.conclude(preview)

    def _preview(
        self,
        campaigns: SyncCampaigns,
        sender: str | None,
        write: Callable[[tuple[Any, ...]], object] | None = None,
    ) -> Preview:
        """Check the text and every row; `write` is given what would become of each."""
        self.what.message(sender).refuse_braces((), self._reading.source.columns)
        read = 0

        def tell(rows: Sequence[tuple[int, str, str]]) -> None:
            nonlocal read
            read += len(rows)
            view.note(lambda: _("{:,} rows checked", read))
            if write is not None:
                for row, phone, reason in rows:
                    outcome = "opted_out" if reason == OPTED_OUT else "invalid" if reason else "ready"
                    write((row, phone, outcome, reason, "", "", "", ""))

        with viewing(self.output, watch=True, transient=True) as view:
            preview = campaigns.preview(self.what.text, self._reading, on_progress=tell, **self._asked())
        if not preview.rows and self._reading.rows is not None:
            raise Stop("The file has no rows {}.", self._reading.rows)
        return preview

    def _show(self, preview: Preview, credits: Decimal | None) -> None:
        self._shown.show(preview, credits)
        if begins := self.campaign.get("start_at"):
            self.output.say("It begins at {:%Y-%m-%d %H:%M} Spanish time.", begins.astimezone(madrid()))
        if when := self.what.when:
            self.output.say("It arrives at {:%Y-%m-%d %H:%M} Spanish time.", when.astimezone(madrid()))

    def _send_test(self, connection: Connection, sample: PreviewedText, phone: str) -> None:
        sender, encoding = self.options.sending.sender, self.options.sending.encoding
        try:
            sent = connection.do(
                lambda client: client.sms.send(phone, sample.text, sender=sender, encoding=encoding)
            )
        except MensatekError as error:
            raise Stop(
                "The test to {} failed, and nobody else was texted: {}",
                *(shown(phone, 40), text_of(error)),
                code=code_of(error),
            ) from None
        if not sent.accepted:
            raise Stop(
                "The provider did not take the test to {}; nobody else was texted.",
                shown(phone, 40),
                code=Exit.SOME_NOT_SENT,
            )
        self.output.say("Sent to {} first: the text of row {}.", shown(phone, 40), sample.row)


def _check_test(phone: str | None, dry_run: bool) -> None:
    """Check `--test-to` before anything is read."""
    if phone is None:
        return
    if dry_run:
        raise Stop("--dry-run sends nothing, and --test-to does. Leave one of them out.")
    try:
        normalise(phone)
    except MensatekError as error:
        raise Stop(f"--test-to: {text_of(error)}") from None
