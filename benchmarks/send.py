"""One send through the SDK, against the bare httpx call that it makes: rounds of both in turn, in one run."""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
from server import running

from mensatek_async import AsyncMensatek

PHONE = "34600000000"
TEXT = "Su cita es mañana a las 10:00"
Send = Callable[[], Awaitable[object]]


async def seconds_each(send: Send, count: int) -> float:
    """Mean wall time of one send, one after the other."""
    start = time.perf_counter()
    for _ in range(count):
        await send()
    return (time.perf_counter() - start) / count


async def measure(base_url: str, rounds: int, count: int) -> dict[str, list[float]]:
    """Seconds per send of either way, a number for each round."""
    auth = httpx.BasicAuth("user", "token")
    async with (
        AsyncMensatek("user", "token", base_url=base_url, sender="MIEMPRESA") as client,
        httpx.AsyncClient(auth=auth) as bare,
    ):
        body = {
            "Remitente": "MIEMPRESA",
            "Destinatarios": [{"Movil": PHONE}],
            "Mensaje": TEXT,
            "Resp": "JSON",
        }

        async def by_sdk() -> object:
            return await client.sms.send(PHONE, TEXT)

        async def by_hand() -> object:
            reply = await bare.post(f"{base_url}/EnviarSMS", json=body)
            return reply.raise_for_status().json()[0]["idMensaje"]

        ways: dict[str, Send] = {"sdk": by_sdk, "httpx": by_hand}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for way in ways.values():
            await seconds_each(way, count)  # the first round pays for imports and connections
        for number in range(rounds):
            gc.collect()
            for name in sorted(ways, reverse=bool(number % 2)):  # neither always goes first
                times[name].append(await seconds_each(ways[name], count))
        return times


def summary(times: dict[str, list[float]]) -> dict[str, Any]:
    """Medians and quartiles in microseconds; the ratio is the median of the rounds' own ratios."""
    ratios = [sdk / bare for sdk, bare in zip(times["sdk"], times["httpx"], strict=True)]
    micro = {name: [round(each * 1e6) for each in statistics.quantiles(times[name], n=4)] for name in times}
    return {
        "benchmark": "send",
        "rounds": len(ratios),
        "microseconds": {name: {"median": q[1], "quartiles": [q[0], q[2]]} for name, q in micro.items()},
        "ratio": round(statistics.median(ratios), 3),
        "ratio_quartiles": [round(each, 3) for each in statistics.quantiles(ratios, n=4)][::2],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--count", type=int, default=100, help="sends in a round (100)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it runs")
    asked = parser.parse_args()
    rounds, count = (3, 20) if asked.quick else (asked.rounds, asked.count)
    with running() as base_url:
        found = summary(anyio.run(measure, base_url, rounds, count))
    if asked.json:
        print(json.dumps(found))
        return
    micro: dict[str, Any] = found["microseconds"]
    for name, label in (("sdk", "client.sms.send"), ("httpx", "httpx.AsyncClient.post(json=)")):
        low, high = micro[name]["quartiles"]
        print(f"{label:32} {micro[name]['median']:>6} us  (quartiles {low}-{high})")
    low, high = found["ratio_quartiles"]
    print(f"{'ratio':32} {found['ratio']:>6}     (quartiles {low}-{high}, {rounds} rounds of {count})")


if __name__ == "__main__":
    main()
