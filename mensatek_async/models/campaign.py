"""How a durable campaign stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from attrs import field, frozen

from ..phones import mask
from .bulk import RowProblem

CampaignState = Literal["running", "paused", "cancelled", "done"]
Resolution = Literal["keep", "assume_sent", "resend"]
ReportLanguage = Literal["en", "es"]


@frozen(kw_only=True)
class Progress:
    """How a campaign stands.

    Each row read is in one of `sent`, `rejected`, `invalid`, `opted_out`, `pending`, `unknown`, `cancelled`, or in
    `failed` without the `undelivered`, who were sent first.

    Attributes:
        name: the campaign's name.
        state: "running", "paused", "cancelled" or "done".
        reason: why it is paused: "user", "no_credit", "auth", "group_lost" (the provider no longer knows its message),
            "refused" (the provider refuses its requests), "no_answer" (it answers no opener) or "max_credits"; else "".
        note: what happened, or what it waits for, in a sentence; may be empty.
        waiting_until: when it goes on by itself, aware: its hours, the shared rate, the provider's "slow down", a
            repeat, a dead worker's lease; None where nothing waits, or for somebody to do something.
        total: rows read so far.
        reading: whether rows are still to be read.
        sent: recipients the provider took.
        rejected: recipients it did not take: repeated, or not a correct number. It does not say which.
        invalid: rows refused here; `export` names each.
        opted_out: recipients left out because they had opted out when their turn came; see `OptOuts`.
        pending: recipients still to be sent.
        unknown: recipients who may have been texted: their request left and no answer came.
        failed: recipients certainly not texted, and those whose delivery report says that the text did not arrive.
        undelivered: those of `failed` who were sent and did not receive it.
        delivered: recipients whose delivery report says that it arrived.
        cancelled: recipients not sent because the campaign was cancelled, here or in time at the provider.
        credits_used: what the replies named, in all.
        credits_left: what the newest reply named; None when none did.
        message_id: the message that all its texts share; 0 before the first was taken.
        start_at: from when on it sends, aware, Spanish time; None for at once.
        scheduled_at: when the provider delivers what it was sent, aware, Spanish time; None for at once.
        rate: recipients a second over the last moments; 0 where nobody watches.
        elapsed: seconds since the campaign was started.
        time_left: seconds until the rest is sent at that rate; None when that is unknown.
    """

    name: str
    state: CampaignState
    reason: str = ""
    note: str = ""
    total: int = 0
    reading: bool = False
    sent: int = 0
    rejected: int = 0
    invalid: int = 0
    opted_out: int = 0
    pending: int = 0
    unknown: int = 0
    failed: int = 0
    undelivered: int = 0
    delivered: int = 0
    cancelled: int = 0
    credits_used: Decimal = Decimal(0)
    credits_left: Decimal | None = None
    message_id: int = 0
    start_at: datetime | None = None
    scheduled_at: datetime | None = None
    waiting_until: datetime | None = field(default=None, eq=False)
    rate: float = field(default=0.0, eq=False)
    elapsed: float = field(default=0.0, eq=False)
    time_left: float | None = field(default=None, eq=False)

    @property
    def done(self) -> bool:
        """Whether nothing is left to be sent: the campaign is done or cancelled."""
        return self.state in ("done", "cancelled")


@frozen
class PreviewedText:
    """One text as its recipient would read it.

    Attributes:
        row: the row's number.
        phone: international digits.
        text: what it reads; elements, such as a link, as they are written.
        segments: texts it is charged as.
        unicode: whether it travels in Unicode.
    """

    row: int
    phone: str = field(repr=mask)
    text: str = field(repr=False)
    segments: int
    unicode: bool


@frozen(kw_only=True)
class Preview:
    """What a campaign would send; nothing of it was written down or sent.

    Each row is in one of `ready`, `opted_out`, `repeated` or `invalid`.

    Attributes:
        rows: rows read.
        ready: recipients who would be texted.
        opted_out: recipients who would be left out because they have opted out; see `OptOuts`.
        repeated: rows that repeat the phone of an earlier one.
        invalid: rows that are refused for anything else.
        segments: how many of the recipients get a text of so many segments, fewest first, such as {1: 4990, 2: 10}.
        unicode: recipients whose text travels in Unicode.
        forcing: the characters because of which it does; the first ten.
        gaps: recipients with an empty field.
        samples: the first three texts.
        longest: the text with most characters, the first of them; None where nobody is ready.
        problems: the rows in `repeated` and `invalid`, with their reasons; the first 10,000.
    """

    rows: int
    ready: int
    opted_out: int
    repeated: int
    invalid: int
    segments: Mapping[int, int]
    unicode: int
    forcing: tuple[str, ...]
    gaps: int
    samples: tuple[PreviewedText, ...]
    longest: PreviewedText | None
    problems: tuple[RowProblem, ...]

    @property
    def texts(self) -> int:
        """All segments together: what is charged, each at the price of a text."""
        return sum(segments * count for segments, count in self.segments.items())

    @property
    def credits(self) -> Decimal:
        """The credits they cost, estimated: one for each segment."""
        return Decimal(self.texts)


@frozen(kw_only=True)
class UnknownRecipient:
    """Somebody who may have been texted: the request left, and no answer came.

    Attributes:
        row: the row's number.
        phone: international digits.
        since: when the answer was given up, aware.
        reference: what their delivery report will bring as `Referenciausuario`, by which it is recognised.
        reason: what happened.
    """

    row: int
    phone: str = field(repr=mask)
    since: datetime
    reference: str = ""
    reason: str = ""
