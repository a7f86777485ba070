"""What an observer costs a call: one send, with an observer that does nothing, and with OpenTelemetry's API alone."""

from __future__ import annotations

from common import Meter, options
from processes import working
from report import Report, Target, versions
from server import running

OBSERVED = Target("a call that an observer is told of, more than one without, us", "<= 15")
PLAIN = "ways_mensatek:send"
WAYS = {
    "observed": ("ways_mensatek:send_observed", "an observer with two methods that do nothing", OBSERVED),
    "traced": ("ways_mensatek:send_traced", "OpenTelemetryObserver without an SDK", None),
}


def main() -> None:
    parser = options(__doc__, rounds=15)
    parser.add_argument("--count", type=int, default=500, help="how many sends in a round (500)")
    asked = parser.parse_args()
    rounds, count = (1, 50) if asked.quick else (asked.rounds, asked.count)
    report = Report("observer", "a send with an observer beside one without")
    report.packages = versions("mensatek-async", "httpx", "opentelemetry-api")
    meter = Meter(rounds)
    with running() as base_url, working(base_url) as worker:
        for name in meter.turns([PLAIN, *(way for way, _, _ in WAYS.values())]):
            meter.add(name, worker.run(name, count).timing)
    plain = meter.times[PLAIN]
    report.took("plain", "client.sms.send", plain)
    for key, (way, about, target) in WAYS.items():
        report.took(key, f"the same with {about}", meter.times[way])
        more = [(one.cpu - other.cpu) * 1e6 for one, other in zip(meter.times[way], plain, strict=True)]
        report.number(f"more_{key}", f"{about}, more by CPU", "us", more, target)
    report.finish(asked)


if __name__ == "__main__":
    main()
