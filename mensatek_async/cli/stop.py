"""Exit codes, the one exception that ends a command with a message, and what it says of an error of the library."""

from __future__ import annotations

import re
from enum import IntEnum
from types import FrameType

from ..errors import (
    AuthenticationError,
    CampaignConflict,
    CampaignNotFound,
    ConfigurationError,
    InvalidRequest,
    MensatekError,
    Refused,
    SourceMissing,
)

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
)
_OTHERWISE = {"scheduled_at": "--at", "encoding": "--file-encoding"}
_ARGUMENT = re.compile(r'(?<![\w{"-])([a-z]+(?:_[a-z]+)*)=(?:True\b|(?:"(?=[^"]*")|(?=\d))([\w.;,:/-]*)"?)?')
_NAME = re.compile(
    r"(?<![\w{'\"=/.-])(?:acceptance_days|base_url|chunk_size|contract_type|header_row|include_hidden|issuer_name|"
    r"local_time|max_credits|message_id|report_email|scheduled_at|send_between)\b|"
    r"^(?:budget|concurrency|identify|rate)(?= is\b)"
)


class Exit(IntEnum):
    """What the shell is told."""

    DONE = 0
    SOME_NOT_SENT = 1
    WRONG_USE = 2
    REFUSED = 3
    INTERRUPTED = 130


class Stop(Exception):
    """Ends the command: a message for people and an exit code.

    Attributes:
        message: one or two lines, without the program's name.
        code: the exit code.
    """

    def __init__(self, message: str, code: Exit = Exit.WRONG_USE) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def code_of(error: BaseException) -> Exit:
    """The exit code an error of ours stands for."""
    if isinstance(error, AuthenticationError | Refused):
        return Exit.REFUSED
    if isinstance(error, ConfigurationError | InvalidRequest):
        return Exit.WRONG_USE
    if isinstance(error, CampaignConflict | CampaignNotFound | SourceMissing):
        return Exit.WRONG_USE
    return Exit.SOME_NOT_SENT


def told(error: MensatekError) -> tuple[str, str]:
    """An error's message and its advice, with the command's options where the library names its own."""
    message, advice = str(error.args[0]) if error.args else type(error).__name__, error.advice
    for ours, theirs in _PHRASES:
        message, advice = message.replace(ours, theirs), advice.replace(ours, theirs)
    advice = _ARGUMENT.sub(lambda match: " ".join(filter(None, (_option(match[1]), match[2]))), advice)
    return _in_options(message), _in_options(advice)


def _in_options(text: str) -> str:
    return _NAME.sub(lambda match: _option(match[0]), text)


def _option(name: str) -> str:
    return _OTHERWISE.get(name) or f"--{name.replace('_', '-')}"


def text_of(error: MensatekError) -> str:
    """An error of ours in one line."""
    return " ".join(filter(None, told(error)))


def stop_for(error: MensatekError) -> Stop:
    """An error of ours as the end of the command."""
    return Stop(text_of(error), code_of(error))


def stop_at(error: MensatekError) -> Stop:
    """An error of ours as the end of the command, the advice on a line of its own."""
    return Stop("\n".join(filter(None, told(error))), code_of(error))


def as_ctrl_c(number: int, frame: FrameType | None) -> None:
    """Take a signal for Ctrl-C."""
    raise KeyboardInterrupt
