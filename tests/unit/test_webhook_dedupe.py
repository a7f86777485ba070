"""How events are told apart and remembered."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mensatek_async import ConfigurationError, testing
from mensatek_async.webhooks import DedupeStore, MemoryDedupe, Standing, event_key, parse


def key(build: Any, **changes: Any) -> str:
    moment = {"Fecha": "2026-11-22 12:00:00", "timestamp": 1795345200}
    return event_key(parse(*build(**{"extra": moment, **changes})))


@pytest.mark.parametrize(
    ("build", "changes"),
    [
        *(
            (testing.delivery_report, change)
            for change in ({"status": 11}, {"message_id": 5}, {"report_id": 7})
        ),
        (testing.delivery_report, {"phone": "34600000009"}),
        (testing.delivery_report, {"service": "SMSCERTIFICADO"}),
        (testing.delivery_report, {"extra": {"Fecha": "2026-11-22 12:15:00"}}),
        *((testing.document_event, change) for change in ({"file": "b.pdf"}, {"kind": "2"}, {"port": 1})),
        (testing.document_event, {"phone": "34600000009"}),
        *((testing.incoming_message, change) for change in ({"text": "NO"}, {"message_id": 5})),
        (testing.incoming_message, {"sender": "34600000009"}),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value),
)
def test_events_that_differ_are_two(build: Any, changes: dict[str, Any]) -> None:
    """Above all two statuses of one text, which share its `idReport`; the same event is one in every encoding, whose
    key shows nothing of a phone or a text."""
    keys = {key(build, form=form) for form in ("json", "form", "multipart")}

    assert len(keys) == 1
    assert key(build, **changes) not in keys
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in keys)


def test_an_event_is_new_then_busy_then_done() -> None:
    """The life of an event that is handled, at the second attempt."""
    store: DedupeStore = MemoryDedupe()

    assert store.begin("a") is Standing.NEW
    assert store.begin("a") is Standing.BUSY
    store.finish("a", False)
    assert store.begin("a") is Standing.NEW
    store.finish("a", True)
    assert store.begin("a") is Standing.DONE
    assert store.begin("b") is Standing.NEW


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten, and the number kept is the one asked for; all are in time, since nobody posts an event
    again after a week."""
    store = MemoryDedupe(events=3)
    for name in "abcde":
        store.begin(name)
        store.finish(name, True)
    assert [store.begin(name) for name in "bcde"] == [Standing.NEW, *[Standing.DONE] * 3]

    now = 1000.0
    monkeypatch.setattr("mensatek_async.webhooks.dedupe.time.monotonic", lambda: now)
    store = MemoryDedupe(seconds=10)
    store.begin("a")
    store.finish("a", True)
    now = 1009.0
    assert store.begin("a") is Standing.DONE
    now = 1011.0
    assert store.begin("a") is Standing.NEW
    wrong: list[dict[str, Any]] = [{"events": 0}, {"seconds": 0}, {"seconds": float("nan")}]
    for settings in wrong:
        with pytest.raises(ConfigurationError):
            MemoryDedupe(**settings)


def test_of_many_threads_one_gets_the_event() -> None:
    """Two copies that come at the same moment are one piece of work."""
    store, found = MemoryDedupe(), []
    barrier = threading.Barrier(8)

    def begin() -> None:
        for name in map(str, range(100)):
            barrier.wait()
            found.append((name, store.begin(name)))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(name for name, standing in found if standing is Standing.NEW) == sorted(
        map(str, range(100))
    )
