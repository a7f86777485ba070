"""`send_bulk` against a hand-written loop of the same requests: 500 recipients each, 8 in flight."""

from __future__ import annotations

from contextlib import ExitStack

from ceiling import ceiling
from common import Meter, Timing, options
from peers import found
from processes import Worker, working
from report import Report, Target, versions
from server import running

LABELS = {
    "ways_mensatek:bulk": "send_bulk",
    "ways_httpx:chunks": "httpx by hand",
    "ways_aiohttp:chunks": "aiohttp by hand",
    "ways_mensatek:bulk_fields": "send_bulk, two personal fields",
    "ways_httpx:fields": "httpx by hand, two personal fields",
    "latency ways_mensatek:bulk": "send_bulk, a provider that takes 20 ms",
    "latency ways_httpx:chunks": "httpx by hand, a provider that takes 20 ms",
}
# The SDK's way, the same by hand, and what the ratio of their rates is called.
PAIRS = {
    "ratio": ("ways_mensatek:bulk", "ways_httpx:chunks", "send_bulk's rate over httpx by hand"),
    "ratio_fields": (
        "ways_mensatek:bulk_fields",
        "ways_httpx:fields",
        "send_bulk's rate over httpx by hand, two personal fields",
    ),
    "ratio_latency": (
        "latency ways_mensatek:bulk",
        "latency ways_httpx:chunks",
        "send_bulk's rate over httpx by hand, a provider that takes 20 ms",
    ),
}
LATENCY = 0.02  # seconds
ROW = "`send_bulk`, against a hand-written loop of the same requests"
TARGETS = {
    "ratio": Target(ROW, ">= 0.90", ">= 1.00"),
    "ratio_fields": Target(f"{ROW}, two personal fields (checked and counted here)", ">= 0.80", ">= 0.95"),
}


def main() -> None:
    parser = options(__doc__, rounds=9)
    parser.add_argument("--recipients", type=int, default=100_000, help="recipients in a round (100,000)")
    asked = parser.parse_args()
    rounds, count = (1, 5_000) if asked.quick else (asked.rounds, asked.recipients)
    report = Report(
        "bulk", "send_bulk and hand-written loops of the same requests, 500 recipients each, 8 in flight"
    )
    report.packages = versions("mensatek-async", "httpx")
    meter = Meter(rounds)
    with running() as base_url, running(LATENCY) as slow_url, ExitStack() as stack:
        report.server = ceiling(base_url)
        # What is compared closely lives in one process; only one process works at a time.
        plain = stack.enter_context(working(base_url))
        ways: dict[str, Worker] = {
            name: plain for name in LABELS if name.startswith(("ways_mensatek", "ways_httpx"))
        }
        slow = stack.enter_context(working(slow_url))
        ways |= {name: slow for name in LABELS if name.startswith("latency")}
        if python := found("aiohttp", report, asked.peers):
            aiohttp = stack.enter_context(working(base_url, python))
            ways |= {name: aiohttp for name in LABELS if name.startswith("ways_aiohttp")}
        for name in meter.turns(ways):
            meter.add(name, ways[name].run(name.rpartition(" ")[2], count).timing)
    conclude(report, meter.times)
    report.finish(asked)


def conclude(report: Report, times: dict[str, list[Timing]]) -> None:
    for name, label in LABELS.items():
        if name in times:
            report.rate(name, label, times[name])
    for key, (sdk, hand, label) in PAIRS.items():
        if sdk in times:
            report.ratio(key, label, times[hand], times[sdk], TARGETS.get(key))


if __name__ == "__main__":
    main()
