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
    "ways_transports:aiohttp_send": "client.sms.send over httpx-aiohttp",
    "ways_httpx:send": "httpx.AsyncClient.post(json=)",
    "ways_twilio:send": "twilio messages.create_async",
    "ways_telnyx:send": "telnyx AsyncTelnyx messages.send",
}
TARGET = Target("one send, against the same `client.post(json=)` by hand", "<= 1.00", "<= 0.85")
OVER_TWILIO = Target("one send, against twilio's asynchronous client (aiohttp)", "<= 1.5", "<= 1.2")
OVER_AIOHTTP = Target("the same, over httpx-aiohttp", "<= 1.0")


def main() -> None:
    parser = options(__doc__, rounds=21)
    parser.add_argument("--count", type=int, default=100, help="sends in a round (100)")
    asked = parser.parse_args()
    rounds, count = (1, 20) if asked.quick else (asked.rounds, asked.count)
    report = Report("send", "one text after the other, one request in flight")
    report.packages = versions("mensatek-async", "httpx", "httpx-aiohttp")
    meter = Meter(rounds)
    with running() as base_url, ExitStack() as stack:
        report.server = ceiling(base_url)
        plain = stack.enter_context(working(base_url))
        ways: dict[str, Worker] = {"ways_mensatek:send": plain, "ways_httpx:send": plain}
        try:
            plain.run("ways_transports:aiohttp_send", 1)
            ways["ways_transports:aiohttp_send"] = plain
        except RuntimeError as error:
            report.skip("httpx-aiohttp", str(error))
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
    for name, target in (("ways_twilio:send", OVER_TWILIO), ("ways_telnyx:send", None)):
        if name in times:
            report.ratio(f"over_{name}", f"send over {LABELS[name]}", sdk, times[name], target)
    twilio, aiohttp = (times.get(name) for name in ("ways_twilio:send", "ways_transports:aiohttp_send"))
    if twilio and aiohttp:
        report.ratio("aiohttp", "send over httpx-aiohttp over twilio's", aiohttp, twilio, OVER_AIOHTTP)
    report.finish(asked)


if __name__ == "__main__":
    main()
