"""How many requests at once and how fast, on a clock that jumps."""

from __future__ import annotations

import statistics
from bisect import bisect_left
from functools import partial
from typing import Any

import anyio
import pytest
from trio.testing import MockClock

from mensatek_async._core.limits.limiter import Limiter


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps to the next deadline, so that no test waits."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def starts(limiter: Limiter, tasks: int, lasting: float = 0.0, *, bulk: bool = False) -> list[float]:
    """When so many requests, asked for together, began; each lasts so many seconds."""
    began: list[float] = []
    origin = anyio.current_time()

    async def request() -> None:
        await limiter.acquire(bulk=bulk)
        try:
            began.append(round(anyio.current_time() - origin, 6))
            await anyio.sleep(lasting)
        finally:
            limiter.release(bulk=bulk)

    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(request)
    return began


async def test_no_more_requests_at_once_than_allowed() -> None:
    """Ten requests of one second, three at a time, begin in four waves."""
    assert await starts(Limiter(3, None), 10, lasting=1.0) == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


async def test_a_pace_spreads_requests() -> None:
    """Four a second are 0.25 s apart, without a burst at the beginning, nor after a quiet minute."""
    limiter = Limiter(8, 4.0)
    for _ in range(2):
        assert await starts(limiter, 5) == [0, 0.25, 0.5, 0.75, 1.0]
        await anyio.sleep(60)


@pytest.mark.parametrize("per_second", [None, 2.0])
async def test_single_calls_come_first_and_in_their_order(per_second: float | None) -> None:
    """Tasks of one kind leave in the order they asked, single calls before bulk work that asked sooner."""
    limiter, order = Limiter(1, per_second), []

    async def request(name: str) -> None:
        await limiter.acquire(bulk=name.startswith("bulk"))
        order.append(name)
        await anyio.sleep(1)
        limiter.release(bulk=name.startswith("bulk"))

    async with anyio.create_task_group() as group:
        for name in ("bulk 1", "bulk 2", "bulk 3", "single 1", "single 2"):
            group.start_soon(request, name)
            await anyio.sleep(0.1)

    assert order == ["bulk 1", "single 1", "single 2", "bulk 2", "bulk 3"]


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("per_second", [None, 0.5, 5.0])
async def test_a_cancelled_wait_gives_its_place_back(per_second: float | None, bulk: bool) -> None:
    """Whoever gives up waiting, for a place or for its turn, takes no place with it and holds up nobody."""
    limiter = Limiter(2, per_second)
    for _ in range(6):
        with anyio.move_on_after(0.01):
            async with anyio.create_task_group() as group:
                group.start_soon(partial(starts, limiter, 4, 30, bulk=not bulk))
                group.start_soon(partial(starts, limiter, 4, 30, bulk=bulk))

    await anyio.sleep(60)
    with anyio.fail_after(10):
        assert len(await starts(limiter, 2, lasting=1, bulk=bulk)) == 2


class Traffic:
    """A bulk send's workers and single calls on one limiter; each request lasts 0.2 s."""

    def __init__(self, limiter: Limiter) -> None:
        self.limiter = limiter
        self.left: list[float] = []
        self.in_flight = self.most = self.bulk = 0

    async def request(self, bulk: bool) -> float:
        """Make one; gives the seconds from asking to its end."""
        asked = anyio.current_time()
        await self.limiter.acquire(bulk=bulk)
        self.left.append(anyio.current_time())
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        await anyio.sleep(0.2)
        self.in_flight -= 1
        self.bulk += bulk
        self.limiter.release(bulk=bulk, accepted=True)
        return anyio.current_time() - asked

    async def without_end(self, bulk: bool) -> None:
        while True:
            await self.request(bulk)
            await anyio.sleep(0.002)

    @property
    def most_in_a_second(self) -> int:
        return max(bisect_left(self.left, at + 0.9999) - n for n, at in enumerate(self.left))


@pytest.mark.parametrize("pause", [0.001, 0.05, 3.0])
@pytest.mark.parametrize("per_second", [None, 10.0, 25.0])
async def test_a_single_call_does_not_wait_behind_bulk_work(per_second: float | None, pause: float) -> None:
    """It takes what it takes alone, and the bulk work goes on; neither the places nor the pace are passed."""
    traffic = Traffic(Limiter(8, per_second))
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(traffic.without_end, True)
        await anyio.sleep(1.05)
        took, before = [], traffic.bulk
        for _ in range(60):
            took.append(await traffic.request(False))
            await anyio.sleep(pause)
        per_single = (traffic.bulk - before) / 60
        group.cancel_scope.cancel()

    assert statistics.median(took) <= 1.05 * 0.2
    assert max(took[1:]) <= 1.3 * 0.2
    assert per_single >= 0.8 * ((0.2 + pause) * (per_second or 35) - 1)
    assert traffic.most <= 8
    assert traffic.most_in_a_second <= (per_second or 40)


@pytest.mark.parametrize(("places", "per_second"), [(1, None), (8, None), (8, 10.0), (8, 1.5)])
async def test_bulk_work_goes_on_under_single_calls_without_end(
    places: int, per_second: float | None
) -> None:
    """However many single calls wait, now and then one request of a bulk send is let by."""
    traffic = Traffic(Limiter(places, per_second))
    with anyio.move_on_after(120):
        async with anyio.create_task_group() as group:
            for bulk in [False] * 20 + [True] * 4:
                group.start_soon(traffic.without_end, bulk)

    assert 0.04 * len(traffic.left) <= traffic.bulk <= 0.2 * len(traffic.left)


class Provider:
    """Accepts so many requests in every second that begins, and counts what it refuses."""

    def __init__(self, allowed: float, retry_after: float | None) -> None:
        self.allowed, self.retry_after = allowed, retry_after
        self.accepted = self.refused = 0
        self._second, self._used = -1, 0

    def takes(self) -> bool:
        now = int(anyio.current_time())
        self._used = self._used + 1 if now == self._second else 1
        self._second = now
        good = self._used <= self.allowed
        self.accepted += good
        self.refused += not good
        return good


async def send_to(provider: Provider, limiter: Limiter, seconds: float) -> None:
    """Send from two tasks, and soon from eight, for so long, as a bulk send does."""
    end = anyio.current_time() + seconds

    async def caller() -> None:
        nonlocal started, held_until
        grown = False
        while anyio.current_time() < end:
            await anyio.sleep_until(held_until)
            began, good = await limiter.acquire(), False
            try:
                if began < held_until:
                    continue
                await anyio.sleep(0.05)
                good = provider.takes()
            finally:
                limiter.release(accepted=good)
            if good:
                if not grown and started < 8:
                    started += 1
                    grown = True
                    group.start_soon(caller)
            else:
                limiter.slow_down(provider.retry_after)
                held_until = anyio.current_time() + (provider.retry_after or 0.0)
                await anyio.sleep(provider.retry_after or 0.5)

    started, held_until = 2, 0.0
    async with anyio.create_task_group() as group:
        for _ in range(started):
            group.start_soon(caller)


@pytest.mark.parametrize("retry_after", [None, 1.0])
@pytest.mark.parametrize("allowed", [2, 5, 20, 100])
async def test_it_finds_the_rate_that_the_provider_allows(allowed: int, retry_after: float | None) -> None:
    """Most of what is allowed is used, and few requests are refused, which the provider would count as spam."""
    provider, limiter = Provider(allowed, retry_after), Limiter(8, None)

    await send_to(provider, limiter, 60)

    assert provider.accepted >= 0.8 * allowed * 60
    assert provider.refused <= 0.05 * (provider.accepted + provider.refused)


async def test_it_recovers_when_the_provider_allows_more_again() -> None:
    """A bad minute is forgotten: the limit goes away when nothing is refused any more."""
    provider, limiter = Provider(5, None), Limiter(8, None)
    await send_to(provider, limiter, 60)
    assert limiter.interval > 0.1

    provider.allowed = 1e9
    await send_to(provider, limiter, 600)

    assert limiter.interval == 0


async def test_a_pace_of_the_user_is_never_passed() -> None:
    """What the provider allows beyond it is not tried."""
    provider, limiter = Provider(8, None), Limiter(8, 4.0)

    await send_to(provider, limiter, 60)

    assert (provider.accepted, provider.refused) == (pytest.approx(240, abs=10), 0)


async def test_refusals_that_come_together_count_once() -> None:
    """Eight answers that say "slow down" within a second are one; a later one counts again."""
    limiter = Limiter(8, 1.0)
    await starts(limiter, 1)
    seen = []
    for _ in range(2):
        for _ in range(8):
            limiter.slow_down()
            seen.append(limiter.interval)
        await anyio.sleep(1.5)

    assert len({round(one, 3) for one in seen}) == 2
    assert min(seen) > 1.0


async def test_the_slowest_pace_has_an_end() -> None:
    """However often it is told, a request leaves every 2.4 seconds."""
    limiter = Limiter(8, None)
    for _ in range(30):
        limiter.slow_down()
        await anyio.sleep(1.5)

    assert 1 < limiter.interval < 2.4
