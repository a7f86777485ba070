"""The file of recipients that a command is given, read through the public sources, and what checking it shows."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import warnings
from contextlib import ExitStack
from math import inf
from pathlib import Path

from attrs import asdict, define, field, frozen

from .._core.messages.message import Message
from ..bulk.chunks import REPEATED
from ..bulk.seen import SeenPhones
from ..errors import InvalidRequest
from ..models.bulk import RowProblem
from ..models.recipient import Recipient
from ..sources.file_source import FileSource
from ..sources.files import AnyFileSource
from ..sources.reading import ChosenRows
from ..sources.rows import BrokenRow
from ..sources.text_files import BLOCK, open_file, shown
from ..text.segments import lost_characters
from .language import _, reason_of
from .options import FileOptions
from .output import Stop, text_of

_ROWS = re.compile(r"(\d{1,15})(?:(-)(\d{1,15})?)?")
_KEPT_PROBLEMS = 10_000
_SAMPLES = 3
_FORCING = 10  # characters


def open_recipients(
    path: str, options: FileOptions, stack: ExitStack, rows: ChosenRows | None = None
) -> FileSource:
    """Open the file of recipients, or standard input for `-`; what cannot be read twice is first copied to a file.

    Raises:
        InvalidRequest: it does not exist, is a directory, may not be read, or is empty, or an option is none.
        Stop: what comes by a pipe cannot be read.
    """
    warnings.filterwarnings("ignore", module="openpyxl")  # about styles and the like, which nobody sends
    return AnyFileSource(
        _copied(path, stack) or path,
        name=_("Standard input") if path == "-" else path,
        rows=rows,
        **asdict(options),
    )


def _copied(path: str, stack: ExitStack) -> Path | None:
    """A copy of what comes by a pipe; None for a plain file, and for what is none at all."""
    try:
        if path != "-" and (not (given := Path(path)).exists() or given.is_file() or given.is_dir()):
            return None
    except (OSError, ValueError):
        return None
    if path == "-" and sys.stdin is None:
        raise Stop(_("Standard input is closed; there are no recipients to read."))
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "recipients"
    try:
        with sys.stdin.buffer if path == "-" else open_file(path) as stream, copy.open("wb") as file:
            shutil.copyfileobj(stream, file, BLOCK)
    except OSError as error:
        raise Stop(_("The recipients cannot be read: {}.", reason_of(error))) from None
    return copy


def parse_rows(text: str | None) -> ChosenRows | None:
    """Read rows as the user wrote them, such as `2-500,700,1022-`; nothing is every row.

    Raises:
        Stop: it is no list of rows.
    """
    if text is None:
        return None
    spans: list[tuple[int, float]] = []
    for part in text.replace(" ", "").split(","):
        match = _ROWS.fullmatch(part)
        if match is None:
            raise Stop(_("--rows takes rows such as 2-500,700,1022- and not {}.", shown(text)))
        first = int(match[1])
        last = int(match[3]) if match[3] else inf if match[2] else first
        if last < first:
            raise Stop(_("--rows {} ends before it begins.", shown(part)))
        spans.append((first, last))
    return ChosenRows(tuple(spans))


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
    samples: list[Sample] = field(factory=list)
    broken: int = 0
    problems: list[RowProblem] = field(factory=list)
    _seen: SeenPhones = field(factory=SeenPhones, repr=False)

    def add(self, item: Recipient | BrokenRow, message: Message) -> tuple[int, str, str]:
        """Check one row as the sending will; return its number, its phone, and why it cannot be sent or ""."""
        self.rows += 1
        row, phone, reason = self._look(item, message)
        if reason:
            self.broken += 1
            if self.broken <= _KEPT_PROBLEMS:
                self.problems.append(RowProblem(row, reason))
        return row, phone, reason

    def _look(self, item: Recipient | BrokenRow, message: Message) -> tuple[int, str, str]:
        if isinstance(item, BrokenRow):
            return item.row, item.phone, item.reason
        row = item.row or 0
        try:
            phone, wire, unicode, segments = message.address(item)
        except InvalidRequest as error:
            return row, item.phone, text_of(error)
        if not self._seen.add(phone):
            return row, phone, REPEATED
        self.ready += 1
        self.texts += segments
        self.unicode += unicode
        self.longest = max(self.longest, segments)
        self.gaps += "" in wire.values()
        if unicode and len(self.forcing) < _FORCING:
            written = "".join([message.text.layout.literal, *wire.values()])
            self.forcing |= dict.fromkeys(lost_characters(written))
        if len(self.samples) < _SAMPLES:
            text = message.text.render(item.fields, phone)
            self.samples.append(Sample(row, phone, text, segments, unicode))
        return row, phone, ""
