"""Single sends while a bulk send runs on the same client, beside the same ones alone: with and without a pace."""

from __future__ import annotations

import time
from collections.abc import Iterator

import anyio
from common import CHUNK, SENDER, TEXT, Timing, options, phones
from report import Report, Target, versions
from server import running

from mensatek_async import AsyncMensatek, Limits

LATENCY = 0.2  # seconds
PACES = {None: "no pace", 10.0: "10 requests a second"}
ROW = "single sends while a bulk send runs on the same client, over alone, a provider that takes 200 ms"


async def singles(client: AsyncMensatek, count: int) -> list[Timing]:
    """Single sends, one after the other."""
    took = []
    for _ in range(count):
        started = time.perf_counter()
        await client.sms.send("34699000000", TEXT)
        took.append(Timing(time.perf_counter() - started, 0.0))
    return took


class Bulk:
    """A bulk send that goes on until it is told that its rows end."""

    def __init__(self) -> None:
        self.requests = 0
        self._over = False

    async def run(self, client: AsyncMensatek) -> None:
        async with client.sms.bulk(self._rows(), TEXT) as outcomes:
            async for outcome in outcomes:
                assert outcome.status == "sent", outcome.error
                self.requests += 1

    def end(self) -> None:
        self._over = True

    def _rows(self) -> Iterator[str]:
        for phone in phones(90_000_000):
            if self._over:
                return
            yield phone


async def measure(report: Report, base_url: str, pace: float | None, count: int) -> None:
    limits = Limits(per_second=pace)
    async with AsyncMensatek("user", "token", base_url=base_url, sender=SENDER, limits=limits) as client:
        alone = await singles(client, count)
        bulk = Bulk()
        async with anyio.create_task_group() as group:
            group.start_soon(bulk.run, client)
            await anyio.sleep(1.0)
            started, before = time.perf_counter(), bulk.requests
            beside = await singles(client, count)
            rate = (bulk.requests - before) / (time.perf_counter() - started)
            bulk.end()
    told = PACES[pace]
    for what, timings in (("alone", alone), ("beside a bulk send", beside)):
        report.number(
            f"{what}_{pace}", f"single sends {what}, {told}", "ms", [one.wall * 1000 for one in timings]
        )
        report.number(f"worst_{what}_{pace}", "  the slowest", "ms", [max(timings).wall * 1000])
    target = Target(f"{ROW}: {told}", "<= 1.15", "<= 1.05")
    report.ratio(f"ratio_{pace}", f"the latter over the former, {told}", beside, alone, target)
    report.number(f"rate_{pace}", "  the bulk send meanwhile", f"requests of {CHUNK}/s", [rate])


async def both(report: Report, base_url: str, count: int) -> None:
    for pace in PACES:
        await measure(report, base_url, pace, count)


def main() -> None:
    parser = options(__doc__, rounds=1)
    parser.add_argument("--count", type=int, default=60, help="single sends (60)")
    asked = parser.parse_args()
    report = Report("priority", "single sends beside a bulk send of the same client")
    report.packages = versions("mensatek-async", "httpx")
    with running(LATENCY) as base_url:
        anyio.run(both, report, base_url, 5 if asked.quick else asked.count)
    report.finish(asked)


if __name__ == "__main__":
    main()
