"""What happens in an account: said once, for whoever keeps it, posts it or shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..changes import ALL_TOPICS, Topic
from .records import Act, Batch, Call, Incoming, LibraryFile


@dataclass(frozen=True, slots=True)
class Accepted:
    """Recipients were added to a message."""

    batch: Batch
    phones: list[str]


@dataclass(frozen=True, slots=True)
class Moved:
    """A batch leaves at another moment, or never."""

    batch: Batch


@dataclass(frozen=True, slots=True)
class Acted:
    """Something was done with a text by hand."""

    batch: Batch
    phone: str
    act: Act


@dataclass(frozen=True, slots=True)
class Opened:
    """A recipient opened a document."""

    batch: Batch
    phone: str
    document: str


@dataclass(frozen=True, slots=True)
class Received:
    """A phone wrote to the account."""

    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Filed:
    """A file came into the library, or left it (None)."""

    name: str
    file: LibraryFile | None


@dataclass(frozen=True, slots=True)
class Documented:
    """A document was sent that was not known before."""

    digest: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Called:
    """A call was processed."""

    number: int
    call: Call


@dataclass(frozen=True, slots=True)
class Followed:
    """Something of the way of a batch was posted to a webhook, or is to be; `progress` None when all is."""

    target: str
    batch: Batch
    progress: list[Any] | None


@dataclass(frozen=True, slots=True)
class Posted:
    """A callback was added, or is over."""

    target: str
    number: int
    ended: bool
    content: list[Any]


@dataclass(frozen=True, slots=True)
class Cleared:
    """Everything was forgotten."""


Event = (
    Accepted | Moved | Acted | Opened | Received | Filed | Documented | Called | Followed | Posted | Cleared
)

TOPICS: Mapping[type, tuple[Topic, ...]] = {
    Accepted: ("messages", "phones", "credits"),
    Moved: ("messages", "credits"),
    Acted: ("messages", "phones", "callbacks"),
    Opened: ("messages", "phones", "callbacks"),
    Received: ("phones", "callbacks"),
    Filed: ("files",),
    Called: ("calls",),
    Posted: ("callbacks",),
    Cleared: ALL_TOPICS,
}
"""What the page shows of each."""
