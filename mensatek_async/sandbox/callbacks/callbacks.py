"""Callbacks: every change of a text's status, every event of a document and every reply, posted to a URL."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..account.account import Account
from ..account.events import Accepted, Acted, Cleared, Event, Followed, Opened, Posted, Received
from ..account.records import REPLY_NUMBER
from ..account.state import load_journeys, load_posts
from ..api.provider import Provider
from ..carrier.journeys import Journey, News
from ..carrier.statuses import AWAITING, CONTRACT_OPENED
from .fields import VARIABLES, incoming_fields, opened_fields, report_fields
from .poster import CallbackSettings, Post, Poster

_STRANGE_STATUSES = range(7000, 7100)  # in no manual


@dataclass(eq=False, repr=False)
class Callbacks(CallbackSettings):
    """Posts what happens in a sandbox to a webhook, as the provider does; hand it to `Sandbox.call_back`.

    Args:
        url: where to post; one like `http://user:password@host/` brings the Basic credentials along.
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

    Attributes:
        posts: everything posted so far, or waiting to be.

    Raises:
        ValueError: a URL, form or number that makes no sense.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.posts: list[Post] = []
        self.poster: Poster = Poster(self, self._ended, self.collect)
        self._provider: Provider | None = None
        self._earlier = 0  # how many posts there were before those that are known
        self._journeys: list[Journey] = []
        self._random = random.Random(self.seed)  # noqa: S311  decides what to repeat, nothing secret

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
        self.collect()
        return self.poster.wait(timeout)

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
        with self.provider.changing() as account:
            if message_id is not None and message_id not in account.messages:
                raise KeyError("There is no such message")
            account.receive(sender, number, text, message_id)

    @property
    def provider(self) -> Provider:
        """Whose callbacks these are."""
        if self._provider is None:
            raise RuntimeError("Hand the callbacks to a sandbox first: sandbox.call_back(callbacks)")
        return self._provider

    def attach(self, provider: Provider) -> None:
        """Follow what a sandbox's account accepts; goes on where its file says that this webhook's callbacks were."""
        if self._provider is not None:
            raise ValueError("These callbacks belong to a sandbox already")
        self._provider = provider
        if provider.state is not None:
            self._journeys = load_journeys(provider.state, self.key, provider.account)
            self._earlier, self.posts = load_posts(provider.state, self.key)
            self.poster.add([post for post in self.posts if not post.ended])
        provider.handlers.append(self._handle)

    def collect(self) -> None:
        """Post what time alone has brought since the last time."""
        with self.provider.lock:
            if not self._collect():
                return
            with self.provider.changing():
                pass

    def _handle(self, event: Event) -> None:
        """Post what an event says, after all that came before it."""
        account = self.provider.account
        match event:
            case Accepted(batch, phones) if batch.reported:
                self._journeys.append(Journey(batch, list(phones)))
                account.events.append(Followed(self.key, batch, [False, 0, {}]))
            case Acted(batch, phone, act) if batch.reported:
                self._collect()
                seconds = (act.at - batch.leaves_at).total_seconds()
                news = News(batch, phone, act.status, act.at, seconds)
                self._post(account, list(self._arrivals(news, act.variables or VARIABLES)))
            case Opened(batch, phone, document) if batch.reported:
                self._collect()
                self._post(account, [opened_fields(batch, phone, document, account.clock.now)])
            case Received(incoming):
                self._collect()
                message = account.messages[incoming.message_id] if incoming.message_id else None
                self._post(account, [incoming_fields(incoming, message)])
            case Cleared():
                self._journeys.clear()
                self.posts.clear()
                self.poster.clear()
                self._earlier = 0

    def _collect(self) -> bool:
        account = self.provider.account
        now = account.clock.now
        fields: list[dict[str, Any]] = []
        for journey in self._journeys:
            news = journey.news(account, now)
            if news:
                fields += [one for piece in news for one in self._arrivals(piece)]
                progress = None if journey.finished else [journey.announced, journey.step, journey.own]
                account.events.append(Followed(self.key, journey.batch, progress))
        self._journeys = [journey for journey in self._journeys if not journey.finished]
        if fields:
            self._post(account, fields)
        return bool(fields)

    def _arrivals(self, news: News, variables: Mapping[str, str] = VARIABLES) -> Iterator[dict[str, Any]]:
        """What is posted when a text arrives at a status."""
        yield report_fields(news, variables, self.numeric_phones)
        if news.status == AWAITING and self._random.random() < self.unknown_statuses:
            strange = news._replace(status=self._random.choice(_STRANGE_STATUSES))
            yield report_fields(strange, VARIABLES, self.numeric_phones)
        if news.status == CONTRACT_OPENED:
            for name in news.batch.document_names:
                yield opened_fields(news.batch, news.phone, name, news.moment)

    def _post(self, account: Account, events: list[dict[str, Any]]) -> None:
        posts: list[Post] = []
        for fields in events:
            posts.append(Post(fields=fields))
            if self._random.random() < self.duplicates:
                posts.append(Post(fields=fields, repeated=True))
        for start in range(0, len(posts), self.shuffle) if self.shuffle else ():
            group = posts[start : start + self.shuffle]
            self._random.shuffle(group)
            posts[start : start + self.shuffle] = group
        for number, post in enumerate(posts, self._earlier + len(self.posts) + 1):
            post.number = number
            account.events.append(Posted(self.key, post))
        self.posts += posts
        self.poster.add(posts)

    def _ended(self, post: Post) -> None:
        """A callback is over; that reaches the file with whatever is written next."""
        with self.provider.lock:
            index = post.number - self._earlier - 1
            # After a reset another one may have its number.
            if index < len(self.posts) and self.posts[index] is post:
                self.provider.account.events.append(Posted(self.key, post))
            self.provider.announce({"callbacks"})


class Recorder:
    """Collects what callbacks would say of a sandbox, for tests that post it themselves; see `Sandbox.record`."""

    def __init__(self, provider: Provider) -> None:
        # An address that is never called: nothing starts what would post there.
        self._callbacks = Callbacks("http://nowhere.invalid/")
        self._callbacks.attach(provider)

    def take(self) -> list[dict[str, Any]]:
        """Give everything that happened, by the sandbox's clock, since it was asked last; by wire names, in order."""
        with self._callbacks.provider.lock:
            self._callbacks.collect()
            taken = [dict(post.fields) for post in self._callbacks.posts]
            self._callbacks.posts.clear()
            self._callbacks.poster.clear()
        return taken
