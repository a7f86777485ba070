"""What happens in an account, for whoever keeps it, posts it or shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from ..callbacks.poster import Post
from .records import Act, Batch, Call, Incoming, LibraryFile


class Accepted(NamedTuple):
    """Recipients were added to a message."""

    batch: Batch
    phones: list[str]


class Moved(NamedTuple):
    """A batch leaves at another moment, or never."""

    batch: Batch


class Acted(NamedTuple):
    """Something was done with a text by hand."""

    batch: Batch
    phone: str
    act: Act


class Opened(NamedTuple):
    """A recipient opened a document."""

    batch: Batch
    phone: str
    document: str


class Received(NamedTuple):
    """A phone wrote to the account."""

    incoming: Incoming


class Filed(NamedTuple):
    """A file came into the library, or left it (None)."""

    name: str
    file: LibraryFile | None


class Documented(NamedTuple):
    """A document was sent that was not known before."""

    digest: str
    content: bytes


class Called(NamedTuple):
    """A call was processed."""

    number: int
    call: Call


class Followed(NamedTuple):
    """Something of the way of a batch was posted to a webhook, or is to be; `progress` None when all is."""

    target: str
    batch: Batch
    progress: list[Any] | None


class Posted(NamedTuple):
    """A callback was added, or is over."""

    target: str
    post: Post


class Cleared(NamedTuple):
    """Everything was forgotten."""


Event = (
    Accepted | Moved | Acted | Opened | Received | Filed | Documented | Called | Followed | Posted | Cleared
)

Topic = Literal[
    "messages", "phones", "files", "calls", "callbacks", "credits", "guard", "faults", "clock", "settings"
]
"""What can change."""

ALL_TOPICS: tuple[Topic, ...] = get_args(Topic)

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
