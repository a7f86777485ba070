"""Requests on their way during a cancellation: given a last moment, and known to be lost after it."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
from trio.testing import MockClock

from mensatek_async import AsyncMensatek, OutcomeUnknown
from mensatek_async._core.call_state import Flights, Trace, landing
from mensatek_async._core.exchange import send_request
from mensatek_async._core.failures import Cut
from mensatek_async._core.messages.message import compose
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


async def send(client: AsyncMensatek, trace: Trace) -> Any:
    """One request as a bulk send makes it."""
    context = client._context
    message = compose(context.operations["EnviarSMS"], "Hola", sender=None, region="ES")
    return await send_request(context, message, [{"Movil": "34600000001"}], False, trace)


async def test_a_cancelled_request_gets_a_last_moment() -> None:
    """Its answer comes within the grace, so what became of it is known."""
    flights, results = Flights(), []
    async with client_of(Script(slow(3))) as client:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:

                async def one() -> None:
                    results.append(await send(client, trace))

                trace = Trace(flights=flights)
                group.start_soon(one)
                await anyio.sleep(1)
                scope.cancel()
                flights.land(5)

    assert [result.accepted for result in results] == [1]
    assert (trace.attempts, trace.left, trace.maybe_done, flights.lost) == (1, True, False, 0)


async def test_after_the_last_moment_the_outcome_is_unknown() -> None:
    """The shield ends with the grace: the request is cut off, and counted as lost."""
    flights, trace, ended = Flights(), Trace(), []
    trace.flights = flights
    async with client_of(Script(slow(60))) as client:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:

                async def one() -> None:
                    began = anyio.current_time()
                    try:
                        await send(client, trace)
                    except OutcomeUnknown as error:
                        ended.append((anyio.current_time() - began, str(error)))

                group.start_soon(one)
                await anyio.sleep(1)
                scope.cancel()
                flights.land(5)

    ((after, told),) = ended
    assert after == pytest.approx(6)
    assert "cancelled before its answer came" in told
    assert (trace.maybe_done, flights.lost) == (True, 1)


async def test_a_request_that_begins_after_the_last_moment_is_cut_at_once() -> None:
    """None outlives the grace."""
    flights = Flights()
    flights.land(1)
    await anyio.sleep(2)
    with pytest.raises(Cut), flights.flight():
        await anyio.sleep(60)

    assert flights.lost == 1


async def test_without_a_cancellation_nothing_is_cut() -> None:
    """A shield costs a request nothing, however long it takes; its errors pass through."""
    flights = Flights()
    with flights.flight():
        await anyio.sleep(600)
    with pytest.raises(ZeroDivisionError), flights.flight():
        raise ZeroDivisionError
    flights.land(1)

    assert flights.lost == 0


async def test_calls_that_change_something_can_be_shielded_from_outside() -> None:
    """Where `landing` says so; a read is cut off at once, since nothing depends on it."""
    flights = Flights()
    token = landing.set(flights)
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
                    flights.land(5)
    finally:
        landing.reset(token)

    assert ended["read"] - began == pytest.approx(1)
    assert ended["change"] - began == pytest.approx(3)
    assert flights.lost == 0
