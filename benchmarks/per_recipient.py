"""`send_bulk` against one request per recipient, as the peers' clients and bare HTTP clients send it.

The asynchronous ones have 8 requests in flight, like `send_bulk`; the synchronous ones send one after the other. They
are measured on a sample of the recipients and compared by recipients/s: all of them would only repeat the sample.
"""

from __future__ import annotations

from contextlib import ExitStack

from ceiling import ceiling
from common import Meter, options
from peers import found
from processes import Worker, working
from report import Report, Target, versions
from server import running

TWILIO = "ways_twilio:one_each"
LABELS = {
    "ways_mensatek:bulk": "send_bulk, 500 a request",
    TWILIO: "twilio create_async, 8 in flight",
    "ways_twilio:sync_one_each": "twilio create",
    "ways_telnyx:one_each": "telnyx AsyncTelnyx messages.send, 8 in flight",
    "ways_vonage:sync_one_each": "vonage sms.send",
    "ways_httpx:one_each": "httpx by hand, 1 a request, 8 in flight",
    "ways_aiohttp:one_each": "aiohttp by hand, 1 a request, 8 in flight",
}
PEERS = {
    "twilio": (TWILIO, "ways_twilio:sync_one_each"),
    "telnyx": ("ways_telnyx:one_each",),
    "vonage": ("ways_vonage:sync_one_each",),
    "aiohttp": ("ways_aiohttp:one_each",),
}
TARGET = Target("`send_bulk`, against twilio async per recipient", ">= 100", ">= 180")


def main() -> None:
    parser = options(__doc__, rounds=7)
    parser.add_argument("--recipients", type=int, default=100_000, help="of send_bulk in a round (100,000)")
    parser.add_argument("--sample", type=int, default=1_000, help="of each other way in a round (1,000)")
    asked = parser.parse_args()
    rounds, count, sample = (
        (1, 10_000, 100) if asked.quick else (asked.rounds, asked.recipients, asked.sample)
    )
    report = Report("per_recipient", "recipients a second, send_bulk and one request per recipient")
    report.packages = versions("mensatek-async", "httpx")
    meter = Meter(rounds)
    with running() as base_url, ExitStack() as stack:
        report.server = ceiling(base_url)
        plain = stack.enter_context(working(base_url))
        ways: dict[str, Worker] = {"ways_mensatek:bulk": plain, "ways_httpx:one_each": plain}
        for peer, names in PEERS.items():
            if python := found(peer, report, asked.peers):
                worker = stack.enter_context(working(base_url, python))
                ways |= dict.fromkeys(names, worker)
        for name in meter.turns(ways):
            many = count if name == "ways_mensatek:bulk" else sample
            meter.add(name, ways[name].run(name, many).timing)
    times = meter.times
    for name in ways:
        report.rate(name, LABELS[name], times[name])
    for name in ways:
        if name != "ways_mensatek:bulk":
            target = TARGET if name == TWILIO else None
            report.ratio(
                f"over_{name}",
                f"send_bulk over {LABELS[name]}",
                times[name],
                times["ways_mensatek:bulk"],
                target,
            )
    report.finish(asked)


if __name__ == "__main__":
    main()
