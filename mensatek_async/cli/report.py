"""What became of each row: a ledger in memory, one byte a row, and a CSV written as the rows are settled."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ..models.bulk import ChunkOutcome
from ..sources.text_files import reason_of, shown
from .selection import Selection, Span
from .stop import Stop

HEADINGS = ("row", "phone", "status", "reason", "message_id")
REFUSED = "refused by the provider: repeated, or not a correct number"
_FORMULA = re.compile(r"\s*[=@\t\r]|\s*[+-](?![\d\s()./-]*$)")  # +34 600 is a phone, +cmd() is not

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
    """The report file: one line per row, flushed after each request.

    Attributes:
        moved: where an earlier report of the same name went, or None.
    """

    def __init__(self, path: str, recipients: str) -> None:
        self._path = path
        self._phones: dict[int, str] = {}  # of rows on their way
        self.moved = _make_room(path, recipients)
        try:
            self._file = Path(path).open("w", encoding="utf-8-sig", newline="")  # noqa: SIM115
        except (OSError, ValueError) as error:
            raise self._cannot(error) from None
        self._csv = csv.writer(self._file)
        self._csv.writerow(HEADINGS)
        try:
            self.flush()
        except Stop:
            self.close()
            raise

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
        given = f"'{phone}" if _FORMULA.match(phone) else phone
        try:
            self._csv.writerow((row, given, status, reason, message_id or ""))
        except OSError as error:
            raise self._cannot(error) from None

    def finish(self, rows: Iterable[tuple[int, str]], reason: str) -> None:
        """Write a line for each row nothing became of."""
        for row, phone in rows:
            self.line(row, phone, "not sent", reason)
        self.flush()

    def flush(self) -> None:
        """Hand what was written to the system, so that a crash does not lose it."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._cannot(error) from None

    def close(self) -> None:
        """Close the file; what it could not take has been told already."""
        try:
            self._file.close()
        except OSError:
            pass

    def _cannot(self, error: OSError | ValueError) -> Stop:
        return Stop(f"The report {shown(self._path)} cannot be written: {reason_of(error)}.")


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
        if not file.is_file() or not file.stat().st_size:
            return None
        number = 1
        while (other := file.with_name(f"{file.stem}.{number}{file.suffix}")).exists():
            number += 1
        file.rename(other)
    except (OSError, ValueError) as error:
        raise Stop(f"The report {shown(path)} cannot be written: {reason_of(error)}.") from None
    return str(other)
