"""What became of each row: a ledger in memory, one byte a row, and a CSV written as the rows are settled."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .._core.private_file import PrivateFile, is_stream, write_all
from ..models.bulk import ChunkOutcome
from ..sources.text_files import reason_of, shown
from ..sources.values import spreadsheet_cell
from .selection import Selection, Span
from .stop import Stop

HEADINGS = ("row", "phone", "status", "reason", "message_id")
REFUSED = "refused by the provider: repeated, or not a correct number"

_HELD = 100_000  # characters of lines that are not yet with the system

_UNSEEN, _TOUCHED, _FAILED, _INVALID = range(4)
_UNTOUCHED = re.compile(rb"[^\x01]+")


class Ledger:
    """Where every row stands, by its number: sent (or perhaps), certainly not sent, broken, or not reached."""

    def __init__(self) -> None:
        self._states = bytearray()

    def settle(self, outcome: ChunkOutcome) -> None:
        """Note what became of a request's rows."""
        state = _TOUCHED if outcome.status in ("sent", "unknown") else _FAILED
        for row in outcome.rows:
            self._mark(row, state)
        for problem in outcome.invalid:
            self._mark(problem.row, _INVALID)

    def refuse(self, row: int) -> None:
        """Note a broken row."""
        self._mark(row, _INVALID)

    def knows(self, row: int) -> bool:
        """Whether anything was noted about a row."""
        return row < len(self._states) and self._states[row] != _UNSEEN

    def unsent(self, *, unread: bool) -> Selection:
        """The rows that were not sent, nor may have been; none when nothing was sent at all.

        Broken and blank rows between them may be in it: they cannot be sent anyway.

        Args:
            unread: whether rows of the file were never read; they are the last ones.
        """
        end = self._states.rfind(_TOUCHED) + 1
        spans: list[Span] = []
        for run in _UNTOUCHED.finditer(self._states, 0, end):
            first = run[0].find(_FAILED)
            if first >= 0:
                spans.append((run.start() + first, run.start() + run[0].rfind(_FAILED)))
        first = self._states.find(_FAILED, end)
        if end and (unread or first >= 0):
            spans.append((first if first >= 0 else end, None))
        return Selection(spans if end else ())

    def touched(self, first: int, last: int) -> bool:
        """Whether something was sent, or may have been, to a row from `first` to `last`."""
        return self._states.find(_TOUCHED, first, last + 1) >= 0

    def _mark(self, row: int, state: int) -> None:
        if row >= len(self._states):
            self._states.extend(bytes(row + 1 + row // 8 - len(self._states)))
        self._states[row] = state


class Report:
    """The report file: one line per row, handed to the system after each request; never a part of a line.

    Attributes:
        moved: where an earlier report of the same name went, or None.
    """

    def __init__(self, path: str, recipients: str) -> None:
        self._path = path
        self._phones: dict[int, str] = {}  # of rows on their way
        self._lines = io.StringIO()
        self._csv = csv.writer(self._lines)
        self._csv.writerow(HEADINGS)
        self._size = 0
        self.moved = _make_room(path, recipients)
        try:
            self._whole = PrivateFile(Path(path))
        except (OSError, ValueError) as error:
            raise self._cannot(error) from None
        try:
            self.flush()
            self._whole.keep()  # from now on it grows under its name: a crash loses nothing of it
        except OSError as error:
            self._whole.close()
            raise self._cannot(error) from None

    def hand(self, row: int, phone: str) -> None:
        """Remember the phone, as it is given, of a row that is on its way."""
        self._phones[row] = phone

    def settle(self, outcome: ChunkOutcome) -> None:
        """Write the lines of a request and of the rows refused on the way to it."""
        status, reason = _told(outcome)
        sent_to = iter(outcome.recipients)
        for row in outcome.rows:
            phone = self._phones.pop(row, "")
            recipient = next(sent_to, None)
            self.line(row, recipient.phone if recipient else phone, status, reason, outcome.message_id)
        for problem in outcome.invalid:
            self.line(problem.row, self._phones.pop(problem.row, ""), "invalid", problem.reason)
        self.flush()

    def line(self, row: int, phone: str, status: str, reason: str = "", message_id: int = 0) -> None:
        """Write one row's line.

        Raises:
            Stop: the disk is full, or the like.
        """
        self._csv.writerow(map(spreadsheet_cell, (row, phone, status, reason, message_id or "")))
        if self._lines.tell() > _HELD:
            self.flush()

    def finish(self, rows: Iterable[tuple[int, str]], reason: str) -> None:
        """Write a line for each row nothing became of."""
        for row, phone in rows:
            self.line(row, phone, "not sent", reason)
        self.flush()

    def flush(self) -> None:
        """Hand the lines to the system, so that a crash does not lose them.

        Raises:
            Stop: the disk is full, or the like; the lines before these are whole, under a name that says it.
        """
        text = self._lines.getvalue()
        data = text.encode("utf-8" if self._size else "utf-8-sig", "replace")
        self._lines.seek(0)
        self._lines.truncate()
        try:
            write_all(self._whole.file, data)
        except (OSError, ValueError) as error:
            raise self._cannot(error, self._set_aside()) from None
        self._size += len(data)

    def close(self) -> None:
        """Write what is left and close the file.

        Raises:
            Stop: as in `flush`; not a second time.
        """
        try:
            if not self._whole.file.closed:
                self.flush()
        finally:
            self._whole.close()

    def _set_aside(self) -> str:
        """Leave no half line, and nothing under the report's own name; where its whole lines are."""
        file, kept = Path(self._path), ""
        if self._size and not is_stream(file):
            with suppress(OSError):
                os.ftruncate(self._whole.file.fileno(), self._size)
                other = _free(file.with_name(f"{file.stem}.incomplete{file.suffix}"))
                file.rename(other)
                kept = str(other)
        self._whole.close()
        return kept

    def _cannot(self, error: OSError | ValueError, kept: str = "") -> Stop:
        told = f"The report {shown(self._path)} cannot be written: {reason_of(error)}."
        return Stop(f"{told} What it had so far is in {shown(kept)}." if kept else told)


def _told(outcome: ChunkOutcome) -> tuple[str, str]:
    if outcome.status == "sent":
        if not outcome.rejected:
            return "accepted", ""
        if not outcome.accepted:
            return "refused", REFUSED
        told = f"the provider refused {outcome.rejected} of the {len(outcome.rows)} rows of this request"
        return "sent", f"{told} and does not say which"
    return "unknown" if outcome.status == "unknown" else "not sent", str(outcome.error or "interrupted")


def _make_room(path: str, recipients: str) -> str | None:
    """Check that the report may be written there; an earlier one is kept under another name.

    It may be the only record of who was texted already.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise Stop(f"The report {shown(path)} is a directory; a file is needed.")
        if recipients != "-" and file.exists() and os.path.samefile(file, recipients):
            raise Stop("The report would overwrite the file of recipients. Give it another name.")
        if is_stream(file) or not file.is_file() or not file.stat().st_size:
            return None
        other = _free(file.with_name(f"{file.stem}.1{file.suffix}"))
        file.rename(other)
    except (OSError, ValueError) as error:
        raise Stop(f"The report {shown(path)} cannot be written: {reason_of(error)}.") from None
    return str(other)


def _free(file: Path) -> Path:
    """The name, or the first one with a number that nothing has."""
    name, _, first = file.stem.rpartition(".")
    number, other = 1, file
    while other.exists():
        number += 1
        stem = f"{name}.{number}" if first.isdigit() else f"{file.stem}.{number}"
        other = file.with_name(stem + file.suffix)
    return other
