"""Turns what happens in an account into callbacks for one webhook."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from ..account.events import Accepted, Acted, Cleared, Event, Followed, Opened, Posted, Received
from ..account.state import Store
from ..account.state_load import load_journeys, load_posts
from ..api.provider import Provider
from ..carrier.journeys import Journey, News
from ..carrier.statuses import AWAITING, CONTRACT_OPENED
from .fields import VARIABLES, incoming_fields, opened_fields, report_fields
from .poster import CallbackSettings, Post, Poster

_TICK_SECONDS = 0.02
_STRANGE_STATUSES = range(7000, 7100)  # in no manual


class CallbackDispatcher:
    """Watches an account and posts to one webhook what happens in it."""

    def __init__(self, settings: CallbackSettings, provider: Provider) -> None:
        self.url: str = settings.url
        self.posts: list[Post] = []
        self.poster: Poster = Poster(settings, self._ended)
        self.journeys: list[Journey] = []
        self._target = settings.key
        self._earlier = 0
        self._settings = settings
        self.provider: Provider = provider
        self._account = provider.account
        self._random = random.Random(settings.seed)  # noqa: S311  decides what to repeat, nothing secret
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        if provider.state is not None:
            self._resume(provider.state)

    def _resume(self, store: Store) -> None:
        """Go on where the file says that callbacks to this target were."""
        self.journeys = load_journeys(store, self._target, self._account)
        self._earlier, self.posts = load_posts(store, self._target)
        self.poster.add([post for post in self.posts if not post.ended])

    def start(self) -> None:
        """Begin to post; goes on with what a stop left."""
        if self._thread is not None:
            return
        self._stopping.clear()
        self.poster.start()
        self._thread = threading.Thread(target=self._run, name="mensatek-sandbox-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop posting, after what is under way."""
        if self._thread is None:
            return
        self._stopping.set()
        self._thread.join()
        self._thread = None
        self.poster.stop()

    def handle(self, event: Event) -> None:
        """Post what an event says, after all that came before it."""
        account = self._account
        match event:
            case Accepted(batch, phones) if batch.reported:
                self.journeys.append(Journey(batch, list(phones)))
                account.events.append(Followed(self._target, batch, [False, 0, {}]))
            case Acted(batch, phone, act) if batch.reported:
                self._collect()
                seconds = (act.at - batch.leaves_at).total_seconds()
                news = News(batch, phone, act.status, act.at, seconds)
                self._post(list(self._arrivals(news, act.variables or VARIABLES)))
            case Opened(batch, phone, document) if batch.reported:
                self._collect()
                self._post([opened_fields(batch, phone, document, account.clock.now)])
            case Received(incoming):
                self._collect()
                message = account.messages[incoming.message_id] if incoming.message_id else None
                self._post([incoming_fields(incoming, message)])
            case Cleared():
                self.journeys.clear()
                self.posts.clear()
                self.poster.clear()
                self._earlier = 0

    def collect(self) -> None:
        """Post what time alone has brought since the last time."""
        with self.provider.lock:
            if not self._collect():
                return
            with self.provider.changing():
                pass

    def _collect(self) -> bool:
        account, now = self._account, self._account.clock.now
        fields: list[dict[str, Any]] = []
        for journey in self.journeys:
            news = journey.news(account, now)
            if news:
                fields += [one for piece in news for one in self._arrivals(piece)]
                progress = None if journey.finished else [journey.announced, journey.step, journey.own]
                account.events.append(Followed(self._target, journey.batch, progress))
        self.journeys = [journey for journey in self.journeys if not journey.finished]
        if fields:
            self._post(fields)
        return bool(fields)

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_SECONDS):
            self.collect()

    def _arrivals(self, news: News, variables: Mapping[str, str] = VARIABLES) -> Iterator[dict[str, Any]]:
        """What is posted when a text arrives at a status."""
        numeric = self._settings.numeric_phones
        yield report_fields(news, variables, numeric)
        if news.status == AWAITING and self._random.random() < self._settings.unknown_statuses:
            strange = news._replace(status=self._random.choice(_STRANGE_STATUSES))
            yield report_fields(strange, VARIABLES, numeric)
        if news.status == CONTRACT_OPENED:
            for name in news.batch.document_names:
                yield opened_fields(news.batch, news.phone, name, news.moment)

    def _post(self, events: list[dict[str, Any]]) -> None:
        posts: list[Post] = []
        for fields in events:
            posts.append(Post(fields=fields))
            if self._random.random() < self._settings.duplicates:
                posts.append(Post(fields=fields, repeated=True))
        if size := self._settings.shuffle:
            for start in range(0, len(posts), size):
                group = posts[start : start + size]
                self._random.shuffle(group)
                posts[start : start + size] = group
        self.posts += posts
        first = self._earlier + len(self.posts) - len(posts) + 1
        for number, post in enumerate(posts, first):
            post.number = number
            self._account.events.append(self._posted(post))
        self.poster.add(posts)

    def _posted(self, post: Post) -> Posted:
        return Posted(self._target, post.number, post.ended, [post.fields, post.answers, post.repeated])

    def _ended(self, post: Post) -> None:
        """A callback is over; that reaches the file with whatever is written next."""
        with self.provider.lock:
            index = post.number - self._earlier - 1
            # After a reset another one may have its number.
            if index < len(self.posts) and self.posts[index] is post:
                self._account.events.append(self._posted(post))
        self.provider.changes.announce("callbacks")
