"""A message checked once, then turned into the parameters of as many requests as it takes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from attrs import evolve, field, frozen

from ..._wire.names import RECIPIENT, to_wire
from ..._wire.rows import Rows
from ..._wire.scalars import to_wire_datetime
from ...errors import InvalidDate, InvalidRequest, TextAltered
from ...models.recipient import Recipient, VoiceFallback
from ...models.results import NOT_TOLD, SendResult
from ...phones import check_sender, normalise
from ...text.gsm import needs_unicode
from ...text.plain import PlainText, prepare
from ...text.segments import count_segments, segments
from ...text.syntax import has_elements, shortened, without_documents
from ...text.template import Template
from ..operations import Operation

Encoding = Literal["auto", "gsm", "unicode"]

_LANGUAGE = re.compile(r"[a-z]{2}-[A-Z]{2}(:[12])?")
_LONG = 4096  # characters from which a text may carry a document
_SKEW = timedelta(minutes=2)  # two clocks never agree, and the wire has no seconds


class Addressed(NamedTuple):
    """A recipient ready for the wire."""

    phone: str
    wire: dict[str, str]
    unicode: bool
    segments: int


@frozen(kw_only=True)
class Message:
    """What every request of one message has in common.

    Attributes:
        operation: the sending operation.
        text: the prepared text, without the documents it carries.
        params: parameters by wire names, without recipients and encoding.
        encoding: as asked for.
        region: the region of phones written without a country.
        joined: whether it joins an earlier message.
        needs_unicode: whether its own words need Unicode, or it was asked for.
        segments: texts its own words take.
        is_plain: whether it is the same for every recipient.
        shown: the text as a phone shows it, which is what is counted.
    """

    operation: Operation
    text: Template | PlainText = field(repr=False)
    params: Mapping[str, Any] = field(repr=False)
    encoding: Encoding
    region: str
    joined: bool
    needs_unicode: bool = field(init=False)
    segments: int = field(init=False)
    is_plain: bool = field(init=False)
    _length: int = field(init=False)
    shown: Template | PlainText = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        unicode = self.encoding == "unicode" or (self.encoding == "auto" and self.text.needs_unicode)
        object.__setattr__(self, "needs_unicode", unicode)
        # A phone shows a short link for an element, and a PDF in the text would be thousands of texts.
        shown = PlainText(shortened(self.text.text)) if has_elements(self.text.text) else self.text
        object.__setattr__(self, "shown", shown)
        object.__setattr__(self, "segments", count_segments(shown.text, _name(unicode)))
        phones = shown.text.casefold().count(_PHONE_SLOT)
        object.__setattr__(self, "is_plain", not self.text.fields and not phones)
        # Twice the length is the most a text can take; a phone is up to one digit longer than that of its slot.
        object.__setattr__(self, "_length", len(shown.text) + phones)

    def address(self, recipient: str | Recipient) -> Addressed:
        """Check one recipient and bring it into wire form.

        Raises:
            InvalidPhone: not a number that can be texted.
            InvalidField: a field is missing, or holds element syntax.
            InvalidRequest: not a recipient at all.
        """
        if isinstance(recipient, str):
            phone, fields = recipient, _NO_FIELDS
        elif isinstance(recipient, Recipient):
            phone, fields = recipient.phone, recipient.fields
        else:
            raise InvalidRequest(f"A recipient is a phone or a Recipient, not {type(recipient).__name__}.")
        digits = normalise(phone, self.region)
        if not fields and self.is_plain:
            return Addressed(digits, {PHONE: digits}, self.needs_unicode, self.segments)
        values = self.text.values(fields)
        if self.encoding == "gsm":
            warn_of_lost("".join(values.values()))
        wire = {PHONE: digits, **values}
        unicode = self.needs_unicode
        if not unicode and self.encoding == "auto":
            unicode = needs_unicode("".join(values.values()))
        longest = 2 * (self._length + sum(map(len, values.values())))
        if longest <= (70 if unicode else 160):  # every character twice: no count needed
            return Addressed(digits, wire, unicode, 1)
        return Addressed(
            digits, wire, unicode, count_segments(self.shown.fill(values, digits), _name(unicode))
        )

    def request(
        self, recipients: Sequence[Mapping[str, str]], unicode: bool, join: int | None = None
    ) -> dict[str, Any]:
        """The parameters of one request."""
        listed = recipients if isinstance(recipients, Rows) else list(recipients)
        params = {**self.params, **to_wire(recipients=listed, unicode=int(unicode))}
        if join:
            params.update(to_wire(join=join))
        return params


PHONE = RECIPIENT["phone"]
_PHONE_SLOT = f"({PHONE.casefold()})"
_NO_FIELDS: Mapping[str, object] = {}


def warn_of_lost(text: str) -> None:
    """Warn of the characters that a text loses when it is forced into the GSM alphabet."""
    lost = segments(text, "gsm").lost
    if lost:
        told = f"The GSM alphabet does not have {' '.join(lost)}: forced to it, the text loses them."
        warnings.warn(told, TextAltered, stacklevel=5)


def _name(unicode: bool) -> Literal["gsm", "unicode"]:
    return "unicode" if unicode else "gsm"


def compose(
    operation: Operation,
    text: str | Template,
    *,
    sender: str | None,
    region: str,
    scheduled_at: datetime | None = None,
    reference: str | None = None,
    report: bool | None = None,
    join: int | str | None = None,
    voice_fallback: bool | VoiceFallback | None = None,
    encoding: Encoding = "auto",
    fix_utf8: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> Message:
    """Check everything about a message that does not depend on its recipients.

    Raises:
        InvalidRequest: or one of its kinds, naming what is wrong.
    """
    prepared = prepared_text(text)
    if encoding not in ("auto", "gsm", "unicode"):
        raise InvalidRequest(f"encoding is 'auto', 'gsm' or 'unicode', not {encoding!r}.")
    if encoding == "gsm":
        warn_of_lost(prepared.literal)
    params = to_wire(
        sender=check_sender(sender) if sender else "",
        text=text.text if isinstance(text, Template) else text,
        scheduled_at=None if scheduled_at is None else wire_date(scheduled_at),
        reference=_checked_reference(reference),
        report=None if report is None else int(report),
        join=None if join is None else message_number(join),
        fix_utf8=1 if fix_utf8 else None,
        links=1 if has_elements(prepared.text) else None,
        **_voice(voice_fallback, region),
    )
    params.update(extra or {})
    return Message(
        operation=operation,
        text=prepared,
        params=params,
        encoding=encoding,
        region=region,
        joined=join is not None,
    )


def prepared_text(text: str | Template) -> Template | PlainText:
    """The text to count and check recipients by: without the documents it carries, which stay in what is sent."""
    source = text.source if isinstance(text, Template) else text
    if not isinstance(source, str) or len(source) < _LONG:
        return prepare(text)
    short = without_documents(source)
    return Template(short) if isinstance(text, Template) else PlainText(short)


def wire_date(when: datetime) -> str:
    """An aware date, still to come, in the wire's form: Spanish time to the minute.

    Raises:
        InvalidDate: it has no time zone, or has passed.
    """
    if not isinstance(when, datetime):
        raise InvalidDate(f"A date is a datetime, not {type(when).__name__}.")
    if when.tzinfo is None or when.utcoffset() is None:
        raise InvalidDate(
            "The date has no time zone, so its moment is not known.",
            advice='Give it one, such as tzinfo=ZoneInfo("Europe/Madrid").',
        )
    if when < datetime.now(UTC) - _SKEW:
        raise InvalidDate("The date has passed.", advice="Give a later one, or none to send now.")
    return to_wire_datetime(when)


def message_number(message_id: int | str) -> int:
    """A message's id as a number.

    Raises:
        InvalidRequest: it is none; 0 is what a send gives of which nothing was accepted.
    """
    try:
        number = int(message_id) if not isinstance(message_id, bool | float) else 0
    except (TypeError, ValueError):
        number = 0
    if number <= 0:
        raise InvalidRequest("That is no message id.", advice="Use the message_id that a send returned.")
    return number


def _checked_reference(reference: str | None) -> str | None:
    if reference is None or isinstance(reference, str):
        return reference or None
    raise InvalidRequest(f"A reference is a text, not {type(reference).__name__}.")


def _voice(fallback: bool | VoiceFallback | None, region: str) -> dict[str, Any]:
    if not fallback:
        return {}
    asked = VoiceFallback() if fallback is True else fallback
    if not isinstance(asked, VoiceFallback):
        raise InvalidRequest(f"voice_fallback is True or a VoiceFallback, not {type(asked).__name__}.")
    if not _LANGUAGE.fullmatch(asked.language):
        raise InvalidRequest(f"{asked.language!r} is no voice language; they look like 'es-ES' or 'es-ES:2'.")
    caller = None if asked.caller is None else normalise(asked.caller, region)
    return {"voice_fallback": 1, "voice_language": asked.language, "voice_sender": caller}


def recipients_of(to: str | Recipient | Iterable[str | Recipient], most: int) -> list[str | Recipient]:
    """What `to` names, as a list that one request can hold.

    Raises:
        InvalidRequest: nobody, or more than one request holds.
    """
    if isinstance(to, str | Recipient):
        return [to]
    if not isinstance(to, Iterable) or isinstance(to, bytes | bytearray):
        raise InvalidRequest(f"`to` is a phone, a Recipient, or several of them, not {type(to).__name__}.")
    listed: list[str | Recipient] = []
    for recipient in to:
        if len(listed) == most:
            raise InvalidRequest(
                f"More than {most} recipients, the most that one request holds.",
                advice="Use send_bulk, which sends to any number.",
            )
        listed.append(recipient)
    if not listed:
        raise InvalidRequest("No recipient was given.")
    return listed


def settled(result: SendResult, asked: int, *, repeat: bool, joined: int = 0) -> SendResult:
    """Fill what a reply left out, and read a repeat's reply as the story of both tries.

    On a repeat, what the provider refuses as repeated was accepted by the try whose answer got lost; what that one
    cost, the repeat's reply does not say.

    Args:
        result: the reply.
        asked: recipients in the request.
        repeat: whether a try before it may have been taken up.
        joined: the message that the request joined; 0 for none.
    """
    before = 0
    accepted, rejected = result.accepted, result.rejected
    counted = result.recipients or asked
    if accepted > counted:  # some replies count texts where they should count recipients
        accepted = max(counted - rejected, 0)
    if not rejected and accepted < asked:
        rejected = asked - accepted
    if repeat and rejected:
        before = rejected if result.repeated is None else min(result.repeated, rejected)
        accepted, rejected = accepted + before, rejected - before
    changes: dict[str, Any] = {}
    if not result.message_id and accepted and joined:
        changes["message_id"] = joined
    if not result.recipients:
        changes["recipients"] = asked
    if before:
        changes["credits_used"] = NOT_TOLD
    if (accepted, rejected) != (result.accepted, result.rejected):
        changes.update(accepted=accepted, rejected=rejected)
    return evolve(result, **changes) if changes else result
