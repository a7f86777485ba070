"""Events that several processes share: each reaches one handler of one process once."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import pytest

from mensatek_async import ConfigurationError, InvalidRequest, testing
from mensatek_async.sandbox import Sandbox
from mensatek_async.webhooks import (
    Event,
    Receiver,
    Request,
    Standing,
    StoreDedupe,
    event_key,
    parse,
    receiver,
)
from tests.sync.child import child

BODY, CONTENT_TYPE = testing.delivery_report()
POST = Request(body=BODY, content_type=CONTENT_TYPE)
KEY = event_key(parse(BODY, CONTENT_TYPE))


def receiver_of(store: str, handler: Callable[[Event], Any], **more: Any) -> Receiver:
    """As another process has it."""
    return Receiver(handler, allow_unauthenticated=True, dedupe=StoreDedupe(store, **more))


@pytest.mark.parametrize("waits", [True, False], ids=["async", "sync"])
async def test_once_over_processes_and_restarts(store: str, waits: bool) -> None:
    """A handler that raised gets it again; one that returned does not, whoever has it posted."""
    handled: list[Event] = []

    def handle(event: Event) -> None:
        handled.append(event)
        if len(handled) == 1:
            raise ZeroDivisionError

    statuses = []
    for _ in range(4):
        one = receiver_of(store, handle)
        if waits:
            statuses.append((await one.receive(POST)).status)
        else:
            statuses.append((await anyio.to_thread.run_sync(one.receive_sync, POST)).status)
    assert statuses == [500, 200, 200, 200]
    assert len(handled) == 2
    if not store.startswith("postgresql:"):
        assert (await anyio.Path(store).stat()).st_mode & 0o777 == 0o600


async def test_a_copy_waits_for_the_handler_of_another_process(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is told to come again when that takes long; a handler beyond its lease is taken for dead."""
    monkeypatch.setattr(receiver, "_PATIENCE", 0.1)
    first, second = StoreDedupe(store), StoreDedupe(store)
    assert [await first.begin(KEY), await second.begin(KEY)] == [Standing.NEW, Standing.BUSY]
    assert (await receiver_of(store, print).receive(POST)).status == 503
    third = StoreDedupe(store, lease=timedelta(milliseconds=50))
    await anyio.sleep(0.06)
    assert await third.begin(KEY) is Standing.NEW
    await first.finish(KEY, True)  # too late: it is the third's now
    assert await second.begin(KEY) is Standing.BUSY
    await third.finish(KEY, True)
    assert await second.begin(KEY) is Standing.DONE
    for one in (first, second, third):
        await one.aclose()
    assert await second.begin(KEY) is Standing.DONE


async def test_what_is_old_is_purged(store: str) -> None:
    """On the way, and when asked; what is remembered no longer counts at once."""
    dedupe = StoreDedupe(store, seconds=0.2, lease=0.2)
    for key in ("a", "b"):
        await dedupe.begin(key)
        await dedupe.finish(key, True)
    await StoreDedupe(store, lease=0.2).begin("never finished")
    await anyio.sleep(0.25)
    assert await dedupe.begin("a") is Standing.NEW
    assert await StoreDedupe(store, seconds=0.2, lease=0.2).begin("c") is Standing.NEW
    patient = StoreDedupe(store, lease=60)
    await patient.begin("d")
    await patient.finish("d", True)
    assert (
        await patient.purge(timedelta(microseconds=1)) == 1
    )  # d: a and c are being handled, the others had gone
    assert await patient.purge() == 0


@pytest.mark.parametrize(
    ("store", "more", "error"),
    [
        (":memory:", {}, InvalidRequest),
        ("mysql://host/database", {}, InvalidRequest),
        ("w.db", {"seconds": 0}, ConfigurationError),
        ("w.db", {"lease": timedelta(0)}, ConfigurationError),
        ("w.db", {"lease": "long"}, ConfigurationError),
    ],
)
def test_what_cannot_be(store: str, more: Any, error: type[Exception]) -> None:
    """It is said when it is made."""
    with pytest.raises(error):
        StoreDedupe(store, **more)


WORKER = """
    import time
    from mensatek_async.webhooks import Receiver, Request, StoreDedupe
    def handle(event):
        tell(handling=True)
        time.sleep({seconds})
    receiver = Receiver(handle, allow_unauthenticated=True, dedupe=StoreDedupe({store!r}))
    answer = receiver.receive_sync(Request(body={body!r}, content_type={content_type!r}))
    tell(status=answer.status)
"""


def test_a_process_killed_in_its_handler(sandbox: Sandbox, store: str) -> None:
    """Another one, which had been told to wait, is handed the event at once, and nobody after it."""

    def code(seconds: int) -> str:
        return WORKER.format(seconds=seconds, store=store, body=BODY, content_type=CONTENT_TYPE)

    with child(code(60), sandbox) as first:
        assert first.line() == {"handling": True}
        with child(code(0), sandbox) as second:
            time.sleep(1)
            assert second.process.poll() is None
            first.process.kill()
            assert [second.line(), second.line()] == [{"handling": True}, {"status": 200}]
        with child(code(0), sandbox) as third:
            assert third.line() == {"status": 200}
