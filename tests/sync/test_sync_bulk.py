"""The bulk suite of the asynchronous client, through the synchronous one: the same cases under the same names."""

from __future__ import annotations

import pytest

from tests.sync.through_threads import cases

globals().update(
    cases(
        "test_bulk",
        apart={
            "test_progress_is_told_after_each_request": "its callback is a coroutine; see test_sync_threads",
            "test_cancelled_halfway_it_waits_for_the_answers_on_their_way": "Ctrl-C, see test_sync_interrupts",
            "test_a_cancellation_does_not_wait_for_ever": "Ctrl-C, see test_sync_interrupts",
            "test_a_single_send_goes_before_bulk_sends": "its callback starts a task in the event loop",
            "test_send_bulk_cancelled_carries_its_result": "Ctrl-C, see test_sync_interrupts",
        },
    )
)


@pytest.fixture
def anyio_backend() -> str:
    """The client runs on its own loop; what the test runs on makes no difference."""
    return "asyncio"
