"""All printing of the command: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from decimal import Decimal
from io import TextIOWrapper
from typing import Any, TextIO

from .stop import Exit, Stop


class Quiet:
    """A stream that survives its reader: once the pipe is broken, what is written goes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal must not turn an accent into a crash

    def write(self, text: str) -> int:
        """Write, unless nobody reads any more."""
        if not self._gone:
            try:
                self._stream.write(text)
            except (BrokenPipeError, ValueError):  # ValueError: closed under us
                self._lose()
        return len(text)

    def flush(self) -> None:
        """Flush, unless nobody reads any more."""
        if not self._gone:
            try:
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                self._lose()

    def isatty(self) -> bool:
        """Whether people watch."""
        return not self._gone and self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor below, for terminal sizes."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        """The encoding below, for whoever draws boxes."""
        return getattr(self._stream, "encoding", None) or "ascii"

    def _lose(self) -> None:
        self._gone = True
        try:
            # The interpreter flushes once more at its end and would complain then.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            pass


class Output:
    """Where a command writes.

    Attributes:
        json: whether standard output carries one JSON object and nothing else.
        err: standard error, for progress.
    """

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self._out = Quiet(sys.stdout)
        self.err = Quiet(sys.stderr)

    def say(self, line: str = "") -> None:
        """A line of the answer; moves aside for JSON."""
        stream = self.err if self.json else self._out
        stream.write(line + "\n")
        stream.flush()

    def note(self, line: str) -> None:
        """A line beside the answer."""
        self.err.write(line + "\n")
        self.err.flush()

    def error(self, message: str) -> None:
        """Why the command ends."""
        self.note(f"mensatek: {message}")

    def answer(self, values: Mapping[str, Any]) -> None:
        """The answer as one JSON object, when asked for."""
        if self.json:
            self._out.write(json.dumps(values, ensure_ascii=True, default=_number) + "\n")
            self._out.flush()

    def confirm(self, question: str) -> None:
        """Ask on the terminal; anything but yes ends the command.

        Raises:
            Stop: the answer was no.
        """
        self.err.write(f"{question} [y/N] ")
        self.err.flush()
        try:
            answer = sys.stdin.readline()
        except UnicodeDecodeError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes", "s", "si", "sí"):
            raise Stop("Nothing was sent.", Exit.SOME_NOT_SENT)


def _number(value: object) -> int | float | str | None:
    """Credits as a JSON number; those not told as null."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def credits_text(value: Decimal) -> str:
    """Credits for people: thousands separated, no idle zeros."""
    if not value.is_finite():
        return "not told"
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(count: int, one: str, many: str = "") -> str:
    """ "1 row", "2,000 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
