"""Exit codes, the exception that ends a command with a message, and all printing of the command."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from io import TextIOWrapper
from types import FrameType
from typing import Any, TextIO, cast

from ..errors import (
    AuthenticationError,
    CampaignConflict,
    CampaignNotFound,
    ConfigurationError,
    InvalidRequest,
    MensatekError,
    OutboxNotFound,
    Refused,
    SourceMissing,
)
from ..language import Language
from .language import _, reason_of, spoken

# Where the library advises what nobody can write in a shell, the words of the command.
_PHRASES = (
    (
        'issuer=Issuer("EMPRESA S.L.", "900000000", "B00000000") here or to the client',
        "issuer_name and the like",
    ),
    (
        "message_id, message_id and phone, or start and end",
        "message_id, message_id with --phone, or --start and --end",
    ),
    ("Use the message_id that a send returned", "Use the number that its send printed"),
    ("identify and acceptance_days", "--identify and acceptance_days"),
    ("a ContractType, or ", ""),
    ("send_bulk", "`mensatek bulk`"),
    ("use get()", "use `mensatek campaign run`"),
    ("with get()", "with `mensatek campaign run`"),
    (", and paths= replaces it", ""),
    ("(time(9), time(21))", "09:00-21:00"),
    ('Their zone is local_time: "spanish" or "recipient".', "With local_time they are each recipient's."),
    (", or None", ""),
    (", or a timedelta", ""),
    ("give check=False", "give --foreign-issuer"),
    (
        'Give the text as a template: Template("... {phone} ...").',
        "`mensatek bulk` fills it in; leave it out.",
    ),
)
_WRONG_USE = (
    *(ConfigurationError, InvalidRequest, CampaignConflict, CampaignNotFound, OutboxNotFound, SourceMissing),
)
_OTHERWISE = {"scheduled_at": "--at", "encoding": "--file-encoding"}
_ARGUMENT = re.compile(
    r'(?<![\w{"-])([a-z]+(?:_[a-z]+)*)=(?:True\b|(?:"(?=[^"]*")|(?=[\dA-Z]))([\w.;,:/-]*)"?)?'
)
_NAME = re.compile(
    r"(?<![\w{'\"=/.-])(?:acceptance_days|base_url|chunk_size|contract_type|header_row|include_hidden|issuer_name|"
    r"local_time|max_credits|message_id|report_email|scheduled_at|send_between|start_at)\b|"
    r"(?:^|(?<=: ))(?:budget|concurrency|identify|rate|sheet)(?= is\b)"
)


class Exit(IntEnum):
    """Exit codes of the command."""

    DONE = 0
    SOME_NOT_SENT = 1
    WRONG_USE = 2
    REFUSED = 3
    INTERRUPTED = 130


class Stop(Exception):
    """Ends the command: a message of one or two lines, in the language that is spoken, and an exit code."""

    def __init__(self, text: str, *values: Any, code: Exit = Exit.WRONG_USE) -> None:
        super().__init__(_(text, *values))
        self.code = code


def cannot_listen(host: str, port: int, error: Exception) -> Stop:
    """What ends a command that cannot listen at a port."""
    why = reason_of(error) if isinstance(error, OSError) and port >= 0 else _("there is no such port")
    return Stop("Nothing can listen at {} port {}: {}.", host, port, why)


def code_of(error: BaseException) -> Exit:
    """The exit code an error of ours stands for."""
    if isinstance(error, AuthenticationError | Refused):
        return Exit.REFUSED
    if isinstance(error, _WRONG_USE):
        return Exit.WRONG_USE
    return Exit.SOME_NOT_SENT


def in_words_of_the_command(error: MensatekError, language: Language | None = None) -> tuple[str, str]:
    """An error's message and its advice, with the command's options where the library names its own."""
    message, advice = (language or spoken()).error(error)
    for ours, theirs in _PHRASES:
        message, advice = message.replace(ours, theirs), advice.replace(ours, theirs)
    return _in_options(message), _in_options(advice)


def _in_options(text: str) -> str:
    text = _ARGUMENT.sub(lambda match: " ".join(filter(None, (_option(match[1]), match[2]))), text)
    return _NAME.sub(lambda match: _option(match[0]), text)


def _option(name: str) -> str:
    return _OTHERWISE.get(name) or f"--{name.replace('_', '-')}"


def text_of(error: MensatekError, language: Language | None = None) -> str:
    """An error of ours in one line; in English for programs."""
    return " ".join(filter(None, in_words_of_the_command(error, language)))


def on_ending(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Call a function on Ctrl-C, and on whatever else asks to end; return what was called before, by signal."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last is Windows'
    found = (getattr(signal, name, None) for name in names)
    return {one: signal.signal(one, handler) for one in found if one is not None}


def as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Take a signal for Ctrl-C."""
    raise KeyboardInterrupt


class Quiet:
    """A stream that survives its reader: once it is closed, broken or full, what is written goes nowhere.

    Attributes:
        failure: why the system could not write, "" when it could or nobody reads any more.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream or _nowhere()  # none as with `>&-`
        self.failure = ""
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal must not turn an accent into a crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, unless nobody reads any more."""
        self._try("write", text)
        return len(text)

    def flush(self) -> None:
        """Flush, unless nobody reads any more."""
        self._try("flush")

    def _try(self, name: str, *values: str) -> None:
        try:
            getattr(self._stream, name)(*values)
        except (OSError, ValueError) as error:  # ValueError: closed under us
            if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
                self.failure = reason_of(error)
            lost, self._stream = self._stream, _nowhere()
            with suppress(OSError, ValueError):
                # The interpreter flushes once more at its end and would complain then.
                os.dup2(self._stream.fileno(), lost.fileno())


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


@contextmanager
def quiet_streams() -> Iterator[Quiet]:
    """Guard standard output and error while the block lasts, whoever writes to them."""
    out, err = Quiet(sys.stdout), Quiet(sys.stderr)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        yield out
        out.flush()


class Output:
    """Where a command writes, each text in the language that is spoken, with its places filled.

    Attributes:
        json: whether standard output carries one JSON object and nothing else.
        err: standard error, for progress.
    """

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self._out = sys.stdout
        self.err = sys.stderr

    def say(self, text: str, *values: Any) -> None:
        """A line of the answer; moves aside for JSON."""
        _write(self.err if self.json else self._out, _(text, *values) + "\n")

    def note(self, text: str, *values: Any) -> None:
        """A line beside the answer."""
        _write(self.err, _(text, *values) + "\n")

    def error(self, text: str, *values: Any) -> None:
        """Why the command ends."""
        _write(self.err, f"mensatek: {_(text, *values)}\n")

    def answer(self, values: Mapping[str, Any]) -> None:
        """The answer as one JSON object, when asked for."""
        if self.json:
            _write(self._out, json.dumps(values, ensure_ascii=True, default=_for_json) + "\n")

    def confirm(self, question: str, *values: Any, otherwise: str = "") -> None:
        """Ask on the terminal; anything but yes ends the command."""
        _write(self.err, f"{_(question, *values)} {_('[y/N]')} ")
        try:
            answer = sys.stdin.readline()
        except UnicodeDecodeError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes", "s", "si", "sí"):
            raise Stop(otherwise or _("Nothing was sent."), code=Exit.SOME_NOT_SENT)


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _for_json(value: object) -> int | float | str:
    """Credits as a number, dates as ISO 8601 has them."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def can_ask() -> bool:
    """Whether somebody sits at standard input."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def credits_text(value: Decimal | None) -> str:
    """Credits for people: thousands separated, no idle zeros."""
    if value is None:
        return _("not told")
    text = f"{value:,f}"
    return spoken().number(text.rstrip("0").rstrip(".") if "." in text else text)


def spelt(characters: Iterable[str]) -> str:
    """Characters with their numbers, since many look like others: ’ (U+2019)."""
    return " ".join(f"{character} (U+{ord(character):04X})" for character in characters)


def plural(count: int, one: str, many: str = "") -> str:
    """ "1 row", "2,000 rows"."""
    return _("{:,} {}", count, _(one if count == 1 else many or f"{one}s"))
