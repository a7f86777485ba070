"""Cost per recipient and peak memory of `send_bulk`, from 1,000 to 10,000,000 recipients."""

from __future__ import annotations

from ceiling import ceiling
from common import Meter, Timing, options
from processes import Worker, working
from report import Report, Target, versions
from server import running

SMALL = (1_000, 10_000, 100_000)  # measured in turn
LARGE = (1_000_000, 10_000_000)  # each once, in a fresh process, between two sends of the base
BASE = SMALL[-1]
WAY = "ways_mensatek:bulk"


def repeated(worker: Worker, size: int, recipients: int) -> Timing:
    """Sends of that size, until that many recipients have been sent to."""
    times = max(recipients // size, 1)
    found = [worker.run(WAY, size).timing for _ in range(times)]
    return Timing(sum(one.wall for one in found) / times, sum(one.cpu for one in found) / times)


def main() -> None:
    parser = options(__doc__, rounds=7)
    parser.add_argument("--most", type=int, default=LARGE[-1], help="the largest size (10,000,000)")
    asked = parser.parse_args()
    rounds, most, each = (1, BASE, SMALL[1]) if asked.quick else (asked.rounds, asked.most, BASE)
    report = Report("scaling", "send_bulk of ever more recipients")
    report.packages = versions("mensatek-async", "httpx")
    meter = Meter(rounds)
    with running() as base_url:
        report.server = ceiling(base_url)
        with working(base_url) as worker:
            for name in meter.turns(str(size) for size in SMALL):
                meter.add(name, repeated(worker, int(name), each))
        for size in SMALL:
            report.took(str(size), f"a recipient, {size:,} in one send", meter.times[str(size)])
        for size in SMALL[:-1]:
            growth(report, meter.times[str(BASE)], meter.times[str(size)], BASE, size)
        for size in LARGE:
            if size <= most:
                large(report, base_url, size)
    report.finish(asked)


def large(report: Report, base_url: str, size: int) -> None:
    """One send that takes long."""
    with working(base_url) as worker:
        empty = worker.run("ways_mensatek:send", 1).peak
        worker.run(WAY, BASE)  # pays for imports and connections
        before = repeated(worker, BASE, 5 * BASE)
        done = worker.run(WAY, size)
        after = repeated(worker, BASE, 5 * BASE)
    between = Timing((before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2)
    report.took(str(size), f"a recipient, {size:,} in one send", [done.timing])
    report.rate(f"{size}_rate", f"  recipients/s, {size:,}", [done.timing])
    report.number(f"{size}_peak", f"  memory over the empty client, {size:,}", "MB", [done.peak - empty])
    growth(report, [done.timing], [between], size, BASE)


def growth(report: Report, times: list[Timing], base: list[Timing], size: int, small: int) -> None:
    told = f"a recipient of {size:,} over one of {small:,}"
    target = Target(told, "<= 1.10", by="cpu") if small != SMALL[1] else None
    report.ratio(f"{size}_over_{small}", told, times, base, target)


if __name__ == "__main__":
    main()
