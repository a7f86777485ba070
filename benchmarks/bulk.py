"""`send_bulk` against a hand-written loop of the same requests: 500 recipients each, 8 in flight."""

from __future__ import annotations

from contextlib import ExitStack
from importlib.util import find_spec

from ceiling import ceiling
from common import Meter, options
from peers import found
from processes import Worker, working
from report import Report, Target, versions
from server import running

LABELS = {
    "ways_mensatek:bulk": "send_bulk",
    "ways_httpx:chunks": "httpx by hand",
    "ways_aiohttp:chunks": "aiohttp by hand",
    "orjson ways_mensatek:bulk": "send_bulk, orjson installed",
    "orjson ways_httpx:chunks_orjson": "httpx and orjson by hand",
    "ways_aiohttp:chunks_orjson": "aiohttp and orjson by hand",
}


def main() -> None:
    parser = options(__doc__, rounds=9)
    parser.add_argument("--recipients", type=int, default=100_000, help="recipients in a round (100,000)")
    asked = parser.parse_args()
    rounds, count = (3, 5_000) if asked.quick else (asked.rounds, asked.recipients)
    report = Report(
        "bulk", "send_bulk and hand-written loops of the same requests, 500 recipients each, 8 in flight"
    )
    report.packages = versions("mensatek-async", "httpx", "orjson")
    meter = Meter(rounds)
    with running() as base_url, ExitStack() as stack:
        report.server = ceiling(base_url)
        # Each pair that is compared closely lives in one process; only one process works at a time.
        plain = stack.enter_context(working(base_url, hide=("orjson",)))
        ways: dict[str, Worker] = {"ways_mensatek:bulk": plain, "ways_httpx:chunks": plain}
        if find_spec("orjson"):
            fast = stack.enter_context(working(base_url))
            ways |= {"orjson ways_mensatek:bulk": fast, "orjson ways_httpx:chunks_orjson": fast}
        else:
            report.skip("orjson", "not installed (the extra `speed`)")
        if python := found("aiohttp", report, asked.peers):
            aiohttp = stack.enter_context(working(base_url, python))
            ways |= {"ways_aiohttp:chunks": aiohttp, "ways_aiohttp:chunks_orjson": aiohttp}
        for name in meter.turns(ways):
            meter.add(name, ways[name].run(name.removeprefix("orjson "), count).timing)
    conclude(report, meter)
    report.finish(asked)


def conclude(report: Report, meter: Meter) -> None:
    times = meter.times
    for name, label in LABELS.items():
        if name in times:
            report.rate(name, label, times[name])
    report.ratio(
        "ratio",
        "send_bulk's rate over httpx by hand",
        times["ways_httpx:chunks"],
        times["ways_mensatek:bulk"],
        Target("`send_bulk`, against a hand-written loop of the same requests", ">= 0.90", ">= 1.00"),
    )
    if "orjson ways_mensatek:bulk" in times:
        sdk, hand = times["orjson ways_mensatek:bulk"], times["orjson ways_httpx:chunks_orjson"]
        report.ratio("ratio_orjson", "the same, both with orjson", hand, sdk)
        report.ratio("gain_orjson", "what orjson gives send_bulk", times["ways_mensatek:bulk"], sdk)


if __name__ == "__main__":
    main()
