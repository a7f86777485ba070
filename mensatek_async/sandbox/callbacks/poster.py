"""Posts callbacks over real HTTP from threads of its own, again when refused, and remembers what came back."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from queue import Empty, Queue
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

_BOUNDARY = "----SandboxFormBoundary7MA4YWxk"
_USER_AGENT = "mensatek-sandbox"
_PATIENCE_SECONDS = 5.0
_TICK_SECONDS = 0.02
FORMS = ("json", "form", "multipart")


@dataclass(slots=True, kw_only=True)
class Post:
    """One callback, with every try to bring it.

    Attributes:
        fields: what it says, by wire names.
        answers: the HTTP status of each try, in order; None for one without an answer.
        repeated: it is a repetition that the sandbox made on purpose.
        ended: it was taken, or is not tried again.
        number: which of the webhook's callbacks it is.
    """

    fields: Mapping[str, Any] = field(repr=False)
    answers: list[int | None] = field(default_factory=list)
    repeated: bool = False
    ended: bool = False
    number: int = 0

    @property
    def taken(self) -> bool:
        """Whether the last try was answered with a status of 200 to 299."""
        return bool(self.answers) and 200 <= (self.answers[-1] or 0) < 300


@dataclass(eq=False, repr=False)
class CallbackSettings:
    """Where and how callbacks are posted; see `Callbacks` for what each means."""

    url: str
    _: KW_ONLY
    username: str | None = None
    password: str | None = None
    token: str | None = None
    form: str = "json"
    charset: str = "utf-8"
    retries: int = 3
    retry_seconds: float = 0.2
    duplicates: float = 0.0
    shuffle: int = 0
    unknown_statuses: float = 0.0
    numeric_phones: bool = False
    connections: int = 1
    timeout: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("A callback's URL begins with http:// or https:// and has a host")
        if parts.username is not None and self.username is None:
            self.username, self.password = unquote(parts.username), unquote(parts.password or "")
            self.url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        if self.form not in FORMS:
            raise ValueError(f"Invalid form {self.form!r}: {', '.join(FORMS)}")
        if (self.username is None) != (self.password is None):
            raise ValueError("Basic credentials need both username and password")
        if self.retries < 0 or self.retry_seconds < 0 or self.timeout <= 0:
            raise ValueError("Retries and their seconds are 0 or more, the timeout is above 0")
        if not (0 <= self.duplicates <= 1 and 0 <= self.unknown_statuses <= 1 and self.shuffle >= 0):
            raise ValueError("Shares are 0 to 1, shuffle is 0 or more")
        if self.connections < 1:
            raise ValueError("Connections are 1 or more")

    @cached_property
    def key(self) -> str:
        """The same for the same webhook in every run, and nothing of its secrets."""
        return hashlib.sha256(f"{self.url} {self.token}".encode()).hexdigest()[:16]

    def connect(self) -> http.client.HTTPConnection:
        """A connection, not yet opened."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=self.timeout)

    @property
    def path(self) -> str:
        """Path and query of the requests, token included."""
        parts = urlsplit(self.url)
        query = [parts.query] if parts.query else []
        query += [urlencode({"token": self.token})] if self.token is not None else []
        return (parts.path or "/") + (f"?{'&'.join(query)}" if query else "")

    def request(self, fields: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
        """Body and headers for one callback."""
        if self.form == "json":
            body, media_type = json.dumps(fields).encode(), "application/json"
        elif self.form == "form":
            body = urlencode(fields, encoding=self.charset, errors="replace").encode()
            media_type = "application/x-www-form-urlencoded"
        else:
            parts = (
                f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                for name, value in fields.items()
            )
            body = f"{''.join(parts)}--{_BOUNDARY}--\r\n".encode(self.charset, "replace")
            media_type = f"multipart/form-data; boundary={_BOUNDARY}"
        headers = {"Content-Type": media_type, "User-Agent": _USER_AGENT}
        if self.username is not None:
            pair = f"{self.username}:{self.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return body, headers


class Poster:
    """Threads that bring posts to a target, each over a connection it keeps, and call `tick` while there are none."""

    def __init__(
        self, settings: CallbackSettings, ended: Callable[[Post], None], tick: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._ended = ended
        self._tick = tick
        self._waiting: Queue[Post] = Queue()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, or go on after a stop with what was waiting."""
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._work, name="mensatek-sandbox-callbacks", daemon=True)
            for _ in range(self._settings.connections)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the tries under way and end the threads; what waits stays."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)
        self._threads = []

    def add(self, posts: list[Post]) -> None:
        """Have them posted, in this order as far as one connection goes."""
        for post in posts:
            self._waiting.put(post)

    def clear(self) -> None:
        """Drop what waits."""
        with suppress(Empty):
            while True:
                self._waiting.get_nowait()
                self._waiting.task_done()

    def wait(self, timeout: float | None) -> bool:
        """Block until nothing waits or is under way; False when the time was up before."""
        done = self._waiting.all_tasks_done
        with done:
            return done.wait_for(lambda: not self._waiting.unfinished_tasks, timeout)

    def _work(self) -> None:
        with closing(self._settings.connect()) as connection:
            while not self._stopping.is_set():
                try:
                    post = self._waiting.get(timeout=_TICK_SECONDS)
                except Empty:
                    self._tick()
                    continue
                try:
                    self._bring(post, connection)
                    self._ended(post)
                finally:
                    self._waiting.task_done()

    def _bring(self, post: Post, connection: http.client.HTTPConnection) -> None:
        body, headers = self._settings.request(post.fields)
        wait = self._settings.retry_seconds
        for attempt in range(1 + self._settings.retries):
            if attempt and self._stopping.wait(wait):
                return
            wait *= 2 if attempt else 1
            post.answers.append(self._try(connection, body, headers))
            if post.taken:
                break
        post.ended = True

    def _try(
        self, connection: http.client.HTTPConnection, body: bytes, headers: dict[str, str]
    ) -> int | None:
        was_idle = connection.sock is not None
        try:
            connection.request("POST", self._settings.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
            # The other side may have closed a connection that was idle: that is no try.
            return self._try(connection, body, headers) if was_idle else None
