"""The states of campaigns and chunks, and a chunk that is claimed."""

from __future__ import annotations

from attrs import frozen

from ...durable import work
from .recipients import ChunkRecipients

# Campaigns.
RUNNING, PAUSED, CANCELLED, DONE = "running", "paused", "cancelled", "done"
# Chunks.
PENDING, CLAIMED, POSTING = "pending", "claimed", "posting"
SENT, UNKNOWN, FAILED = "sent", "unknown", "failed"

MICRO = 1_000_000  # credits are summed by the database, in millionths


@frozen(kw_only=True)
class Work(work.Work):
    """A chunk that is ours to send until its lease ends."""

    campaign: int
    seq: int  # 0 and below are openers
    content: ChunkRecipients
    moved_to: str = ""  # when the provider is to deliver it, where that was moved
    opt_outs: str = ""  # the changes of opt-outs that its recipients were looked up after
