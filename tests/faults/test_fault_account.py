"""The account gives out, or somebody stops the campaign: faults 17, 18 and 19."""

from __future__ import annotations

import anyio
import pytest

from mensatek_async.sandbox import Fault
from tests.faults.scene import Scene
from tests.faults.stage import begin, campaigns_of, settled, verdict_of
from tests.sandbox_calls import phones


def forget_messages(scene: Scene) -> None:
    """The provider no longer knows any message of the account."""
    with scene.sandbox._provider.lock:
        scene.sandbox._provider.account.messages.clear()


async def test_fault_17_the_message_is_unknown_on_resume(scene: Scene) -> None:
    """The provider lost the message while the campaign stood still: everybody goes to a new one, none is unknown."""
    scene.sandbox.fault(Fault.latency(0.5))
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(41))
        async with anyio.create_task_group() as group:
            group.start_soon(campaign.complete)
            await anyio.to_thread.run_sync(scene.await_calls, 1)
            await campaign.pause()
        assert (await campaign.progress()).sent == 1
        forget_messages(scene)
        await campaign.resume()
        paused = await campaign.complete()
        assert (paused.state, paused.reason) == ("paused", "group_lost")

        await campaign.resume()
        await campaign.complete()
        progress = await settled(campaign, scene)
        assert (progress["sent"], progress["unknown"], progress["state"]) == (41, 0, "done")


async def test_fault_17_a_chunk_was_tried_under_the_lost_message(scene: Scene) -> None:
    """Whoever was in a request without an answer is unknown, and never sent to under another message."""
    scene.write(phones(41))
    scene.killed("post.after", 2, concurrency=1)
    forget_messages(scene)
    assert scene.run()["reason"] == "group_lost"

    async with campaigns_of(scene) as campaigns:
        campaign = await campaigns.get("campaign")
        await campaign.resume()
        await campaign.complete()
        progress = await settled(campaign, scene)
        # Ten more, where the next chunk was claimed already: nobody is left who knows that it did not leave.
        assert (progress["sent"], progress["unknown"], progress["state"]) in (
            (32, 9, "done"),
            (22, 19, "done"),
        )


async def test_fault_18_credit_runs_out_and_comes_back(scene: Scene) -> None:
    """Out of credit the campaign pauses, with everybody who was not sent still pending; paid up, it goes on."""
    scene.sandbox.credits = 25
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(61))
        await campaign.complete(concurrency=1)
        progress, verdict = await verdict_of(campaign, scene)
        assert (progress["state"], progress["reason"]) == ("paused", "no_credit")
        # Which chunks come first, that of nine among them, is left to chance.
        assert progress["sent"] in (20, 21)
        assert progress["pending"] == 61 - progress["sent"]
        assert not verdict.doubled

        scene.sandbox.credits = 1000
        await campaign.resume()
        await campaign.complete()
        progress = await settled(campaign, scene)
        assert (progress["sent"], progress["unknown"], progress["state"]) == (61, 0, "done")


@pytest.mark.parametrize("status", [200, 401])
async def test_fault_18_the_token_is_revoked_midway(scene: Scene, status: int) -> None:
    """Refused credentials pause the campaign; with a new token it goes on where it was."""
    scene.sandbox.refusal_status = status
    token = scene.sandbox.token
    scene.sandbox.latency = 0.05
    async with campaigns_of(scene) as campaigns, anyio.create_task_group() as group:
        campaign = await begin(campaigns, scene, phones(201))
        group.start_soon(lambda: campaign.complete(concurrency=1))
        await anyio.to_thread.run_sync(scene.await_calls, 4)
        scene.sandbox.token = "revoked"
    async with campaigns_of(scene) as campaigns:
        campaign = await campaigns.get("campaign")
        found = await campaign.progress()
        assert (found.state, found.reason) == ("paused", "auth")
        assert found.sent + found.pending == 201
        scene.sandbox.token = token
    await anyio.sleep(0.1)  # the guard's pause, which all clients of the account share
    async with campaigns_of(scene) as campaigns:
        campaign = await campaigns.get("campaign")
        await campaign.resume()
        await campaign.complete()
        progress = await settled(campaign, scene)

    assert (progress["sent"], progress["unknown"]) == (201, 0)


@pytest.mark.parametrize("how", ["pause", "cancel"])
@pytest.mark.parametrize("when", ["waiting", "posting", "opening"])
async def test_fault_19_stopped_while_a_worker_waits_or_posts(scene: Scene, how: str, when: str) -> None:
    """What is on its way is counted, what waits for its place is not sent, and the rest is pending or cancelled."""
    rate = 10.0 if when == "waiting" else None
    if when != "waiting":
        scene.sandbox.fault(Fault.latency(0.6), after=0 if when == "opening" else 2, times=1)
    async with campaigns_of(scene) as campaigns, anyio.create_task_group() as group:
        campaign = await begin(campaigns, scene, phones(61), rate=rate)
        group.start_soon(lambda: campaign.complete(concurrency=1))
        await anyio.to_thread.run_sync(scene.await_calls, {"opening": 1, "posting": 3, "waiting": 2}[when])
        # A second view of the store: another process would do the same.
        async with campaigns_of(scene) as others:
            await getattr(await others.get("campaign"), how)()
        calls = len(scene.sandbox.requests)
        # complete() returns by itself: a paused campaign gives nobody work.
    assert len(scene.sandbox.requests) <= calls + 1

    async with campaigns_of(scene) as campaigns:
        campaign = await campaigns.get("campaign")
        progress, verdict = await verdict_of(campaign, scene)
        assert not verdict.doubled
        assert not verdict.lies, verdict
        assert progress["unknown"] == 0
        assert progress["sent"] == sum(scene.sandbox.counts.values())
        if how == "cancel":
            assert (progress["state"], progress["pending"]) == ("cancelled", 0)
            assert progress["cancelled"] == 61 - progress["sent"]
            return
        assert (progress["state"], progress["reason"]) == ("paused", "user")
        await campaign.resume()
        await campaign.complete()
        assert (await settled(campaign, scene))["sent"] == 61
