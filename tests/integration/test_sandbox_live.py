"""The page's live events over real HTTP: what changed is told at once, also when time alone changed it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from mensatek_async.sandbox import Callbacks, Sandbox
from mensatek_async.sandbox.page.live import Pulse
from tests.sandbox_calls import ANA, NO_TLS, NOON, calling, wait_until

SECONDS = 15  # nothing here takes nearly as long


class Events:
    """The events of one page, as they come."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.headers["content-type"].startswith("text/event-stream")
        self._lines = answer.iter_lines()

    def next(self, wanted: str) -> dict[str, Any]:
        """The next event of a kind."""
        for line in self._lines:
            if line == f"event: {wanted}":
                data: dict[str, Any] = json.loads(next(self._lines).removeprefix("data: "))
                return data
        raise AssertionError("The stream has ended")

    def topics(self, *wanted: str) -> None:
        """Changes come until all these topics were among them."""
        missing = set(wanted)
        while missing:
            missing -= set(self.next("change")["topics"])


@contextmanager
def following(sandbox: Sandbox) -> Iterator[Events]:
    """A page that follows a sandbox."""
    url = f"{sandbox.page_url}_sandbox/events"
    with httpx.Client(verify=NO_TLS, timeout=SECONDS) as http, http.stream("GET", url) as answer:
        yield Events(answer)


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
    """A delivery that nobody caused is told, and callbacks that are over though nobody took them."""
    with Sandbox(delivery_seconds=0.5) as sandbox, following(sandbox) as events, calling(sandbox) as call:
        callbacks = sandbox.call_back(Callbacks("http://127.0.0.1:9/", retries=0))
        events.next("hello")
        call.send(ANA)
        events.topics("messages", "calls", "credits")
        assert callbacks.wait(10)
        events.topics("messages", "callbacks")


def test_a_stop_ends_the_stream() -> None:
    """The browser notices and tries again until the sandbox is back."""
    with Sandbox() as sandbox, following(sandbox) as events:
        events.next("hello")
        sandbox.stop()
        with pytest.raises((httpx.TransportError, AssertionError)):
            events.next("nothing")


def test_pages_that_went_away_are_forgotten() -> None:
    """Opening and closing many pages leaves nobody listening."""
    with Sandbox() as sandbox:
        for _ in range(10):
            with following(sandbox) as events:
                events.next("hello")
        wait_until(lambda: not sandbox._provider.listeners)


def test_late_ends_are_noticed() -> None:
    """A text to a phone that is off expires after days: within a minute of it, though nothing else happens."""
    with Sandbox(starts_at=NOON) as sandbox, calling(sandbox) as call:
        call.send(ANA)
        pulse = Pulse(sandbox._provider)
        seen = []
        for step in (0, 30, 20, 3 * 86400, 5, 60):
            sandbox.clock.step(step)
            seen.append(bool(pulse.moved()))
        assert seen == [True, True, False, True, False, True]
