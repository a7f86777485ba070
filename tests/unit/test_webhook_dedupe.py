"""How events are told apart and remembered."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mensatek_async import ConfigurationError, testing
from mensatek_async.webhooks import DedupeStore, MemoryDedupe, Standing, event_key, parse


def key(build: Any, **changes: Any) -> str:
    return event_key(
        parse(*build(extra={"Fecha": "2026-11-22 12:00:00", "timestamp": 1795345200}, **changes))
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 11},
        {"phone": "34600000009"},
        {"message_id": 5},
        {"report_id": 7},
        {"service": "SMSCERTIFICADO"},
    ],
    ids=str,
)
def test_reports_that_differ_are_two(changes: dict[str, Any]) -> None:
    """Above all two statuses of one text, which share the text's `idReport`."""
    assert key(testing.delivery_report) != key(testing.delivery_report, **changes)


def test_a_report_of_another_moment_is_another() -> None:
    """A second try that failed as the first did is news."""
    later = testing.delivery_report(extra={"Fecha": "2026-11-22 12:15:00"})

    assert event_key(parse(*later)) != key(testing.delivery_report)


@pytest.mark.parametrize(
    "changes", [{"file": "b.pdf"}, {"kind": "2"}, {"phone": "34600000009"}, {"port": 1}], ids=str
)
def test_document_events_that_differ_are_two(changes: dict[str, Any]) -> None:
    """Two openings of a document are two events."""
    assert key(testing.document_event) != key(testing.document_event, **changes)


@pytest.mark.parametrize("changes", [{"text": "NO"}, {"sender": "34600000009"}, {"message_id": 5}], ids=str)
def test_incoming_messages_that_differ_are_two(changes: dict[str, Any]) -> None:
    """Whoever writes twice is heard twice."""
    assert key(testing.incoming_message) != key(testing.incoming_message, **changes)


@pytest.mark.parametrize(
    "build",
    [testing.delivery_report, testing.document_event, testing.incoming_message],
    ids=lambda b: b.__name__,
)
def test_the_same_event_is_one_in_every_encoding(build: Any) -> None:
    """A repetition may come as another form, or with a field more."""
    assert len({key(build, form=form) for form in ("json", "form", "multipart")}) == 1


def test_a_key_shows_nothing() -> None:
    """A store that others can read holds no phone and no text."""
    found = key(testing.incoming_message, text="secreto")

    assert len(found) == 32
    assert set(found) <= set("0123456789abcdef")


def test_an_event_is_new_then_busy_then_done() -> None:
    """The life of an event that is handled."""
    store: DedupeStore = MemoryDedupe()

    assert store.begin("a") is Standing.NEW
    assert store.begin("a") is Standing.BUSY
    store.finish("a", True)
    assert store.begin("a") is Standing.DONE
    assert store.begin("b") is Standing.NEW


def test_an_event_whose_handler_failed_is_new_again() -> None:
    """What was not handled may come again."""
    store = MemoryDedupe()
    store.begin("a")

    store.finish("a", False)

    assert store.begin("a") is Standing.NEW


def test_the_memory_is_bounded() -> None:
    """The oldest are forgotten, and the number kept is the one asked for."""
    store = MemoryDedupe(events=3)
    for name in "abcde":
        store.begin(name)
        store.finish(name, True)

    assert len(store) == 3
    assert store.begin("b") is Standing.NEW
    assert store.begin("c") is Standing.DONE


def test_the_memory_forgets_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a week nobody posts an event again."""
    now = 1000.0
    monkeypatch.setattr("mensatek_async.webhooks.dedupe.time.monotonic", lambda: now)
    store = MemoryDedupe(seconds=10)
    store.begin("a")
    store.finish("a", True)

    now = 1009.0
    assert store.begin("a") is Standing.DONE
    now = 1011.0
    assert store.begin("a") is Standing.NEW


@pytest.mark.parametrize("settings", [{"events": 0}, {"seconds": 0}, {"seconds": float("nan")}], ids=str)
def test_a_memory_of_nothing_is_refused(settings: dict[str, Any]) -> None:
    """A misprint shows when the program starts."""
    with pytest.raises(ConfigurationError):
        MemoryDedupe(**settings)


def test_of_many_threads_one_gets_the_event() -> None:
    """Two copies that come at the same moment are one piece of work."""
    store, found = MemoryDedupe(), []
    barrier = threading.Barrier(8)

    def begin() -> None:
        for name in map(str, range(500)):
            barrier.wait()
            found.append((name, store.begin(name)))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(name for name, standing in found if standing is Standing.NEW) == sorted(
        map(str, range(500))
    )
