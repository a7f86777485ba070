"""The error family: what happened, whether anything was sent, what to do next.

This is the bottom of the package: it imports nothing of ours. No message here ever holds a token, a text or
a whole phone number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

_CAPITAL = re.compile(r"(?<!^)(?<![A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _rebuild(cls: type[MensatekError], args: tuple[Any, ...], state: dict[str, Any]) -> MensatekError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def codes_of(kind: type[MensatekError]) -> tuple[str, ...]:
    """Return the code of a kind of error, and those of the kinds it belongs to: "invalid-phone", "invalid-request"."""
    return tuple(
        _CAPITAL.sub("-", one.__name__).lower() for one in kind.__mro__ if issubclass(one, MensatekError)
    )


class MensatekError(Exception):
    """Root of every error this package raises.

    Attributes:
        sent: False when nothing was sent, None when it cannot be known.
        advice: what to do next, one sentence; may be empty.
    """

    sent: ClassVar[bool | None] = False

    def __init__(self, message: str = "", *, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice

    @property
    def code(self) -> str | int | None:
        """The kind of error, such as "invalid-phone", whatever the language; of an `APIError` its result code."""
        return codes_of(type(self))[0]

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else type(self).__name__
        return f"{message} {self.advice}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        # Celery and multiprocessing pickle exceptions; the default would call __init__ with the wrong arguments.
        return _rebuild, (type(self), self.args, self.__dict__)


class ConfigurationError(MensatekError):
    """Raised when the client cannot work as configured: no credentials, an unsafe URL, an extra not installed."""


class InvalidRequest(MensatekError):
    """Raised when what was asked cannot be right, before anything leaves."""


class InvalidPhone(InvalidRequest):
    """Raised when a recipient is not a phone number that can be texted."""


class InvalidSender(InvalidRequest):
    """Raised when a sender is longer than 11 characters, or a number of more than 15 digits."""


class InvalidField(InvalidRequest):
    """Raised when a template or one of a recipient's fields cannot be used."""


class InvalidDate(InvalidRequest):
    """Raised when a date has no time zone, has passed, is out of range, or is one that the clocks skip."""


class InvalidFile(InvalidRequest):
    """Raised when a file cannot be one the library takes: name, type, empty content."""


class InvalidCertificates(InvalidFile):
    """Raised when a downloaded ZIP of certificates cannot be trusted or read: names, sizes, documents, tables."""


class Refused(MensatekError):
    """Raised when this client itself stops a call that the provider would count as spam.

    Attributes:
        retry_after: seconds until the call may be made again.
    """

    def __init__(self, message: str = "", *, retry_after: float = 0.0, advice: str = "") -> None:
        super().__init__(message, advice=advice or f"Try again in {max(retry_after, 0):.0f} s.")
        self.retry_after = retry_after


class AccountPaused(Refused):
    """Raised while calls are held back because the provider refused the credentials or blocked the caller.

    Attributes:
        by_credentials: whether it was the credentials; else the caller is blocked.
    """

    by_credentials: bool = False


class TooManyRequests(Refused):
    """Raised when calls were too many or too often wrong, by the provider's word or by this client's own count."""


class ConnectionFailed(MensatekError):
    """Raised when nothing reached the provider: no connection could be opened. Nothing was sent."""


class OutcomeUnknown(MensatekError):
    """Raised when the request left, no readable answer came, and repeating it is not safe.

    Attributes:
        operation: the operation of the API, by its wire name.
        asked: what was asked, by wire names (never shown in the message).
    """

    sent: ClassVar[bool | None] = None

    def __init__(self, operation: str, reason: str, *, asked: Mapping[str, Any] | None = None) -> None:
        super().__init__(
            f"{operation}: {reason}. It may or may not have been done.",
            advice="Look into the panel, or wait for its delivery report, before you repeat it.",
        )
        self.operation = operation
        self.reason = reason
        self.asked: dict[str, Any] = dict(asked or {})


class UnexpectedReply(MensatekError):
    """Raised when nobody can read the answer to a call that changes nothing.

    Attributes:
        operation: the operation of the API, by its wire name.
        problems: what was wrong, each with its path on the wire; never with the value.
    """

    def __init__(self, operation: str, problems: tuple[str, ...]) -> None:
        super().__init__(
            f"{operation}: the answer could not be read: {'; '.join(problems)}.",
            advice="Nothing was changed by this call.",
        )
        self.operation = operation
        self.problems = problems


class Interrupted(MensatekError):
    """Stands in a bulk result whose send was cancelled or left before its end: the rest was not sent."""


class InvalidWebhook(MensatekError):
    """Raised when what came to a webhook is no callback of the provider that can be read.

    Attributes:
        problems: what was wrong, each with its place on the wire; never with the value.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(f"The callback could not be read: {'; '.join(problems) or 'no reason given'}.")
        self.problems = problems


class CampaignError(MensatekError):
    """Raised when a durable campaign cannot do what was asked; its kinds say why. Nothing was sent by the call."""


class CampaignNotFound(CampaignError):
    """Raised when the store holds no campaign of that name."""


class CampaignConflict(CampaignError):
    """Raised when a campaign of that name exists with other content or recipients, or was purged."""


class SourceChanged(CampaignConflict):
    """Raised when the recipients are no longer those that a campaign has begun to read."""


class SourceMissing(CampaignError):
    """Raised when a campaign's recipients were read in part, and nobody is left who reads the rest."""


class StoreError(CampaignError):
    """Raised when a campaign store cannot be opened, read or written; what was not written down was not sent.

    A request that was on its way may have been taken up; the next run finds out, and repeats nothing blindly.
    """

    sent: ClassVar[bool | None] = None


class OutboxError(MensatekError):
    """Raised when the outbox cannot do what was asked; its kinds say why. Nothing was sent by the call."""


class OutboxNotFound(OutboxError):
    """Raised when the outbox has no item of that key."""


class OutboxConflict(OutboxError):
    """Raised when the outbox has an item of that key with another recipient, text or options."""


class APIError(MensatekError):
    """Raised when the provider answered and said no. Nothing was sent.

    Attributes:
        operation: the operation of the API, by its wire name.
        detail: the provider's own words, or the meaning of the code.
    """

    default_advice: ClassVar[str] = ""

    def __init__(self, operation: str, code: int | None, detail: str = "") -> None:
        shown = f" {code}" if code is not None else ""
        super().__init__(
            f"{operation} refused{shown}: {detail.rstrip('.') or 'no reason given'}.",
            advice=self.default_advice,
        )
        self.operation = operation
        self._result = code
        self.detail = detail

    @property
    def code(self) -> int | None:
        """The provider's result code (`Res`), or None when only the HTTP status told."""
        return self._result


class AuthenticationError(APIError):
    """Raised when the provider refuses the API user or token."""

    default_advice = (
        "Check the API user and the API token of your account; further calls are held back for a while."
    )


class InsufficientCredits(APIError):
    """Raised when the account cannot pay for the message.

    Attributes:
        needed: credits the message needs, or None when unknown.
        left: credits in the account, or None when unknown.
    """

    default_advice = "Nothing was sent. Buy credits, then send again."

    def __init__(
        self,
        operation: str,
        code: int | None,
        detail: str = "",
        *,
        needed: Decimal | None = None,
        left: Decimal | None = None,
    ) -> None:
        super().__init__(operation, code, detail)
        self.needed = needed
        self.left = left

    def __str__(self) -> str:
        amounts = (("needed", self.needed), ("left", self.left))
        known = ", ".join(f"{name} {value}" for name, value in amounts if value is not None)
        return f"{super().__str__()} ({known})" if known else super().__str__()


class BadParameters(APIError):
    """Raised when the provider finds the call's data wrong or incomplete."""

    default_advice = "Nothing was sent. Correct the call; repeating it as it is counts as spam."


class NotYours(APIError):
    """Raised when a message does not exist in this account. Asking again may be taken for an attack."""


class AlreadySent(APIError):
    """Raised when a message left already, so it cannot be cancelled or rescheduled."""


class AlreadyCancelled(APIError):
    """Raised when a message was cancelled before."""


class DateRejected(APIError):
    """Raised when the provider does not take the new date, or it has passed."""


class FileRejected(APIError):
    """Raised when the provider does not take a file, or a message's file; see its kinds."""


class StorageFull(FileRejected):
    """Raised when the file library has no room left."""

    default_advice = "Delete files you no longer need, or ask the provider for more room."


class FormatNotAllowed(FileRejected):
    """Raised when the provider does not take this type of file."""


class ContentMissing(FileRejected):
    """Raised when the upload arrived without its content."""


class FileTooLarge(FileRejected):
    """Raised when a file is larger than the account allows."""


class UploadFailed(FileRejected):
    """Raised when the provider could not store the file."""


class FilesNotAllowed(FileRejected):
    """Raised when the account, such as a trial one, may not use files."""


class FileNotFound(FileRejected):
    """Raised when a file is not in the library."""


class ContractWithoutPdf(FileRejected):
    """Raised when a contract was asked for and its message holds no PDF."""
