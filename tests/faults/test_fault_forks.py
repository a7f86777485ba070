"""Forks and several event loops: fault 27."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from mensatek_async import Mensatek, SyncCampaigns
from tests.faults.scene import Scene
from tests.faults.stage import begin, campaigns_of, settled
from tests.sandbox_calls import phones


@contextmanager
def blocking(scene: Scene) -> Iterator[SyncCampaigns]:
    """The scene's campaigns of a synchronous client."""
    user, token, url = scene.job.account
    with (
        Mensatek(user, token, base_url=url, sender="ACME") as client,
        SyncCampaigns(client, store=scene.store, lease=30, poll=0.05) as campaigns,
    ):
        yield campaigns


def test_fault_27_a_child_sends_while_its_parent_does(scene: Scene) -> None:
    """Opened before the fork, used by both: two workers like any other two."""
    scene.sandbox.latency = 0.01
    scene.given = phones(201)
    with blocking(scene) as campaigns:
        campaign = campaigns.start("campaign", "Hola", phones(201), chunk_size=10)
        child = os.fork()
        if not child:
            try:
                os._exit(0 if campaign.complete().done else 3)
            except BaseException:
                os._exit(4)
        campaign.complete()
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        campaign.export(scene.folder / "export.csv")
    assert (verdict := scene.judge()).clean, verdict
    assert verdict.unknown == []


async def test_fault_27_two_stores_in_one_process(scene: Scene) -> None:
    """Two openings of one journal in one process are two workers; closing one takes nothing from the other."""
    async with campaigns_of(scene) as first:
        async with campaigns_of(scene) as second:
            campaign = await begin(first, scene, phones(61))
            again = await second.get("campaign")
            async with anyio.create_task_group() as group:
                group.start_soon(campaign.complete)
                group.start_soon(again.complete)
        assert (await campaign.progress()).sent == 61
        async with campaigns_of(scene) as third:
            assert (await settled(await third.get("campaign"), scene))["unknown"] == 0


def test_fault_27_two_event_loops(scene: Scene) -> None:
    """Two loops in two threads, each with its own opening, share the work out; nothing is sent twice."""
    scene.given = phones(101)
    scene.sandbox.latency = 0.01
    failures: list[BaseException] = []

    def work(backend: str) -> None:
        async def run() -> None:
            async with campaigns_of(scene) as campaigns:
                campaign = await begin(campaigns, scene, phones(101))
                await campaign.complete()

        try:
            anyio.run(run, backend=backend)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(backend,)) for backend in ("asyncio", "trio")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []

    async def last() -> None:
        async with campaigns_of(scene) as campaigns:
            progress = await settled(await campaigns.get("campaign"), scene)
            assert (progress["sent"], progress["unknown"]) == (101, 0)

    anyio.run(last)
