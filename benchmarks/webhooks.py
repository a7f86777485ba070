"""Callbacks a second: parsing alone, and through each mount, beside the standard library and two peers' parsers."""

from __future__ import annotations

import argparse
import gc
import io
import json
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mensatek_async.webhooks import Event, asgi, parse, wsgi

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BOUNDARY = "----FormBoundary7MA4YWxkTrZu0gW"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
Work = Callable[[int], object]


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
        **peers(count),
    }


def peers(count: int) -> dict[str, Work]:
    """The parsers of those peers that are installed, each with a delivery report of its own provider."""
    found: dict[str, Work] = {}
    try:
        from telnyx import Telnyx
    except ImportError:
        pass
    else:
        unwrap = Telnyx(api_key="KEY").webhooks.unsafe_unwrap
        texts = [json.dumps(telnyx_report(number)) for number in range(count)]
        found[f"telnyx {version('telnyx')}"] = lambda n: unwrap(texts[n])
    try:
        from vonage_http_client.auth import Auth
    except ImportError:
        pass
    else:
        # Vonage has no models for callbacks: its users decode the JSON, and it checks the signature.
        check = Auth(api_key="key", api_secret="secret", signature_secret="s", signature_method="sha256")
        bodies = [json.dumps(vonage_report(number)).encode() for number in range(count)]
        found[f"vonage {version('vonage')}"] = lambda n: check.check_signature(json.loads(bodies[n]))
    return found


def telnyx_report(number: int) -> dict[str, Any]:
    return {
        "data": {
            "event_type": "message.finalized",
            "id": f"4ee8c3a6-4995-4309-a3c6-{number:012}",
            "occurred_at": "2026-11-22T12:00:00.000+00:00",
            "record_type": "event",
            "payload": {
                "id": f"834f3d53-8a3c-4aa0-a733-{number:012}",
                "record_type": "message",
                "direction": "outbound",
                "type": "SMS",
                "text": "Su cita es a las 10:00",
                "parts": 1,
                "from": {"phone_number": "+34600999999", "carrier": "", "line_type": ""},
                "to": [{"phone_number": f"+{34600000000 + number}", "status": "delivered", "carrier": ""}],
                "completed_at": "2026-11-22T12:00:00.000+00:00",
                "errors": [],
            },
        }
    }


def vonage_report(number: int) -> dict[str, Any]:
    return {
        "msisdn": str(34600000000 + number),
        "to": "TUEMPRESA",
        "network-code": "21407",
        "messageId": f"{number:016}",
        "price": "0.03330000",
        "status": "delivered",
        "scts": "2611221200",
        "err-code": "0",
        "message-timestamp": "2026-11-22 12:00:00",
        "sig": "0" * 64,
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


def measure(ways: dict[str, Work], rounds: int, count: int) -> dict[str, list[float]]:
    """Microseconds an event, a number for each round; the ways take turns."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in sorted(ways, reverse=bool(number % 2)):
            work = ways[name]
            gc.collect()
            start = time.perf_counter()
            for n in range(count):
                work(n)
            if number:  # the first round pays for imports and caches
                times[name].append((time.perf_counter() - start) / count * 1e6)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--count", type=int, default=2000, help="events in a round (2000)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it runs")
    asked = parser.parse_args()
    rounds, count = (3, 200) if asked.quick else (asked.rounds, asked.count)
    times = measure({**parsers(count), **mounts(count)}, rounds, count)
    found = {
        "benchmark": "webhooks",
        "rounds": rounds,
        "microseconds": {name: round(statistics.median(each), 2) for name, each in times.items()},
    }
    best = {
        name: min(each) for name, each in times.items()
    }  # a few microseconds: whatever else runs only adds
    ratios = {
        "parse, JSON / json.loads": best["parse, JSON"] / best["json.loads"],
        "parse, form / parse_qsl": best["parse, form"] / best["parse_qsl"],
    }
    found["best"] = {name: round(each, 2) for name, each in best.items()}
    found["ratios"] = {name: round(ratio, 2) for name, ratio in ratios.items()}
    if asked.json:
        print(json.dumps(found))
        return
    for name, each in times.items():
        median = statistics.median(each)
        print(f"{name:20} {median:7.1f} us  (best {min(each):6.1f})  {1e6 / median:10,.0f} events/s")
    for name, ratio in ratios.items():
        print(f"{name:34} {ratio:.2f}")


if __name__ == "__main__":
    main()
