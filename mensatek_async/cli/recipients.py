"""The file of recipients that a command is given, read through the public sources."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import warnings
from contextlib import ExitStack
from math import inf
from pathlib import Path

from attrs import asdict

from ..sources.file_source import FileSource
from ..sources.files import AnyFileSource
from ..sources.reading import ChosenRows
from ..sources.text_files import BLOCK, open_file, shown
from .language import _, reason_of
from .options import FileOptions
from .output import Stop

_ROWS = re.compile(r"(\d{1,15})(?:(-)(\d{1,15})?)?")


def open_recipients(
    path: str, options: FileOptions, stack: ExitStack, rows: ChosenRows | None = None
) -> FileSource:
    """Open the file of recipients, or standard input for `-`; what cannot be read twice is first copied to a file."""
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
        raise Stop("Standard input is closed; there are no recipients to read.")
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "recipients"
    try:
        with sys.stdin.buffer if path == "-" else open_file(path) as stream, copy.open("wb") as file:
            shutil.copyfileobj(stream, file, BLOCK)
    except OSError as error:
        raise Stop("The recipients cannot be read: {}.", reason_of(error)) from None
    return copy


def parse_rows(text: str | None) -> ChosenRows | None:
    """Read rows as the user wrote them, such as `2-500,700,1022-`; nothing is every row."""
    if text is None:
        return None
    spans: list[tuple[int, float]] = []
    for part in text.replace(" ", "").split(","):
        match = _ROWS.fullmatch(part)
        if match is None:
            raise Stop("--rows takes rows such as 2-500,700,1022- and not {}.", shown(text))
        first = int(match[1])
        last = int(match[3]) if match[3] else inf if match[2] else first
        if last < first:
            raise Stop("--rows {} ends before it begins.", shown(part))
        spans.append((first, last))
    return ChosenRows(tuple(spans))
