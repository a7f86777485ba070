"""Answers that are lost, late, cut, or none: faults 11 and 12."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mensatek_async.sandbox import Fault
from tests.faults.scene import Scene
from tests.faults.stage import begin, campaigns_of, settled
from tests.sandbox_calls import phones

# The trouble, and whether the provider had processed the request.
AMBIGUOUS = {
    "reset after accept": (Fault.drop_after_accept(reset=True), True),
    "closed after accept": (Fault.drop_after_accept(), True),
    "closed before": (Fault.drop_before(), False),
    "reset before": (Fault.drop_before(reset=True), False),
    "cut body": (Fault.cut_body(), True),
    "HTML 200 after accept": (Fault.html_page(processed=True), True),
    "HTML 200 before": (Fault.html_page(), False),
    "503 after accept": (Fault.status_503(processed=True), True),
    "503 before": (Fault.status_503(), False),
    "502 after accept": (Fault.http_status(502, processed=True), True),
    "no JSON": (Fault.reply(b"\xff\x00{", processed=True), True),
    "empty": (Fault.reply(b"", processed=True), True),
    "read timeout": (Fault.latency(1.5), True),
}


@pytest.mark.parametrize("trouble", AMBIGUOUS)
async def test_fault_11_an_ambiguous_answer_to_the_opener(scene: Scene, trouble: str) -> None:
    """One recipient is unknown, nobody is sent to again, and all others follow under the next opener's message."""
    fault, processed = AMBIGUOUS[trouble]
    scene.sandbox.fault(fault)
    async with campaigns_of(scene, read=0.4) as campaigns:
        campaign = await begin(campaigns, scene, phones(31))
        await campaign.complete()
        progress = await settled(campaign, scene)

        assert (progress["sent"], progress["unknown"], progress["state"]) == (30, 1, "done")
        (unknown,) = await campaign.unknown()
        assert unknown.phone == scene.given[0]
        assert str(unknown.row) == scene.rows()[0]["row"]
        assert scene.sandbox.count(scene.given[0]) == int(processed)


@pytest.mark.parametrize("trouble", AMBIGUOUS)
async def test_fault_11_an_ambiguous_answer_to_a_chunk(scene: Scene, trouble: str) -> None:
    """The chunk goes again under the same message, and counts as sent, not as repeated."""
    fault, _ = AMBIGUOUS[trouble]
    scene.sandbox.fault(fault, after=1, every=2, times=2)
    async with campaigns_of(scene, read=0.4) as campaigns:
        campaign = await begin(campaigns, scene, phones(31))
        await campaign.complete()
        progress = await settled(campaign, scene)

    assert (progress["sent"], progress["rejected"], progress["unknown"]) == (31, 0, 0)


async def test_fault_12_a_storm_of_429_loses_nothing(scene: Scene) -> None:
    """Every second call is told to slow down, the opener among them: certainly not sent, so simply sent later."""
    scene.sandbox.fault(Fault.status_429(0.05), every=2, times=12)
    scene.sandbox.fault(Fault.status_429(0.1), times=1)
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, phones(101))
        await campaign.complete()
        progress = await settled(campaign, scene)

    assert (progress["sent"], progress["unknown"]) == (101, 0)
    assert len([call for call in scene.sandbox.requests if call.status == 429]) >= 5


def test_fault_12_a_429_slows_every_process(scene: Scene) -> None:
    """Told to wait by one answer, nobody who shares the store calls before the time is over."""
    scene.write(phones(301))
    scene.sandbox.latency = 0.02
    scene.sandbox.fault(Fault.status_429(2), after=4)
    running = [scene.start(concurrency=1) for _ in range(2)]
    for worker in running:
        worker.outcome()

    assert scene.finish()["sent"] == 301
    calls = scene.sandbox.requests
    (refused,) = [number for number, call in enumerate(calls) if call.status == 429]
    told_at = calls[refused].at
    # What was under way at that moment had left before.
    early = [
        c for c in calls[refused + 1 :] if timedelta(seconds=0.5) < c.at - told_at < timedelta(seconds=1.8)
    ]
    assert early == []
    assert len(calls[refused + 1 :]) > 5


def test_fault_12_a_slow_pace_outlasts_short_leases(scene: Scene) -> None:
    """Chunks that wait longer for their turn than a request is given still go, once each."""
    scene.write(phones(70))
    progress = scene.run(
        client={"limits": {"per_second": 3, "concurrency": 8}}, store_options={"lease": 2.0}, concurrency=8
    )
    assert (progress["sent"], progress["unknown"]) == (70, 0)
    assert sorted(scene.sizes()) == [1, 9, *[10] * 6]
    scene.finish()
