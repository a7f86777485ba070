"""Chunks that join the campaign's message and can be repeated: faults 5, 9, 15, 29, 32 and 33."""

from __future__ import annotations

import anyio
import pytest

from mensatek_async import SyncOptOuts
from mensatek_async.sandbox import Fault
from tests.faults.scene import SHORT, Scene
from tests.faults.stage import begin, campaigns_of, settled
from tests.sandbox_calls import phones


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("chunk.posting", 1),
        ("post.before", 2),
        ("post.after", 2),
        ("finish.before", 2),
        ("finish.committed", 2),
    ],
)
def test_fault_05_killed_around_a_grouped_chunk(scene: Scene, point: str, nth: int) -> None:
    """Wherever it dies, the chunk is sent again under the same message, and the provider keeps each phone once."""
    scene.write(phones(41))
    scene.killed(point, nth, concurrency=1)

    scene.ends_with(41, 0)


@pytest.mark.parametrize("point", ["chunk.posting", "post.after"])
def test_fault_05_an_opt_out_between_two_tries(scene: Scene, point: str) -> None:
    """The repeat has the recipients of the first try, so that no count is wrong; later chunks leave people out."""
    rows = phones(41)
    scene.write(rows)
    scene.killed(point, 1 if point == "chunk.posting" else 2, concurrency=1)
    opt_outs = SyncOptOuts(scene.store)
    for phone in (rows[2], rows[40]):
        opt_outs.add(phone)
    opt_outs.close()

    progress = scene.finish(refused=[rows[40]])

    assert (progress["sent"], progress["opted_out"], progress["rejected"]) == (40, 1, 0)
    assert scene.sandbox.counts[rows[40]] == 0


def test_fault_05_killed_while_a_chunk_is_answered(scene: Scene) -> None:
    """What the provider took counts as sent although the retry calls it repeated."""
    scene.write(phones(41))
    scene.sandbox.fault(Fault.latency(5), after=2)
    worker = scene.start(concurrency=1)
    scene.await_calls(3)
    assert worker.kill()

    progress = scene.finish()

    assert (progress["sent"], progress["rejected"], progress["unknown"]) == (41, 0, 0)


@pytest.mark.parametrize("point", ["chunk.posting", "post.before", "post.after"])
def test_fault_09_stopped_past_the_lease_in_a_chunk(scene: Scene, point: str) -> None:
    """Somebody else sends the chunk; the one who wakes up late sends in vain and writes nothing."""
    scene.write(phones(41))
    nth = 1 if point == "chunk.posting" else 2
    sleeper = scene.stopped(point, nth, concurrency=1, store_options={"lease": SHORT})
    meanwhile = scene.run("get")
    assert (meanwhile["state"], meanwhile["sent"]) == ("done", 41)

    sleeper.wake()

    progress = scene.finish()
    assert (progress["sent"], progress["rejected"], progress["unknown"]) == (41, 0, 0)


def test_fault_15_repeats_inside_and_across_chunks(scene: Scene) -> None:
    """A phone is texted for the first of its rows; the others are told apart from rows that failed."""
    once = phones(40)
    rows = [*once[:10], *once[:5], *once[5:30], once[29], once[29], *once[20:40], once[0], once[39]]
    scene.write(rows)

    progress = scene.finish()

    assert progress["sent"] == 40
    assert progress["invalid"] + progress["rejected"] == len(rows) - 40
    assert progress["failed"] == progress["unknown"] == 0


def test_fault_15_repeats_across_a_crash_while_reading(scene: Scene) -> None:
    """Which phones were met is not forgotten with the process that met them."""
    once = phones(3000)
    scene.write([*once, *once[:700], *once[1500:]])
    scene.killed("ingest.committed", options={"chunk_size": 100})

    progress = scene.finish(options={"chunk_size": 100})

    assert progress["sent"] == 3000
    assert progress["invalid"] + progress["rejected"] == 2200


def test_fault_29_no_chunk_is_under_way_twice(scene: Scene) -> None:
    """Three workers share the chunks out: as many requests as chunks, so the provider's race is never provoked."""
    scene.write(phones(200))
    scene.sandbox.latency = 0.02
    running = [scene.start() for _ in range(3)]
    for worker in running:
        worker.outcome()

    progress = scene.finish()

    assert progress["sent"] == 200
    assert sorted(scene.sizes()) == [1, 9, *[10] * 19]


async def test_fault_29_two_posts_of_one_chunk_at_one_instant(scene: Scene) -> None:
    """One is slow to arrive, its repeat overtakes it: under one message the provider keeps each phone once."""
    scene.sandbox.fault(Fault.latency(2.4, before=True), after=1)
    scene.sandbox.fault(Fault.latency(0.6, before=True), after=2)
    async with campaigns_of(scene, lease=3.0) as campaigns:
        campaign = await begin(campaigns, scene, phones(10))
        await campaign.complete()
    await anyio.sleep(0.5)

    async with campaigns_of(scene) as campaigns:
        progress = await settled(await campaigns.get("campaign"), scene)
    assert (progress["sent"], progress["rejected"], progress["unknown"]) == (10, 0, 0)
    assert scene.sizes() == [1, 9, 9]


def test_fault_32_one_bad_number_does_not_block_its_chunk(scene: Scene) -> None:
    """What the provider does not take is counted as rejected; its neighbours are sent, and nothing is repeated."""
    bad = "999999999999999"
    good = phones(30)
    scene.write([*good[:15], bad, *good[15:], "12", "no phone"])
    progress = scene.run(export=str(scene.folder / "export.csv"))

    assert progress["state"] == "done"
    assert progress["sent"] >= 30
    assert progress["invalid"] >= 2
    verdict = scene.judge(progress, refused=[bad, "12", "no phone"])
    assert verdict.doubled == []
    assert [one for one in verdict.lost if one in good] == []
    assert len(scene.sizes()) == 4


@pytest.mark.parametrize("count", [2, 3])
def test_fault_33_a_chunk_that_became_empty_is_not_posted(scene: Scene, count: int) -> None:
    """A lost opener takes the next recipient out of its chunk; what is left with nobody costs no request."""
    scene.write(phones(count))
    scene.killed("post.leaving", options={"chunk_size": 1})

    scene.ends_with(count - 1, 1, options={"chunk_size": 1})
    assert scene.sizes() == [1] * (count - 1)
