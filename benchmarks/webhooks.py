"""Callbacks: parsing alone, and through each mount, beside the standard library and two peers' parsers."""

from __future__ import annotations

import gc
import io
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qsl, urlencode

from common import Meter, Timing, options
from peers import found
from processes import Worker, working
from report import Report, Target, versions

from mensatek_async.webhooks import Event, asgi, parse, wsgi

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BOUNDARY = "----FormBoundary7MA4YWxkTrZu0gW"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
Work = Callable[[int], object]
PEERS = {
    "telnyx": "telnyx webhooks.unsafe_unwrap",
    "vonage": "vonage check_signature of json.loads",  # it has no models for callbacks
}
TARGET = Target("a callback through the ASGI mount, whole, us", "<= 60")


def report(number: int) -> dict[str, Any]:
    """A delivery report as the manual shows it, each another recipient's and of another moment."""
    return {
        "Servicio": "SMSMASIVO",
        "Resultado": 11,
        "Remitente": "TUEMPRESA",
        "Movil": str(34600000000 + number),
        "Fecha": f"2026-11-{1 + number % 28:02} {number % 24:02}:{number % 60:02}:{number // 60 % 60:02}",
        "Segundos": 3,
        "idMensaje": 10573758,
        "Referencia": "Su referencia si la indicó",
        "idReport": 1234567890 + number,
    }


def as_multipart(fields: dict[str, Any]) -> bytes:
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return f"{''.join(parts)}--{BOUNDARY}--\r\n".encode()


def parsers(count: int) -> dict[str, Work]:
    """Ways to read one body of many."""
    reports = [report(number) for number in range(count)]
    jsons = [json.dumps(one).encode() for one in reports]
    forms = [urlencode(one).encode() for one in reports]
    multiparts = [as_multipart(one) for one in reports]
    return {
        "json.loads": lambda n: json.loads(jsons[n]),
        "parse, JSON": lambda n: parse(jsons[n], JSON),
        "parse_qsl": lambda n: parse_qsl(forms[n].decode(), keep_blank_values=True),
        "parse, form": lambda n: parse(forms[n], FORM),
        "parse, multipart": lambda n: parse(multiparts[n], MULTIPART),
    }


def mounts(count: int) -> dict[str, Work]:
    """One request through each mount, called as a server calls it: authentication, dedupe and handler included."""
    bodies = [json.dumps(report(number)).encode() for number in range(count)]

    async def handle(event: Event) -> None:
        pass

    def handle_sync(event: Event) -> None:
        pass

    # Nothing is remembered: every round posts the same events, and each is to be handed over.
    asgi_app = asgi.WebhookApp(handle, token="s3cr3t", dedupe=False)
    wsgi_app = wsgi.WebhookApp(handle_sync, token="s3cr3t", dedupe=False)
    scope = {"type": "http", "method": "POST", "query_string": b"token=s3cr3t", "client": ("127.0.0.1", 5000)}
    scope["headers"] = [(b"host", b"localhost"), (b"content-type", b"application/json")]

    def through_asgi(n: int) -> object:
        status = 0

        async def receive() -> Any:
            return {"type": "http.request", "body": bodies[n]}

        async def send(message: Any) -> None:
            nonlocal status
            status = message.get("status", status)

        try:
            asgi_app(scope, receive, send).send(None)  # nothing in it waits, so no event loop is needed
        except StopIteration:
            assert status == 200
            return None
        raise AssertionError("the application waited")

    def start(status: str, headers: list[Any]) -> None:
        assert status == "200 OK"

    def through_wsgi(n: int) -> object:
        environ = {
            "REQUEST_METHOD": "POST",
            "QUERY_STRING": "token=s3cr3t",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(bodies[n])),
            "wsgi.input": io.BytesIO(bodies[n]),
        }
        return wsgi_app(environ, start)

    return {"asgi.WebhookApp": through_asgi, "wsgi.WebhookApp": through_wsgi}


def took(work: Work, count: int) -> Timing:
    """One event, of that many."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for n in range(count):
        work(n)
    return Timing((time.perf_counter() - wall) / count, (time.process_time() - cpu) / count)


def main() -> None:
    parser = options(__doc__, rounds=21)
    parser.add_argument("--count", type=int, default=2000, help="events in a round, at most 2,000")
    asked = parser.parse_args()
    rounds, count = (2, 200) if asked.quick else (asked.rounds, asked.count)
    report = Report("webhooks", "reading one callback, and a request through each mount")
    report.packages = versions("mensatek-async", "multipart")
    meter = Meter(rounds)
    ours = {**parsers(count), **mounts(count)}
    with ExitStack() as stack:
        theirs: dict[str, Worker] = {}
        for peer in PEERS:
            if python := found(peer, report, asked.peers):
                theirs[peer] = stack.enter_context(working("", python))
        for name in meter.turns([*ours, *theirs]):
            if name in ours:
                meter.add(name, took(ours[name], count))
            else:
                meter.add(name, theirs[name].run(f"ways_{name}:callbacks", count).timing)
    conclude(report, meter.times)
    report.finish(asked)


def conclude(report: Report, times: dict[str, list[Timing]]) -> None:
    for name, timings in times.items():
        target = TARGET if name == "asgi.WebhookApp" else None
        report.took(name, PEERS.get(name, name), timings, target=target)
    ours = times["parse, JSON"]
    report.ratio("json", "parse, JSON over json.loads", ours, times["json.loads"])
    report.ratio("form", "parse, form over parse_qsl", times["parse, form"], times["parse_qsl"])
    for peer in PEERS:
        if peer in times:
            told = f"{PEERS[peer]} over parse, JSON"
            report.ratio(f"over_{peer}", told, times[peer], ours)


if __name__ == "__main__":
    main()
