"""The options of a message, each checked and in wire form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ..._wire.scalars import in_spanish_time, to_wire_datetime
from ...errors import InvalidDate, InvalidRequest
from ...models.recipient import VoiceFallback
from ...phones import check_caller
from ...text.syntax import elements_in
from ...warning import ElementWarning, warn

_LANGUAGE = re.compile(r"[a-z]{2}-[A-Z]{2}(:[12])?")
_SKEW = timedelta(minutes=2)  # two clocks never agree, and the wire has no seconds


def wire_date(when: datetime) -> str:
    """Return an aware date, still to come, in the wire's form: Spanish time to the minute."""
    still_to_come(exact_date(when))
    return to_wire_datetime(when)


def exact_date(when: datetime) -> datetime:
    if not isinstance(when, datetime):
        raise InvalidDate(f"A date is a datetime, not {type(when).__name__}.")
    return in_spanish_time(when)


def still_to_come(when: datetime) -> None:
    if when < datetime.now(UTC) - _SKEW:
        raise InvalidDate("The date has passed.", advice="Give a later one, or none to send now.")


def message_number(message_id: int | str) -> int:
    try:
        number = int(message_id) if not isinstance(message_id, bool | float) else 0
    except (TypeError, ValueError):
        number = 0
    if number <= 0:
        raise InvalidRequest("Invalid message id.", advice="Use the message_id that a send returned.")
    return number


def reports(report: bool) -> int:
    """Return whether reports are asked for, in wire form."""
    if not isinstance(report, bool | int):
        raise InvalidRequest(f"report is True, False or None, not {type(report).__name__}.")
    return int(bool(report))


def checked_reference(reference: str) -> str | None:
    """Return the user's reference; None for an empty one."""
    if isinstance(reference, str):
        return reference or None
    raise InvalidRequest(f"A reference is a text, not {type(reference).__name__}.")


def voice(fallback: bool | VoiceFallback, region: str) -> dict[str, Any]:
    """Return the parameters of a voice fallback, by their English names."""
    asked = VoiceFallback() if fallback is True else fallback
    if not isinstance(asked, VoiceFallback):
        raise InvalidRequest(f"voice_fallback is True or a VoiceFallback, not {type(asked).__name__}.")
    if not _LANGUAGE.fullmatch(asked.language):
        raise InvalidRequest(f"{asked.language!r} is no voice language; they look like 'es-ES' or 'es-ES:2'.")
    caller = None if asked.caller is None else check_caller(asked.caller, region)
    return {"voice_fallback": 1, "voice_language": asked.language, "voice_sender": caller}


def warn_of_documents(text: str) -> None:
    if any(one.kind == "BASE64" for one in elements_in(text)):
        warn(
            "A PDF inside the text is for certified texts and contracts; for a plain one upload it and put "
            "elements.file(name) into the text.",
            ElementWarning,
        )
