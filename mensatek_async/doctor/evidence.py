"""What a diagnosis has seen so far: calls, texts, callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
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
    """The answer to a call that sends nothing.

    Attributes:
        reply: the answer; None where an error came.
        error: that.
        skew: seconds that the provider's clock is ahead of this machine's; None when its answer had no date.
    """

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
    """One text, from the moment that it may leave.

    Attributes:
        purpose: which of them it is: "first", "repeat" or "scheduled".
        reference: what its callbacks carry.
        result: what became of it; None when no answer came, or an error.
        error: that.
        scheduled_at: when it is to leave; None for at once.
    """

    purpose: str
    reference: str
    scheduled_at: datetime | None = None
    result: SendResult | None = None
    error: MensatekError | None = None

    @property
    def accepted(self) -> bool:
        """Whether the provider took it."""
        return self.result is not None and self.result.accepted > 0

    @property
    def message_id(self) -> int:
        """The id of its message; 0 when there is none."""
        return self.result.message_id if self.result else 0


@define(kw_only=True)
class Evidence:
    """What was seen so far.

    Attributes:
        assumed: the client's own settings.
        request_format: the one that works, as far as is known.
        balance: the answers to the question for credits, by the form of its body.
        probed: the answers to empty calls, by operation.
        empty_calls: how many calls went out that send nothing and ask nothing of a text.
        texts: what was sent, or may have been, in order.
        moved, cancelled, report: what the calls about these texts brought.
        waited: seconds that callbacks were waited for; None when nobody listened.
        url_works: whether a callback posted to the user's URL arrived here; None when that was not tried.
        heard: the delivery reports of these texts.
        late: seconds, by the provider's clock, from the date of each, and of the report, to the moment that it came.
        unreadable: how many callbacks could not be read.
        ended: what ended it before its end.
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
    waited: float | None = None
    url_works: bool | None = None
    heard: list[DeliveryReport] = field(factory=list, repr=False)
    late: list[float] = Factory(list)
    unreadable: int = 0
    ended: MensatekError | None = None

    @property
    def first_answer(self) -> Seen | None:
        """The first readable answer for credits."""
        return next((seen for seen in self.balance.values() if seen.reply), None)

    def sent(self, purpose: str) -> SentText | None:
        """Return the text of a purpose, if it was sent."""
        return next((one for one in self.texts if one.purpose == purpose), None)

    def reports_of(self, purpose: str) -> list[DeliveryReport]:
        """Return the callbacks that came for a text."""
        text = self.sent(purpose)
        return [one for one in self.heard if text and text.message_id and one.message_id == text.message_id]

    def lines(self) -> Iterator[str]:
        """Say of each text what became of it, without the phone."""
        for number, one in enumerate(self.texts, 1):
            yield self._fate(number, one)

    def _fate(self, number: int, text: SentText) -> str:
        message, when = text.message_id, text.scheduled_at
        if text.result is None:
            if text.error and text.error.sent is False:
                return f"Text {number} was not sent."
            if when:
                return f"Text {number} may be scheduled for {when:%Y-%m-%d %H:%M}: no answer came. Look into the panel."
            return f"Text {number} may have been sent: no answer came."
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
