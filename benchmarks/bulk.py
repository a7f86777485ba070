"""`send_bulk` against one request per recipient, and against a hand-written loop of the same big requests.

All three use the same server, recipients and number of requests in flight, in turn, in one run. Peak memory
is that of a fresh process that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import anyio
import httpx
from server import running

from mensatek_async import AsyncMensatek, Limits

TEXT = "Su cita es mañana a las 10:00"
CHUNK = 500
CONCURRENCY = 8
FIRST = 34_600_000_000


def phones(count: int) -> Iterator[str]:
    """That many different Spanish mobiles, never held together."""
    return (str(number) for number in range(FIRST, FIRST + count))


async def by_sdk(base_url: str, count: int) -> None:
    """What a user of the SDK writes."""
    limits = Limits(concurrency=CONCURRENCY, sms_per_request=CHUNK)
    async with AsyncMensatek("user", "token", base_url=base_url, sender="MIEMPRESA", limits=limits) as client:
        result = await client.sms.send_bulk(phones(count), TEXT)
    assert result.all_sent, result


async def by_hand(base_url: str, count: int, chunk: int) -> None:
    """Bare httpx: workers that share one iterator and post `chunk` recipients a request."""
    left = phones(count)
    accepted = 0

    async def work() -> None:
        nonlocal accepted
        while batch := [{"Movil": phone} for phone in islice(left, chunk)]:
            body = {"Remitente": "MIEMPRESA", "Destinatarios": batch, "Mensaje": TEXT, "Resp": "JSON"}
            reply = await client.post(f"{base_url}/EnviarSMS", json=body)
            accepted += reply.raise_for_status().json()[0]["Res"]

    async with (
        httpx.AsyncClient(auth=httpx.BasicAuth("user", "token")) as client,
        anyio.create_task_group() as group,
    ):
        for _ in range(CONCURRENCY):
            group.start_soon(work)
    assert accepted == count


async def empty_client(base_url: str) -> None:
    """The least a program that sends needs: a client, a connection, one send."""
    async with AsyncMensatek("user", "token", base_url=base_url, sender="MIEMPRESA") as client:
        await client.sms.send(next(phones(1)), TEXT)


def peak_megabytes() -> float:
    """Peak memory of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def peak_of(base_url: str, count: int) -> float:
    """Peak memory of a fresh process that sends to that many; 0 is the empty client."""
    command = [sys.executable, __file__, "--peak-of", base_url, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


async def measure(base_url: str, rounds: int, count: int, sample: int) -> dict[str, list[float]]:
    """Recipients a second of each way, a number for each round."""
    rates: dict[str, list[float]] = {"send_bulk": [], "loop_of_chunks": [], "one_per_request": []}
    await by_sdk(base_url, 2 * CHUNK)  # pays for the imports
    for _ in range(rounds):
        for name, work, many in (
            ("send_bulk", lambda: by_sdk(base_url, count), count),
            ("loop_of_chunks", lambda: by_hand(base_url, count, CHUNK), count),
            ("one_per_request", lambda: by_hand(base_url, sample, 1), sample),
        ):
            start = time.perf_counter()
            await work()
            rates[name].append(many / (time.perf_counter() - start))
    return rates


def summary(
    rates: dict[str, list[float]], count: int, sample: int, memory: dict[int, float]
) -> dict[str, Any]:
    """Medians, spread, ratios round by round, and memory over the empty client."""

    def ratio(other: str) -> float:
        pairs = zip(rates["send_bulk"], rates[other], strict=True)
        return round(statistics.median(sdk / bare for sdk, bare in pairs), 2)

    return {
        "benchmark": "bulk",
        "recipients": count,
        "sampled_one_per_request": sample,
        "rounds": len(rates["send_bulk"]),
        "recipients_per_second": {
            name: {"median": round(statistics.median(each)), "range": [round(min(each)), round(max(each))]}
            for name, each in rates.items()
        },
        "ratio_to_one_per_request": ratio("one_per_request"),
        "ratio_to_loop_of_chunks": ratio("loop_of_chunks"),
        "peak_megabytes_empty_client": round(memory[0], 1),
        "peak_megabytes_over_it": {
            str(many): round(peak - memory[0], 1) for many, peak in memory.items() if many
        },
    }


def show(found: dict[str, Any]) -> None:
    """The summary for people."""
    labels = {
        "send_bulk": f"send_bulk, {found['recipients']:,} recipients",
        "loop_of_chunks": f"bare httpx, {CHUNK} a request",
        "one_per_request": f"bare httpx, 1 a request (a sample of {found['sampled_one_per_request']:,})",
    }
    for name, label in labels.items():
        rate = found["recipients_per_second"][name]
        print(f"{label:46} {rate['median']:>9,} recipients/s  ({rate['range'][0]:,}-{rate['range'][1]:,})")
    print(f"{'ratio to one request per recipient':46} {found['ratio_to_one_per_request']:>9}")
    print(f"{'ratio to the hand-written loop':46} {found['ratio_to_loop_of_chunks']:>9}")
    print(f"{'peak memory, client and one send':46} {found['peak_megabytes_empty_client']:>9} MB")
    for many, more in found["peak_megabytes_over_it"].items():
        print(f"{f'  more with {int(many):,} recipients':46} {more:>+9} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument(
        "--sample", type=int, default=2_000, help="recipients sent one by one, per round (2000)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it runs")
    parser.add_argument("--peak-of", nargs=2, metavar=("URL", "COUNT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak_of:
        url, many = asked.peak_of[0], int(asked.peak_of[1])
        anyio.run(by_sdk, url, many) if many else anyio.run(empty_client, url)
        print(peak_megabytes())
        return
    rounds, count, sample = (1, 5_000, 200) if asked.quick else (asked.rounds, asked.recipients, asked.sample)
    with running() as base_url:
        memory = {many: peak_of(base_url, many) for many in (0, count, 10 * count)}
        rates = anyio.run(measure, base_url, rounds, count, sample)
    found = summary(rates, count, sample, memory)
    print(json.dumps(found)) if asked.json else show(found)


if __name__ == "__main__":
    main()
