"""The file of recipients that a command is given, read through the public sources, and what checking it shows."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from math import inf
from pathlib import Path

from attrs import asdict, define, field, frozen

from .._core.messages.message import Message
from ..bulk.chunks import REPEATED
from ..bulk.seen import SeenPhones
from ..errors import InvalidRequest, MensatekError
from ..models.bulk import RowProblem
from ..models.recipient import Recipient
from ..sources.batches import Batches, RecipientSource, ThreadBatches
from ..sources.file_source import FileSource
from ..sources.files import AnyFileSource
from ..sources.reading import Reading
from ..sources.rows import BrokenRow
from ..sources.text_files import BLOCK, open_file, reason_of, shown
from ..text.segments import lost_characters
from ..text.template import Template
from .campaign_view import PlainView, live
from .options import FileOptions
from .output import Output, Stop, stop_at, text_of

_ROWS = re.compile(r"(\d{1,15})(?:(-)(\d{1,15})?)?")


def open_recipients(path: str, options: FileOptions, stack: ExitStack) -> FileSource:
    """The file of recipients, or standard input for `-`; what cannot be read twice is first copied to a file.

    Raises:
        Stop: it does not exist, is a directory, may not be read, or is empty, or an option is none.
    """
    warnings.filterwarnings("ignore", module="openpyxl")  # about styles and the like, which nobody sends
    try:
        return AnyFileSource(
            _copied(path, stack) or path,
            name="Standard input" if path == "-" else path,
            say=_option,
            **asdict(options),
        )
    except MensatekError as error:
        raise stop_at(error) from None


def _copied(path: str, stack: ExitStack) -> Path | None:
    """A copy of what comes by a pipe; None for a plain file, and for what is none at all."""
    try:
        if path != "-" and (not (given := Path(path)).exists() or given.is_file() or given.is_dir()):
            return None
    except (OSError, ValueError):
        return None
    if path == "-" and sys.stdin is None:
        raise Stop("Standard input is closed; there are no recipients to read.")
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "recipients"
    try:
        with sys.stdin.buffer if path == "-" else open_file(path) as stream, copy.open("wb") as file:
            shutil.copyfileobj(stream, file, BLOCK)
    except OSError as error:
        raise Stop(f"The recipients cannot be read: {reason_of(error)}.") from None
    return copy


def open_rows(
    source: FileSource, text: str | Template, stack: ExitStack, *, rows: ChosenRows | None = None
) -> Reading:
    """Open the rows of a file, and find the columns of the phone and of the text's fields.

    Raises:
        Stop: it is no file of recipients, or holds none; a column is missing, or several could be meant.
    """
    fields = () if isinstance(text, str) else text.fields
    try:
        return stack.enter_context(source.reading(fields, rows=rows))
    except MensatekError as error:
        raise stop_at(error) from None


@frozen
class ChosenRows:
    """Some rows of a file, written as `2-500,700,1022-`.

    Attributes:
        spans: the first row and the last of each part.
        written: as the user wrote it.
    """

    spans: tuple[tuple[int, float], ...]
    written: str

    def __contains__(self, row: int) -> bool:
        return any(first <= row <= last for first, last in self.spans)

    def __str__(self) -> str:
        return self.written


def parse_rows(text: str | None) -> ChosenRows | None:
    """Read what the user wrote; nothing is every row.

    Raises:
        Stop: it is no list of rows.
    """
    if text is None:
        return None
    spans: list[tuple[int, float]] = []
    for part in text.replace(" ", "").split(","):
        match = _ROWS.fullmatch(part)
        if match is None:
            raise Stop(f"--rows takes rows such as 2-500,700,1022- and not {shown(text)}.")
        first = int(match[1])
        last = int(match[3]) if match[3] else inf if match[2] else first
        if last < first:
            raise Stop(f"--rows {shown(part)} ends before it begins.")
        spans.append((first, last))
    return ChosenRows(tuple(spans), shown(text))


class SomeRows(RecipientSource):
    """The chosen rows of a file."""

    def __init__(self, source: FileSource, chosen: ChosenRows) -> None:
        self._source = source
        self._chosen = chosen

    def rows(self, needed: Sequence[str] | None = None) -> Iterator[Recipient | BrokenRow]:
        """Those rows, in order."""
        return (one for one in self._source.rows(needed) if (one.row or 0) in self._chosen)

    def batches(self, needed: Sequence[str] | None = None) -> Batches:
        """Those rows for a send."""
        return ThreadBatches(lambda: self.rows(needed))

    def describe(self) -> str:
        """What the file is."""
        return self._source.describe()

    def fingerprint(self) -> str:
        """What tells these rows from any other."""
        return f"{self._source.fingerprint()}-{self._chosen.spans}"


def _option(name: str, value: str) -> str:
    return f"--{name.replace('_', '-')} {value}"


KEPT_PROBLEMS = 10_000
RowChecked = Callable[[int, str, str], None]
"""Called with a row's number, its phone, and why it cannot be sent; "" when it can."""
SAMPLES = 3
_FORCING = 10  # characters
_TICK = 1000  # rows between two looks at the clock


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
        broken: rows that cannot be sent.
        problems: the first of them.
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
    broken: int = 0
    problems: list[RowProblem] = field(factory=list)


def check(
    reading: Reading,
    message: Message,
    *,
    tick: Callable[[int], None],
    row_checked: RowChecked | None = None,
) -> Checked:
    """Read every row and check it as the sending will; `tick` hears now and then how many were read.

    Raises:
        InvalidRequest: the text would show the braces around a column's name.
    """
    message.refuse_braces((), reading.source.columns)
    checked = Checked()
    seen = SeenPhones()
    for item in reading:
        checked.rows += 1
        if checked.rows % _TICK == 0:
            tick(checked.rows)
        row, phone, reason = _look(item, message, seen, checked)
        if reason:
            checked.broken += 1
            if checked.broken <= KEPT_PROBLEMS:
                checked.problems.append(RowProblem(row, reason))
        if row_checked is not None:
            row_checked(row, phone, reason)
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
            lost_characters("".join([message.text.layout.literal, *addressed.wire.values()]))
        )
    checked.longest = max(checked.longest, addressed.segments)
    checked.gaps += "" in addressed.wire.values()
    if len(checked.samples) < SAMPLES:
        text = message.text.render(item.fields, addressed.phone)
        checked.samples.append(Sample(row, addressed.phone, text, addressed.segments, addressed.unicode))
    return row, addressed.phone, ""


@contextmanager
def checking(output: Output) -> Iterator[Callable[[int], None]]:
    """Give what shows how many rows were checked; nothing of it stays on a terminal."""
    if output.err.isatty():
        with live(output, transient=True) as view:
            yield lambda rows: view.update(f"{rows:,} rows checked")
        return
    plain = PlainView(output)
    yield lambda rows: plain.note(lambda: f"{rows:,} rows checked")
