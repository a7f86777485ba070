"""The error family: what each says, what it carries, and that it survives a pickle."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from decimal import Decimal

import pytest

from mensatek_async import errors
from mensatek_async.errors import (
    AccountPaused,
    APIError,
    AuthenticationError,
    InsufficientCredits,
    MensatekError,
    OutcomeUnknown,
    Refused,
    TooManyRequests,
    UnexpectedReply,
)

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, MensatekError)]
ASKED = {"Mensaje": "texto secreto", "Destinatarios": [{"Movil": "34600000001"}]}


def build(cls: type[MensatekError]) -> MensatekError:
    """One of each, as the code raises it."""
    if issubclass(cls, InsufficientCredits):
        return cls("EnviarSMS", -2, "Sin saldo", needed=Decimal("3.5"), left=Decimal(1))
    if issubclass(cls, APIError):
        return cls("EnviarSMS", -3, "Faltan datos")
    if issubclass(cls, OutcomeUnknown):
        return cls("EnviarSMS", "no answer", asked=ASKED)
    if issubclass(cls, UnexpectedReply):
        return cls("GetCreditos", ("missing @ Res", "the answer is empty"))
    if issubclass(cls, Refused):
        return cls("Not called.", retry_after=59.6)
    if cls.__name__ == "InvalidWebhook":
        return cls("missing @ Servicio")
    return cls("It happened.", advice="Do this.")


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    "again",
    [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_an_error_survives_being_copied(
    cls: type[MensatekError], again: Callable[[MensatekError], MensatekError]
) -> None:
    """Job runners pickle exceptions; class, words, attributes and notes come back as they were."""
    error = build(cls)
    error.add_note("seen in row 3")

    other = again(error)

    assert type(other) is cls
    assert other is not error
    assert (str(other), repr(other), other.args) == (str(error), repr(error), error.args)
    assert other.__dict__ == error.__dict__
    assert other.__notes__ == ["seen in row 3"]


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_says_what_happened_and_whether_anything_was_sent(cls: type[MensatekError]) -> None:
    """In whole sentences; only an unknown outcome and a journal that failed leave open what was sent."""
    error, bare = build(cls), build(cls)
    shown = str(error)
    bare.args = ()

    assert error.sent is (None if issubclass(cls, OutcomeUnknown | errors.StoreError) else False)
    assert shown[0].isupper()
    assert shown[-1] in ".)"
    assert ".." not in shown
    assert "  " not in shown
    assert str(bare).startswith(cls.__name__)


FAMILY = {
    "InvalidRequest": "InvalidPhone InvalidSender InvalidField InvalidDate InvalidFile",
    "InvalidFile": "InvalidCertificates",
    "Refused": "AccountPaused TooManyRequests",
    "APIError": "AuthenticationError InsufficientCredits BadParameters NotYours AlreadySent AlreadyCancelled "
    "DateRejected FileRejected",
    "FileRejected": "StorageFull FormatNotAllowed ContentMissing FileTooLarge UploadFailed FilesNotAllowed "
    "FileNotFound ContractWithoutPdf",
    "MensatekError": "ConfigurationError InvalidRequest Refused ConnectionFailed OutcomeUnknown UnexpectedReply "
    "APIError Interrupted InvalidWebhook CampaignError OutboxError",
    "OutboxError": "OutboxConflict OutboxNotFound",
    "CampaignError": "CampaignNotFound CampaignConflict SourceMissing StoreError",
    "CampaignConflict": "SourceChanged",
}


def test_the_family() -> None:
    """Who catches a parent catches exactly these kinds of it."""
    family = {
        parent: {cls.__name__ for cls in CLASSES if cls.__base__ is getattr(errors, parent)}
        for parent in FAMILY
    }

    assert family == {parent: set(children.split()) for parent, children in FAMILY.items()}
    assert len(CLASSES) == 1 + sum(map(len, family.values()))


def test_an_unknown_outcome_carries_what_was_asked_and_never_shows_it() -> None:
    """The program can look up what was asked; a log of the error cannot."""
    asked = dict(ASKED)
    error = OutcomeUnknown("EnviarSMS", "no answer", asked=asked)
    asked.clear()

    assert error.asked == ASKED
    assert error.operation == "EnviarSMS"
    assert "secreto" not in f"{error} {error!r}"
    assert "34600000001" not in f"{error} {error!r}"
    assert "may or may not have been done" in str(error)
    assert OutcomeUnknown("EnviarSMS", "no answer").asked == {}


def test_a_refusal_says_who_what_and_why() -> None:
    """Operation, code and the provider's own words, which stay as they are."""
    for code, detail, shown in (
        *(
            (-3, detail, "EnviarSMS refused -3: Faltan datos.")
            for detail in ("Faltan datos", "Faltan datos...")
        ),
        (-3, "Falta 1..2 aquí.", "EnviarSMS refused -3: Falta 1..2 aquí."),
        (None, "HTTP 401", "EnviarSMS refused: HTTP 401."),
        (-99, "", "EnviarSMS refused -99: no reason given."),
    ):
        error = APIError("EnviarSMS", code, detail)
        assert str(error) == shown
        assert (error.operation, error.code, error.detail) == ("EnviarSMS", code, detail)


def test_errors_that_need_it_say_what_to_do_next() -> None:
    """Credentials, credits, and an unreadable answer come with a next step; what is needed and left, if known."""
    assert "API token" in str(AuthenticationError("GetCreditos", -1))
    assert "Nothing was changed" in str(UnexpectedReply("GetCreditos", ("missing @ Res",)))
    for needed, left, end in (
        (Decimal(5), Decimal("1.5"), "(needed 5, left 1.5)"),
        (None, Decimal(1), "(left 1)"),
        (None, None, "send again."),
    ):
        error = InsufficientCredits("EnviarSMS", -2, "Sin saldo", needed=needed, left=left)
        assert "Buy credits" in str(error)
        assert str(error).endswith(end)
        assert (error.needed, error.left) == (needed, left)


def test_a_refusal_of_ours_says_when_to_try_again() -> None:
    """`retry_after` is there for programs and, rounded, in the words for people; own advice replaces it."""
    error = TooManyRequests("EnviarSMS was not called.", retry_after=59.6)

    assert error.retry_after == 59.6
    assert str(error) == "EnviarSMS was not called. Try again in 60 s."
    assert str(AccountPaused("No.", retry_after=-1)) == "No. Try again in 0 s."
    assert str(AccountPaused("No.", advice="Call them.")) == "No. Call them."


@pytest.mark.parametrize("cls", CLASSES)
def test_an_error_has_a_code_of_its_kind(cls: type[MensatekError]) -> None:
    """Programs and the catalogue go by it: the class's name in small letters; the provider's own of its refusals."""
    kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__)
    provider = -2 if cls is InsufficientCredits else -3

    assert build(cls).code == (provider if issubclass(cls, APIError) else kind[1:])
