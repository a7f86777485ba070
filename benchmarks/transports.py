"""What each transport gives `AsyncMensatek(transport=...)`: httpx's own, httpx-aiohttp's, httpx2's."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import product

from ceiling import ceiling
from common import Meter, Timing, options
from processes import Worker, working
from report import Report, versions
from server import running

TRANSPORTS = {
    "default": "the default",
    "httpx": "httpx.AsyncHTTPTransport",
    "aiohttp": "httpx_aiohttp.AiohttpTransport",
    "httpx2": "httpx2.AsyncHTTPTransport",
}
WORKS = {"send": "one text after the other", "callers_8": "8 callers", "bulk": "send_bulk"}


def main() -> None:
    parser = options(__doc__, rounds=9)
    parser.add_argument("--count", type=int, default=200, help="single sends in a round (200)")
    parser.add_argument("--recipients", type=int, default=50_000, help="of a bulk send (50,000)")
    asked = parser.parse_args()
    rounds, count, many = (1, 20, 5_000) if asked.quick else (asked.rounds, asked.count, asked.recipients)
    report = Report("transports", "the SDK over each transport that it takes")
    report.packages = versions("mensatek-async", "httpx", "httpx-aiohttp", "aiohttp", "httpx2")
    meter = Meter(rounds)
    with running() as base_url, ExitStack() as stack:
        report.server = ceiling(base_url)
        workers = {name: stack.enter_context(working(base_url)) for name in TRANSPORTS}
        usable = {name: worker for name, worker in workers.items() if works(worker, name, report)}
        for name in meter.turns(f"{one}_{work}" for one, work in product(usable, WORKS)):
            transport, _, work = name.partition("_")
            units = many if work == "bulk" else count
            meter.add(name, usable[transport].run(f"ways_transports:{name}", units).timing)
    for work, label in WORKS.items():
        conclude(report, work, label, {name: meter.times[f"{name}_{work}"] for name in usable})
    report.finish(asked)


def works(worker: Worker, name: str, report: Report) -> bool:
    """Whether that transport is installed and the SDK takes it."""
    try:
        worker.run(f"ways_transports:{name}_send", 1)
        worker.run(f"ways_transports:{name}_bulk", 1_000)
    except RuntimeError as error:
        report.skip(TRANSPORTS[name], str(error))
        return False
    return True


def conclude(report: Report, work: str, label: str, times: dict[str, list[Timing]]) -> None:
    for name, timings in times.items():
        told = f"{label}, {TRANSPORTS[name]}"
        if work == "bulk":
            report.rate(f"{name}_{work}", told, timings)
        else:
            report.took(f"{name}_{work}", told, timings)
    for name, timings in times.items():
        if name != "default" and "default" in times:
            told = f"{label}, {TRANSPORTS[name]}: times as fast as the default"
            report.ratio(f"{name}_{work}_gain", told, times["default"], timings)


if __name__ == "__main__":
    main()
