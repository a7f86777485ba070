"""Callbacks: every change of a text's status, every event of a document and every reply, posted to a URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..account.records import REPLY_NUMBER
from ..api.provider import Provider
from .dispatcher import CallbackDispatcher
from .poster import CallbackSettings, Post


@dataclass(eq=False, repr=False)
class Callbacks(CallbackSettings):
    """Posts what happens in a sandbox to a webhook, as the provider does; hand it to `Sandbox.call_back`.

    Args:
        url: where to post.
        username: HTTP Basic user, if the webhook asks for one.
        password: HTTP Basic password.
        token: a secret that goes into the URL as `token`.
        form: "json", "form" or "multipart".
        charset: of forms, "utf-8" or "cp1252".
        retries: how often a callback is posted again that was not answered with a status of 200 to 299.
        retry_seconds: real seconds before the first repeat; doubles each time.
        duplicates: the share of callbacks posted twice although the first was taken, 0 to 1.
        shuffle: callbacks are collected in groups of so many and posted in any order; 0 keeps their order.
        unknown_statuses: the share of texts that get a status of no manual besides, 0 to 1.
        numeric_phones: write `Movil` as a number, as some callbacks do.
        connections: how many callbacks are posted at once; more than one lets them overtake each other.
        timeout: real seconds to wait for an answer.
        seed: makes the random parts repeatable.

    Raises:
        ValueError: a URL, form or number that makes no sense.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._dispatcher: CallbackDispatcher | None = None

    @property
    def posts(self) -> list[Post]:
        """Everything posted so far, or waiting to be."""
        return [] if self._dispatcher is None else self._dispatcher.posts

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event so far by its wire names, without the repetitions made on purpose."""
        return [dict(post.fields) for post in list(self.posts) if not post.repeated]

    @property
    def lost(self) -> list[Post]:
        """Callbacks that were given up: posted with all repeats, and never taken."""
        return [post for post in list(self.posts) if post.answers and not post.taken]

    def wait(self, timeout: float | None = None) -> bool:
        """Block until everything that has happened by the sandbox's clock is posted, or given up.

        Args:
            timeout: real seconds to wait at most.

        Returns:
            False when the time was up before.

        Raises:
            RuntimeError: no sandbox has these callbacks yet.
        """
        dispatcher = self._needed_dispatcher()
        dispatcher.collect()
        return dispatcher.poster.wait(timeout)

    def receive(
        self, sender: str, text: str, *, number: str = REPLY_NUMBER, message_id: int | None = None
    ) -> None:
        """Have somebody write to a number of the account; it is posted to all webhooks.

        Args:
            sender: who writes.
            text: what.
            number: the number that receives it.
            message_id: the message it replies to.

        Raises:
            RuntimeError: no sandbox has these callbacks yet.
            KeyError: there is no such message.
        """
        with self._needed_dispatcher().provider.changing() as account:
            if message_id is not None and message_id not in account.messages:
                raise KeyError("There is no such message")
            account.receive(sender, number, text, message_id)

    def attach(self, provider: Provider) -> CallbackDispatcher:
        """Follow what a sandbox's account accepts."""
        if self._dispatcher is not None:
            raise ValueError("These callbacks belong to a sandbox already")
        self._dispatcher = CallbackDispatcher(self, provider)
        provider.handlers.append(self._dispatcher.handle)
        return self._dispatcher

    def _needed_dispatcher(self) -> CallbackDispatcher:
        if self._dispatcher is None:
            raise RuntimeError("Hand the callbacks to a sandbox first: sandbox.call_back(callbacks)")
        return self._dispatcher


class Recorder:
    """Collects what callbacks would say of a sandbox, for tests that post it themselves; see `Sandbox.record`."""

    def __init__(self, provider: Provider) -> None:
        # An address that is never called: nothing starts what would post there.
        self._dispatcher = Callbacks("http://nowhere.invalid/").attach(provider)

    def take(self) -> list[dict[str, Any]]:
        """Give everything that happened, by the sandbox's clock, since it was asked last; by wire names, in order."""
        with self._dispatcher.provider.lock:
            self._dispatcher.collect()
            taken = [dict(post.fields) for post in self._dispatcher.posts]
            self._dispatcher.posts.clear()
            self._dispatcher.poster.clear()
        return taken
