"""Requests on their way during a cancellation: given a last moment, and known to be lost after it."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
from trio.testing import MockClock

from mensatek_async._core.call_state import InFlightShield, in_flight_shield
from mensatek_async._core.failures import Cut
from tests.scripted import Script, client_of, reply

SENT = {"idMensaje": 77, "Cred": 9, "Mensajes": 1, "NoEnviados": 0, "CreditosUsados": 1}


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps to the next deadline, so that no test waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def slow(seconds: float) -> Any:
    async def answer(_: httpx.Request) -> httpx.Response:
        await anyio.sleep(seconds)
        return reply(**SENT)

    return answer


async def test_a_request_that_begins_after_the_last_moment_is_cut_at_once() -> None:
    """None outlives the grace."""
    shield = InFlightShield()
    shield.release_in(1)
    await anyio.sleep(2)
    with pytest.raises(Cut), shield.covering():
        await anyio.sleep(60)

    assert shield.lost == 1


async def test_calls_that_change_something_can_be_shielded_from_outside() -> None:
    """Where `in_flight_shield` says so; a read is cut off at once, since nothing depends on it."""
    shield = InFlightShield()
    token = in_flight_shield.set(shield)
    ended: dict[str, float] = {}
    try:
        async with client_of(Script(reply(), slow(3), slow(3))) as client:
            await client.sms.cancel(1)  # from here on calls go out side by side

            async def one(name: str, call: Any) -> None:
                try:
                    await call
                finally:
                    ended[name] = anyio.current_time()

            began = anyio.current_time()
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(one, "change", client.sms.cancel(5))
                    group.start_soon(one, "read", client.request("GetCreditos"))
                    await anyio.sleep(1)
                    scope.cancel()
                    shield.release_in(5)
    finally:
        in_flight_shield.reset(token)

    assert ended["read"] - began == pytest.approx(1)
    assert ended["change"] - began == pytest.approx(3)
    assert shield.lost == 0
