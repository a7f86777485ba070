"""Cancelled at every step, on both backends: fault 26."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest
import sniffio

from tests.faults.scene import Scene
from tests.faults.stage import campaigns_of, settled
from tests.sandbox_calls import phones

# Every so many steps; FAULTS=steps goes through all of them.
_STRIDE = {"steps": 1, "all": 13}.get(os.environ.get("FAULTS", ""), 211)


class Steps:
    """Counts the steps of the event loop, and cancels a scope at one of them."""

    def __init__(self, at: int) -> None:
        self.taken = 0
        self._at = at
        self.scope: anyio.CancelScope | None = None

    def count(self) -> None:
        if self.scope is not None:
            self.taken += 1
            if self.taken == self._at:
                self.scope.cancel()


@contextmanager
def counted(at: int) -> Iterator[Steps]:
    """Watch the running event loop."""
    steps = Steps(at)
    if sniffio.current_async_library() == "trio":
        import trio

        class Watch(trio.abc.Instrument):
            def after_task_step(self, task: trio.lowlevel.Task) -> None:
                steps.count()

        watch = Watch()
        trio.lowlevel.add_instrument(watch)
        try:
            yield steps
        finally:
            trio.lowlevel.remove_instrument(watch)
        return
    run = asyncio.events.Handle._run  # type: ignore[attr-defined]

    def counting(handle: object) -> None:
        run(handle)
        steps.count()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.events.Handle, "_run", counting)
        yield steps


async def cancelled_at(scene: Scene, name: str, first: int, at: int) -> bool:
    """Start and run a campaign that is cancelled at a step; whether it was done before."""
    rows = phones(25, first)
    with counted(at) as steps, anyio.CancelScope() as scope:
        async with campaigns_of(scene) as campaigns:
            steps.scope = scope
            campaign = await campaigns.start(name, "Hola", rows, chunk_size=8)
            await campaign.complete()
            steps.scope = None
    done = not scope.cancelled_caught and steps.taken < at
    async with campaigns_of(scene) as campaigns:
        campaign = await campaigns.start(name, "Hola", rows, chunk_size=8)
        await campaign.complete()
        scene.given = rows
        progress = await settled(campaign, scene)
        assert progress["state"] == "done"
        assert progress["unknown"] <= 1
        assert progress["sent"] + progress["unknown"] == 25
    return done


@pytest.mark.timeout(600)
async def test_fault_26_cancelled_at_every_step(scene: Scene) -> None:
    """Wherever the cancellation falls, what was on its way is accounted for, and the campaign goes on later."""
    at, runs, done = 1, 0, False
    while not done:
        done = await cancelled_at(scene, f"campaign-{at}", 34_600_000_000 + at * 100, at)
        runs += 1
        at += _STRIDE if at > 3 else 1
    assert runs > 3
    assert set(scene.sandbox.counts.values()) == {1}
