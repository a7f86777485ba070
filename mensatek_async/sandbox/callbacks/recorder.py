"""Callbacks that are posted nowhere: collected, for tests that hand them to a webhook themselves."""

from __future__ import annotations

from typing import Any

from ..api.provider import Provider
from .subscriptions import Callbacks


class Recorder:
    """Collects what callbacks would tell of a sandbox; `Sandbox.record` makes one.

    Args:
        provider: the sandbox's.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        # An address that is never called: nothing starts what would post there.
        self._dispatcher = Callbacks("http://nowhere.invalid/").attach(provider)

    def take(self) -> list[dict[str, Any]]:
        """Give everything that happened, by the sandbox's clock, since it was asked last; by wire names, in order."""
        with self._provider.lock:
            self._dispatcher.collect()
            taken = [dict(post.fields) for post in self._dispatcher.posts]
            self._dispatcher.posts.clear()
            self._dispatcher.poster.clear()
        return taken
