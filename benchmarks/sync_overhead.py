"""What the synchronous client costs: one send against `httpx.Client`, a bulk send against the asynchronous client.

Both sides of each pair run in turn, against one server, in one run.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
from server import running

from mensatek_async import AsyncMensatek, Limits, Mensatek

PHONE = "34600000000"
TEXT = "Su cita es mañana a las 10:00"
CHUNK = 500
CONCURRENCY = 8
FIRST = 34_600_000_000


def phones(count: int) -> Iterator[str]:
    """That many different Spanish mobiles, never held together."""
    return (str(number) for number in range(FIRST, FIRST + count))


def in_turn(ways: dict[str, Callable[[], object]], rounds: int, count: int) -> dict[str, list[float]]:
    """Seconds of one call of each way, a number for each round."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        gc.collect()
        for name in sorted(ways, reverse=bool(number % 2)):  # neither always goes first
            start = time.perf_counter()
            for _ in range(count):
                ways[name]()
            if number:  # the first round pays for imports and connections
                times[name].append((time.perf_counter() - start) / count)
    return times


def single(base_url: str, rounds: int, count: int) -> dict[str, list[float]]:
    """One send through `Mensatek`, the same POST by hand, and the same send through `AsyncMensatek`."""
    body = {"Remitente": "MIEMPRESA", "Destinatarios": [{"Movil": PHONE}], "Mensaje": TEXT, "Resp": "JSON"}
    account: dict[str, Any] = {"base_url": base_url, "sender": "MIEMPRESA"}

    async def by_async() -> float:
        async with AsyncMensatek("user", "token", **account) as client:
            await client.sms.send(PHONE, TEXT)  # pays for the connection
            start = time.perf_counter()
            for _ in range(count):
                await client.sms.send(PHONE, TEXT)
            return (time.perf_counter() - start) / count

    with (
        Mensatek("user", "token", **account) as client,
        httpx.Client(auth=httpx.BasicAuth("user", "token")) as bare,
    ):

        def by_hand() -> object:
            reply = bare.post(f"{base_url}/EnviarSMS", json=body)
            return reply.raise_for_status().json()[0]["idMensaje"]

        ways: dict[str, Callable[[], object]] = {
            "sync": lambda: client.sms.send(PHONE, TEXT),
            "httpx": by_hand,
        }
        times: dict[str, list[float]] = {"sync": [], "httpx": [], "async": []}
        for _ in range(rounds):
            for name, found in in_turn(ways, 1, count).items():
                times[name] += found
            times["async"].append(anyio.run(by_async))
        return times


def bulk(base_url: str, rounds: int, recipients: int) -> dict[str, list[float]]:
    """A bulk send through both clients, from a generator and, without a thread between, from a list."""
    limits = Limits(concurrency=CONCURRENCY, sms_per_request=CHUNK)
    account: dict[str, Any] = {"base_url": base_url, "sender": "MIEMPRESA", "limits": limits}

    def by_sync(rows: Callable[[int], Any]) -> None:
        with Mensatek("user", "token", **account) as client:
            assert client.sms.send_bulk(rows(recipients), TEXT).all_sent

    def by_async(rows: Callable[[int], Any]) -> None:
        async def send() -> None:
            async with AsyncMensatek("user", "token", **account) as client:
                assert (await client.sms.send_bulk(rows(recipients), TEXT)).all_sent

        anyio.run(send)

    def stream_by_sync() -> None:
        with (
            Mensatek("user", "token", **account) as client,
            client.sms.bulk(phones(recipients), TEXT) as outcomes,
        ):
            assert sum(outcome.accepted for outcome in outcomes) == recipients

    def stream_by_async() -> None:
        async def send() -> None:
            async with (
                AsyncMensatek("user", "token", **account) as client,
                client.sms.bulk(phones(recipients), TEXT) as outcomes,
            ):
                assert sum([outcome.accepted async for outcome in outcomes]) == recipients

        anyio.run(send)

    def as_list(count: int) -> list[str]:
        return list(phones(count))

    return in_turn(
        {
            "sync": lambda: by_sync(phones),
            "async": lambda: by_async(phones),
            "sync_list": lambda: by_sync(as_list),
            "async_list": lambda: by_async(as_list),
            "sync_stream": stream_by_sync,
            "async_stream": stream_by_async,
        },
        rounds,
        1,
    )


def summary(calls: dict[str, list[float]], sends: dict[str, list[float]], recipients: int) -> dict[str, Any]:
    """Medians; differences and ratios are medians of the rounds' own."""

    def ratio(one: str, other: str) -> dict[str, Any]:
        found = [a / b for a, b in zip(sends[one], sends[other], strict=True)]
        low, middle, high = statistics.quantiles(found, n=4)
        return {"ratio": round(middle, 3), "quartiles": [round(low, 3), round(high, 3)]}

    def more(one: str, other: str) -> dict[str, Any]:
        found = [(a - b) * 1e6 for a, b in zip(calls[one], calls[other], strict=True)]
        low, middle, high = statistics.quantiles(found, n=4)
        return {"median": round(middle), "quartiles": [round(low), round(high)]}

    return {
        "benchmark": "sync_overhead",
        "single_microseconds": {name: round(statistics.median(each) * 1e6) for name, each in calls.items()},
        "single_over_httpx_microseconds": more("sync", "httpx"),
        "single_over_async_microseconds": more("sync", "async"),
        "bulk_recipients": recipients,
        "bulk_seconds": {name: round(statistics.median(each), 4) for name, each in sends.items()},
        "bulk_generator": ratio("sync", "async"),
        "bulk_list": ratio("sync_list", "async_list"),
        "bulk_stream": ratio("sync_stream", "async_stream"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=100, help="single sends in a round (100)")
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it runs")
    asked = parser.parse_args()
    rounds, count, recipients = (
        (3, 20, 5_000) if asked.quick else (asked.rounds, asked.count, asked.recipients)
    )
    with running() as base_url:
        calls = single(base_url, rounds, count)
        sends = bulk(base_url, rounds, recipients)
    found = summary(calls, sends, recipients)
    if asked.json:
        print(json.dumps(found))
        return
    labels = {
        "sync": "Mensatek, client.sms.send",
        "async": "AsyncMensatek, the same in its own loop",
        "httpx": "httpx.Client.post(json=)",
    }
    for name, label in labels.items():
        print(f"{label:46} {found['single_microseconds'][name]:>7} us")
    for other, label in (("async", "more than AsyncMensatek"), ("httpx", "more than httpx.Client")):
        pair = found[f"single_over_{other}_microseconds"]
        print(f"{label:46} {pair['median']:>7} us  (quartiles {pair['quartiles'][0]}-{pair['quartiles'][1]})")
    for kind, label in (("generator", "a generator"), ("list", "a list"), ("stream", "outcome by outcome")):
        pair = found[f"bulk_{kind}"]
        told = f"bulk, {label}: time over AsyncMensatek's"
        print(f"{told:46} {pair['ratio']:>7}     (quartiles {pair['quartiles'][0]}-{pair['quartiles'][1]})")


if __name__ == "__main__":
    main()
