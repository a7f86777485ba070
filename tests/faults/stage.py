"""A campaign in the test's own process, on whichever backend the test runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mensatek_async import AsyncMensatek, Campaign, Campaigns, Guard, Retry, Timeout
from tests.faults.judging import Verdict
from tests.faults.scene import LEASE, Scene
from tests.faults.worker import told

QUICK = Retry(wait_initial=0.02, wait_max=0.1, timeout=5)


@asynccontextmanager
async def campaigns_of(
    scene: Scene, *, lease: float = LEASE, read: float = 30.0, store: str = ""
) -> AsyncIterator[Campaigns]:
    """The scene's campaigns, or those of another journal; `lease` and the client's read timeout in seconds."""
    sandbox = scene.sandbox
    async with (
        AsyncMensatek(
            sandbox.user,
            sandbox.token,
            base_url=sandbox.base_url,
            sender="ACME",
            retry=QUICK,
            timeout=Timeout(read=read),
            guard=Guard(pause=0.05, pause_max=0.05, block_pause=0.05, wrong_calls=50, read_interval=0),
        ) as client,
        Campaigns(client, store=store or scene.store, lease=lease, poll=0.05) as campaigns,
    ):
        yield campaigns


async def begin(campaigns: Campaigns, scene: Scene, rows: list[str], **options: Any) -> Campaign:
    scene.given = rows
    given: dict[str, Any] = {"chunk_size": 10, **options}
    return await campaigns.start("campaign", "Hola", rows, **given)


async def verdict_of(campaign: Campaign, scene: Scene) -> tuple[dict[str, Any], Verdict]:
    """The campaign's progress, and the judge's word on it."""
    progress = told(await campaign.progress())
    await campaign.export(scene.folder / "export.csv")
    return progress, scene.judge(progress)


async def settled(campaign: Campaign, scene: Scene) -> dict[str, Any]:
    """The progress of a campaign that must have done right by everybody."""
    progress, verdict = await verdict_of(campaign, scene)
    assert verdict.clean, (verdict, progress)
    return progress
