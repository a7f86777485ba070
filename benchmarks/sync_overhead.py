"""The synchronous client: `send_bulk` against the asynchronous client's, one send against `httpx.Client`."""

from __future__ import annotations

from ceiling import ceiling
from common import Meter, options
from processes import working
from report import Report, Target, versions
from server import running

SENDS = {
    "ways_mensatek:sync_send": "Mensatek, client.sms.send",
    "ways_mensatek:send": "AsyncMensatek, the same in its own loop",
    "ways_httpx:sync_send": "httpx.Client.post(json=)",
}
BULKS = {
    "ways_mensatek:sync_bulk": "Mensatek, send_bulk of a generator",
    "ways_mensatek:bulk": "AsyncMensatek, the same",
    "ways_mensatek:sync_bulk_list": "Mensatek, send_bulk of a list",
    "ways_mensatek:bulk_list": "AsyncMensatek, the same",
    "ways_mensatek:sync_bulk_stream": "Mensatek, bulk, outcome by outcome",
    "ways_mensatek:bulk_stream": "AsyncMensatek, the same",
}


def main() -> None:
    parser = options(__doc__, rounds=11)
    parser.add_argument("--count", type=int, default=100, help="single sends in a round (100)")
    parser.add_argument("--recipients", type=int, default=100_000, help="of a bulk send (100,000)")
    asked = parser.parse_args()
    rounds, count, many = (1, 20, 5_000) if asked.quick else (asked.rounds, asked.count, asked.recipients)
    report = Report("sync_overhead", "the synchronous client beside the asynchronous one and httpx.Client")
    report.packages = versions("mensatek-async", "httpx")
    singles, bulks = Meter(rounds), Meter(rounds)
    with running() as base_url, working(base_url) as worker:
        report.server = ceiling(base_url)
        for name in singles.turns(SENDS):
            singles.add(name, worker.run(name, count).timing)
        for name in bulks.turns(BULKS):
            bulks.add(name, worker.run(name, many).timing)
    for name, label in SENDS.items():
        report.took(name, label, singles.times[name])
    for name, label in BULKS.items():
        report.rate(name, label, bulks.times[name])
    conclude(report, singles, bulks)
    report.finish(asked)


def conclude(report: Report, singles: Meter, bulks: Meter) -> None:
    sync = singles.times["ways_mensatek:sync_send"]
    for name in ("ways_mensatek:send", "ways_httpx:sync_send"):
        pairs = zip(sync, singles.times[name], strict=True)
        more = [(one.wall - other.wall) * 1e6 for one, other in pairs]
        report.number(f"more_than_{name}", f"one send, more than {SENDS[name]}", "us", more)
    for kind, label in (("bulk", "a generator"), ("bulk_list", "a list"), ("bulk_stream", "outcomes")):
        times, others = bulks.times[f"ways_mensatek:sync_{kind}"], bulks.times[f"ways_mensatek:{kind}"]
        target = Target(f"sync bulk against async bulk, {label}", ">= 0.95", ">= 1.00", by="cpu")
        report.ratio(f"ratio_{kind}", f"sync rate over async rate, {label}", others, times, target)


if __name__ == "__main__":
    main()
