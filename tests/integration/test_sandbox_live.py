"""The page's live events over real HTTP: what changed is told at once, also when time alone changed it."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import Callbacks, Sandbox
from mensatek_async.sandbox.page.live import Pulse
from tests.sandbox_calls import ANA, NO_TLS, NOON, calling

SECONDS = 15  # nothing here takes nearly as long


class Events:
    """The events of one page, as they come."""

    def __init__(self, url: str) -> None:
        self._queue: queue.Queue[tuple[str, dict[str, Any]] | None] = queue.Queue()
        self._http = httpx.Client(verify=NO_TLS, timeout=SECONDS)
        self._url = url
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        name = ""
        try:
            with self._http.stream("GET", self._url) as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                for line in answer.iter_lines():
                    field, _, value = line.partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        self._queue.put((name, json.loads(value)))
        except (httpx.TransportError, httpx.StreamError):
            pass  # the sandbox has ended, or the page went away
        self._queue.put(None)

    def next(self, wanted: str) -> dict[str, Any]:
        """The next event of a kind."""
        while (event := self._queue.get(timeout=SECONDS)) is not None:
            if event[0] == wanted:
                return event[1]
        raise AssertionError("The stream has ended")

    def topics(self, *wanted: str) -> None:
        """Changes come until all these topics were among them."""
        missing = set(wanted)
        while missing:
            missing -= set(self.next("change")["topics"])

    def drain(self) -> None:
        """Forget what has come so far."""
        while not self._queue.empty():
            self._queue.get()

    def ended(self) -> bool:
        """Whether the stream ends."""
        while self._queue.get(timeout=SECONDS) is not None:
            pass
        return True


@contextmanager
def following(sandbox: Sandbox) -> Iterator[Events]:
    """A page that follows a sandbox; its events end with the sandbox."""
    events = Events(f"{sandbox.page_url}_sandbox/events")
    try:
        yield events
    finally:
        sandbox.stop()
        events.thread.join()


def test_a_page_is_greeted_and_told_of_every_change() -> None:
    """First where things stand, then what changed, whoever changed it: a call, the page, or the Python API."""
    with Sandbox(starts_at=NOON) as sandbox, following(sandbox) as events, calling(sandbox) as call:
        hello = events.next("hello")
        state = httpx.get(f"{sandbox.page_url}_sandbox/state", verify=NO_TLS).json()
        assert hello["csrf"] == state["csrf"]
        assert events.next("clock") == state["clock"]

        call.send(ANA)
        events.topics("messages", "calls", "credits")
        sandbox.reply(ANA, "hola")
        events.topics("phones")
        sandbox.error_rate = 0.5
        events.topics("faults")
        sandbox.block()
        events.topics("guard")
        sandbox.advance(60)
        events.topics("clock", "messages")
        sandbox.reset()
        events.topics("files", "callbacks", "settings")
        assert events.next("clock")["now"] == "2027-01-08T11:01:00.000000Z"


def test_time_alone_is_a_change() -> None:
    """A delivery that nobody caused is told."""
    with Sandbox(delivery_seconds=0.5) as sandbox, following(sandbox) as events, calling(sandbox) as call:
        events.next("hello")
        call.send(ANA)
        while sandbox.texts[0].status != 11:
            time.sleep(0.01)
        events.drain()
        events.topics("messages")


def test_callbacks_are_told_when_they_are_over() -> None:
    """Also those that nobody takes."""
    with Sandbox() as sandbox, following(sandbox) as events, calling(sandbox) as call:
        events.next("hello")
        callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0))
        call.send(ANA)
        assert callbacks.wait(10)
        events.topics("callbacks")


def test_a_stop_ends_the_stream() -> None:
    """The browser notices and tries again until the sandbox is back."""
    with Sandbox() as sandbox, following(sandbox) as events:
        events.next("hello")
        sandbox.stop()
        assert events.ended()


def test_pages_that_went_away_are_forgotten() -> None:
    """Opening and closing many pages leaves nobody listening; too many at once are told to wait."""
    with Sandbox() as sandbox, httpx.Client(verify=NO_TLS) as http:
        url = f"{sandbox.page_url}_sandbox/events"
        for _ in range(40):
            with http.stream("GET", url) as answer:
                assert answer.status_code == 200
                next(answer.iter_lines())
        opened = [httpx.Client(verify=NO_TLS) for _ in range(40)]
        try:
            answers = [one.send(one.build_request("GET", url), stream=True) for one in opened]
            assert [answer.status_code for answer in answers][-1] == 503
            assert answers[0].status_code == 200
        finally:
            for one in opened:
                one.close()


@pytest.mark.parametrize("gone", [3 * 86400, 15 * 86400])
def test_late_ends_are_noticed(gone: float) -> None:
    """A text to a phone that is off expires after days, an unsigned contract after weeks."""
    with Sandbox(starts_at=NOON) as sandbox, calling(sandbox) as call:
        call.send(ANA)
        pulse = Pulse(sandbox._provider)
        seen = []
        for step in (0, 60, gone - 61, 2, 3600):
            sandbox.clock.step(step)
            seen.append(bool(pulse.moved()))
        assert seen == [True, True, gone > 3 * 86400, True, False]
