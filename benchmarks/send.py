"""One text at a time: the SDK against the bare `post(json=)` that it makes, and against the peers' clients."""

from __future__ import annotations

from contextlib import ExitStack

from ceiling import ceiling
from common import Meter, options
from peers import found
from processes import Worker, working
from report import Report, Target, versions
from server import running

LABELS = {
    "ways_mensatek:send": "client.sms.send",
    "ways_httpx:send": "httpx.AsyncClient.post(json=)",
    "ways_twilio:send": "twilio messages.create_async",
    "ways_telnyx:send": "telnyx AsyncTelnyx messages.send",
}
TARGET = Target("one send, against the same `client.post(json=)` by hand", "<= 1.10", "<= 1.00")


def main() -> None:
    parser = options(__doc__, rounds=21)
    parser.add_argument("--count", type=int, default=100, help="sends in a round (100)")
    asked = parser.parse_args()
    rounds, count = (1, 20) if asked.quick else (asked.rounds, asked.count)
    report = Report("send", "one text after the other, one request in flight")
    report.packages = versions("mensatek-async", "httpx")
    meter = Meter(rounds)
    with running() as base_url, ExitStack() as stack:
        report.server = ceiling(base_url)
        plain = stack.enter_context(working(base_url))
        ways: dict[str, Worker] = {"ways_mensatek:send": plain, "ways_httpx:send": plain}
        for peer in ("twilio", "telnyx"):
            if python := found(peer, report, asked.peers):
                ways[f"ways_{peer}:send"] = stack.enter_context(working(base_url, python))
        for name in meter.turns(ways):
            meter.add(name, ways[name].run(name, count).timing)
    times = meter.times
    for name in ways:
        report.took(name, LABELS[name], times[name])
    sdk = times["ways_mensatek:send"]
    report.ratio("ratio", "send over post(json=)", sdk, times["ways_httpx:send"], TARGET)
    for name in ("ways_twilio:send", "ways_telnyx:send"):
        if name in times:
            report.ratio(f"over_{name}", f"send over {LABELS[name]}", sdk, times[name])
    report.finish(asked)


if __name__ == "__main__":
    main()
