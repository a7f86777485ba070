"""Reading the recipients into the journal: faults 6, 7, 14, 16 and 31."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.jobs import Trip
from tests.faults.scene import SHORT, Scene
from tests.faults.stage import begin, campaigns_of, settled
from tests.sandbox_calls import phones

MANY = 6000
CHUNKS = {"chunk_size": 500}


@pytest.mark.parametrize(
    ("point", "nth"),
    [("ingest.batch", 1), ("ingest.batch", 2), ("ingest.committed", 1), ("ingest.committed", 2)],
)
def test_fault_06_killed_while_reading(scene: Scene, point: str, nth: int) -> None:
    """Inside a batch and between two: reading goes on where the journal ends, no row lost or read twice."""
    scene.write([*phones(MANY), "broken", phones(1)[0]])
    scene.killed(point, nth, options=CHUNKS)

    progress = scene.finish(options=CHUNKS, refused=["broken"])

    assert (progress["sent"] + progress["unknown"], progress["total"]) == (MANY, MANY + 2)
    assert progress["unknown"] <= 1


@pytest.mark.parametrize("change", ["shrunk", "reordered", "changed"])
def test_fault_06_a_source_that_changed_is_not_mixed_in(scene: Scene, change: str) -> None:
    """The rows that are already in the journal do not match the file any more: refused, and nobody is texted twice."""
    rows = phones(MANY)
    scene.write(rows)
    scene.killed("ingest.committed", options=CHUNKS)
    others = {
        "shrunk": rows[:10],
        "reordered": list(reversed(rows)),
        "changed": [*phones(MANY // 2, 34_610_000_000), *rows[MANY // 2 :]],
    }
    scene.write(others[change])

    scene.refuses("SourceChanged", "CampaignConflict", options=CHUNKS)

    scene.write(rows)
    assert scene.finish(options=CHUNKS)["sent"] >= MANY - 1


def test_fault_07_two_processes_read_at_once(scene: Scene) -> None:
    """Both start the campaign in the same moment: one of them reads, every row is there once."""
    scene.write(phones(MANY))
    slow = [Trip("ingest.batch", nth, "sleep", 0.2) for nth in (1, 2, 3)]
    both = [scene.start("start", *slow, options=CHUNKS) for _ in range(2)]
    for worker in both:
        worker.outcome()

    progress = scene.finish(options=CHUNKS)

    assert (progress["sent"], progress["total"], progress["invalid"]) == (MANY, MANY, 0)
    assert sum(scene.sizes()) == MANY


def test_fault_07_a_dead_reader_is_replaced(scene: Scene) -> None:
    """A reader that dies while a second process waits for rows: the second, which has the source too, reads on."""
    scene.write(phones(MANY))
    reader = scene.stopped("ingest.committed", options=CHUNKS, store_options={"lease": SHORT})
    second = scene.start(options=CHUNKS)
    assert reader.kill()
    second.outcome()

    progress = scene.finish(options=CHUNKS)

    assert (progress["sent"] + progress["unknown"], progress["total"]) == (MANY, MANY)


SPELLINGS = [
    "600000000",
    "+34600000000",
    "0034600000000",
    "34 600 000 000",
    "600 00 00 00",
    "+34 600-000-000",
]


@pytest.mark.parametrize("point", [None, "post.leaving", "post.after"])
def test_fault_14_the_openers_phone_in_other_spellings(scene: Scene, point: str | None) -> None:
    """However the first phone is written again, in the first chunk or a later one, it is the same phone."""
    first, *others = SPELLINGS
    rows = [first, *others[:2], *phones(15)[1:], *others[2:]]
    scene.write(rows)
    if point:
        scene.killed(point)

    progress = scene.finish()

    assert scene.sandbox.count("34600000000") == (0 if point == "post.leaving" else 1)
    assert progress["sent"] + progress["unknown"] == 15
    assert progress["unknown"] == (1 if point else 0)


async def test_fault_16_nobody_at_all(scene: Scene) -> None:
    """A campaign without recipients is done at once, and sends nothing."""
    async with campaigns_of(scene) as campaigns:
        campaign = await begin(campaigns, scene, [])
        assert (await campaign.complete()).state == "done"
        assert (await settled(campaign, scene))["total"] == 0
    assert scene.sandbox.requests == []


@pytest.mark.parametrize("count", [1, 2, 500, 501, 502])
def test_fault_16_sizes_around_one_request(scene: Scene, count: int) -> None:
    """One, two, a full chunk and one more."""
    scene.write(phones(count))

    progress = scene.finish(options={"chunk_size": None})

    assert (progress["sent"], progress["total"]) == (count, count)
    assert (
        sorted(scene.sizes()) == {1: [1], 2: [1, 1], 500: [1, 499], 501: [1, 1, 499], 502: [1, 2, 499]}[count]
    )


@pytest.mark.parametrize("count", [1, 2])
def test_fault_16_nobody_is_left_to_open(scene: Scene, count: int) -> None:
    """Every recipient was an opener whose answer was lost: the campaign is done, and says so."""
    scene.write(phones(count))
    for _ in range(count):
        scene.killed("post.after")

    progress = scene.finish()

    assert (progress["sent"], progress["unknown"], progress["state"]) == (0, count, "done")


def test_fault_31_memory_does_not_grow_with_the_rows(scene: Scene) -> None:
    """Four times the rows take little more memory than once, and a claim finds its chunk by the index."""
    peaks = {}
    for count in (5_000, 20_000):
        scene.write(phones(count), "many.csv")
        told = scene.run(
            "ingest",
            name=f"many-{count}",
            source=str(scene.folder / "many.csv"),
            options={"chunk_size": 50},
            memory=True,
        )
        assert (told["total"], told["reading"]) == (count, False)
        peaks[count] = told["peak"]
    # What stays is the set of phones met, two to three bytes each.
    assert peaks[20_000] - peaks[5_000] < 1_000_000, peaks


def test_a_worker_that_is_gone_shows_as_such(scene: Scene) -> None:
    """Killed while it read, or in the middle of a request: at once on the same machine, whatever its lease."""
    for point, told in (("ingest.committed", "read its rows"), ("chunk.posting", "its worker is gone")):
        scene.write(phones(20), f"{point}.csv")
        who: dict[str, Any] = {"name": point, "source": str(scene.folder / f"{point}.csv")}
        scene.killed(point, **who)
        found = scene.run("look", **who)
        assert told in found["note"]
        assert (found["waiting_until"] is not None) == (point == "chunk.posting")
