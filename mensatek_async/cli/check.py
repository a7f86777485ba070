"""Reads all recipients once without sending: what would go out, in how many texts, and which rows are broken."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO, cast

from attrs import define, evolve, field, frozen

from .._core.messages.certified import certified_params, check_documents
from .._core.messages.message import Encoding, Message, compose
from .._core.operations import OPERATIONS
from ..bulk.chunks import REPEATED
from ..bulk.seen import SeenPhones
from ..errors import InvalidRequest, MensatekError
from ..models.bulk import RowProblem
from ..models.recipient import Recipient
from ..sources.reading import Reading
from ..sources.rows import BrokenRow
from ..text.gsm import lost_characters
from ..text.template import Template
from .output import Output
from .stop import stop_for, text_of

KEPT_PROBLEMS = 10_000
Told = Callable[[int, str, str], None]
"""Told a row's number, its phone, and why it cannot be sent; "" when it can."""
SAMPLES = 3
_FORCING = 10  # characters
EVERY = 3.0  # seconds between two plain lines
_TICK = 1000  # rows between two looks at the clock


@define
class Problems:
    """Broken rows: how many, and the first of them."""

    count: int = 0
    first: list[RowProblem] = field(factory=list)

    def add(self, row: int, reason: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.first) < KEPT_PROBLEMS:
            self.first.append(RowProblem(row, reason))


@frozen
class Sample:
    """One text as its recipient sees it.

    Attributes:
        row: its row.
        phone: its recipient.
        text: what it reads.
        segments: texts it is charged as.
        unicode: whether it travels in Unicode.
    """

    row: int
    phone: str = field(repr=False)
    text: str = field(repr=False)
    segments: int
    unicode: bool


@define
class Checked:
    """What a file of recipients amounts to.

    Attributes:
        rows: rows with something in them.
        ready: rows that can be sent.
        texts: texts (segments) they will be charged as.
        unicode: rows whose text travels in Unicode.
        longest: the most texts one row takes.
        forcing: characters that make them Unicode, the first few.
        gaps: rows with an empty cell where the text has a field.
        hidden: rows that the spreadsheet hides, left out.
        samples: the first texts, as their recipients see them.
        problems: rows that cannot be sent.
    """

    rows: int = 0
    ready: int = 0
    texts: int = 0
    unicode: int = 0
    longest: int = 0
    forcing: dict[str, None] = field(factory=dict)
    gaps: int = 0
    hidden: int = 0
    samples: list[Sample] = field(factory=list)
    problems: Problems = field(factory=Problems)


def make_text(text: str) -> str | Template:
    """The text as the library wants it: with braces it is a template.

    Raises:
        Stop: its braces or fields are wrong.
    """
    if "{" not in text and "}" not in text:
        return text
    try:
        return Template(text)
    except MensatekError as error:
        raise stop_for(error) from None


def make_message(
    text: str | Template,
    *,
    sender: str | None,
    when: datetime | None,
    encoding: Encoding,
    reference: str | None = None,
    operation: str = "EnviarSMS",
) -> Message:
    """Check everything that does not depend on the recipients.

    Args:
        text: the text or template.
        sender: who sends.
        when: when it is to leave, None for now.
        encoding: as for `client.sms.send`.
        reference: what comes back in every delivery report.
        operation: the operation that will send it.

    Raises:
        Stop: the text, the sender or the date is wrong.
    """
    try:
        return compose(
            OPERATIONS[operation],
            text,
            sender=sender,
            region="ES",
            scheduled_at=when,
            encoding=encoding,
            reference=reference,
        )
    except MensatekError as error:
        raise stop_for(error) from None


def check_legal(message: Message, legal: Mapping[str, Any]) -> None:
    """Check what only certified texts have, before anybody is asked.

    Args:
        message: the text.
        legal: options of `client.certified.send`.

    Raises:
        InvalidRequest: or one of its kinds.
    """
    params = {**message.params, **certified_params(None, **legal)}
    check_documents(evolve(message, params=params))


def check(
    reading: Reading,
    message: Message,
    *,
    tick: Callable[[int], None],
    told: Told | None = None,
) -> Checked:
    """Read every row and check it as the sending will.

    Args:
        reading: the recipients.
        message: what they get.
        tick: told now and then how many rows were read.
        told: told each row's number, phone and why it cannot be sent ("" when it can).

    Raises:
        Stop: the text would show the braces around a column's name.
    """
    try:
        message.refuse_braces((), reading.source.columns)
    except MensatekError as error:
        raise stop_for(error) from None
    checked = Checked()
    seen = SeenPhones()
    for item in reading:
        checked.rows += 1
        if checked.rows % _TICK == 0:
            tick(checked.rows)
        row, phone, reason = _look(item, message, seen, checked)
        if reason:
            checked.problems.add(row, reason)
        if told is not None:
            told(row, phone, reason)
    checked.hidden = reading.source.hidden
    return checked


def _look(
    item: Recipient | BrokenRow, message: Message, seen: SeenPhones, checked: Checked
) -> tuple[int, str, str]:
    """Check one row: its number, its phone, and why it cannot be sent or ""."""
    if isinstance(item, BrokenRow):
        return item.row, item.phone, item.reason
    row = item.row or 0
    try:
        addressed = message.address(item)
    except InvalidRequest as error:
        return row, item.phone, text_of(error)
    if not seen.add(addressed.phone):
        return row, addressed.phone, REPEATED
    checked.ready += 1
    checked.texts += addressed.segments
    checked.unicode += addressed.unicode
    if addressed.unicode and len(checked.forcing) < _FORCING:
        checked.forcing |= dict.fromkeys(
            lost_characters("".join([message.text.literal, *addressed.wire.values()]))
        )
    checked.longest = max(checked.longest, addressed.segments)
    checked.gaps += "" in addressed.wire.values()
    if len(checked.samples) < SAMPLES:
        text = message.text.render(item.fields, addressed.phone)
        checked.samples.append(Sample(row, addressed.phone, text, addressed.segments, addressed.unicode))
    return row, addressed.phone, ""


@contextmanager
def checking(output: Output) -> Iterator[Callable[[int], None]]:
    """Show the checking of rows while the block lasts; nothing of it stays on a terminal.

    Args:
        output: where; on standard error.

    Yields:
        What takes the number of rows checked so far.
    """
    if output.err.isatty():
        from rich.console import Console
        from rich.live import Live

        console = Console(file=cast("TextIO", output.err), highlight=False, markup=False)
        with Live(console=console, transient=True) as live:
            yield lambda rows: live.update(f"{rows:,} rows checked")
        return
    due = time.monotonic() + EVERY

    def tell(rows: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + EVERY
            output.note(f"{rows:,} rows checked")

    yield tell
