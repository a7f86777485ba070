"""What one call costs while ever more callers share one client, beside bare httpx used the same way."""

from __future__ import annotations

from ceiling import ceiling
from common import Meter, options
from processes import working
from report import Report, Target, versions
from server import running

CALLERS = (1, 2, 4, 8, 16, 32, 64)
LABELS = {"ways_mensatek": "client.sms.send", "ways_httpx": "httpx.AsyncClient.post(json=)"}


def main() -> None:
    parser = options(__doc__, rounds=9)
    parser.add_argument(
        "--count", type=int, default=256, help="calls in a round, of all callers together (256)"
    )
    asked = parser.parse_args()
    rounds, count = (1, 64) if asked.quick else (asked.rounds, asked.count)
    report = Report("callers", "microseconds a call with so many concurrent callers on one client")
    report.packages = versions("mensatek-async", "httpx")
    meter = Meter(rounds)
    crowds = CALLERS[::3] if asked.quick else CALLERS
    ways = [f"{module}:callers_{many}" for module in LABELS for many in crowds]
    with running() as base_url, working(base_url) as worker:
        report.server = ceiling(base_url)
        for name in meter.turns(ways):
            meter.add(name, worker.run(name, count).timing)
    for module, label in LABELS.items():
        for many in crowds:
            timings = meter.times[f"{module}:callers_{many}"]
            report.took(f"{module}:{many}", f"{label}, {many} at a time", timings)
    row = Target("one call with 64 concurrent callers, over one with 1", "<= 1.00", by="cpu")
    for module, label in LABELS.items():
        most, one = (meter.times[f"{module}:callers_{many}"] for many in (CALLERS[-1], 1))
        target = row if module == "ways_mensatek" else None
        report.ratio(f"{module}:growth", f"{label}, {CALLERS[-1]} at a time over 1", most, one, target)
    report.finish(asked)


if __name__ == "__main__":
    main()
