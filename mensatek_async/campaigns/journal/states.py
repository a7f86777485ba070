"""The states of campaigns and chunks, and what passes between the journal and those who send."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from ..._wire.marks import Mark
from .recipients import ChunkRecipients

# Campaigns.
RUNNING, PAUSED, CANCELLED, DONE = "running", "paused", "cancelled", "done"
# Chunks.
PENDING, CLAIMED, POSTING = "pending", "claimed", "posting"
SENT, UNKNOWN, FAILED = "sent", "unknown", "failed"

MICRO = 1_000_000  # credits are summed by the database, in millionths


@frozen(kw_only=True)
class Work:
    """A chunk that is ours to send until its lease ends.

    Attributes:
        campaign: the campaign's id.
        seq: the chunk's number; 0 and below are openers.
        token: whose claim it is.
        content: its recipients.
        join: the message to join; None for an opener.
        repeat: whether an earlier try may have been taken up.
        wait: seconds until its place in the rate.
        mark: what an opener's reference carries on the wire; None for a chunk.
        segments: texts it takes, by this side's count.
    """

    campaign: int
    seq: int
    token: str
    content: ChunkRecipients
    join: int | None
    repeat: bool
    wait: float
    mark: Mark | None
    segments: int


@frozen
class Wait:
    """Nothing can be claimed for so many seconds.

    Attributes:
        seconds: until it is worth looking again, at the latest.
        sure: whether nothing can change that: closed hours, or the provider's word.
    """

    seconds: float
    sure: bool = False


@frozen
class Over:
    """Nothing is left to claim: every campaign asked for has ended, is paused, or waits for its rows.

    Attributes:
        missing: whether rows are missing that nobody reads.
    """

    missing: bool = False


@frozen(kw_only=True)
class Taken:
    """An answer of the provider."""

    message_id: int
    accepted: int
    repeated: int
    credits: Decimal | None
    left: Decimal | None


@frozen(kw_only=True)
class NotTaken:
    """Certainly not sent.

    Attributes:
        reason: what happened, without personal data.
        wait: seconds before it is tried again; None for a backoff.
        hold: whether everybody waits that long.
        pause: the reason to pause the campaign with, "" for none.
        failed: whether the chunk is refused for good.
    """

    reason: str
    wait: float | None = None
    hold: bool = False
    pause: str = ""
    failed: bool = False


@frozen
class Lost:
    """A request that left and was not answered."""

    reason: str


@frozen
class Finish:
    """What became of a piece of work."""

    work: Work
    outcome: Taken | NotTaken | Lost
