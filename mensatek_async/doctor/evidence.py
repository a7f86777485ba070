"""What a diagnosis has seen so far: calls, texts, callbacks."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from attrs import Factory, define, field, frozen

from .._core.reading import DecodedReply
from .._wire.names import CREDITS_LEFT
from ..assumptions import Assumptions, RequestFormat
from ..errors import MensatekError
from ..models.events import DeliveryReport
from ..models.results import Cancellation, MessageReport, Rescheduling, SendResult

_STRAY = b"\xef\xbb\xbf\r\n\t "
_SHAPES = {b"{": "one JSON object", b"[": "a JSON array", b"<": "XML"}


@frozen(kw_only=True)
class Seen:
    """The answer to a call that sends nothing, or the error that came instead; `skew` is seconds, as in `Evidence`."""

    reply: DecodedReply | None = None
    error: MensatekError | None = None
    skew: float | None = None

    @property
    def shape(self) -> str:
        """The form of the answer."""
        body = self.reply.raw.body.lstrip(_STRAY)[:1] if self.reply else b""
        return _SHAPES.get(body, "plain text")

    @property
    def is_json(self) -> bool:
        """Whether the answer is JSON, which was asked for."""
        return self.reply is not None and "JSON" in self.shape

    @property
    def credits(self) -> Any:
        """The credits as they were written; None when the answer does not name them."""
        fields = self.reply.reply if self.reply else {}
        return next((fields[key] for name in CREDITS_LEFT if (key := name.casefold()) in fields), None)


@define(kw_only=True)
class SentText:
    """One text, from the moment that it may leave; without a result or an error no answer came."""

    purpose: str  # "first", "repeat" or "scheduled"
    reference: str
    scheduled_at: datetime | None = None
    result: SendResult | None = None
    error: MensatekError | None = None

    @property
    def accepted(self) -> bool:
        """Whether the provider took it."""
        return self.result is not None and self.result.accepted > 0


@define(kw_only=True)
class Evidence:
    """What was seen so far.

    Attributes:
        balance: the answers to the question for credits, by the form of its body.
        probed: the answers to empty calls, by operation.
        empty_calls: how many calls went out that send nothing and ask nothing of a text.
        waited: seconds that callbacks were waited for; None when nobody listened.
        url_works: whether a callback posted to the user's URL arrived here; None when that was not tried.
        heard: the delivery reports of these texts, each with the moment that it came.
    """

    assumed: Assumptions
    request_format: RequestFormat
    balance: dict[str, Seen] = Factory(dict)
    probed: dict[str, Seen] = Factory(dict)
    empty_calls: int = 0
    texts: list[SentText] = Factory(list)
    moved: Rescheduling | MensatekError | None = None
    cancelled: Cancellation | MensatekError | None = None
    report: MessageReport | MensatekError | None = None
    report_at: datetime = field(factory=partial(datetime.now, UTC))
    waited: float | None = None
    url_works: bool | None = None
    heard: list[tuple[DeliveryReport, datetime]] = field(factory=list, repr=False)
    unreadable: int = 0
    ended: MensatekError | None = None

    @property
    def first_answer(self) -> Seen | None:
        """The first readable answer for credits."""
        return next((seen for seen in self.balance.values() if seen.reply), None)

    @property
    def skew(self) -> float | None:
        """Seconds that the provider's clock is ahead of this machine's; None as long as no answer had a date."""
        return next((seen.skew for seen in self.balance.values() if seen.skew is not None), None)

    def sent(self, purpose: str) -> SentText | None:
        """Return the text of a purpose, if it was sent."""
        return next((one for one in self.texts if one.purpose == purpose), None)

    def taken(self, purpose: str) -> SendResult | None:
        """Return the answer to the text of a purpose, if the provider took it."""
        text = self.sent(purpose)
        return text.result if text and text.accepted else None

    def number_of(self, purpose: str) -> int:
        """Return the message of the text of a purpose; 0 where there is none."""
        text = self.sent(purpose)
        return text.result.message_id if text and text.result else 0

    def reports_of(self, purpose: str) -> list[DeliveryReport]:
        """Return the callbacks that came for a text."""
        number = self.number_of(purpose)
        return [one for one, _ in self.heard if number and one.message_id == number]

    def lines(self) -> list[str]:
        """Say of each text what became of it, without the phone."""
        return [self._fate(number, one) for number, one in enumerate(self.texts, 1)]

    def _fate(self, number: int, text: SentText) -> str:
        when = text.scheduled_at
        if text.result is None:
            if text.error and text.error.sent is False:
                return f"Text {number} was not sent."
            if when:
                return f"Text {number} may be scheduled for {when:%Y-%m-%d %H:%M}: no answer came. Look into the panel."
            return f"Text {number} may have been sent: no answer came."
        message = text.result.message_id
        if not text.accepted:
            return f"Text {number} was refused{' as repeated' if text.purpose == 'repeat' else ''}, and not sent."
        if when is None:
            return f"Text {number} was sent (message {message})."
        if isinstance(self.cancelled, Cancellation):
            return f"Text {number} was scheduled (message {message}) and cancelled: it was not sent."
        return (
            f"Text {number} is scheduled for {when:%Y-%m-%d %H:%M} (message {message}) and NOT CANCELLED: cancel it in "
            f"the panel, or with: mensatek cancel {message}"
        )
