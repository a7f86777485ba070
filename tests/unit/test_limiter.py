"""How many requests at once and how fast, on a clock that jumps."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from mensatek_async._core.limits.limiter import Limiter


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps to the next deadline, so that no test waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def starts(limiter: Limiter, tasks: int, lasting: float = 0.0) -> list[float]:
    """When so many requests, asked for together, began; each lasts so many seconds."""
    began: list[float] = []
    origin = anyio.current_time()

    async def request() -> None:
        await limiter.acquire()
        try:
            began.append(round(anyio.current_time() - origin, 6))
            await anyio.sleep(lasting)
        finally:
            limiter.release()

    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(request)
    return began


async def test_no_more_requests_at_once_than_allowed() -> None:
    """Ten requests of one second, three at a time, begin in four waves."""
    assert await starts(Limiter(3, None), 10, lasting=1.0) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


async def test_a_pace_spreads_requests() -> None:
    """Four a second are 0.25 s apart, without a burst at the beginning."""
    assert await starts(Limiter(8, 4.0), 5) == [0, 0.25, 0.5, 0.75, 1.0]


async def test_a_pace_does_not_save_up() -> None:
    """After a quiet minute there is still no burst."""
    limiter = Limiter(8, 2.0)
    await starts(limiter, 1)
    await anyio.sleep(60)

    assert await starts(limiter, 3) == [0, 0.5, 1.0]


async def test_first_come_first_served() -> None:
    """Tasks leave in the order they asked."""
    limiter, order = Limiter(1, None), []

    async def request(name: int) -> None:
        await limiter.acquire()
        order.append(name)
        await anyio.sleep(1)
        limiter.release()

    async with anyio.create_task_group() as group:
        for name in range(5):
            group.start_soon(request, name)
            await anyio.sleep(0.1)

    assert order == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("per_second", [None, 0.5])
async def test_a_cancelled_wait_gives_its_place_back(per_second: float | None) -> None:
    """Whoever gives up waiting, for a place or for its turn, takes no place with it."""
    limiter = Limiter(2, per_second)
    for _ in range(6):
        with anyio.move_on_after(0.01):
            await starts(limiter, 4, lasting=30)

    await anyio.sleep(60)
    with anyio.fail_after(10):
        assert len(await starts(limiter, 2, lasting=1)) == 2


async def test_told_to_slow_down_it_halves_the_rate_and_recovers() -> None:
    """From ten a second to five, and back step by step as requests go well, not faster than before."""
    limiter = Limiter(8, 10.0)
    await starts(limiter, 10)

    limiter.slow_down()
    assert limiter.interval == pytest.approx(0.2, rel=0.2)

    seen = [limiter.interval]
    for _ in range(40):
        limiter.went_well()
        seen.append(limiter.interval)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == pytest.approx(0.1)


async def test_without_a_pace_it_slows_down_from_what_it_did() -> None:
    """Having sent one every 0.5 s it goes on with one a second; when all goes well the pace goes away again."""
    limiter = Limiter(8, None)
    for _ in range(16):
        await starts(limiter, 1)
        await anyio.sleep(0.5)

    limiter.slow_down()
    assert limiter.interval == pytest.approx(1.0)
    for _ in range(100):
        limiter.went_well()
    assert limiter.interval == 0


async def test_words_that_come_together_count_once() -> None:
    """Eight answers that say "slow down" within a second are one; a later one counts again."""
    limiter = Limiter(8, 1.0)
    await starts(limiter, 1)
    for _ in range(8):
        limiter.slow_down()
    assert limiter.interval == pytest.approx(2.0)

    await anyio.sleep(1.5)
    limiter.slow_down()
    assert limiter.interval == pytest.approx(4.0)


async def test_the_slowest_pace_has_an_end() -> None:
    """However often it is told, a request leaves every ten seconds."""
    limiter = Limiter(8, None)
    for _ in range(30):
        limiter.slow_down()
        await anyio.sleep(1.5)

    assert limiter.interval == 10.0
    assert await starts(limiter, 2) == [0, 10.0]


async def test_a_first_word_slows_down_a_limiter_that_did_nothing() -> None:
    """There is nothing to halve yet, so it takes one."""
    limiter = Limiter(8, None)
    limiter.slow_down()

    assert limiter.interval >= 0.05


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_on_asyncio_too() -> None:
    """The same waves and the same places back, in real time."""
    limiter = Limiter(2, None)
    with anyio.move_on_after(0.02):
        await starts(limiter, 4, lasting=30)

    waves = await starts(limiter, 4, lasting=0.05)

    assert waves[2] - waves[0] >= 0.04
    assert waves[3] - waves[1] >= 0.04
