"""Cost per recipient and peak memory of `send_bulk`, from 1,000 to 10,000,000 recipients."""

from __future__ import annotations

from ceiling import ceiling
from common import Meter, Timing, options
from processes import Worker, working
from report import Report, Target, versions
from server import running

SMALLEST = 1_000
SIZES = (SMALLEST, 10_000, 100_000, 1_000_000, 10_000_000)
WAY = "ways_mensatek:bulk"


def repeated(worker: Worker, size: int, recipients: int) -> Timing:
    """Sends of that size, until that many recipients have been sent to."""
    times = max(recipients // size, 1)
    found = [worker.run(WAY, size).timing for _ in range(times)]
    return Timing(sum(one.wall for one in found) / times, sum(one.cpu for one in found) / times)


def main() -> None:
    parser = options(__doc__, rounds=5)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="the largest size (10,000,000)")
    asked = parser.parse_args()
    rounds, most = (2, 20_000) if asked.quick else (asked.rounds, asked.most)
    sizes = [size for size in SIZES if size <= most]
    report = Report("scaling", "send_bulk of ever more recipients")
    report.packages = versions("mensatek-async", "httpx")
    meter = Meter(rounds)
    with running() as base_url, working(base_url, hide=("orjson",)) as worker:
        report.server = ceiling(base_url)
        small = [size for size in sizes if size <= 100_000]
        for name in meter.turns(str(size) for size in small):
            meter.add(name, repeated(worker, int(name), small[-1]))
        for size in small:
            report.microseconds(str(size), f"a recipient, {size:,} in one send", meter.times[str(size)])
        growth(report, meter.times[str(small[-1])], meter.times[str(SMALLEST)], small[-1], small[-1] == most)
        for size in sizes[len(small) :]:
            large(report, base_url, size, size == most)
    report.finish(asked)


def large(report: Report, base_url: str, size: int, last: bool) -> None:
    """One send that takes long, in a fresh process, between two measurements of the smallest size."""
    with working(base_url, hide=("orjson",)) as worker:
        empty = worker.run("ways_mensatek:send", 1).peak
        repeated(worker, SMALLEST, 20 * SMALLEST)  # pays for imports and connections
        before = repeated(worker, SMALLEST, 200 * SMALLEST)
        done = worker.run(WAY, size)
        after = repeated(worker, SMALLEST, 200 * SMALLEST)
    between = Timing((before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2)
    report.microseconds(str(size), f"a recipient, {size:,} in one send", [done.timing])
    report.rate(f"{size}_rate", f"  recipients/s, {size:,}", [done.timing])
    report.number(f"{size}_peak", f"  memory over the empty client, {size:,}", "MB", [done.peak - empty])
    growth(report, [done.timing], [between], size, last)


def growth(report: Report, times: list[Timing], smallest: list[Timing], size: int, last: bool) -> None:
    target = Target(f"a recipient of {size:,} over one of {SMALLEST:,}", "<= 1.15") if last else None
    report.ratio(
        f"{size}_growth", f"a recipient of {size:,} over one of {SMALLEST:,}", times, smallest, target
    )


if __name__ == "__main__":
    main()
