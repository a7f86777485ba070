"""How much of the rate that a provider allows is used, and how much is refused: one client, and three processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack

import anyio
from campaign import STORE_NAMES, postgres
from common import SENDER, TEXT, options, phones
from report import Report, Target, versions
from server import running

from mensatek_async import AsyncMensatek, Campaigns, Limits

LATENCY = 0.02  # seconds
SIZE = 5  # recipients a request
SHARE = "share of the rate that a provider allows, with refusals"
REFUSED = "requests refused by a provider that allows so many"


def client_of(base_url: str) -> AsyncMensatek:
    return AsyncMensatek(
        "user", "token", base_url=base_url, sender=SENDER, limits=Limits(sms_per_request=SIZE)
    )


async def bulk(base_url: str, count: int, seconds: float) -> None:
    """One client, for so long."""
    async with client_of(base_url) as client:
        with anyio.move_on_after(seconds):
            await client.sms.send_bulk(phones(count), TEXT)


async def campaign(base_url: str, store: str, count: int, seconds: float) -> None:
    """One worker of a campaign, for so long; the one that is given the recipients reads them first."""
    async with client_of(base_url) as client, Campaigns(client, store, poll=0.05) as campaigns:
        if count:
            await campaigns.start("rate", TEXT, phones(count))
            print("read", flush=True)
        await campaigns.work(budget=seconds)


def counts(base_url: str) -> tuple[int, int]:
    asked = urllib.request.Request(base_url.removesuffix("/v7") + "/counts", data=b"", method="POST")
    with urllib.request.urlopen(asked) as answer:
        told = json.loads(answer.read())
    return told["accepted"], told["refused"]


def several(base_url: str, store: str, count: int, seconds: float, processes: int) -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        store = store or f"{folder}/campaigns.db"
        command = [sys.executable, __file__, "--worker", base_url, store, str(seconds)]
        first = stack.enter_context(
            subprocess.Popen([*command, str(count)], stdout=subprocess.PIPE, text=True)
        )
        assert first.stdout is not None
        first.stdout.readline()
        for _ in range(processes - 1):
            stack.enter_context(subprocess.Popen([*command, "0"]))


def measure(
    report: Report, allowed: int, retry_after: float, processes: int, seconds: float, store: str = ""
) -> None:
    count = int(allowed * seconds * SIZE * 2)
    with running(LATENCY, allowed, retry_after) as base_url:
        started = time.monotonic()
        if processes == 1:
            anyio.run(bulk, base_url, count, seconds)
        else:
            several(base_url, store, count, seconds, processes)
        took = time.monotonic() - started if processes == 1 else seconds
        accepted, refused = counts(base_url)
    kind = STORE_NAMES["postgres" if store else "sqlite"]
    key = f"{allowed}_{retry_after:g}_{processes}{'_postgres' if store else ''}"
    told = f"{allowed}/s, {f'Retry-After: {retry_after:g}' if retry_after else 'no Retry-After'}"
    told += ", one client" if processes == 1 else f", {processes} processes on {kind}"
    report.number(
        f"share_{key}",
        told,
        "%",
        [100 * accepted / (allowed * took)],
        Target(f"{SHARE}: {told}", ">= 80", ">= 90"),
    )
    report.number(
        f"refused_{key}",
        "  refused",
        "%",
        [100 * refused / max(accepted + refused, 1)],
        Target(f"{REFUSED}: {told}", "<= 5", "<= 2"),
    )


def main() -> None:
    parser = options(__doc__, rounds=1)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long each is measured (30)")
    parser.add_argument("--worker", nargs=4, metavar=("URL", "STORE", "SECONDS", "COUNT"))
    asked = parser.parse_args()
    if asked.worker:
        url, store, seconds, count = asked.worker
        anyio.run(campaign, url, store, int(count), float(seconds))
        return
    seconds = 3.0 if asked.quick else asked.seconds
    report = Report("allowed_rate", "sending to a provider that refuses what comes too fast")
    report.packages = versions("mensatek-async")
    for allowed in (20,) if asked.quick else (2, 20, 100):
        long = max(seconds, 0 if asked.quick else 120 / allowed)
        for retry_after in (0.0, 1.0):
            for processes in (1, 3):
                measure(report, allowed, retry_after, processes, long)
            with postgres(report) as store:  # a server of its own: a store remembers the rate it found
                if store:
                    measure(report, allowed, retry_after, 3, long, store)
    report.finish(asked)


if __name__ == "__main__":
    main()
