"""The outbox: a kill at each step of an item, on SQLite and PostgreSQL."""

from __future__ import annotations

import pytest

from mensatek_async.sandbox import Fault
from tests.callbacks import REPORT
from tests.faults.jobs import Trip
from tests.faults.scene import SHORT, Scene
from tests.sandbox_calls import phones

ANA = "34600000000"


@pytest.fixture
def outbox(scene: Scene) -> Scene:
    """A stage with one item to put."""
    scene.job.options.pop("chunk_size")
    scene.write([ANA])
    return scene


def ends_as(scene: Scene, state: str, texts: int) -> None:
    """The item is in this state, and so many texts came."""
    found = scene.query("SELECT state FROM mensatek_outbox")
    assert [one for (one,) in found] == [state]
    assert scene.sandbox.count(ANA) == texts


@pytest.mark.parametrize(
    ("point", "repeat", "state", "texts"),
    [
        ("outbox.put.before", False, "sent", 1),
        ("outbox.put", False, "sent", 1),
        ("outbox.claimed", False, "sent", 1),
        ("post.leaving", False, "unknown", 0),
        ("post.leaving", True, "sent", 1),
        ("post.before", False, "unknown", 0),
        ("post.after", False, "unknown", 1),
        ("post.after", True, "sent", 2),
        ("finish.before", False, "unknown", 1),
        ("finish.before", True, "sent", 2),
        ("finish.committed", False, "sent", 1),
        ("outbox.ended", False, "sent", 1),
    ],
)
def test_an_outbox_killed_at_each_step(
    outbox: Scene, point: str, repeat: bool, state: str, texts: int
) -> None:
    """Put again and sent, it is texted once; what may have left is unknown, or repeated where it says so."""
    outbox.killed(point, how="send", options={"repeat_unknown": repeat})
    outbox.run("send", budget=3 * SHORT, options={"repeat_unknown": repeat})

    ends_as(outbox, state, texts)


@pytest.mark.parametrize(
    ("fault", "repeat", "point", "state", "texts"),
    [
        (Fault.status_429(0.1), False, "finish.committed", "sent", 1),
        (Fault.refuse(-3), False, "outbox.ended", "failed", 0),
        (Fault.drop_after_accept(), False, "outbox.ended", "unknown", 1),
        (Fault.drop_after_accept(), False, "finish.before", "unknown", 1),
        (Fault.drop_after_accept(), True, "finish.committed", "sent", 2),
    ],
    ids=["told-to-wait", "refused", "lost", "lost-and-not-written", "lost-and-repeated"],
)
def test_an_outbox_killed_at_each_other_end(
    outbox: Scene, fault: Fault, repeat: bool, point: str, state: str, texts: int
) -> None:
    """An end that is written down stays; one that is not was never answered."""
    outbox.sandbox.fault(fault)
    outbox.killed(point, how="send", options={"repeat_unknown": repeat})
    outbox.run("drain", budget=3 * SHORT)

    ends_as(outbox, state, texts)


def test_an_outbox_killed_while_an_item_expires(outbox: Scene) -> None:
    """It is written down before anybody hears of it, and never sent."""
    outbox.run("put", options={"not_after": 0.01})
    outbox.killed("outbox.ended", how="drain")
    outbox.run("drain")

    ends_as(outbox, "expired", 0)


def test_an_outbox_whose_item_is_cancelled_under_its_worker(outbox: Scene) -> None:
    """What is cancelled between its claim and its request never leaves."""
    sleeper = outbox.stopped("outbox.claimed", how="send")
    outbox.run("cancel", name=ANA)
    sleeper.wake()

    ends_as(outbox, "cancelled", 0)


def test_an_outbox_killed_while_an_item_is_given_up(outbox: Scene) -> None:
    """What may have left stays unknown, through a retry and a cancellation too."""
    outbox.killed("post.leaving", how="send", store_options={"lease": 1.0})
    outbox.killed("outbox.ended", how="drain", budget=3 * SHORT)
    ends_as(outbox, "unknown", 0)

    outbox.killed("outbox.changed", how="retry", name=ANA)
    ends_as(outbox, "queued", 0)
    outbox.killed("outbox.changed", how="cancel", name=ANA)
    ends_as(outbox, "unknown", 0)  # its first try may have been taken


def test_an_outbox_killed_while_an_item_is_cancelled_and_retried(outbox: Scene) -> None:
    """A cancelled item stays so over a kill, and one that was put back is sent once."""
    outbox.run("put")
    outbox.killed("outbox.changed", how="cancel", name=ANA)
    assert outbox.run("drain", budget=3 * SHORT)["sent"] == 0
    ends_as(outbox, "cancelled", 0)

    outbox.killed("outbox.changed", how="retry", name=ANA)
    outbox.run("drain", budget=3 * SHORT)
    ends_as(outbox, "sent", 1)


def test_an_outbox_killed_while_a_report_settles_an_item(outbox: Scene) -> None:
    """A lost answer is settled by the text's own report, once it is committed."""
    outbox.sandbox.fault(Fault.drop_after_accept())
    assert outbox.run("send")["unknown"] == 1
    text = outbox.sandbox.texts[0]
    told = {"Resultado": 13, "Movil": ANA, "idMensaje": text.message_id, "Referencia": text.reference}
    outbox.killed("outbox.changed", how="record", options={**REPORT, **told})

    ends_as(outbox, "sent", 1)


def test_an_outbox_stopped_past_its_lease(outbox: Scene) -> None:
    """Others call it unknown; the one who wakes up late sends nothing under a lease that is over, and says so."""
    sleeper = outbox.stopped("post.leaving", how="send", store_options={"lease": SHORT})
    assert outbox.run("drain", budget=3 * SHORT)["unknown"] == 1
    sleeper.wake()
    outbox.run("drain")

    ends_as(outbox, "sent", 1)


def test_an_outbox_whose_workers_die_one_after_the_other(outbox: Scene) -> None:
    """Every item ends, none is sent twice, and no more are unknown than were on their way."""
    outbox.write(phones(40))
    outbox.run("put")
    for point in ("outbox.claimed", "post.leaving", "post.after", "finish.before", "finish.committed") * 2:
        options = {"budget": 3 * SHORT, "concurrency": 2, "store_options": {"lease": 2.0}}
        outbox.start("drain", Trip(point, 3), **options).wait()
    outbox.run("drain", budget=3 * SHORT)

    states = [state for (state,) in outbox.query("SELECT state FROM mensatek_outbox")]
    assert set(states) <= {"sent", "unknown"}
    assert max(outbox.sandbox.counts.values()) == 1
    assert states.count("unknown") <= 20
    texted = set(outbox.sandbox.counts)
    sent = {key for (key,) in outbox.query("SELECT phone FROM mensatek_outbox WHERE state = 'sent'")}
    assert sent <= texted


def test_an_outbox_where_who_only_puts_keeps_nobody_waiting(outbox: Scene) -> None:
    """A process that puts items holds no lease: after the only worker's death another takes over at once."""
    if not outbox.is_sqlite:
        pytest.skip("on a server the lease of the dead has to end")
    outbox.run("put")
    putting = outbox.stopped("outbox.put", how="put")
    outbox.killed("outbox.claimed", how="drain", store_options={"lease": 600.0})

    assert outbox.run("drain", budget=5)["sent"] == 1
    putting.kill()
