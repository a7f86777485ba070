"""The first send of a campaign, the only one that cannot be repeated: faults 1 to 4, 8 and 10."""

from __future__ import annotations

import pytest

from mensatek_async.sandbox import Fault
from tests.faults.scene import SHORT, Scene
from tests.sandbox_calls import phones


def test_fault_01_killed_before_posting_costs_nothing(scene: Scene) -> None:
    """An opener that was only claimed is claimed again: it is certain that nothing left the machine."""
    scene.write(phones(31))
    scene.killed("claim.opener")

    scene.ends_with(31, 0)


@pytest.mark.parametrize("point", ["post.leaving", "post.before"])
def test_fault_02_killed_between_posting_and_the_bytes(scene: Scene, point: str) -> None:
    """From outside this cannot be told from a send, so that one recipient is reported and nobody else suffers."""
    scene.write(phones(31))
    scene.killed(point)

    scene.ends_with(30, 1)
    assert scene.judge().unknown == [scene.given[0]]
    assert scene.sandbox.count(scene.given[0]) == 0


def test_fault_03_killed_while_the_answer_is_on_its_way(scene: Scene) -> None:
    """The provider took the opener, and the worker died before it could know: unknown, and never sent again."""
    scene.write(phones(31))
    scene.sandbox.fault(Fault.latency(5))
    worker = scene.start()
    scene.await_calls(1)
    assert worker.kill()

    scene.ends_with(30, 1)
    assert scene.sandbox.count(scene.given[0]) == 1


@pytest.mark.parametrize("point", ["post.after", "finish.before"])
def test_fault_04_killed_after_the_answer_before_it_is_written(scene: Scene, point: str) -> None:
    """An answer that never reached the journal is none."""
    scene.write(phones(31))
    scene.killed(point)

    scene.ends_with(30, 1)
    assert scene.sandbox.count(scene.given[0]) == 1


def test_fault_04_killed_once_the_answer_is_written(scene: Scene) -> None:
    """A committed answer counts, and the campaign goes on with its message."""
    scene.write(phones(31))
    scene.killed("finish.committed")

    scene.ends_with(31, 0)
    assert len({text.message_id for text in scene.sandbox.texts}) == 1


@pytest.mark.parametrize("point", ["post.leaving", "post.before"])
def test_fault_08_stopped_past_the_lease_in_the_opener(scene: Scene, point: str) -> None:
    """Others park the opener and go on; the one who wakes up late neither repeats nor overwrites anything."""
    scene.write(phones(31))
    sleeper = scene.stopped(point, store_options={"lease": SHORT})
    meanwhile = scene.run("get")
    assert (meanwhile["state"], meanwhile["sent"], meanwhile["unknown"]) == ("done", 30, 1)

    sleeper.wake()
    progress = scene.finish()
    texted = scene.sandbox.count(scene.given[0])
    # A late send is answered late, and that answer settles it; a deadline that has passed prevents it.
    assert (progress["sent"], progress["unknown"]) == ((31, 0) if texted else (30, 1))


def test_fault_08_a_late_answer_settles_the_opener(scene: Scene) -> None:
    """The answer was there when the process was stopped: once it goes on, nothing is unknown any more."""
    scene.write(phones(31))
    sleeper = scene.stopped("post.after", store_options={"lease": SHORT})
    assert scene.run("get")["unknown"] == 1

    sleeper.wake()

    scene.ends_with(31, 0)


def test_fault_10_an_opener_slower_than_its_lease_is_given_up(scene: Scene) -> None:
    """Each opener in turn is parked before its lease ends, so no two are under way; the first quick one opens."""
    scene.write(phones(25))
    scene.sandbox.fault(Fault.latency(4), times=3)

    scene.ends_with(22, 3, store_options={"lease": 1.0})
    assert all(scene.sandbox.count(phone) == 1 for phone in scene.given)


def test_fault_10_repeated_parking_ends(scene: Scene) -> None:
    """With no opener ever answered, the campaign ends or pauses for a stated reason, everybody texted once at most."""
    scene.write(phones(5))
    scene.sandbox.fault(Fault.latency(4), times=None)

    progress = scene.run(store_options={"lease": 1.0}, export=str(scene.folder / "export.csv"))

    assert progress["unknown"] == 5 or (progress["state"], bool(progress["reason"])) == ("paused", True)
    verdict = scene.judge(progress)
    assert not verdict.doubled
    assert not verdict.lies
