"""Runs a campaign by the public API only; the tests kill it, stop it and lie to it.

`python -m tests.faults.worker JOB` runs one job, a line of JSON, in this process.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import asdict

from tests.faults import outbox_worker
from tests.faults.jobs import Job


def _step_clock(seconds: float) -> None:
    """Put the wall clock ahead, before anything has taken a reference to it."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + seconds
    time.time_ns = lambda: real_ns() + int(seconds * 1e9)


def told(progress: Any) -> dict[str, Any]:
    """A progress as JSON has it."""
    found = {**asdict(progress), "done": progress.done}
    plain = (str, int, float, bool, type(None))
    return {name: value if isinstance(value, plain) else str(value) for name, value in found.items()}


def _settings(job: Job) -> dict[str, Any]:
    from mensatek_async import Guard, Limits, Retry, Timeout

    kinds = {"timeout": Timeout, "retry": Retry, "limits": Limits, "guard": Guard}
    given: dict[str, Any] = {name: kinds[name](**values) for name, values in job.client.items()}
    user, token, url = job.account
    return {"user": user, "token": token, "base_url": url, "sender": "ACME", **given}


def _rows(job: Job) -> Any:
    from mensatek_async import CsvSource

    return CsvSource(job.source, phone="movil")


def _phones(job: Job) -> list[str]:
    return Path(job.source).read_text(encoding="utf-8").split()[1:]


async def _run_outbox(job: Job) -> dict[str, Any]:
    from mensatek_async import AsyncMensatek, Outbox
    from mensatek_async.webhooks import parse

    async with (
        AsyncMensatek(**_settings(job)) as client,
        Outbox(client, store=job.store, **job.store_options) as outbox,
    ):
        options = dict(job.options)
        if "not_after" in options:
            options["not_after"] = timedelta(seconds=options["not_after"])
        if job.how in ("put", "send"):
            for row in _phones(job):
                await outbox.put(row, row, job.text, **options)
        if job.how in ("cancel", "retry"):
            await getattr(outbox, job.how)(job.name)
        if job.how == "record":
            await outbox.record(parse(json.dumps(job.options).encode()))
        if job.how in ("drain", "send"):
            return dict(await outbox.drain(job.budget, concurrency=job.concurrency))
        return await outbox_worker.work(job, outbox) if job.how == "storm" else {}


async def _run_archive(job: Job) -> dict[str, Any]:
    from mensatek_async import AsyncMensatek, CertificateArchive
    from mensatek_async.webhooks import parse

    async with AsyncMensatek(**_settings(job)) as client:
        archive = CertificateArchive(client, job.store)
        if job.how == "archive-event":
            return {"about": await archive.record(parse(json.dumps(job.options).encode()))}
        if job.how == "archive-period":
            moments = {name: datetime.fromisoformat(moment) for name, moment in job.options.items()}
            return asdict(await archive.collect(**moments))
        done = archive.collect(job.name) if job.how == "archive" else archive.catch_up()
        return asdict(await done)


async def _run(job: Job) -> dict[str, Any]:
    from mensatek_async import AsyncMensatek, Campaigns

    if job.how in ("put", "drain", "send", "cancel", "retry", "record", "storm"):
        return await _run_outbox(job)
    if job.how in ("archive", "archive-event", "archive-period", "catch-up"):
        return await _run_archive(job)
    async with (
        AsyncMensatek(**_settings(job)) as client,
        Campaigns(client, store=job.store, **job.store_options) as campaigns,
    ):
        progress = await _carry_out(job, campaigns)
        if job.export:
            campaign = await campaigns.get(job.name)
            await campaign.export(Path(job.export))
        return told(progress)


async def _carry_out(job: Job, campaigns: Any) -> Any:
    if job.how == "work":
        listed = await campaigns.work(job.budget, concurrency=job.concurrency)
        return (
            next((one for one in listed if one.name == job.name), None)
            or await (await campaigns.get(job.name)).progress()
        )
    if job.how == "look":
        await campaigns.list()
        return await (await campaigns.get(job.name)).progress()
    if job.how == "drive":
        return await campaigns.drive(job.name, job.budget, concurrency=job.concurrency)
    if job.how == "get":
        campaign = await campaigns.get(job.name)
        return await campaign.complete(concurrency=job.concurrency)
    campaign = await campaigns.start(job.name, job.text, _rows(job), **job.options)
    if job.how == "ingest":
        return await _read_up(campaign)
    if job.how == "watch":
        async with campaign.run(concurrency=job.concurrency, interval=0.05) as stream:
            async for progress in stream:
                found = progress
        return found
    return await campaign.complete(concurrency=job.concurrency)


async def _read_up(campaign: Any) -> Any:
    import anyio

    while True:
        progress = await campaign.progress()
        if not progress.reading:
            return progress
        await anyio.sleep(0.05)


def _run_sync(job: Job) -> dict[str, Any]:
    from mensatek_async import Mensatek, SyncCampaigns

    with (
        Mensatek(**_settings(job)) as client,
        SyncCampaigns(client, store=job.store, **job.store_options) as campaigns,
    ):
        campaign = campaigns.start(job.name, job.text, _rows(job), **job.options)
        progress = campaign.complete(concurrency=job.concurrency)
        if job.export:
            campaign.export(Path(job.export))
        return told(progress)


def carry_out(job: Job) -> int:
    """Run one job; writes what became of it to its file."""
    import anyio

    from tests.faults import points

    points.arm(job.trips)
    if job.memory:
        tracemalloc.start()
    try:
        outcome = _run_sync(job) if job.how == "sync" else anyio.run(_run, job, backend=job.backend)
        if job.memory:
            outcome["peak"] = tracemalloc.get_traced_memory()[1]
    except BaseException as error:
        outcome = {"error": type(error).__name__, "text": str(error), "trace": traceback.format_exc()}
    text = json.dumps(outcome)
    if job.out:
        Path(job.out).write_text(text, encoding="utf-8")
    else:
        print(text, flush=True)
    return 1 if "error" in outcome else 0


if __name__ == "__main__":
    asked = Job.load(sys.argv[1])
    _step_clock(asked.clock)
    sys.exit(carry_out(asked))
