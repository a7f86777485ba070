"""The language that the command speaks: English, or Spanish where `--lang` or the environment asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...language import ENGLISH, Language, language
from ...sources import text_files

if TYPE_CHECKING:
    from ...codes import DeliveryStatus

_spoken: Language = ENGLISH


def speak(code: str) -> None:
    """Speak this language from now on."""
    global _spoken
    _spoken = language(code)


def spoken() -> Language:
    """Return the language that is spoken."""
    return _spoken


def _(text: str, /, *values: Any) -> str:
    """Return a text in the language that is spoken, its places filled; the catalogue has all that are marked so."""
    return _spoken.text(text, *values)


def later(*texts: str) -> tuple[str, ...]:
    """Mark texts that `_` is given later."""
    return texts


def reason(text: str) -> str:
    """Return what the library says in English, in the language that is spoken."""
    return _spoken.reason(text)


def reason_of(error: OSError | ValueError) -> str:
    """Why the system refused, in the language that is spoken."""
    return reason(text_files.reason_of(error))


def label(status: DeliveryStatus) -> str:
    """Return what a delivery status is called."""
    return status.label if _spoken.code == "es" else status.label_en
