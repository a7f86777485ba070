"""Who is told that something in a sandbox changed: the pages that are open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal, get_args

Topic = Literal[
    "messages", "phones", "files", "calls", "callbacks", "credits", "guard", "faults", "clock", "settings"
]
"""What can change."""

ALL_TOPICS: tuple[Topic, ...] = get_args(Topic)


class Changes:
    """Counts changes and tells listeners which topics they touch; listeners must be quick and may be on any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[frozenset[Topic]], None]] = []
        self.revision: int = 0

    def announce(self, *topics: Topic) -> None:
        """Something of these topics changed."""
        with self._lock:
            self.revision += 1
            listeners = list(self._listeners)
        for listener in listeners:
            listener(frozenset(topics))

    def listen(self, listener: Callable[[frozenset[Topic]], None]) -> Callable[[], None]:
        """Be told from now on; what comes back ends it."""
        with self._lock:
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return leave
