"""Exit codes, and the one exception that ends a command with a message."""

from __future__ import annotations

from enum import IntEnum

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


def stop_for(error: MensatekError) -> Stop:
    """An error of ours as the end of the command."""
    return Stop(str(error), code_of(error))


def stop_at(error: MensatekError) -> Stop:
    """An error of ours as the end of the command, the advice on a line of its own."""
    return Stop("\n".join(filter(None, (str(error.args[0]), error.advice))), code_of(error))
