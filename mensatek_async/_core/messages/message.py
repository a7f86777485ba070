"""A message checked once, then turned into the parameters of as many requests as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal, NamedTuple

from attrs import evolve, field, frozen

from ..._wire.encode import Params, to_wire
from ..._wire.names import RECIPIENT, REQUEST
from ...errors import InvalidField, InvalidRequest
from ...models.recipient import Recipient, VoiceFallback
from ...models.results import SendResult
from ...phones import normalise
from ...senders import check_sender
from ...text.layout import PlainText
from ...text.segments import MOST_SEGMENTS, count_segments, is_writable, needs_unicode, nfc, segments
from ...text.syntax import shortened, without_documents
from ...text.template import Template
from ...text.values import names_in_braces, same_name
from ...warning import TextAltered, warn
from ..call_state import CallState
from ..context import Context
from ..operations import Operation
from .options import checked_reference, message_number, reports, voice, warn_of_documents, wire_date

Encoding = Literal["auto", "gsm", "unicode"]

_LONG = 4096  # characters from which a text may carry a document


class Addressed(NamedTuple):
    """A recipient ready for the wire."""

    phone: str
    wire: dict[str, str]
    unicode: bool
    segments: int


@frozen(kw_only=True)
class Message:
    """What every request of one message has in common."""

    operation: Operation  # the sending operation
    text: Template | PlainText = field(repr=False)  # the prepared text, without the documents it carries
    params: Mapping[str, Any] = field(repr=False)  # parameters by wire names, without recipients and encoding
    encoding: Encoding  # as asked for
    region: str  # the region of phones written without a country
    joined: bool  # whether it joins an earlier message
    needs_unicode: bool = field(init=False)  # whether its own words need Unicode, or it was asked for
    segments: int = field(init=False)  # texts its own words take
    is_plain: bool = field(init=False)  # whether it is the same for every recipient
    _length: int = field(init=False)
    # the text as a phone shows it, which is what is counted
    shown: Template | PlainText = field(init=False, repr=False)
    braces: Mapping[str, str] = field(init=False, repr=False)  # what stands in braces among its own words

    def __attrs_post_init__(self) -> None:
        layout = self.text.layout
        unicode = self.encoding == "unicode" or (self.encoding == "auto" and layout.needs_unicode)
        _set(self, "needs_unicode", unicode)
        _set(self, "braces", names_in_braces(layout.literal) if "{" in layout.literal else {})
        # A phone shows a short link for an element, and a PDF in the text would be thousands of texts.
        shown = PlainText(shortened(self.text.text)) if layout.has_elements else self.text
        _set(self, "shown", shown)
        _set(self, "segments", count_segments(shown.text, "unicode" if unicode else "gsm"))
        phones = shown.text.casefold().count(_PHONE_SLOT)
        _set(self, "is_plain", not layout.variables and not phones)
        # Twice the length is the most a text can take; a phone is up to one digit longer than that of its slot.
        _set(self, "_length", len(shown.text) + phones)

    def address(self, recipient: str | Recipient) -> Addressed:
        """Check one recipient and return it in wire form.

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
        try:
            if not fields and self.is_plain:
                return Addressed(digits, {PHONE: digits}, self.needs_unicode, self.segments)
            values = self.text.values(fields)
        except InvalidRequest:
            raise
        except (
            Exception
        ) as error:  # whatever a mapping or a value of the caller's raises is this recipient's fault
            raise InvalidField(f"The recipient's fields cannot be read: {type(error).__name__}.") from error
        if self.encoding == "gsm":
            warn_of_lost("".join(values.values()))
        wire = {PHONE: digits, **values}
        unicode = self.needs_unicode
        if not unicode and self.encoding == "auto":
            unicode = needs_unicode("".join(values.values()))
        longest = 2 * (self._length + sum(map(len, values.values())))
        if longest <= (70 if unicode else 160):  # every character twice: no count needed
            return Addressed(digits, wire, unicode, 1)
        count = count_segments(self.shown.fill(values, digits), "unicode" if unicode else "gsm")
        if count > MOST_SEGMENTS:
            raise InvalidField(
                f"With this recipient's fields the text takes {count} segments; a message has {MOST_SEGMENTS} at most."
            )
        return Addressed(digits, wire, unicode, count)

    def refuse_braces(self, recipients: Iterable[object], fields: Iterable[str] = ()) -> None:
        """Refuse a text that would show everybody the braces around the name of a field that some recipients have."""
        names = ["phone", *fields]
        for one in recipients:
            with suppress(Exception):  # what is wrong with its fields costs this recipient only, and later
                names += list(one.fields) if isinstance(one, Recipient) else ()
        for name in names:
            if isinstance(name, str) and (written := self.braces.get(same_name(name))):
                plain = isinstance(self.text, PlainText)
                raise InvalidRequest(
                    f"Everybody would get {{{written}}} with its braces: it stands in the text as plain words.",
                    advice=f'Give the text as a template: Template("... {{{name}}} ...").'
                    if plain
                    else f"Write {{{name}}} with one brace at each end, which is the recipient's field.",
                )

    def request(
        self, recipients: Sequence[Mapping[str, str]], unicode: bool, join: int | None = None
    ) -> Params:
        params = Params(self.params)
        params.update(to_wire(recipients=recipients, unicode=int(unicode), join=join or None))
        return params


PHONE = RECIPIENT["phone"]
_PHONE_SLOT = f"({PHONE.casefold()})"
_NO_FIELDS: Mapping[str, object] = {}
_set = object.__setattr__


def warn_of_lost(text: str) -> None:
    """Warn of the characters that a text loses when it is forced into the GSM alphabet."""
    lost = segments(text, "gsm").lost
    if lost:
        warn(
            f"The GSM alphabet does not have {' '.join(lost)}: forced to it, the text loses them.",
            TextAltered,
        )


def compose(
    operation: Operation,
    text: str | Template,
    *,
    sender: str | None,
    region: str,
    default_sender: str | None = None,
    scheduled_at: datetime | None = None,
    reference: str | None = None,
    report: bool | None = None,
    join: int | str | None = None,
    voice_fallback: bool | VoiceFallback | None = None,
    encoding: Encoding = "auto",
    fix_utf8: bool = False,
    extra: Mapping[str, Any] | None = None,
) -> Message:
    """Check everything about a message that does not depend on its recipients."""
    prepared = prepare(text)
    if encoding not in ("auto", "gsm", "unicode"):
        raise InvalidRequest(f"encoding is 'auto', 'gsm' or 'unicode', not {encoding!r}.")
    if encoding == "gsm":
        warn_of_lost(prepared.layout.literal)
    if prepared.layout.has_elements and operation.name == "EnviarSMS":
        warn_of_documents(prepared.text)
    params = to_wire(
        sender=check_sender(sender) if sender else default_sender or "" if sender is None else "",
        text=text.text if isinstance(text, Template) else nfc(text),
        scheduled_at=None if scheduled_at is None else wire_date(scheduled_at),
        reference=None if reference is None else checked_reference(reference),
        report=None if report is None else reports(report),
        join=None if join is None else message_number(join),
        fix_utf8=1 if fix_utf8 else None,
        links=1 if prepared.layout.has_elements else None,
        **(voice(voice_fallback, region) if voice_fallback else {}),
    )
    params.update(extra or {})
    for name, value in params.items():
        if isinstance(value, str) and not is_writable(value):
            english = next((ours for ours, wire in REQUEST.items() if wire == name), name)
            raise InvalidRequest(f"{english} holds half a character, or a NUL: it was cut or read wrongly.")
    message = Message(
        operation=operation,
        text=prepared,
        params=params,
        encoding=encoding,
        region=region,
        joined=join is not None,
    )
    if message.segments > MOST_SEGMENTS:
        raise InvalidRequest(
            f"The text takes {message.segments} segments; one message has {MOST_SEGMENTS} at most."
        )
    return message


# sender, scheduled_at, reference, report, join, encoding and fix_utf8, as `compose_for` takes them
PlainOptions = tuple[str | None, datetime | None, str | None, bool | None, int | str | None, Encoding, bool]


def compose_for(
    context: Context,
    name: str,
    text: str | Template,
    sender: str | None,
    scheduled_at: datetime | None,
    reference: str | None,
    report: bool | None,
    join: int | str | None,
    encoding: Encoding,
    fix_utf8: bool,
    *,
    voice_fallback: bool | VoiceFallback | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Message:
    """Compose what a client sends, with its settings where the options leave something out."""
    return compose(
        context.operations[name],
        text,
        sender=sender,
        default_sender=context.sender,
        region=context.region,
        scheduled_at=scheduled_at,
        reference=reference,
        report=context.report if report is None else report,
        join=join,
        voice_fallback=voice_fallback,
        encoding=encoding,
        fix_utf8=fix_utf8,
        extra=extra,
    )


def prepare(text: str | Template) -> Template | PlainText:
    """Return the text to count and check recipients by, without the documents it carries: they stay in what is sent."""
    if isinstance(text, Template):
        return text if len(text.source) < _LONG else Template(without_documents(text.source))
    if not isinstance(text, str):
        raise InvalidRequest(f"A text is a str or a Template, not {type(text).__name__}.")
    return PlainText(text if len(text) < _LONG else without_documents(text))


async def send(
    context: Context, message: Message, to: str | Recipient | Iterable[str | Recipient], most: int
) -> SendResult:
    """Check the recipients, send to them in one request, and return what became of it."""
    recipients = [to] if isinstance(to, str | Recipient) else recipients_of(to, most)
    if message.braces:
        message.refuse_braces(recipients)
    wire, unicode = [], False
    for one in recipients:
        addressed = message.address(one)
        wire.append(addressed.wire)
        unicode = unicode or addressed.unicode
    return await send_request(context, message, wire, unicode, CallState())


async def send_request(
    context: Context,
    message: Message,
    recipients: Sequence[Mapping[str, str]],
    unicode: bool,
    state: CallState,
    join: int | None = None,
) -> SendResult:
    params = message.request(recipients, unicode, join)
    result: SendResult = await context.caller.ask(message.operation, params, state=state)
    joined = params.get(REQUEST["join"], 0)
    return reconcile_repeat(result, len(recipients), repeat=state.maybe_done, joined=joined)


def recipients_of(to: Iterable[str | Recipient], most: int) -> list[str | Recipient]:
    """Return recipients as a list that one request can hold."""
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


def reconcile_repeat(result: SendResult, asked: int, *, repeat: bool, joined: int = 0) -> SendResult:
    """Fill what a reply left out, and read a repeat's reply as the story of both tries.

    On a repeat, what the provider refuses as repeated was accepted by the try whose answer got lost; what that one
    cost, the repeat's reply does not say. `asked` are the recipients in the request, `joined` the message it joined.
    """
    accepted, rejected, before = result.accepted, max(result.rejected, 0), 0
    # Some replies count texts, or everybody, so the counts are fitted to the recipients in the request.
    if accepted > asked < rejected:
        accepted = asked * accepted // (accepted + rejected)
        rejected = asked - accepted
    elif rejected > asked or (not rejected and accepted < asked):
        rejected = asked - accepted
    elif accepted + rejected > asked:
        accepted = asked - rejected
    if repeat and rejected:
        before = rejected if result.repeated is None else min(result.repeated, rejected)
        accepted, rejected = accepted + before, rejected - before
    changes: dict[str, Any] = {}
    if not result.message_id and accepted and joined:
        changes["message_id"] = joined
    if not result.recipients:
        changes["recipients"] = asked
    if before:
        changes["credits_used"] = None
    if (accepted, rejected) != (result.accepted, result.rejected):
        changes.update(accepted=accepted, rejected=rejected)
    return evolve(result, **changes) if changes else result
